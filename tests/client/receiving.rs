//! Inbound messages: delivered once the packet is complete, answered once the application has seen them.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;

use crate::harness::*;

#[test]
fn at_most_once() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::online().chunked(chunks);
        rig.receive_publish("a/b", b"hi", AtMostOnce, 0);
        assert_eq!(rig.events(), ["message a/b qos=0 (2 B) \"hi\""]);
        assert!(rig.send_all().is_empty());
    });
}

#[test]
fn at_least_once() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::online().chunked(chunks);
        rig.receive_publish("a/b", b"hi", AtLeastOnce, 7);
        assert_eq!(rig.events(), ["message a/b qos=1 id=7 (2 B) \"hi\""]);
        assert_eq!(rig.send_all(), ["PUBACK id=7"]);
    });
}

#[test]
fn exactly_once() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::online().chunked(chunks);
        rig.receive_publish("a/b", b"hi", ExactlyOnce, 7);
        assert_eq!(rig.events(), ["message a/b qos=2 id=7 (2 B) \"hi\""]);
        assert_eq!(rig.send_all(), ["PUBREC id=7"]);
        rig.receive(pubrel(7));
        assert_eq!(rig.send_all(), ["PUBCOMP id=7"]);
        assert!(rig.events().is_empty());
        rig.receive_publish("a/b", b"new", ExactlyOnce, 7);
        assert_eq!(rig.events(), ["message a/b qos=2 id=7 (3 B) \"new\""], "the identifier is free again");
    });
}

#[test]
fn empty_and_retained() {
    let mut rig = Rig::online();
    rig.receive_bytes(b"\x31\x03\x00\x01a");
    rig.receive_bytes(b"\x33\x05\x00\x01a\x00\x07");
    assert_eq!(rig.events(), ["message a qos=0 retain (0 B)", "message a qos=1 id=7 retain (0 B)"]);
}

/// The answer is sent when the application releases the message, and not before.
#[test]
fn the_answer_follows_the_event() {
    let mut rig = Rig::online();
    let now = rig.now();
    rig.client.receive_buffer()[..7].copy_from_slice(b"\x32\x05\x00\x01a\x00\x09");
    rig.client.received(7);
    assert_eq!(rig.client.advance(now), Ok(true));
    assert!(rig.client.pending().is_empty());
    assert_eq!(rig.client.advance(now), Ok(false));
    assert_eq!(rig.client.pending(), [0x40, 2, 0, 9]);
}

/// What the application has not released is resent; the answer must not be sent on the next connection.
#[test]
fn a_queued_answer_is_discarded_with_the_connection() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut rig = Rig::online();
        rig.receive_publish("a", b"", qos, 9);
        rig.events();
        rig.lose_link();
        rig.go_online(&CONNECT, true);
        assert!(rig.send_all().is_empty());
    }
}

#[test]
fn a_repeated_qos_1_message_is_delivered_again() {
    let mut rig = Rig::online();
    for dup in [false, true, false] {
        rig.receive(publish("a", b"", AtLeastOnce, 7, dup));
        assert_eq!(rig.events().len(), 1);
        assert_eq!(rig.send_all(), ["PUBACK id=7"]);
    }
}

/// Only the identifier matters, not DUP.
#[test]
fn a_repeated_qos_2_message_is_answered_and_not_delivered() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::online().chunked(chunks);
        rig.receive_publish("a", b"", ExactlyOnce, 7);
        assert_eq!(rig.events().len(), 1);
        assert_eq!(rig.send_all(), ["PUBREC id=7"]);
        for dup in [false, true] {
            rig.receive(publish("a", b"", ExactlyOnce, 7, dup));
            assert!(rig.events().is_empty());
            assert_eq!(rig.send_all(), ["PUBREC id=7"]);
        }
    });
}

#[test]
fn duplicates_are_detected_across_reconnects() {
    for cut_after_pubrec in [false, true] {
        let mut rig = Rig::online();
        rig.receive_publish("a", b"", ExactlyOnce, 7);
        assert_eq!(rig.events().len(), 1);
        if cut_after_pubrec {
            rig.send_all();
        }
        rig.lose_link();
        rig.go_online(&CONNECT, true);
        rig.receive(publish("a", b"", ExactlyOnce, 7, true));
        assert!(rig.events().is_empty());
        assert_eq!(rig.send_all(), ["PUBREC id=7"]);
        rig.lose_link();
        rig.go_online(&CONNECT, true);
        rig.receive(pubrel(7));
        assert_eq!(rig.send_all(), ["PUBCOMP id=7"]);
    }
}

#[test]
fn answers_keep_the_order_of_the_messages() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::online().chunked(chunks);
        for (qos, number) in [(AtLeastOnce, 5), (ExactlyOnce, 3), (AtLeastOnce, 9), (ExactlyOnce, 1)] {
            rig.receive_publish("a", b"", qos, number);
        }
        assert_eq!(rig.events().len(), 4);
        assert_eq!(rig.send_all(), ["PUBACK id=5", "PUBREC id=3", "PUBACK id=9", "PUBREC id=1"]);
    });
}

