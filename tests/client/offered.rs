//! Bytes that were offered count as seen by the server until the transport reports how many it took.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Event, SessionLoss, State};

use crate::harness::*;

#[test]
fn offered_messages_are_resent_with_dup() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut rig = Rig::online();
        rig.publish("a", b"", qos);
        rig.publish("b", b"", qos);
        assert!(!rig.client.pending().is_empty());
        rig.publish("c", b"", qos);
        rig.lose_link();
        rig.go_online(&CONNECT, true);
        let lines: Vec<bool> = rig.send_all().iter().map(|line| line.contains(" dup ")).collect();
        assert_eq!(lines, [true, true, false]);
    }
}

#[test]
fn offered_messages_are_not_sent_as_new_after_a_lost_session() {
    let mut rig = Rig::online();
    rig.choose(|c| c.session_loss = SessionLoss::Drop);
    rig.publish("a", b"", ExactlyOnce);
    assert!(!rig.client.pending().is_empty());
    rig.lose_link();
    rig.go_online(&CONNECT, false);
    assert_eq!(rig.events(), ["ended 1 Lost"]);
    assert!(rig.send_all().is_empty());
}

#[test]
fn offered_bytes_that_were_not_accepted_are_not_sent() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("b", b"", AtLeastOnce);
    rig.send_bytes(3);
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 dup (0 B)", "PUBLISH b qos=1 id=2 (0 B)"]);
}

/// The write has failed. Messages received before that are still delivered, but not acknowledged.
#[test]
fn after_output_lost_received_messages_are_delivered() {
    let mut rig = Rig::online();
    rig.publish("out", b"", AtLeastOnce);
    assert!(!rig.client.pending().is_empty());
    rig.client.output_lost();
    assert!(rig.client.pending().is_empty());
    for number in 1..=5 {
        rig.receive_publish("in", b"", AtLeastOnce, number);
        rig.receive_publish("in", b"", ExactlyOnce, number + 100);
    }
    assert_eq!(rig.events().len(), 10);
    assert!(rig.client.pending().is_empty());
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    // At QoS 2 the identifier is known, and the message is not delivered again.
    rig.receive(publish("in", b"", ExactlyOnce, 101, true));
    assert!(rig.events().is_empty());
    assert_eq!(rig.send_all(), ["PUBREC id=101", "PUBLISH out qos=1 id=1 dup (0 B)"]);
}

/// Nothing waits for unsent output either: it will never be sent.
#[test]
fn after_output_lost_nothing_waits_for_output() {
    let mut rig = Rig::online();
    rig.choose(|c| c.ack_timeout_ms = 0);
    rig.publish("out", b"", AtLeastOnce);
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    rig.send_bytes(3);
    rig.client.output_lost();
    assert_eq!(rig.deadline(), None);
    // The server answers what it had received before, and the client repeats the rest.
    rig.receive(Packet::PubAck(id(1)));
    rig.receive_publish("in", b"", AtMostOnce, 0);
    assert_eq!(rig.events(), ["message in qos=0 (0 B)"]);
}

/// If CONNECT has been sent, its answer may already have been received, or may still be read.
#[test]
fn without_output_connack_still_counts() {
    let mut rig = Rig::new();
    rig.connect(&CONNECT);
    rig.send_bytes(5);
    rig.client.output_lost();
    assert_eq!(rig.client.state(), State::Offline, "a part of CONNECT has no answer");

    rig.connect(&CONNECT);
    rig.wire.clear();
    assert_eq!(rig.send_all().len(), 1);
    rig.client.output_lost();
    rig.receive_bytes(&[0x20, 2, 0, 5]);
    assert!(matches!(&rig.events()[..], [error] if error.contains("Refused")), "the reason is not lost");

    rig.connect(&CONNECT);
    rig.send_all();
    rig.client.output_lost();
    rig.receive_connack(false);
    rig.receive_publish("in", b"", AtLeastOnce, 1);
    assert_eq!(rig.events(), ["connected present=false", "message in qos=1 id=1 (0 B)"]);
    assert!(rig.send_all().is_empty());
}

#[test]
fn output_lost_does_nothing_while_offline() {
    let mut rig = Rig::online();
    rig.subscribe(&[("a", AtMostOnce)]);
    rig.send_all();
    rig.client.link_lost();
    assert_eq!(rig.client.advance(rig.now()), Ok(true));
    rig.client.output_lost();
    assert!(matches!(rig.client.event(), Some(Event::Ended { .. })), "it is still reported");
}

#[test]
fn an_answer_is_sent_right_after_a_partly_sent_packet() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("b", b"", AtLeastOnce);
    rig.send_bytes(3);
    rig.receive_publish("in", b"", AtLeastOnce, 7);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 (0 B)", "PUBACK id=7", "PUBLISH b qos=1 id=2 (0 B)"]);
}
