//! Faults found by the walk through all states (`tests/explore`), each with the shortest path to it.

use baremqtt::QoS::{AtLeastOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Event, GiveUpError, Message, QoS, State, StreamedMessage};

use crate::harness::*;

/// A message that may have been seen on a connection that was lost.
fn lost_with(qos: QoS) -> Rig {
    let mut rig = Rig::online();
    rig.publish("a", b"one", qos);
    rig.send_all();
    rig.lose_link();
    rig
}

fn give_up(rig: &mut Rig, number: u16) {
    rig.client.give_up(id(number)).unwrap();
}

fn save(rig: &mut Rig) {
    rig.client.save(&mut [0; 256]).unwrap();
    rig.client.saved(rig.client.revision());
}

/// The whole part of the transmit buffer that requests can use, less what others occupy.
fn has_room(rig: &mut Rig, log: usize) -> bool {
    // Up to 127 bytes need only a short header.
    let payload = vec![0; log - 9];
    rig.client.publish(&Message::new("room", &payload[..log - 10]).at_least_once()).is_ok()
}

#[test]
fn a_streamed_message_frees_its_window() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut rig: Rig = Rig::sized(64, 32 + 120);
        rig.go_online(&CONNECT, false);
        let message = StreamedMessage::new("s", 2).qos(qos).repeatable();
        rig.client.publish_streamed(&message).unwrap();
        assert_eq!(rig.events(), ["ready 1"]);
        rig.client.write_payload(b"ab").unwrap();
        rig.send_all();
        if qos == ExactlyOnce {
            rig.receive(Packet::PubRec(id(1)));
            rig.send_all();
            rig.receive(Packet::PubComp(id(1)));
        } else {
            rig.receive(Packet::PubAck(id(1)));
        }
        assert_eq!(rig.events().len(), 1);
        assert!(has_room(&mut rig, 120));
    }
}

/// The answer to a repetition reveals a state that is already durable: it does not wait, and needs no image.
#[test]
fn the_answer_to_a_repetition_needs_no_image() {
    let mut rig = Rig::new();
    rig.choose(|c| c.durable = true);
    rig.go_online(&CONNECT, false);
    rig.receive_publish("i", b"", ExactlyOnce, 1);
    assert_eq!(rig.events(), ["message i qos=2 id=1 (0 B)", "SaveDue"]);
    save(&mut rig);
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    rig.receive(publish("i", b"", ExactlyOnce, 1, true));
    assert_eq!(rig.send_all(), ["PUBREC id=1"]);
    rig.receive(pubrel(1));
    assert_eq!(rig.events(), ["SaveDue"]);
    save(&mut rig);
    assert_eq!(rig.send_all(), ["PUBCOMP id=1"]);
    for (packet, answer) in [(pubrel(1), "PUBCOMP id=1"), (Packet::PubRec(id(9)), "PUBREL id=9")] {
        rig.receive(packet);
        assert!(rig.events().is_empty());
        assert_eq!(rig.send_all(), [answer]);
    }
}

/// A message that was sent on a connection before this one is given up: offline, before the gate opens, or before it is resent.
fn given_up_after_its_connection(qos: QoS) -> impl Iterator<Item = Rig> {
    (0..3).map(move |when| {
        let mut rig = lost_with(qos);
        if when == 0 {
            give_up(&mut rig, 1);
        }
        rig.connect(&CONNECT);
        rig.send_all();
        if when == 1 {
            give_up(&mut rig, 1);
        }
        rig.receive_connack(true);
        if when == 2 {
            give_up(&mut rig, 1);
        }
        rig
    })
}

/// The PUBACK of an earlier connection is not awaited.
#[test]
fn given_up_after_its_connection_a_qos_1_message_is_removed() {
    for (when, mut rig) in given_up_after_its_connection(AtLeastOnce).enumerate() {
        assert_eq!(rig.events(), ["connected present=true"], "{when}: it was not sent on this connection");
        assert!(rig.send_all().is_empty(), "{when}");
        assert_eq!(rig.client.in_flight(), 0);
    }
}

/// The server may keep the identifier until it is released.
#[test]
fn given_up_after_its_connection_a_qos_2_message_is_released() {
    for (when, mut rig) in given_up_after_its_connection(ExactlyOnce).enumerate() {
        assert_eq!(rig.send_all(), ["PUBREL id=1"], "{when}");
        assert_eq!(rig.client.in_flight(), 1);
        rig.receive(Packet::PubComp(id(1)));
        assert_eq!(rig.client.in_flight(), 0);
    }
}

