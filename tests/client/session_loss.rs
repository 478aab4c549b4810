//! The server has lost the session: what happens to messages in flight, and to the identifiers of inbound messages.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Connect, SessionLoss, Version};

use crate::harness::*;

/// Offline. 1 (QoS 1) and 2 (QoS 2) were sent, PUBREC has arrived for 3, 4 was published after the link was lost.
fn interrupted(connect: &Connect<'_>, loss: SessionLoss) -> Rig {
    let mut rig = Rig::new();
    rig.choose(|c| c.session_loss = loss);
    rig.go_online(connect, false);
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("b", b"", ExactlyOnce);
    rig.publish("c", b"", ExactlyOnce);
    rig.send_all();
    rig.receive(Packet::PubRec(id(3)));
    rig.send_all();
    rig.lose_link();
    rig.publish("d", b"", AtLeastOnce);
    rig
}

const RESENT: [&str; 3] =
    ["PUBLISH a qos=1 id=1 dup (0 B)", "PUBLISH b qos=2 id=2 dup (0 B)", "PUBLISH d qos=1 id=4 (0 B)"];

#[test]
fn resend() {
    let mut rig = interrupted(&CONNECT, SessionLoss::Resend);
    rig.go_online(&CONNECT, false);
    assert_eq!(rig.events(), ["ended 3 Uncertain"], "the server has received it, and no more is known");
    assert_eq!(rig.send_all(), RESENT);
}

#[test]
fn drop() {
    let mut rig = interrupted(&CONNECT, SessionLoss::Drop);
    rig.go_online(&CONNECT, false);
    let mut ended = rig.events();
    ended.sort();
    assert_eq!(ended, ["ended 1 Lost", "ended 2 Lost", "ended 3 Uncertain"]);
    assert_eq!(rig.send_all(), RESENT[2..], "what was never sent is not lost");
}

#[test]
fn session_present_loses_no_message() {
    for loss in [SessionLoss::Resend, SessionLoss::Drop] {
        let mut rig = interrupted(&CONNECT, loss);
        rig.go_online(&CONNECT, true);
        assert!(rig.events().is_empty());
        assert_eq!(rig.send_all().len(), 4);
    }
}

/// MQTT-3.1.2-6: nothing of an earlier session may reach the new one.
#[test]
fn a_clean_session_ends_messages_that_were_sent() {
    for loss in [SessionLoss::Resend, SessionLoss::Drop] {
        let mut rig = interrupted(&CONNECT, loss);
        rig.go_online(&CONNECT.clean_session(true), false);
        let mut ended = rig.events();
        ended.sort();
        assert_eq!(ended, ["ended 1 Lost", "ended 2 Lost", "ended 3 Uncertain"]);
        assert_eq!(rig.send_all(), RESENT[2..]);
    }
}

/// A clean session ends with its connection, even if the next one does not request a clean session; 3.1 would not
/// say that it is gone.
#[test]
fn a_clean_session_is_not_resumed() {
    for version in [Version::Mqtt31, Version::Mqtt311] {
        let clean = CONNECT.version(version).clean_session(true);
        let mut rig = interrupted(&clean, SessionLoss::Resend);
        rig.go_online(&CONNECT.version(version), false);
        assert_eq!(rig.events(), ["ended 3 Uncertain"], "{version}");
        assert_eq!(rig.send_all(), RESENT);
    }
}

#[test]
fn inbound_identifiers_are_forgotten() {
    for clean in [false, true] {
        let mut rig = Rig::online();
        rig.receive_publish("a", b"old", ExactlyOnce, 7);
        rig.send_all();
        rig.lose_link();
        rig.go_online(&CONNECT.clean_session(clean), false);
        rig.events();
        rig.receive_publish("a", b"new", ExactlyOnce, 7);
        assert_eq!(rig.events(), ["message a qos=2 id=7 (3 B) \"new\""]);
    }
}

#[test]
fn an_identifier_is_free_once_its_end_was_reported() {
    let mut rig = Rig::<1>::sized(64, 256);
    rig.go_online(&CONNECT, false);
    rig.publish("a", b"", ExactlyOnce);
    rig.send_all();
    rig.receive(Packet::PubRec(id(1)));
    rig.lose_link();
    rig.go_online(&CONNECT, false);
    assert_eq!(rig.events(), ["ended 1 Uncertain"]);
    assert_eq!(rig.client.in_flight(), 0);
    assert_eq!(rig.publish("b", b"", AtLeastOnce), 2);
    assert_eq!(rig.send_all(), ["PUBLISH b qos=1 id=2 (0 B)"]);
}

/// CONNACK is reported first, so that an application knows what to make of the rest.
#[test]
fn connected_is_reported_before_what_ended() {
    let mut rig = interrupted(&CONNECT, SessionLoss::Drop);
    rig.connect(&CONNECT.clean_session(true));
    assert!(rig.events().is_empty());
    rig.send_all();
    rig.receive_connack(false);
    assert_eq!(rig.events()[0], "connected present=false");
}

/// A refusal says nothing about the session.
#[test]
fn a_refused_connection_loses_no_message() {
    let mut rig = interrupted(&CONNECT, SessionLoss::Drop);
    rig.connect(&CONNECT);
    rig.send_all();
    rig.receive_bytes(&[0x20, 2, 0, 3]);
    assert_eq!(rig.events(), ["error Refused(RefusalCode(3))"]);
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all().len(), 4);
}

#[test]
fn many_can_end_at_once() {
    let mut rig = Rig::<64>::sized(64, 4096);
    rig.choose(|c| c.session_loss = SessionLoss::Drop);
    rig.choose(|c| c.max_exactly_once = 0);
    rig.go_online(&CONNECT, false);
    for number in 0..64 {
        match number % 3 {
            0 => rig.publish("a", b"", AtLeastOnce),
            1 => rig.subscribe(&[("a", AtMostOnce)]),
            _ => rig.publish("a", b"", ExactlyOnce),
        };
    }
    rig.send_all();
    rig.lose_link();
    let mut ended = rig.events();
    assert_eq!(ended.len(), 21, "SUBSCRIBE ends with the link");
    rig.go_online(&CONNECT, false);
    ended.extend(rig.events());
    assert_eq!(ended.len(), 64, "each of them once");
    assert_eq!(ended.iter().collect::<std::collections::BTreeSet<_>>().len(), 64);
    assert_eq!(rig.client.in_flight(), 0);
    assert!(rig.send_all().is_empty());
}
