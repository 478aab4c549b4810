//! What the client does differently with MQTT 3.1.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Connect, Message, RequestError, Version, Violation};

use crate::harness::*;

const CONNECT31: Connect<'static> = CONNECT.version(Version::Mqtt31);

fn online() -> Rig {
    let mut rig = Rig::new();
    rig.go_online(&CONNECT31, false);
    rig
}

#[test]
fn name_and_level() {
    let mut rig = Rig::new();
    rig.connect(&CONNECT31);
    rig.send_bytes(usize::MAX);
    assert_eq!(rig.wire, b"\x10\x0F\x00\x06MQIsdp\x03\x00\x00\x00\x00\x01c");
}

/// Byte 1 of CONNACK is reserved: whatever its value, nothing says whether there is a session.
#[test]
fn connack_does_not_say_whether_a_session_is_present() {
    for byte in [0, 1, 0xFF] {
        let mut rig = Rig::new();
        rig.connect(&CONNECT31);
        rig.send_all();
        rig.receive_bytes(&[0x20, 2, byte, 0]);
        assert_eq!(rig.events(), ["connected"]);
    }
}

#[test]
fn the_application_chooses_what_is_assumed() {
    for kept in [true, false] {
        let mut rig = online();
        rig.choose(|c| c.assume_session_kept = kept);
        rig.receive_publish("in", b"", ExactlyOnce, 7);
        rig.publish("a", b"", ExactlyOnce);
        rig.publish("b", b"", ExactlyOnce);
        rig.send_all();
        rig.receive(Packet::PubRec(id(2)));
        rig.send_all();
        rig.events();
        rig.lose_link();
        rig.go_online(&CONNECT31, false);
        if kept {
            assert_eq!(rig.send_all(), ["PUBLISH a qos=2 id=1 dup (0 B)", "PUBREL id=2 dup"]);
            assert!(rig.events().is_empty());
        } else {
            assert_eq!(rig.send_all(), ["PUBLISH a qos=2 id=1 dup (0 B)"]);
            assert_eq!(rig.events(), ["ended 2 Uncertain"]);
        }
        rig.receive(publish("in", b"", ExactlyOnce, 7, true));
        assert_eq!(rig.events().len(), usize::from(!kept), "a repetition, or a new message");
    }
}

/// 3.1 has a DUP flag in PUBREL: first 62, then 6A when it is resent. 3.1.1 reserves the bit.
#[test]
fn pubrel_has_dup_when_it_is_sent_again() {
    for (version, repeated) in [(Version::Mqtt31, "PUBREL id=1 dup"), (Version::Mqtt311, "PUBREL id=1")] {
        let mut rig = Rig::new();
        rig.go_online(&CONNECT.version(version), false);
        rig.publish("a", b"", ExactlyOnce);
        rig.send_all();
        rig.receive(Packet::PubRec(id(1)));
        assert_eq!(rig.send_all(), ["PUBREL id=1"]);
        rig.lose_link();
        rig.go_online(&CONNECT.version(version), version == Version::Mqtt311);
        assert_eq!(rig.send_all(), [repeated]);
    }
}

/// The version can change from one connection to the next.
#[test]
fn dup_of_pubrel_follows_the_version_of_the_connection() {
    let mut rig = online();
    rig.publish("a", b"", ExactlyOnce);
    rig.send_all();
    rig.receive(Packet::PubRec(id(1)));
    assert_eq!(rig.send_all(), ["PUBREL id=1"]);
    for (version, repeated) in [
        (Version::Mqtt31, "PUBREL id=1 dup"),
        (Version::Mqtt311, "PUBREL id=1"),
        (Version::Mqtt31, "PUBREL id=1 dup"),
    ] {
        rig.lose_link();
        rig.go_online(&CONNECT.version(version), version == Version::Mqtt311);
        assert_eq!(rig.send_all(), [repeated]);
    }
}

#[test]
fn flags_that_3_1_does_not_use_are_ignored() {
    let mut rig = online();
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("b", b"", ExactlyOnce);
    rig.subscribe(&[("c", AtMostOnce)]);
    rig.send_all();
    rig.receive_bytes(b"\x4F\x02\x00\x01");
    rig.receive_bytes(b"\x5F\x02\x00\x02");
    rig.send_all();
    rig.receive_bytes(b"\x7F\x02\x00\x02");
    rig.receive_bytes(b"\x9F\x03\x00\x03\x82");
    rig.receive_bytes(b"\x6A\x02\x00\x09");
    rig.receive_bytes(b"\x60\x02\x00\x0A");
    rig.receive_bytes(b"\xDF\x00");
    assert_eq!(rig.events(), ["published 1 qos=1", "published 2 qos=2", "subscribed 3 2"]);
    assert_eq!(rig.send_all(), ["PUBCOMP id=9", "PUBCOMP id=10"]);
}

