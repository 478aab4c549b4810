//! Fixed headers and packet identifiers (2.2, 2.3), and the format of PUBLISH, PUBREL, SUBSCRIBE and UNSUBSCRIBE.

use std::collections::BTreeSet;

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{RequestError, State, Violation};

use crate::harness::*;

/// The first bytes of all packets that were sent.
fn first_bytes(rig: &mut Rig) -> Vec<u8> {
    let mut firsts = Vec::new();
    while rig.send_bytes(usize::MAX) > 0 {}
    let mut rest = &rig.wire[..];
    while let [first, len, ..] = *rest {
        assert!(len < 128, "small packets only");
        firsts.push(first);
        rest = &rest[2 + usize::from(len)..];
    }
    rig.wire.clear();
    firsts
}

#[test]
fn mqtt_2_2_2_1() {
    let mut rig = Rig::new();
    rig.connect(&CONNECT.keep_alive(10));
    assert_eq!(first_bytes(&mut rig), [0x10]);
    rig.receive_connack(false);
    rig.subscribe(&[("a", AtMostOnce)]);
    rig.unsubscribe(&["a"]);
    rig.publish("a", b"", ExactlyOnce);
    assert_eq!(first_bytes(&mut rig), [0x82, 0xA2, 0x34]);
    rig.receive(Packet::PubRec(id(3)));
    rig.receive_publish("a", b"", AtLeastOnce, 1);
    rig.receive_publish("a", b"", ExactlyOnce, 2);
    rig.receive(pubrel(2));
    assert_eq!(first_bytes(&mut rig), [0x40, 0x50, 0x70, 0x62]);
    rig.at(10_000).disconnect();
    assert_eq!(first_bytes(&mut rig), [0xC0, 0xE0]);
}

#[test]
fn mqtt_2_2_2_2() {
    for packet in [
        &b"\x21\x02\x00\x00"[..],
        b"\x42\x02\x00\x01",
        b"\x51\x02\x00\x01",
        b"\x60\x02\x00\x01",
        b"\x6A\x02\x00\x01",
        b"\x78\x02\x00\x01",
        b"\x91\x03\x00\x01\x00",
        b"\xB4\x02\x00\x01",
        b"\xD8\x00",
    ] {
        let mut rig = Rig::online();
        rig.receive_bytes(packet);
        assert_eq!(rig.events(), ["error MQTT-2.2.2-2"], "{packet:02x?}");
        assert_eq!(rig.client.state(), State::Offline);
    }
}

#[test]
fn mqtt_2_3_1_1() {
    let mut rig = Rig::online();
    rig.subscribe(&[("a", AtMostOnce)]);
    rig.unsubscribe(&["a"]);
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("a", b"", ExactlyOnce);
    rig.send_bytes(usize::MAX);
    assert_eq!(
        rig.wire,
        b"\x82\x06\x00\x01\x00\x01a\x00\xA2\x05\x00\x02\x00\x01a\x32\x05\x00\x01a\x00\x03\x34\x05\x00\x01a\x00\x04"
    );
    // From the server, 0 is a violation.
    let mut rig = Rig::online();
    rig.receive_bytes(b"\x32\x05\x00\x01a\x00\x00");
    assert_eq!(rig.events(), ["error MQTT-2.3.1-1"]);
}

#[test]
fn mqtt_2_3_1_2() {
    let mut rig = Rig::<8>::sized(64, 1024);
    rig.go_online(&CONNECT, false);
    let mut used: BTreeSet<u16> = (0..7).map(|_| rig.publish("a", b"", ExactlyOnce)).collect();
    rig.send_all();
    for _ in 0..66_000 {
        let number = rig.publish("b", b"", AtLeastOnce);
        assert!(number != 0 && used.insert(number), "{number}");
        rig.send_bytes(usize::MAX);
        rig.wire.clear();
        rig.receive(Packet::PubAck(id(number)));
        used.remove(&number);
    }
}

#[test]
fn mqtt_2_3_1_3() {
    let mut rig = Rig::<1>::sized(64, 256);
    rig.go_online(&CONNECT, false);
    for (qos, answers) in [
        (AtLeastOnce, vec![Packet::PubAck(id(1))]),
        (ExactlyOnce, vec![Packet::PubRec(id(2)), Packet::PubComp(id(2))]),
    ] {
        let number = rig.publish("a", b"", qos);
        rig.send_all();
        rig.lose_link();
        rig.go_online(&CONNECT, true);
        assert_eq!(rig.send_all(), [format!("PUBLISH a qos={qos} id={number} dup (0 B)")]);
        for answer in answers {
            assert_eq!(rig.client.in_flight(), 1, "in use up to the last answer");
            rig.receive(answer);
            rig.send_all();
        }
        assert_eq!(rig.client.in_flight(), 0);
    }
}