/// PUBREL reveals a new state to the server.
#[test]
fn a_given_up_message_is_released_after_it_was_saved() {
    for online in [false, true] {
        let mut rig = Rig::new();
        rig.choose(|c| c.durable = true);
        rig.publish("a", b"one", ExactlyOnce);
        save(&mut rig);
        rig.go_online(&CONNECT, false);
        rig.send_all();
        rig.lose_link();
        if !online {
            give_up(&mut rig, 1);
        }
        rig.go_online(&CONNECT, true);
        if online {
            give_up(&mut rig, 1);
        }
        assert!(rig.send_all().is_empty());
        assert_eq!(rig.events(), ["SaveDue"]);
        save(&mut rig);
        assert_eq!(rig.send_all(), ["PUBREL id=1"]);
    }
}

/// On a live connection, the answer to a message that was given up may arrive at any time.
#[test]
fn a_given_up_message_is_not_resent() {
    let mut rig = Rig::online();
    rig.choose(|c| c.retry_ms = 5_000);
    rig.publish("a", b"one", AtLeastOnce);
    rig.publish("b", b"two", AtLeastOnce);
    rig.send_all();
    give_up(&mut rig, 1);
    rig.at(0).at(5_000);
    assert!(rig.send_all().is_empty());
    rig.receive(Packet::PubAck(id(1)));
    assert_eq!(rig.events(), ["published 1 qos=1"]);
    rig.at(30_000);
    assert_eq!(rig.send_all(), ["PUBLISH b qos=1 id=2 dup (3 B) \"two\""]);
}

/// The image is restored when no PUBACK is awaited any more.
#[test]
fn a_given_up_qos_1_message_ends_with_a_restart() {
    let mut rig = Rig::online();
    rig.publish("a", b"one", AtLeastOnce);
    rig.send_all();
    give_up(&mut rig, 1);
    let mut image = [0; 256];
    let len = rig.client.save(&mut image).unwrap();
    let mut rig = Rig::new();
    rig.client.restore(&image[..len]).unwrap();
    assert_eq!(rig.events(), ["ended 1 Lost"]);
    rig.go_online(&CONNECT, true);
    assert!(rig.send_all().is_empty());
}

/// The payload follows the requests, and part of it has been sent.
#[test]
fn nothing_is_given_up_while_a_payload_passes() {
    let mut rig = Rig::online();
    rig.publish("a", b"one", AtLeastOnce);
    rig.client.publish_streamed(&StreamedMessage::new("s", 4).qos(AtLeastOnce).repeatable()).unwrap();
    rig.send_all();
    assert_eq!(rig.events(), ["ready 2"]);
    rig.client.write_payload(b"1234").unwrap();
    rig.send_bytes(8);
    assert_eq!(rig.client.give_up(id(1)), Err(GiveUpError::BeingSent));
    assert_eq!(rig.send_all(), ["PUBLISH s qos=1 id=2 (4 B) \"1234\""]);
    give_up(&mut rig, 1);
}

/// The current event stays the same when the requests move.
#[test]
fn release_removes_the_reported_end() {
    let mut rig: Rig = Rig::sized(64, 32 + 38);
    rig.go_online(&CONNECT, false);
    rig.publish("a", b"123", ExactlyOnce);
    rig.publish("b", b"123", AtLeastOnce);
    rig.publish("c", b"123", AtLeastOnce);
    rig.send_all();
    rig.receive(Packet::PubAck(id(2)));
    assert_eq!(rig.events(), ["published 2 qos=1"]);
    let now = rig.now();
    rig.client.receive_buffer()[..4].copy_from_slice(&[0x40, 2, 0, 3]);
    rig.client.received(4);
    assert_eq!(rig.client.advance(now), Ok(true));
    let third = Event::Published { id: id(3), qos: AtLeastOnce };
    assert_eq!(rig.client.event(), Some(third));
    // There is room for it once the others have been moved.
    rig.publish("d", b"123", AtLeastOnce);
    assert_eq!(rig.client.event(), Some(third));
    assert_eq!(rig.client.advance(now), Ok(false));
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    assert_eq!(
        rig.send_all(),
        ["PUBLISH a qos=2 id=1 dup (3 B) \"123\"", "PUBLISH d qos=1 id=4 (3 B) \"123\""]
    );
}

