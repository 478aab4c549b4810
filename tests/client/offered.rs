//! Bytes that were offered count as seen by the server until the transport reports how many it took.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Event, SessionLoss, State};

use crate::harness::*;

#[test]
fn offered_messages_are_resent_with_dup() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut rig = Rig::online();
        rig.publishes("a", b"", qos);
        rig.publishes("b", b"", qos);
        assert!(!rig.client.pending().is_empty());
        rig.publishes("c", b"", qos);
        rig.cut();
        rig.goes_online(&CONNECT, true);
        let lines: Vec<bool> = rig.sends().iter().map(|line| line.contains(" dup ")).collect();
        assert_eq!(lines, [true, true, false]);
    }
}

#[test]
fn offered_messages_are_not_sent_as_new_after_a_lost_session() {
    let mut rig = Rig::online();
    rig.choose(|c| c.session_loss = SessionLoss::Drop);
    rig.publishes("a", b"", ExactlyOnce);
    assert!(!rig.client.pending().is_empty());
    rig.cut();
    rig.goes_online(&CONNECT, false);
    assert_eq!(rig.events(), ["ended 1 Lost"]);
    assert!(rig.sends().is_empty());
}

#[test]
fn offered_bytes_that_were_not_accepted_are_not_sent() {
    let mut rig = Rig::online();
    rig.publishes("a", b"", AtLeastOnce);
    rig.publishes("b", b"", AtLeastOnce);
    rig.sends_bytes(3);
    rig.cut();
    rig.goes_online(&CONNECT, true);
    assert_eq!(rig.sends(), ["PUBLISH a qos=1 id=1 dup (0 B)", "PUBLISH b qos=1 id=2 (0 B)"]);
}

/// The write has failed. Messages received before that are still delivered, but not acknowledged.
#[test]
fn after_output_lost_received_messages_are_delivered() {
    let mut rig = Rig::online();
    rig.publishes("out", b"", AtLeastOnce);
    assert!(!rig.client.pending().is_empty());
    rig.client.output_lost();
    assert!(rig.client.pending().is_empty());
    for number in 1..=5 {
        rig.delivers("in", b"", AtLeastOnce, number);
        rig.delivers("in", b"", ExactlyOnce, number + 100);
    }
    assert_eq!(rig.events().len(), 10);
    assert!(rig.client.pending().is_empty());
    rig.cut();
    rig.goes_online(&CONNECT, true);
    // At QoS 2 the identifier is known, and the message is not delivered again.
    rig.receives(publish("in", b"", ExactlyOnce, 101, true));
    assert!(rig.events().is_empty());
    assert_eq!(rig.sends(), ["PUBREC id=101", "PUBLISH out qos=1 id=1 dup (0 B)"]);
}

/// Nothing waits for unsent output either: it will never be sent.
#[test]
fn after_output_lost_nothing_waits_for_output() {
    let mut rig = Rig::online();
    rig.choose(|c| c.ack_timeout_ms = 0);
    rig.publishes("out", b"", AtLeastOnce);
    rig.cut();
    rig.goes_online(&CONNECT, true);
    rig.sends_bytes(3);
    rig.client.output_lost();
    assert_eq!(rig.deadline(), None);
    // The server answers what it had received before, and the client repeats the rest.
    rig.receives(Packet::PubAck(id(1)));
    rig.delivers("in", b"", AtMostOnce, 0);
    assert_eq!(rig.events(), ["message in qos=0 (0 B)"]);
}

/// If CONNECT has been sent, its answer may already have been received, or may still be read.
#[test]
fn without_output_connack_still_counts() {
    let mut rig = Rig::new();
    rig.connects(&CONNECT);
    rig.sends_bytes(5);
    rig.client.output_lost();
    assert_eq!(rig.client.state(), State::Offline, "a part of CONNECT has no answer");

    rig.connects(&CONNECT);
    rig.wire.clear();
    assert_eq!(rig.sends().len(), 1);
    rig.client.output_lost();
    rig.receives_bytes(&[0x20, 2, 0, 5]);
    assert!(matches!(&rig.events()[..], [error] if error.contains("Refused")), "the reason is not lost");

    rig.connects(&CONNECT);
    rig.sends();
    rig.client.output_lost();
    rig.accepts(false);
    rig.delivers("in", b"", AtLeastOnce, 1);
    assert_eq!(rig.events(), ["connected present=false", "message in qos=1 id=1 (0 B)"]);
    assert!(rig.sends().is_empty());
}

#[test]
fn output_lost_does_nothing_while_offline() {
    let mut rig = Rig::online();
    rig.subscribes(&[("a", AtMostOnce)]);
    rig.sends();
    rig.client.link_lost();
    assert_eq!(rig.client.advance(rig.now()), Ok(true));
    rig.client.output_lost();
    assert!(matches!(rig.client.event(), Some(Event::Ended { .. })), "it is still reported");
}

#[test]
fn an_answer_is_sent_right_after_a_partly_sent_packet() {
    let mut rig = Rig::online();
    rig.publishes("a", b"", AtLeastOnce);
    rig.publishes("b", b"", AtLeastOnce);
    rig.sends_bytes(3);
    rig.delivers("in", b"", AtLeastOnce, 7);
    assert_eq!(rig.sends(), ["PUBLISH a qos=1 id=1 (0 B)", "PUBACK id=7", "PUBLISH b qos=1 id=2 (0 B)"]);
}
