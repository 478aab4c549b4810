//! Packet identifiers: one allocator for all requests, and none is assigned while it is in use (MQTT-2.3.1-2).

use std::collections::BTreeSet;

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Full, Message, RequestError};

use crate::harness::*;

#[test]
fn all_requests_share_one_sequence_of_identifiers() {
    let mut rig = Rig::online();
    assert_eq!(rig.publish("a", b"", AtLeastOnce), 1);
    assert_eq!(rig.subscribe(&[("a", AtMostOnce)]), 2);
    assert_eq!(rig.publish("a", b"", ExactlyOnce), 3);
    assert_eq!(rig.unsubscribe(&["a"]), 4);
    assert_eq!(rig.publish("a", b"", AtMostOnce), 0);
    assert_eq!(rig.publish("a", b"", AtLeastOnce), 5);
}

#[test]
fn identifiers_count_up_and_wrap_around_past_0() {
    let mut rig = Rig::online();
    for lap in 0..2 {
        for number in 1..=u16::MAX {
            assert_eq!(rig.publish("a", b"", AtLeastOnce), number, "lap {lap}");
            rig.send_bytes(usize::MAX);
            rig.wire.clear();
            rig.receive(Packet::PubAck(id(number)));
        }
        rig.events();
    }
}

/// One message is never answered while the identifiers wrap around and skip it.
#[test]
fn an_identifier_in_use_is_skipped() {
    let mut rig = Rig::online();
    rig.client.set_next_packet_id(id(65_000));
    assert_eq!(rig.publish("a", b"", ExactlyOnce), 65_000);
    for _ in 0..200_000 {
        let next = rig.publish("a", b"", AtLeastOnce);
        assert_ne!(next, 65_000);
        rig.send_bytes(usize::MAX);
        rig.wire.clear();
        rig.receive(Packet::PubAck(id(next)));
    }
    assert_eq!(rig.events().len(), 200_000);
}

/// Many consecutive ones in use, across the wrap.
#[test]
fn many_identifiers_in_use_are_skipped() {
    let mut rig = Rig::<0>::sized(64, 4096);
    rig.choose(|c| c.max_exactly_once = 0);
    rig.client.set_next_packet_id(id(65_500));
    let first: Vec<u16> = (0..100).map(|_| rig.publish("a", b"", ExactlyOnce)).collect();
    let expected: Vec<u16> = (65_500..=65_535).chain(1..=64).collect();
    assert_eq!(first, expected);
    rig.client.set_next_packet_id(id(65_499));
    assert_eq!(rig.publish("a", b"", AtLeastOnce), 65_499);
    assert_eq!(rig.publish("a", b"", AtLeastOnce), 65);
}

#[test]
fn all_identifiers_can_be_in_use_and_none_twice() {
    let mut rig = Rig::<16>::sized(64, 2048);
    rig.go_online(&CONNECT, false);
    let mut used = BTreeSet::new();
    let mut random = 12_345_u32;
    for _ in 0..5_000 {
        while let Ok(Some(number)) = rig.client.publish(&Message::new("a", b"payload").qos(AtLeastOnce)) {
            assert!(used.insert(number), "{number} is in use");
        }
        assert_eq!(used.len(), 16);
        rig.send_all();
        random = random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let number = *used.iter().nth((random >> 16) as usize % 16).unwrap();
        used.remove(&number);
        rig.receive(Packet::PubAck(number));
    }
    assert_eq!(rig.events().len(), 5_000);
}

/// QoS 2 holds its identifier until PUBCOMP.
#[test]
fn pubrec_does_not_free_an_identifier() {
    let mut rig = Rig::<1>::sized(64, 256);
    rig.go_online(&CONNECT, false);
    rig.publish("a", b"", ExactlyOnce);
    rig.send_all();
    rig.receive(Packet::PubRec(id(1)));
    let message = Message::new("b", b"").qos(AtLeastOnce);
    let full = Err(RequestError::Full(Full::Requests));
    assert_eq!(rig.client.publish(&message), full);
    rig.send_all();
    rig.receive(Packet::PubComp(id(1)));
    assert_eq!(rig.client.publish(&message), Ok(Some(id(2))));
}

/// A timeout or a lost link never frees the identifier of a message.
#[test]
fn a_timeout_does_not_free_an_identifier() {
    let mut rig = Rig::<1>::sized(64, 256);
    rig.go_online(&CONNECT, false);
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    assert_eq!(rig.at(30_000).events(), ["error TimedOut(Ack)"]);
    let full = Err(RequestError::Full(Full::Requests));
    assert_eq!(rig.client.publish(&Message::new("b", b"").qos(AtLeastOnce)), full);
}
