//! CONNACK, answers and output have timeouts of their own, and `time_left` returns the next of them.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::State;
use baremqtt::codec::Packet;

use crate::harness::*;

#[test]
fn the_connack_timeout_starts_at_connect() {
    let mut rig = Rig::new();
    rig.set_clock(5_000);
    rig.connect(&CONNECT);
    rig.at(6_000).send_all();
    assert_eq!(rig.deadline(), Some(15_000));
    assert!(rig.at(14_999).events().is_empty());
    assert_eq!(rig.at(15_000).events(), ["error TimedOut(ConnAck)"]);
    assert_eq!(rig.deadline(), None);
}

#[test]
fn connack_that_arrived_in_time_can_be_read_late() {
    let mut rig = Rig::new();
    rig.connect(&CONNECT);
    rig.send_all();
    rig.set_clock(20_000);
    rig.receive_connack(false);
    assert_eq!(rig.events(), ["connected present=false"]);
}

#[test]
fn an_answer_is_due_for_the_oldest_request() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    assert_eq!(rig.deadline(), Some(30_000), "output waits");
    rig.at(1_000).send_all();
    assert_eq!(rig.deadline(), Some(31_000));
    rig.at(10_000).publish("b", b"", ExactlyOnce);
    rig.send_all();
    assert_eq!(rig.deadline(), Some(31_000), "a younger one changes nothing");
    rig.at(20_000).receive(Packet::PubAck(id(1)));
    assert_eq!(rig.deadline(), Some(50_000), "now it is the turn of the second");
    rig.at(40_000).receive(Packet::PubRec(id(2)));
    rig.send_all();
    assert_eq!(rig.deadline(), Some(70_000), "PUBREC is an answer");
    rig.events();
    assert_eq!(rig.at(70_000).events(), ["error TimedOut(Ack)"]);
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all(), ["PUBREL id=2"]);
}

/// The answer may be behind a long packet on a slow link.
#[test]
fn only_bytes_of_a_partly_received_packet_restart_it() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    rig.at(10_000).receive_publish("in", b"", AtMostOnce, 0);
    assert_eq!(rig.deadline(), Some(30_000), "a whole packet");
    for (now, bytes) in [(20_000, &b"\x30\x08\0"[..]), (45_000, b"\x02in12")] {
        rig.at(now).receive_bytes(bytes);
        assert_eq!(rig.deadline(), Some(now + 30_000), "a part of one");
    }
    rig.at(50_000).receive_bytes(b"34");
    assert_eq!(rig.deadline(), Some(75_000), "its end");
    assert_eq!(rig.at(75_000).events().last().unwrap(), "error TimedOut(Ack)");
}

#[test]
fn an_answer_to_a_later_request_does_not_restart_the_timeout() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("b", b"", AtLeastOnce);
    rig.send_all();
    rig.at(20_000).receive(Packet::PubAck(id(2)));
    assert_eq!(rig.events(), ["published 2 qos=1"]);
    assert_eq!(rig.at(30_000).events(), ["error TimedOut(Ack)"]);
}

#[test]
fn a_subscribe_that_times_out_is_lost_and_a_message_is_kept() {
    let mut rig = Rig::online();
    rig.subscribe(&[("a", AtMostOnce)]);
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    assert_eq!(rig.at(30_000).events(), ["error TimedOut(Ack)", "ended 1 Lost"]);
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=2 dup (0 B)"]);
}

#[test]
fn stalled_output_times_out() {
    let mut rig = Rig::online();
    rig.publish("a", &[0; 100], AtMostOnce);
    rig.at(29_000).send_bytes(1);
    assert_eq!(rig.deadline(), Some(59_000), "each byte counts");
    rig.at(40_000).publish("a", b"", AtMostOnce);
    assert_eq!(rig.deadline(), Some(59_000), "more to send does not");
    assert_eq!(rig.at(59_000).events(), ["error TimedOut(Stall)"]);
}

