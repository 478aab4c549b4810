//! A lost link, and a server that has kept the session: what is resent, and how.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;

use crate::harness::*;

#[test]
fn unacknowledged_messages_are_resent_in_order() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::online().chunked(chunks);
        rig.publish("a", b"1", AtLeastOnce);
        rig.publish("b", b"2", ExactlyOnce);
        rig.publish("c", b"3", AtMostOnce);
        rig.publish("d", b"4", AtLeastOnce);
        rig.publish("e", b"5", ExactlyOnce);
        rig.send_all();
        rig.receive(Packet::PubAck(id(1)));
        rig.receive(Packet::PubRec(id(4)));
        rig.send_all();
        for _ in 0..3 {
            rig.lose_link();
            rig.go_online(&CONNECT, true);
            assert_eq!(
                rig.send_all(),
                [
                    "PUBLISH b qos=2 id=2 dup (1 B) \"2\"",
                    "PUBLISH d qos=1 id=3 dup (1 B) \"4\"",
                    "PUBREL id=4"
                ]
            );
        }
        rig.receive(Packet::PubComp(id(4)));
        rig.receive(Packet::PubAck(id(3)));
        rig.receive(Packet::PubRec(id(2)));
        rig.send_all();
        rig.receive(Packet::PubComp(id(2)));
        assert_eq!(
            rig.events(),
            ["published 1 qos=1", "published 4 qos=2", "published 3 qos=1", "published 2 qos=2"]
        );
    });
}

/// DUP means that a packet may have been seen: set once its first byte was sent, and not before.
#[test]
fn only_packets_that_were_partly_sent_have_dup() {
    for taken in 0..=27 {
        let mut rig = Rig::online();
        rig.publish("a", b"1", AtLeastOnce);
        rig.publish("b", b"2", ExactlyOnce);
        rig.publish("c", b"3", AtLeastOnce);
        rig.send_bytes(taken);
        rig.lose_link();
        rig.go_online(&CONNECT, true);
        let begun: Vec<bool> = rig.send_all().iter().map(|line| line.contains(" dup ")).collect();
        assert_eq!(begun, [taken > 0, taken > 8, taken > 16], "{taken}");
    }
}

#[test]
fn a_partly_sent_packet_is_resent_from_its_first_byte() {
    for taken in 1..30 {
        let mut rig = Rig::online();
        rig.publish("topic", b"some more payload", ExactlyOnce);
        rig.send_bytes(taken);
        rig.lose_link();
        rig.go_online(&CONNECT, true);
        assert_eq!(rig.send_all(), ["PUBLISH topic qos=2 id=1 dup (17 B) \"some more payload\""]);
    }
}

#[test]
fn qos_0_subscribe_and_unsubscribe_are_not_sent_again() {
    for taken in [0, 2, usize::MAX] {
        let mut rig = Rig::online();
        rig.publish("a", b"", AtMostOnce);
        rig.subscribe(&[("b", AtMostOnce)]);
        rig.unsubscribe(&["c"]);
        rig.publish("d", b"", AtLeastOnce);
        rig.send_bytes(taken);
        rig.lose_link();
        rig.go_online(&CONNECT, true);
        let sent = rig.send_all();
        assert_eq!(sent.len(), 1);
        assert!(sent[0].starts_with("PUBLISH d"));
    }
}

/// Acknowledgements for something not yet sent on this connection belong to an earlier one.
#[test]
fn an_answer_before_the_repetition_is_ignored() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("b", b"", ExactlyOnce);
    rig.send_all();
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    rig.receive(Packet::PubAck(id(1)));
    rig.receive(Packet::PubRec(id(2)));
    assert!(rig.events().is_empty());
    assert_eq!(
        rig.send_all(),
        ["PUBLISH a qos=1 id=1 dup (0 B)", "PUBLISH b qos=2 id=2 dup (0 B)"],
        "and no PUBREL before the repeated message: the server would take that for a new one"
    );
}

/// A second PUBREC while PUBREL is to be resent: answered at once, or when its turn comes.
#[test]
fn a_repeated_pubrec_while_pubrel_is_to_be_resent() {
    let mut rig = Rig::online();
    rig.publish("b", b"", ExactlyOnce);
    rig.send_all();
    rig.receive(Packet::PubRec(id(1)));
    rig.send_all();
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    rig.receive(Packet::PubRec(id(1)));
    assert_eq!(rig.send_all(), ["PUBREL id=1"]);
    rig.events();
    assert_eq!(rig.send_all(), ["PUBREL id=1"]);
    rig.receive(Packet::PubComp(id(1)));
    rig.receive(Packet::PubComp(id(1)));
    assert_eq!(rig.events(), ["published 1 qos=2"]);
}

#[test]
fn new_messages_are_queued_behind_old_ones() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    rig.lose_link();
    rig.publish("b", b"", AtLeastOnce);
    rig.go_online(&CONNECT, true);
    rig.publish("c", b"", AtMostOnce);
    assert_eq!(
        rig.send_all(),
        ["PUBLISH a qos=1 id=1 dup (0 B)", "PUBLISH b qos=1 id=2 (0 B)", "PUBLISH c qos=0 (0 B)"]
    );
}

#[test]
fn link_lost_twice_has_no_further_effect() {
    let mut rig = Rig::online();
    rig.subscribe(&[("a", AtMostOnce)]);
    rig.publish("b", b"", AtLeastOnce);
    rig.send_all();
    for _ in 0..3 {
        rig.lose_link();
    }
    assert_eq!(rig.events(), ["ended 1 Lost"]);
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all(), ["PUBLISH b qos=1 id=2 dup (0 B)"]);
}

#[test]
fn a_link_lost_before_connack_loses_no_message() {
    let mut rig = Rig::new();
    rig.publish("a", b"", AtLeastOnce);
    for taken in [0, 3, usize::MAX] {
        rig.connect(&CONNECT);
        rig.send_bytes(taken);
        rig.lose_link();
    }
    rig.go_online(&CONNECT, false);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 (0 B)"]);
    assert!(rig.events().is_empty());
}

#[test]
fn bytes_received_offline_are_dropped() {
    let mut rig = Rig::online();
    rig.lose_link();
    rig.receive_bytes(&[]);
    rig.client.received(10);
    rig.go_online(&CONNECT, true);
    rig.receive_publish("a", b"", AtMostOnce, 0);
    assert_eq!(rig.events(), ["message a qos=0 (0 B)"]);
}

#[test]
fn a_partly_received_packet_is_discarded() {
    for len in 1..10 {
        let mut rig = Rig::online();
        rig.receive_bytes(&b"\x32\x08\x00\x01a\x00\x07xyz"[..len]);
        rig.lose_link();
        rig.go_online(&CONNECT, true);
        assert!(rig.events().len() <= usize::from(len == 10));
        rig.receive_publish("b", b"", AtLeastOnce, 7);
        assert_eq!(rig.events(), ["message b qos=1 id=7 (0 B)"]);
    }
}