/// There is no failure code: 0x80 has a granted QoS of 0 in its two low bits.
#[test]
fn suback_has_no_failure_code() {
    let mut rig = online();
    rig.subscribe(&[("a", AtMostOnce)]);
    rig.send_all();
    rig.receive_bytes(b"\x90\x03\x00\x01\x80");
    assert_eq!(rig.events(), ["subscribed 1 0"]);
}

#[test]
fn nothing_is_sent_before_connack() {
    let mut rig = Rig::new();
    rig.publish("a", b"", AtLeastOnce);
    rig.connect(&CONNECT31);
    assert_eq!(rig.send_all().len(), 1);
}

#[test]
fn a_topic_has_at_most_32767_characters() {
    let mut rig = Rig::<8>::sized(64, 80_000);
    rig.go_online(&CONNECT31, false);
    let topic = "x".repeat(32_768);
    let refused = Err(RequestError::Forbidden(Violation::TopicLength));
    assert_eq!(rig.client.publish(&Message::new(&topic, b"")), refused);
    assert!(rig.send_all().is_empty());
    assert!(rig.client.publish(&Message::new(&topic[1..], b"")).is_ok());
    assert_eq!(rig.send_all().len(), 1);
}

/// A message can outlive its connection, and the next one can be of the other version.
#[test]
fn a_client_that_may_use_3_1_accepts_no_longer_topics() {
    let topic = "x".repeat(32_768);
    let message = Message::new(&topic, b"").at_least_once();
    let refused = Err(RequestError::Forbidden(Violation::TopicLength));
    let mut rig = Rig::<8>::sized(64, 80_000);
    assert_eq!(rig.client.publish(&message), refused, "offline");
    rig.go_online(&CONNECT, false);
    assert_eq!(rig.client.publish(&message), refused, "on a connection that uses 3.1.1");
    let mut rig = Rig::<8>::sized(64, 80_000);
    rig.choose(|c| c.mqtt31 = false);
    assert!(rig.client.publish(&message).is_ok());
}

#[test]
fn pingresp_that_is_missing_ends_the_connection() {
    let mut rig = Rig::new();
    rig.go_online(&CONNECT31.keep_alive(10), false);
    assert_eq!(rig.at(10_000).send_all(), ["PINGREQ"]);
    assert_eq!(rig.at(20_000).events(), ["error TimedOut(PingResp)"]);
}

/// Requests that wait for an answer are resent on the same connection, with DUP, at growing intervals.
#[test]
fn requests_can_be_retried_with_dup() {
    let mut rig = Rig::new();
    rig.choose(|c| c.retry_ms = 5_000);
    rig.go_online(&CONNECT31, false);
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("b", b"", ExactlyOnce);
    rig.subscribe(&[("c", AtMostOnce)]);
    rig.unsubscribe(&["d"]);
    rig.send_all();
    rig.receive(Packet::PubRec(id(2)));
    assert_eq!(rig.send_all(), ["PUBREL id=2"]);
    let again = [
        "PUBLISH a qos=1 id=1 dup (0 B)",
        "SUBSCRIBE id=3 dup c qos=0",
        "UNSUBSCRIBE id=4 dup d",
        "PUBREL id=2 dup",
    ];
    assert!(rig.at(4_999).send_all().is_empty());
    assert_eq!(rig.at(5_000).send_all(), again);
    assert!(rig.at(14_999).send_all().is_empty());
    assert_eq!(rig.at(15_000).send_all(), again);
    rig.receive(Packet::PubAck(id(1)));
    assert_eq!(rig.events(), ["published 1 qos=1"]);
}

#[test]
fn requests_are_retried_while_finishing_but_not_after_disconnect() {
    for finishes in [true, false] {
        let mut rig = Rig::new();
        rig.choose(|c| c.retry_ms = 5_000);
        rig.go_online(&CONNECT31, false);
        rig.publish("a", b"", AtLeastOnce);
        rig.send_all();
        if finishes {
            rig.client.finish();
            assert_eq!(rig.at(5_000).send_all(), ["PUBLISH a qos=1 id=1 dup (0 B)"]);
        } else {
            rig.disconnect();
            assert!(rig.at(5_000).events().is_empty());
            assert_eq!(rig.send_all(), ["DISCONNECT"]);
        }
    }
}

/// A packet that is partly sent is completed first.
#[test]
fn nothing_is_resent_in_the_middle_of_a_packet() {
    let mut rig = Rig::new();
    rig.choose(|c| c.retry_ms = 5_000);
    rig.go_online(&CONNECT31, false);
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    rig.at(4_000).publish("b", b"", AtLeastOnce);
    rig.send_bytes(3);
    rig.at(5_000);
    assert_eq!(rig.send_all(), ["PUBLISH b qos=1 id=2 (0 B)"]);
    assert_eq!(
        rig.at(10_000).send_all(),
        ["PUBLISH a qos=1 id=1 dup (0 B)", "PUBLISH b qos=1 id=2 dup (0 B)"]
    );
}
