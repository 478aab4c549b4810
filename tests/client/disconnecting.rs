//! DISCONNECT is the last packet, after everything that is queued (MQTT-3.14.4-1, MQTT-3.14.4-2).

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Message, RequestError, State};

use crate::harness::*;

#[test]
fn it_follows_what_is_queued() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::online().chunked(chunks);
        rig.publishes("a", b"", AtMostOnce);
        rig.publishes("b", b"", ExactlyOnce);
        rig.disconnects();
        assert_eq!(rig.client.state(), State::Closing);
        assert_eq!(rig.sends(), ["PUBLISH a qos=0 (0 B)", "PUBLISH b qos=2 id=1 (0 B)", "DISCONNECT"]);
        assert_eq!(rig.client.state(), State::Offline);
        assert_eq!(rig.deadline(), None);
        assert!(rig.events().is_empty());
    });
}

#[test]
fn nothing_follows_it() {
    for taken in 0..2 {
        let mut rig = Rig::online();
        rig.disconnects();
        rig.takes(taken);
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            let message = Message::new("a", b"").qos(qos);
            assert_eq!(rig.client.publish(&message), Err(RequestError::NotConnected));
        }
        assert_eq!(rig.client.subscribe(&[("a", AtMostOnce)]), Err(RequestError::NotConnected));
        assert_eq!(rig.client.unsubscribe(&["a"]), Err(RequestError::NotConnected));
        rig.disconnects();
        assert_eq!(rig.sends(), ["DISCONNECT"]);
        rig.disconnects();
        assert!(rig.sends().is_empty());
    }
}

#[test]
fn nothing_passes_its_first_byte() {
    let mut rig = Rig::online();
    rig.disconnects();
    rig.takes(1);
    rig.delivers("a", b"", AtLeastOnce, 7);
    rig.delivers("a", b"", ExactlyOnce, 8);
    assert!(rig.events().is_empty(), "they could not be answered any more, and will come again");
    assert_eq!(rig.sends(), ["DISCONNECT"]);
}

#[test]
fn answers_that_are_owed_go_before_it() {
    let mut rig = Rig::online();
    rig.delivers("a", b"", AtLeastOnce, 7);
    rig.events();
    rig.disconnects();
    assert_eq!(rig.sends(), ["PUBACK id=7", "DISCONNECT"]);
}

#[test]
fn before_connack_it_follows_connect() {
    for taken in [0, 5, 20] {
        let mut rig = Rig::new();
        rig.publishes("a", b"", AtLeastOnce);
        rig.connects(&CONNECT);
        rig.takes(taken);
        rig.disconnects();
        let lines = rig.sends();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1], "DISCONNECT");
        rig.comes_online(&CONNECT, false);
        assert_eq!(rig.sends(), ["PUBLISH a qos=1 id=1 (0 B)"], "kept, and never tried before");
    }
}

#[test]
fn what_is_not_answered_is_kept_or_reported() {
    let mut rig = Rig::online();
    rig.publishes("a", b"", AtLeastOnce);
    rig.subscribes(&[("b", AtMostOnce)]);
    rig.disconnects();
    rig.sends();
    assert_eq!(rig.events(), ["ended 2 Lost"]);
    rig.comes_online(&CONNECT, true);
    assert_eq!(rig.sends(), ["PUBLISH a qos=1 id=1 dup (0 B)"]);
}

#[test]
fn while_it_waits_the_server_is_still_listened_to() {
    let mut rig = Rig::online();
    rig.publishes("a", b"", AtLeastOnce);
    rig.sends();
    rig.publishes("b", b"", AtMostOnce);
    rig.takes(1);
    rig.disconnects();
    rig.gives(Packet::PubAck(id(1)));
    assert_eq!(rig.events(), ["published 1 qos=1"]);
    assert_eq!(rig.sends(), ["PUBLISH b qos=0 (0 B)", "DISCONNECT"]);
}

#[test]
fn offline_it_is_nothing() {
    let mut rig = Rig::new();
    rig.disconnects();
    assert_eq!(rig.client.state(), State::Offline);
    assert!(rig.sends().is_empty());
    rig.comes_online(&CONNECT, false);
}

#[test]
fn a_server_that_does_not_take_it_is_left_alone() {
    let mut rig = Rig::online();
    rig.disconnects();
    assert_eq!(rig.at(30_000).events(), ["error TimedOut(Stall)"]);
    assert_eq!(rig.client.state(), State::Offline);
}

/// After DISCONNECT no answers are awaited any more: only output that makes no progress ends the connection early.
#[test]
fn only_output_is_waited_for() {
    let mut rig = Rig::online();
    rig.choose(|c| c.ack_timeout_ms = 1_000);
    rig.publishes("a", b"", AtLeastOnce);
    rig.sends();
    rig.disconnects();
    assert_eq!(rig.deadline(), Some(30_000), "the stall timeout, not that of the answer");
    rig.at(29_999);
    assert!(rig.events().is_empty());
    rig.at(30_000);
    assert_eq!(rig.events(), ["error TimedOut(Stall)"]);
}

/// No request is left over, in whatever order they were answered.
#[test]
fn it_finishes_after_answers_in_any_order() {
    for order in [[1, 2, 3], [3, 2, 1], [2, 1, 3], [2, 3, 1]] {
        let mut rig = Rig::online();
        for _ in order {
            rig.publishes("a", b"", AtLeastOnce);
        }
        rig.sends();
        for number in order {
            rig.gives(Packet::PubAck(id(number)));
        }
        assert_eq!(rig.events().len(), 3);
        assert_eq!(rig.deadline(), None, "nothing is waited for");
        rig.client.finish();
        rig.advances();
        assert_eq!(rig.sends(), ["DISCONNECT"], "{order:?}");
    }
}
