//! Requests that cannot be accepted now: a typed error says why, and nothing has changed.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{ConnectError, Full, Message, RequestError};

use crate::harness::*;

const FULL_REQUESTS: RequestError = RequestError::Full(Full::Requests);
const FULL_BUFFER: RequestError = RequestError::Full(Full::Buffer);

#[test]
fn more_requests_than_are_allowed() {
    let mut rig = Rig::<4>::sized(256, 1024);
    rig.go_online(&CONNECT, false);
    for _ in 0..2 {
        rig.publish("a", b"", ExactlyOnce);
    }
    rig.subscribe(&[("a", AtMostOnce)]);
    rig.unsubscribe(&["a"]);
    for _ in 0..3 {
        assert_eq!(rig.client.publish(&Message::new("b", b"").qos(AtLeastOnce)), Err(FULL_REQUESTS));
        assert_eq!(rig.client.subscribe(&[("b", AtMostOnce)]), Err(FULL_REQUESTS));
        assert_eq!(rig.client.unsubscribe(&["b"]), Err(FULL_REQUESTS));
    }
    rig.publish("c", b"", AtMostOnce);
    assert_eq!(rig.send_all().len(), 5, "QoS 0 needs no place, and the refused ones left nothing");
    rig.receive(Packet::UnsubAck(id(4)));
    assert_eq!(rig.publish("b", b"", AtLeastOnce), 5, "the place of 4");
}

/// Mosquitto acknowledges and then loses QoS 2 messages beyond its window, so by default the client stays within a window of one.
#[test]
fn the_number_of_qos_2_messages_is_limited() {
    let mut rig = Rig::<64>::sized(64, 4096);
    rig.go_online(&CONNECT, false);
    for _ in 0..19 {
        rig.publish("a", b"", ExactlyOnce);
    }
    let message = Message::new("b", b"").qos(ExactlyOnce);
    assert_eq!(rig.client.publish(&message), Err(FULL_REQUESTS));
    rig.publish("b", b"", AtLeastOnce);
    rig.send_all();
    rig.receive(Packet::PubRec(id(1)));
    assert_eq!(rig.client.publish(&message), Err(FULL_REQUESTS), "not before PUBCOMP");
    rig.send_all();
    rig.receive(Packet::PubComp(id(1)));
    rig.publish("b", b"", ExactlyOnce);
    rig.choose(|c| c.max_exactly_once = 0);
    rig.publish("b", b"", ExactlyOnce);
}

/// `Full` names the events that make room, so each of them has to make room.
#[test]
fn each_promised_event_makes_room() {
    type MakeRoom = fn(&mut Rig<1>);
    let make_room: [(&str, MakeRoom); 4] = [
        ("published 1 qos=1", |rig| {
            rig.publish("a", b"", AtLeastOnce);
            rig.send_all();
            rig.receive(Packet::PubAck(id(1)));
        }),
        ("published 1 qos=2", |rig| {
            rig.publish("a", b"", ExactlyOnce);
            rig.send_all();
            rig.receive(Packet::PubRec(id(1)));
            rig.send_all();
            rig.receive(Packet::PubComp(id(1)));
        }),
        ("unsubscribed 1", |rig| {
            rig.unsubscribe(&["a"]);
            rig.send_all();
            rig.receive(Packet::UnsubAck(id(1)));
        }),
        ("ended 1 Lost", |rig| {
            rig.unsubscribe(&["a"]);
            rig.lose_link();
            rig.connect(&CONNECT);
        }),
    ];
    for (event, make_room) in make_room {
        let mut rig = Rig::<1>::sized(64, 256);
        rig.go_online(&CONNECT, false);
        make_room(&mut rig);
        assert_eq!(rig.events(), [event]);
        assert_eq!(rig.publish("b", b"", AtLeastOnce), 2);
    }
}

