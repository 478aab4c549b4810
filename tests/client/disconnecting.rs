//! DISCONNECT is the last packet, after everything that is queued (MQTT-3.14.4-1, MQTT-3.14.4-2).

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Message, RequestError, State, StreamedMessage};

use crate::harness::*;

#[test]
fn disconnect_follows_queued_packets() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::online().chunked(chunks);
        rig.publish("a", b"", AtMostOnce);
        rig.publish("b", b"", ExactlyOnce);
        rig.disconnect();
        assert_eq!(rig.client.state(), State::Closing);
        assert_eq!(rig.send_all(), ["PUBLISH a qos=0 (0 B)", "PUBLISH b qos=2 id=1 (0 B)", "DISCONNECT"]);
        assert_eq!(rig.client.state(), State::Offline);
        assert_eq!(rig.deadline(), None);
        assert!(rig.events().is_empty());
    });
}

#[test]
fn nothing_is_sent_after_disconnect() {
    for taken in 0..2 {
        let mut rig = Rig::online();
        rig.disconnect();
        rig.send_bytes(taken);
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            let message = Message::new("a", b"").qos(qos);
            assert_eq!(rig.client.publish(&message), Err(RequestError::NotConnected));
        }
        assert_eq!(rig.client.subscribe(&[("a", AtMostOnce)]), Err(RequestError::NotConnected));
        assert_eq!(rig.client.unsubscribe(&["a"]), Err(RequestError::NotConnected));
        rig.disconnect();
        assert_eq!(rig.send_all(), ["DISCONNECT"]);
        rig.disconnect();
        assert!(rig.send_all().is_empty());
    }
}

#[test]
fn nothing_is_sent_between_the_bytes_of_a_payload() {
    let mut rig = Rig::online();
    rig.disconnect();
    rig.send_bytes(1);
    rig.receive_publish("a", b"", AtLeastOnce, 7);
    rig.receive_publish("a", b"", ExactlyOnce, 8);
    assert!(rig.events().is_empty(), "they can no longer be answered, and will be resent");
    assert_eq!(rig.send_all(), ["DISCONNECT"]);
}

#[test]
fn queued_answers_are_sent_before_disconnect() {
    let mut rig = Rig::online();
    rig.receive_publish("a", b"", AtLeastOnce, 7);
    rig.events();
    rig.disconnect();
    assert_eq!(rig.send_all(), ["PUBACK id=7", "DISCONNECT"]);
}

#[test]
fn before_connack_disconnect_follows_connect() {
    for taken in [0, 5, 20] {
        let mut rig = Rig::new();
        rig.publish("a", b"", AtLeastOnce);
        rig.connect(&CONNECT);
        rig.send_bytes(taken);
        rig.disconnect();
        let lines = rig.send_all();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1], "DISCONNECT");
        rig.go_online(&CONNECT, false);
        assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 (0 B)"], "kept, and never tried before");
    }
}

#[test]
fn unanswered_requests_are_kept_or_reported() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.subscribe(&[("b", AtMostOnce)]);
    rig.disconnect();
    rig.send_all();
    assert_eq!(rig.events(), ["ended 2 Lost"]);
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 dup (0 B)"]);
}

#[test]
fn reading_continues_while_a_write_waits() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    rig.publish("b", b"", AtMostOnce);
    rig.send_bytes(1);
    rig.disconnect();
    rig.receive(Packet::PubAck(id(1)));
    assert_eq!(rig.events(), ["published 1 qos=1"]);
    assert_eq!(rig.send_all(), ["PUBLISH b qos=0 (0 B)", "DISCONNECT"]);
}

#[test]
fn offline_disconnect_and_finish_do_nothing() {
    let end: [fn(&mut Rig); 3] = [
        Rig::disconnect,
        |rig| rig.client.finish(),
        |rig| {
            rig.client.finish();
            rig.disconnect();
            rig.client.finish();
        },
    ];
    for end in end {
        let mut rig = Rig::new();
        end(&mut rig);
        assert_eq!((rig.client.state(), rig.events()), (State::Offline, vec![]));
        assert!(rig.send_all().is_empty());
        assert_eq!(rig.publish("a", b"", AtLeastOnce), 1);
        rig.go_online(&CONNECT, false);
        assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 (0 B)"]);
        assert_eq!((rig.publish("a", b"", AtLeastOnce), rig.client.state()), (2, State::Connected));
    }
}

/// It has to be repeated on the next connection.
#[test]
fn finish_ends_with_its_connection() {
    for state in [State::Connecting, State::Connected] {
        let mut rig = if state == State::Connected { Rig::online() } else { Rig::new() };
        rig.publish("a", b"", AtLeastOnce);
        if state == State::Connecting {
            rig.connect(&CONNECT);
        }
        rig.client.finish();
        rig.send_all();
        rig.lose_link();
        assert_eq!(rig.publish("b", b"", AtLeastOnce), 2);
        rig.go_online(&CONNECT, true);
        assert_eq!((rig.client.state(), rig.send_all().len()), (State::Connected, 2));
    }
}

/// With a streamed message, too: its payload is not asked for before there is a connection.
#[test]
fn finish_waits_for_connack() {
    let mut rig = Rig::online();
    let message = StreamedMessage::new("a", 9).at_least_once().repeatable();
    rig.client.publish_streamed(&message).unwrap();
    rig.client.finish();
    rig.lose_link();
    assert!(rig.events().is_empty());
    rig.client.finish();
    assert!(rig.events().is_empty());
    rig.connect(&CONNECT);
    rig.client.finish();
    rig.send_all();
    assert!(rig.events().is_empty());
    rig.receive_connack(true);
    assert_eq!(rig.events(), ["connected present=true", "ready 1"]);
    assert_eq!(rig.client.state(), State::Closing);
}

#[test]
fn disconnect_gives_up_on_a_server_that_does_not_read() {
    let mut rig = Rig::online();
    rig.disconnect();
    assert_eq!(rig.at(30_000).events(), ["error TimedOut(Stall)"]);
    assert_eq!(rig.client.state(), State::Offline);
}

/// After DISCONNECT no answers are awaited any more: only output that makes no progress ends the connection early.
#[test]
fn only_pending_output_can_stall() {
    let mut rig = Rig::online();
    rig.choose(|c| c.ack_timeout_ms = 1_000);
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    rig.disconnect();
    assert_eq!(rig.deadline(), Some(30_000), "the stall timeout, not that of the answer");
    rig.at(29_999);
    assert!(rig.events().is_empty());
    rig.at(30_000);
    assert_eq!(rig.events(), ["error TimedOut(Stall)"]);
}

/// No request is left over, in whatever order they were answered.
#[test]
fn finish_completes_after_answers_in_any_order() {
    for order in [[1, 2, 3], [3, 2, 1], [2, 1, 3], [2, 3, 1]] {
        let mut rig = Rig::online();
        for _ in order {
            rig.publish("a", b"", AtLeastOnce);
        }
        rig.send_all();
        for number in order {
            rig.receive(Packet::PubAck(id(number)));
        }
        assert_eq!(rig.events().len(), 3);
        assert_eq!(rig.deadline(), None, "nothing is waited for");
        rig.client.finish();
        rig.advance();
        assert_eq!(rig.send_all(), ["DISCONNECT"], "{order:?}");
    }
}