/// The image contains everything that the answer to a repetition reveals, so once it is durable, that answer is released too.
#[test]
fn packets_queued_before_the_image_is_durable_are_released_with_it() {
    let mut rig = Rig::new();
    rig.choose(|c| c.durable = true);
    rig.go_online(&CONNECT, false);
    rig.receive_publish("i", b"", ExactlyOnce, 1);
    assert_eq!(rig.events(), ["message i qos=2 id=1 (0 B)", "SaveDue"]);
    rig.client.save(&mut [0; 256]).unwrap();
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    rig.receive(publish("i", b"", ExactlyOnce, 1, true));
    rig.client.saved(rig.client.revision());
    assert_eq!(rig.send_all(), ["PUBREC id=1"]);
}

/// A PUBREL after a streamed message that was sent before it is not overtaken by a later PUBREL (MQTT-4.6.0-4).
#[test]
fn pubrels_keep_their_order_around_a_streamed_message() {
    let mut rig = Rig::online();
    rig.publish("a", b"", ExactlyOnce);
    rig.publish("b", b"", ExactlyOnce);
    rig.client.publish_streamed(&StreamedMessage::new("s", 2).qos(ExactlyOnce).repeatable()).unwrap();
    rig.send_all();
    assert_eq!(rig.events(), ["ready 3"]);
    rig.client.write_payload(b"12").unwrap();
    rig.send_all();
    rig.receive(Packet::PubRec(id(1)));
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all(), ["PUBLISH b qos=2 id=2 dup (0 B)"]);
    rig.receive(Packet::PubRec(id(2)));
    assert_eq!(rig.events(), ["ready 3"]);
    let mut sent = rig.send_all();
    rig.client.write_payload(b"12").unwrap();
    sent.extend(rig.send_all());
    assert_eq!(sent, ["PUBLISH s qos=2 id=3 dup (2 B) \"12\"", "PUBREL id=1", "PUBREL id=2"]);
}

/// The transport may report late what it has sent: an answer that has arrived by then waits for that report,
/// wherever a request has ended.
#[test]
fn an_answer_waits_until_its_request_is_reported_as_sent() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.subscribe(&[("x", AtLeastOnce)]);
    rig.lose_link();
    assert_eq!(rig.events(), ["ended 2 Lost"]);
    rig.go_online(&CONNECT, true);
    rig.unsubscribe(&["x"]);
    let taken = 7;
    assert!(rig.client.pending().len() > taken);
    rig.receive(Packet::PubAck(id(1)));
    assert!(rig.events().is_empty());
    rig.client.sent(taken);
    assert_eq!(rig.events(), ["published 1 qos=1"]);
    assert_eq!(rig.send_all(), ["UNSUBSCRIBE id=3 x"]);
}

/// A half-sent DISCONNECT stays a DISCONNECT, even if PINGREQ has become due.
#[test]
fn a_partly_sent_disconnect_is_continued() {
    for accepted in [false, true] {
        let mut rig = Rig::new();
        rig.connect(&CONNECT.keep_alive(10));
        rig.send_all();
        if accepted {
            rig.receive_connack(false);
            rig.disconnect();
            rig.send_bytes(1);
            rig.at(0).at(7_500);
        } else {
            rig.at(0).at(7_500);
            rig.disconnect();
            rig.send_bytes(1);
        }
        assert_eq!(rig.send_all(), ["DISCONNECT"], "{accepted}");
        assert_eq!(rig.client.state(), State::Offline);
    }
}

/// What is queued when the application finishes includes a message whose payload has not been requested yet.
#[test]
fn finish_asks_for_the_remaining_payload() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.client.publish_streamed(&StreamedMessage::new("s", 2).qos(AtLeastOnce).repeatable()).unwrap();
    rig.client.finish();
    rig.send_all();
    assert_eq!(rig.events(), ["ready 2"]);
    rig.client.write_payload(b"12").unwrap();
    rig.send_all();
    rig.receive(Packet::PubAck(id(1)));
    rig.receive(Packet::PubAck(id(2)));
    assert_eq!(rig.events(), ["published 1 qos=1", "published 2 qos=1"]);
    assert_eq!(rig.send_all(), ["DISCONNECT"]);
}

/// Its PUBACK may still arrive on this connection, so its identifier stays in use.
#[test]
fn a_message_that_is_being_resent_on_this_connection_cannot_be_given_up() {
    let mut rig = Rig::online();
    rig.choose(|c| c.retry_ms = 5_000);
    rig.publish("a", b"one", AtLeastOnce);
    rig.send_all();
    rig.at(0).at(5_000);
    assert_eq!(rig.client.give_up(id(1)), Err(GiveUpError::BeingSent));
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 dup (3 B) \"one\""]);
    give_up(&mut rig, 1);
    assert_eq!(rig.client.in_flight(), 1);
}