/// 128 bytes for messages.
#[test]
fn more_bytes_than_room() {
    let mut rig = Rig::<8>::sized(64, 160);
    rig.go_online(&CONNECT, false);
    rig.publish("a", &[0; 80], AtLeastOnce);
    let message = Message::new("b", &[0; 40]).qos(AtLeastOnce);
    for _ in 0..3 {
        assert_eq!(rig.client.publish(&message), Err(FULL_BUFFER));
        assert_eq!(rig.client.publish(&message.qos(AtMostOnce)), Err(FULL_BUFFER));
        assert_eq!(rig.client.subscribe(&[(&"x".repeat(50), AtMostOnce)]), Err(FULL_BUFFER));
        assert_eq!(rig.client.unsubscribe(&[&"x".repeat(50)]), Err(FULL_BUFFER));
    }
    assert_eq!(rig.client.in_flight(), 1);
    assert_eq!(rig.publish("b", &[0; 30], AtLeastOnce), 2, "no identifier was used up");
    assert_eq!(rig.send_all().len(), 2);
    rig.receive(Packet::PubAck(id(1)));
    assert_eq!(rig.publish("b", &[0; 40], AtLeastOnce), 3);
}

#[test]
fn qos_0_makes_room_as_it_is_sent() {
    let mut rig = Rig::<8>::sized(64, 160);
    rig.go_online(&CONNECT, false);
    let message = Message::new("b", &[0; 59]);
    assert!(rig.client.publish(&message).is_ok());
    assert!(rig.client.publish(&message).is_ok());
    assert_eq!(rig.client.publish(&message), Err(FULL_BUFFER));
    rig.send_bytes(63);
    assert_eq!(rig.client.publish(&message), Err(FULL_BUFFER), "not as long as a byte is missing");
    rig.send_bytes(1);
    assert!(rig.client.publish(&message).is_ok());
    assert_eq!(rig.send_all().len(), 3);
}

/// PUBREC makes room too: the payload is no longer needed.
#[test]
fn pubrec_makes_room() {
    let mut rig = Rig::<8>::sized(64, 160);
    rig.go_online(&CONNECT, false);
    rig.publish("a", &[0; 100], ExactlyOnce);
    rig.send_all();
    rig.receive(Packet::PubRec(id(1)));
    rig.publish("b", &[0; 100], ExactlyOnce);
    assert_eq!(rig.send_all().len(), 2);
}

#[test]
fn requests_that_can_never_fit() {
    let mut rig = Rig::<8>::sized(64, 160);
    rig.go_online(&CONNECT, false);
    let payload = [0; 122];
    let too_large = |needed| Err(RequestError::TooLarge { needed, room: 128 });
    assert_eq!(rig.client.publish(&Message::new("abc", &payload)), too_large(129));
    assert_eq!(rig.client.publish(&Message::new("abc", &payload).qos(AtLeastOnce)), too_large(132));
    assert!(rig.client.publish(&Message::new("ab", &payload)).is_ok(), "the last byte counts");
}

#[test]
fn connect_fits_beside_queued_messages() {
    let mut rig = Rig::<8>::sized(64, 160);
    while rig.client.publish(&Message::new("topic", b"payload").qos(AtLeastOnce)).is_ok() {}
    rig.go_online(&CONNECT, false);
    assert_eq!(rig.send_all().len(), 7);
}

/// CONNECT is kept in the receive buffer: a full queue does not stop it from being sent, however large it is, restored or not.
#[test]
fn a_large_connect_fits_beside_a_full_queue() {
    let connect = CONNECT.credentials("user", &[b'x'; 64]);
    let message = Message::new("topic", b"payload").qos(AtLeastOnce);
    let mut rig = Rig::<16>::sized(87, 160);
    while rig.client.publish(&message).is_ok() {}
    let mut image = [0; 400];
    let len = rig.client.save(&mut image).unwrap();
    let mut restored = Rig::<16>::sized(87, 160);
    restored.client.restore(&image[..len]).unwrap();
    for mut rig in [rig, restored] {
        rig.go_online(&connect, false);
        assert_eq!(rig.send_all().len(), 7);
    }

    let mut rig = Rig::<16>::sized(86, 160);
    assert_eq!(rig.client.connect(&connect), Err(ConnectError::TooLarge { needed: 87, room: 86 }));
    rig.go_online(&CONNECT, false);
}