#[test]
fn mqtt_2_3_1_5() {
    let mut rig = Rig::online();
    assert_eq!(rig.publish("a", b"x", AtMostOnce), 0);
    rig.send_bytes(usize::MAX);
    assert_eq!(rig.wire, b"\x30\x04\x00\x01ax");
    rig.receive_bytes(b"\x30\x05\x00\x01a\x00\x07");
    assert_eq!(rig.events(), ["message a qos=0 (2 B) \"\\0\\u{7}\""], "all of it is payload");
}

#[test]
fn mqtt_2_3_1_6() {
    let mut rig = Rig::online();
    rig.receive_publish("a", b"", AtLeastOnce, 0x1234);
    rig.receive_publish("a", b"", ExactlyOnce, 0xFFFF);
    rig.publish("a", b"", ExactlyOnce);
    rig.send_all();
    rig.receive_publish("a", b"", AtLeastOnce, 0x1234);
    rig.receive(Packet::PubRec(id(1)));
    assert_eq!(rig.send_all(), ["PUBACK id=4660", "PUBREL id=1"]);
}

#[test]
fn mqtt_3_3_2_1() {
    let mut rig = Rig::online();
    rig.publish("täg", b"", AtMostOnce);
    rig.send_bytes(usize::MAX);
    assert_eq!(rig.wire, b"\x30\x06\x00\x04t\xC3\xA4g");
    rig.receive_bytes(b"\x30\x04\x00\x02\xC3\x28");
    assert_eq!(rig.events(), ["error MQTT-1.5.3-1"]);
}

#[test]
fn mqtt_3_3_2_2() {
    for topic in ["a/+", "#"] {
        let mut rig = Rig::online();
        let forbidden = Err(RequestError::Forbidden(Violation::WildcardInTopicName));
        assert_eq!(rig.client.publish(&baremqtt::Message::new(topic, b"")), forbidden);
    }
    let mut rig = Rig::online();
    rig.receive_bytes(b"\x30\x05\x00\x03a/+");
    assert_eq!(rig.events(), ["error MQTT-3.3.2-2"]);
}

#[test]
fn mqtt_3_6_1_1() {
    let mut rig = Rig::online();
    rig.publish("a", b"", ExactlyOnce);
    rig.send_all();
    rig.receive(Packet::PubRec(id(1)));
    assert_eq!(first_bytes(&mut rig), [0x62]);
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    assert_eq!(first_bytes(&mut rig), [0x62], "also when it is resent");
}

#[test]
fn mqtt_3_8_1_1() {
    let mut rig = Rig::online();
    rig.subscribe(&[("a", ExactlyOnce)]);
    assert_eq!(first_bytes(&mut rig), [0x82]);
}

#[test]
fn mqtt_3_8_3_1() {
    let mut rig = Rig::online();
    rig.subscribe(&[("ä/+", ExactlyOnce), ("b", AtMostOnce)]);
    rig.send_bytes(usize::MAX);
    assert_eq!(rig.wire, b"\x82\x0D\x00\x01\x00\x04\xC3\xA4/+\x02\x00\x01b\x00");
}

#[test]
fn mqtt_3_8_3_3() {
    let mut rig = Rig::online();
    assert_eq!(rig.client.subscribe(&[]), Err(RequestError::Forbidden(Violation::NoTopicFilter)));
    assert!(rig.client.pending().is_empty());
}

#[test]
fn mqtt_3_10_1_1() {
    let mut rig = Rig::online();
    rig.unsubscribe(&["a"]);
    assert_eq!(first_bytes(&mut rig), [0xA2]);
}

#[test]
fn mqtt_3_10_3_1() {
    let mut rig = Rig::online();
    rig.unsubscribe(&["ä/+", "b"]);
    rig.send_bytes(usize::MAX);
    assert_eq!(rig.wire, b"\xA2\x0B\x00\x01\x00\x04\xC3\xA4/+\x00\x01b");
}

#[test]
fn mqtt_3_10_3_2() {
    let mut rig = Rig::online();
    let forbidden = Err(RequestError::Forbidden(Violation::NoTopicFilterToRemove));
    assert_eq!(rig.client.unsubscribe(&[]), forbidden);
    assert!(rig.client.pending().is_empty());
}