#[test]
fn zero_turns_the_limit_off() {
    let mut rig = Rig::new();
    rig.choose(|c| (c.connack_timeout_ms, c.ack_timeout_ms, c.stall_timeout_ms) = (0, 0, 0));
    rig.connect(&CONNECT);
    assert_eq!(rig.deadline(), None);
    rig.send_all();
    assert_eq!(rig.deadline(), None);
    rig.receive_connack(false);
    rig.publish("a", b"", AtLeastOnce);
    assert_eq!(rig.deadline(), None);
    rig.send_all();
    assert_eq!(rig.deadline(), None);
    rig.at(u64::MAX - 1);
    assert_eq!(rig.client.state(), State::Connected);
}

/// If only sending can change it, a deadline in the past would make the caller spin.
#[test]
fn the_deadline_is_never_in_the_past_after_a_call() {
    for setup in 0..6 {
        let mut rig = Rig::new();
        rig.connect(&CONNECT.keep_alive(3));
        if setup > 0 {
            rig.send_all();
        }
        if setup > 1 {
            rig.receive_connack(false);
        }
        match setup {
            2 => assert_eq!(rig.publish("a", b"", AtMostOnce), 0),
            3 => assert_eq!(rig.publish("a", b"", ExactlyOnce), 1),
            4 => rig.disconnect(),
            5 => {
                rig.publish("a", b"", AtMostOnce);
                rig.send_bytes(1);
                rig.disconnect();
            }
            _ => {}
        }
        for step in 1..300 {
            let ms = step * 500;
            rig.at(ms);
            assert!(rig.deadline().is_none_or(|deadline| deadline > ms), "setup {setup} at {ms} ms");
        }
        assert_eq!(rig.client.state(), State::Offline, "setup {setup}: a timeout ended the connection");
    }
}

#[test]
fn a_clock_that_stands_still_only_stops_timeouts() {
    let mut rig = Rig::online();
    for _ in 0..100 {
        rig.publish("a", b"", AtLeastOnce);
        let line = rig.send_all().remove(0);
        let number: u16 = line.split("id=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        rig.receive(Packet::PubAck(id(number)));
    }
    assert_eq!(rig.events().len(), 100);
}

#[test]
fn a_clock_that_steps_back_breaks_nothing() {
    let mut rig = Rig::new();
    rig.set_clock(1_000_000);
    rig.go_online(&CONNECT.keep_alive(10), false);
    rig.at(1_005_000).at(0);
    assert_eq!(rig.deadline(), Some(2_500), "no time has passed by that");
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    assert_eq!(rig.deadline(), Some(2_500), "that of silence from the server");
    assert_eq!(rig.at(2_500).send_all(), ["PINGREQ"]);
    rig.receive(Packet::PubAck(id(1)));
    assert_eq!(rig.events(), ["published 1 qos=1"]);
}

#[test]
fn a_clock_that_jumps_forward_breaks_nothing() {
    let mut rig = Rig::new();
    rig.go_online(&CONNECT.keep_alive(10), false);
    assert_eq!(rig.at(u64::from(u32::MAX >> 1)).send_all(), ["PINGREQ"]);
    rig.receive(Packet::PingResp);
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    rig.receive(Packet::PubAck(id(1)));
    assert_eq!(rig.events(), ["published 1 qos=1"]);
}

/// Stored messages wait for CONNACK, not for an answer; their timeout starts when they are sent.
#[test]
fn answers_are_not_due_before_connack() {
    let mut rig = Rig::new();
    rig.choose(|c| c.connack_timeout_ms = 0);
    rig.choose(|c| c.ack_timeout_ms = 5_000);
    rig.publish("a", b"", AtLeastOnce);
    rig.connect(&CONNECT);
    assert_eq!(rig.send_all().len(), 1);
    assert_eq!(rig.deadline(), None);
    assert!(rig.at(60_000).events().is_empty());
    rig.receive_connack(true);
    assert_eq!(rig.at(61_000).send_all().len(), 1);
    assert_eq!(rig.deadline(), Some(66_000));
}