/// Inbound and outbound identifiers are two name spaces.
#[test]
fn the_same_identifier_in_both_directions() {
    let mut rig = Rig::online();
    assert_eq!(rig.publish("out", b"", ExactlyOnce), 1);
    rig.send_all();
    rig.receive_publish("in", b"", ExactlyOnce, 1);
    assert_eq!(rig.send_all(), ["PUBREC id=1"]);
    rig.receive(Packet::PubRec(id(1)));
    rig.receive(pubrel(1));
    assert_eq!(rig.send_all(), ["PUBCOMP id=1", "PUBREL id=1"]);
    rig.receive(Packet::PubComp(id(1)));
    assert_eq!(rig.events(), ["message in qos=2 id=1 (0 B)", "published 1 qos=2"]);
}

#[test]
fn an_unknown_pubrel_is_answered() {
    let mut rig = Rig::online();
    rig.receive(pubrel(77));
    assert_eq!(rig.send_all(), ["PUBCOMP id=77"]);
    assert!(rig.events().is_empty());
}

#[test]
fn an_unknown_pubrec_is_answered_and_other_answers_are_counted() {
    let mut rig = Rig::online();
    rig.receive(Packet::PubRec(id(77)));
    assert_eq!(rig.send_all(), ["PUBREL id=77"]);
    for packet in [Packet::PubComp(id(77)), Packet::PubAck(id(77)), Packet::UnsubAck(id(77))] {
        rig.receive(packet);
        assert!(rig.send_all().is_empty());
    }
    assert!(rig.events().is_empty());
    assert_eq!(rig.client.ignored_acknowledgements(), 4);
}

/// PUBRELs are sent in the order of the PUBRECs (MQTT-4.6.0-4), including those for unexpected PUBRECs.
#[test]
fn an_unknown_pubrec_is_not_answered_before_a_known_one() {
    let mut rig = Rig::online();
    rig.publish("a", b"", ExactlyOnce);
    rig.publish("b", b"", ExactlyOnce);
    rig.send_all();
    for number in [77, 1, 78, 2, 1] {
        rig.receive(Packet::PubRec(id(number)));
    }
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.extend(rig.send_all());
        rig.events();
    }
    assert_eq!(sent, [77, 1, 78, 2, 1].map(|number| format!("PUBREL id={number}")));
}

#[test]
fn repeated_answers_are_ignored() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("b", b"", ExactlyOnce);
    rig.send_all();
    for _ in 0..2 {
        rig.receive(Packet::PubAck(id(1)));
        rig.receive(Packet::PubRec(id(2)));
        assert_eq!(rig.send_all(), ["PUBREL id=2"]);
    }
    for _ in 0..2 {
        rig.receive(Packet::PubComp(id(2)));
    }
    assert_eq!(rig.events(), ["published 1 qos=1", "published 2 qos=2"]);
    assert_eq!(rig.client.ignored_acknowledgements(), 3);
}

/// PUBACK and PUBCOMP for the wrong QoS or at the wrong moment end no request.
#[test]
fn answers_out_of_turn_are_ignored() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("b", b"", ExactlyOnce);
    rig.send_all();
    rig.receive(Packet::PubComp(id(1)));
    rig.receive(Packet::PubComp(id(2)));
    rig.receive(Packet::PubRec(id(2)));
    rig.receive(Packet::PubAck(id(2)));
    assert!(rig.events().is_empty());
    assert_eq!(rig.client.in_flight(), 2);
}

#[test]
fn input_that_is_not_mqtt_ends_the_connection() {
    for (bytes, clause) in [
        (&b"\x00\x00"[..], "3.1.1 section 2.2.1"),
        (b"\xF0\x00", "3.1.1 section 2.2.1"),
        (b"\x60\x02\x00\x01", "MQTT-2.2.2-2"),
        (b"\x41\x02\x00\x01", "MQTT-2.2.2-2"),
        (b"\x30\x80\x80\x80\x80\x01", "3.1.1 section 2.2.3"),
        (b"\x30\x83\x00\x00\x01a", "3.1.1 section 2.2.3"),
        (b"\x40\x00", "MQTT-4.8.0-1"),
        (b"\x40\x02\x00\x00", "MQTT-2.3.1-1"),
        (b"\x30\x02\x00\x05", "MQTT-4.8.0-1"),
        (b"\x30\x02\x00\x00", "MQTT-4.7.3-1"),
        (b"\x36\x05\x00\x01a\x00\x01", "MQTT-3.3.1-4"),
        (b"\x38\x03\x00\x01a", "MQTT-3.3.1-2"),
        (b"\x30\x03\x00\x01+", "MQTT-3.3.2-2"),
        (b"\x30\x03\x00\x01\0", "MQTT-1.5.3-2"),
        (b"\x30\x05\x00\x03\xED\xA0\x80", "MQTT-1.5.3-1"),
        (b"\xD0\x01\x00", "MQTT-4.8.0-1"),
    ] {
        in_all_chunkings(|chunks| {
            let mut rig = Rig::online().chunked(chunks);
            rig.publish("a", b"", AtLeastOnce);
            rig.send_all();
            rig.receive_bytes(bytes);
            assert_eq!(rig.events(), [format!("error {clause}")], "{bytes:02x?}");
            assert!(rig.send_all().is_empty());
            rig.go_online(&CONNECT, true);
            assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 dup (0 B)"], "the session continues");
        });
    }
}
