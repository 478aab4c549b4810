//! Fixed headers and packet identifiers (2.2, 2.3), and the format of PUBLISH, PUBREL, SUBSCRIBE and UNSUBSCRIBE.

use std::collections::BTreeSet;

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{RequestError, State, Violation};

use crate::harness::*;

/// The first bytes of all packets that were sent.
fn first_bytes(rig: &mut Rig) -> Vec<u8> {
    let mut firsts = Vec::new();
    while rig.sends_bytes(usize::MAX) > 0 {}
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
    rig.connects(&CONNECT.keep_alive(10));
    assert_eq!(first_bytes(&mut rig), [0x10]);
    rig.accepts(false);
    rig.subscribes(&[("a", AtMostOnce)]);
    rig.unsubscribes(&["a"]);
    rig.publishes("a", b"", ExactlyOnce);
    assert_eq!(first_bytes(&mut rig), [0x82, 0xA2, 0x34]);
    rig.receives(Packet::PubRec(id(3)));
    rig.delivers("a", b"", AtLeastOnce, 1);
    rig.delivers("a", b"", ExactlyOnce, 2);
    rig.receives(pubrel(2));
    assert_eq!(first_bytes(&mut rig), [0x40, 0x50, 0x70, 0x62]);
    rig.at(10_000).disconnects();
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
        rig.receives_bytes(packet);
        assert_eq!(rig.events(), ["error MQTT-2.2.2-2"], "{packet:02x?}");
        assert_eq!(rig.client.state(), State::Offline);
    }
}

#[test]
fn mqtt_2_3_1_1() {
    let mut rig = Rig::online();
    rig.subscribes(&[("a", AtMostOnce)]);
    rig.unsubscribes(&["a"]);
    rig.publishes("a", b"", AtLeastOnce);
    rig.publishes("a", b"", ExactlyOnce);
    rig.sends_bytes(usize::MAX);
    assert_eq!(
        rig.wire,
        b"\x82\x06\x00\x01\x00\x01a\x00\xA2\x05\x00\x02\x00\x01a\x32\x05\x00\x01a\x00\x03\x34\x05\x00\x01a\x00\x04"
    );
    // From the server, 0 is a violation.
    let mut rig = Rig::online();
    rig.receives_bytes(b"\x32\x05\x00\x01a\x00\x00");
    assert_eq!(rig.events(), ["error MQTT-2.3.1-1"]);
}

#[test]
fn mqtt_2_3_1_2() {
    let mut rig = Rig::<8>::sized(64, 1024);
    rig.goes_online(&CONNECT, false);
    let mut used: BTreeSet<u16> = (0..7).map(|_| rig.publishes("a", b"", ExactlyOnce)).collect();
    rig.sends();
    for _ in 0..66_000 {
        let number = rig.publishes("b", b"", AtLeastOnce);
        assert!(number != 0 && used.insert(number), "{number}");
        rig.sends_bytes(usize::MAX);
        rig.wire.clear();
        rig.receives(Packet::PubAck(id(number)));
        used.remove(&number);
    }
}

#[test]
fn mqtt_2_3_1_3() {
    let mut rig = Rig::<1>::sized(64, 256);
    rig.goes_online(&CONNECT, false);
    for (qos, answers) in [
        (AtLeastOnce, vec![Packet::PubAck(id(1))]),
        (ExactlyOnce, vec![Packet::PubRec(id(2)), Packet::PubComp(id(2))]),
    ] {
        let number = rig.publishes("a", b"", qos);
        rig.sends();
        rig.cut();
        rig.goes_online(&CONNECT, true);
        assert_eq!(rig.sends(), [format!("PUBLISH a qos={qos} id={number} dup (0 B)")]);
        for answer in answers {
            assert_eq!(rig.client.in_flight(), 1, "in use up to the last answer");
            rig.receives(answer);
            rig.sends();
        }
        assert_eq!(rig.client.in_flight(), 0);
    }
}

#[test]
fn mqtt_2_3_1_5() {
    let mut rig = Rig::online();
    assert_eq!(rig.publishes("a", b"x", AtMostOnce), 0);
    rig.sends_bytes(usize::MAX);
    assert_eq!(rig.wire, b"\x30\x04\x00\x01ax");
    rig.receives_bytes(b"\x30\x05\x00\x01a\x00\x07");
    assert_eq!(rig.events(), ["message a qos=0 (2 B) \"\\0\\u{7}\""], "all of it is payload");
}

#[test]
fn mqtt_2_3_1_6() {
    let mut rig = Rig::online();
    rig.delivers("a", b"", AtLeastOnce, 0x1234);
    rig.delivers("a", b"", ExactlyOnce, 0xFFFF);
    rig.publishes("a", b"", ExactlyOnce);
    rig.sends();
    rig.delivers("a", b"", AtLeastOnce, 0x1234);
    rig.receives(Packet::PubRec(id(1)));
    assert_eq!(rig.sends(), ["PUBACK id=4660", "PUBREL id=1"]);
}

#[test]
fn mqtt_3_3_2_1() {
    let mut rig = Rig::online();
    rig.publishes("täg", b"", AtMostOnce);
    rig.sends_bytes(usize::MAX);
    assert_eq!(rig.wire, b"\x30\x06\x00\x04t\xC3\xA4g");
    rig.receives_bytes(b"\x30\x04\x00\x02\xC3\x28");
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
    rig.receives_bytes(b"\x30\x05\x00\x03a/+");
    assert_eq!(rig.events(), ["error MQTT-3.3.2-2"]);
}

#[test]
fn mqtt_3_6_1_1() {
    let mut rig = Rig::online();
    rig.publishes("a", b"", ExactlyOnce);
    rig.sends();
    rig.receives(Packet::PubRec(id(1)));
    assert_eq!(first_bytes(&mut rig), [0x62]);
    rig.cut();
    rig.goes_online(&CONNECT, true);
    assert_eq!(first_bytes(&mut rig), [0x62], "also when it is sent again");
}

#[test]
fn mqtt_3_8_1_1() {
    let mut rig = Rig::online();
    rig.subscribes(&[("a", ExactlyOnce)]);
    assert_eq!(first_bytes(&mut rig), [0x82]);
}

#[test]
fn mqtt_3_8_3_1() {
    let mut rig = Rig::online();
    rig.subscribes(&[("ä/+", ExactlyOnce), ("b", AtMostOnce)]);
    rig.sends_bytes(usize::MAX);
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
    rig.unsubscribes(&["a"]);
    assert_eq!(first_bytes(&mut rig), [0xA2]);
}

#[test]
fn mqtt_3_10_3_1() {
    let mut rig = Rig::online();
    rig.unsubscribes(&["ä/+", "b"]);
    rig.sends_bytes(usize::MAX);
    assert_eq!(rig.wire, b"\xA2\x0B\x00\x01\x00\x04\xC3\xA4/+\x00\x01b");
}

#[test]
fn mqtt_3_10_3_2() {
    let mut rig = Rig::online();
    let forbidden = Err(RequestError::Forbidden(Violation::NoTopicFilterToRemove));
    assert_eq!(rig.client.unsubscribe(&[]), forbidden);
    assert!(rig.client.pending().is_empty());
}
