//! Outbound messages: QoS 0, 1, 2, online and queued offline.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Message, QoS, RequestError, Violation};

use crate::harness::*;

#[test]
fn at_most_once() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::online().chunked(chunks);
        assert_eq!(rig.publish("a/b", b"hi", AtMostOnce), 0);
        assert_eq!(rig.client.in_flight(), 0);
        assert_eq!(rig.send_all(), ["PUBLISH a/b qos=0 (2 B) \"hi\""]);
        assert!(rig.events().is_empty());
    });
}

#[test]
fn at_least_once() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::online().chunked(chunks);
        assert_eq!(rig.publish("a/b", b"hi", AtLeastOnce), 1);
        assert_eq!(rig.client.in_flight(), 1);
        assert_eq!(rig.send_all(), ["PUBLISH a/b qos=1 id=1 (2 B) \"hi\""]);
        rig.receive(Packet::PubAck(id(1)));
        assert_eq!(rig.events(), ["published 1 qos=1"]);
        assert_eq!(rig.client.in_flight(), 0);
    });
}

#[test]
fn exactly_once() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::online().chunked(chunks);
        assert_eq!(rig.publish("a/b", b"hi", ExactlyOnce), 1);
        assert_eq!(rig.send_all(), ["PUBLISH a/b qos=2 id=1 (2 B) \"hi\""]);
        rig.receive(Packet::PubRec(id(1)));
        assert!(rig.events().is_empty(), "half of it");
        assert_eq!(rig.send_all(), ["PUBREL id=1"]);
        rig.receive(Packet::PubComp(id(1)));
        assert_eq!(rig.events(), ["published 1 qos=2"]);
        assert_eq!(rig.client.in_flight(), 0);
    });
}

#[test]
fn retained_and_empty() {
    let mut rig = Rig::online();
    rig.client.publish(&Message::new("a", b"").retain()).unwrap();
    rig.client.publish(&Message::new("a", b"").qos(ExactlyOnce).retain()).unwrap();
    assert_eq!(rig.send_all(), ["PUBLISH a qos=0 retain (0 B)", "PUBLISH a qos=2 id=1 retain (0 B)"]);
}

#[test]
fn messages_of_every_qos_are_sent_in_order() {
    let mut rig = Rig::online();
    for (topic, qos) in [("a", ExactlyOnce), ("b", AtMostOnce), ("c", AtLeastOnce), ("d", AtMostOnce)] {
        rig.publish(topic, b"", qos);
    }
    let topics: Vec<String> = rig.send_all().iter().map(|line| line[8..9].into()).collect();
    assert_eq!(topics, ["a", "b", "c", "d"]);
}

#[test]
fn answers_can_arrive_in_any_order() {
    let mut rig = Rig::online();
    for _ in 0..4 {
        rig.publish("a", b"payload", AtLeastOnce);
    }
    rig.send_all();
    for number in [3, 1, 4, 2] {
        rig.receive(Packet::PubAck(id(number)));
    }
    assert_eq!(
        rig.events(),
        ["published 3 qos=1", "published 1 qos=1", "published 4 qos=1", "published 2 qos=1"]
    );
}

#[test]
fn offline_qos_1_and_2_queue_and_qos_0_is_refused() {
    let mut rig = Rig::new();
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("b", b"", ExactlyOnce);
    assert_eq!(rig.client.publish(&Message::new("c", b"")), Err(RequestError::NotConnected));
    rig.connect(&CONNECT);
    assert_eq!(rig.client.publish(&Message::new("c", b"")), Err(RequestError::NotConnected));
    rig.publish("d", b"", AtLeastOnce);
    assert_eq!(rig.send_all().len(), 1, "CONNECT");
    rig.receive_connack(false);
    assert_eq!(
        rig.send_all(),
        ["PUBLISH a qos=1 id=1 (0 B)", "PUBLISH b qos=2 id=2 (0 B)", "PUBLISH d qos=1 id=3 (0 B)"],
        "never sent before, so no DUP"
    );
}

#[test]
fn messages_queued_offline_survive_a_clean_session() {
    let mut rig = Rig::new();
    rig.publish("a", b"", ExactlyOnce);
    rig.go_online(&CONNECT.clean_session(true), false);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=2 id=1 (0 B)"]);
    assert!(rig.events().is_empty());
}

#[test]
fn a_topic_that_the_standard_forbids_is_refused() {
    let mut rig: Rig = Rig::sized(64, 80_000);
    rig.go_online(&CONNECT, false);
    let long = "x".repeat(65_536);
    for (topic, violation) in [
        ("", Violation::TopicEmpty),
        ("a\0b", Violation::NulCharacter),
        ("a/+/b", Violation::WildcardInTopicName),
        ("#", Violation::WildcardInTopicName),
        (long.as_str(), Violation::TooLong),
    ] {
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            let message = Message::new(topic, b"").qos(qos);
            assert_eq!(rig.client.publish(&message), Err(RequestError::Forbidden(violation)));
        }
    }
    assert!(rig.send_all().is_empty());
    assert_eq!(rig.client.in_flight(), 0);
}

/// A hundred messages, a window of eight, and a server that answers in any order.
#[test]
fn a_window_that_slides() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::<8>::sized(64, 300).chunked(chunks);
        rig.go_online(&CONNECT, false);
        let mut done = 0;
        let mut queued = 0;
        while done < 100 {
            let qos = [AtLeastOnce, ExactlyOnce][queued % 2];
            let message = Message::new("topic", b"payload").qos(qos);
            if queued < 100 && rig.client.publish(&message).is_ok() {
                queued += 1;
                continue;
            }
            for line in rig.send_all() {
                let number = line.split("id=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
                rig.receive(match line.as_bytes() {
                    [b'P', b'U', b'B', b'R', ..] => Packet::PubComp(id(number)),
                    _ if line.contains("qos=2") => Packet::PubRec(id(number)),
                    _ => Packet::PubAck(id(number)),
                });
            }
            done += rig.events().len();
        }
        assert_eq!((done, rig.client.in_flight()), (100, 0));
    });
}

#[test]
fn a_handler_can_publish_while_it_borrows_the_payload() {
    let mut rig = Rig::online();
    let now = rig.now();
    rig.client.receive_buffer()[..9].copy_from_slice(b"\x32\x07\x00\x01a\x00\x09hi");
    rig.client.received(9);
    assert_eq!(rig.client.advance(now), Ok(true));
    let (Some(baremqtt::Event::Message(message)), mut outbound) = rig.client.split() else { panic!() };
    outbound.publish(&Message::new("echo", message.payload).qos(QoS::AtLeastOnce)).unwrap();
    rig.advance();
    assert_eq!(rig.send_all(), ["PUBACK id=9", "PUBLISH echo qos=1 id=1 (2 B) \"hi\""]);
}

/// The event of one message is the current one while room is made for the next: no other message is removed.
#[test]
fn room_is_made_while_an_event_is_current() {
    let mut rig = Rig::<0>::sized(64, 160);
    rig.go_online(&CONNECT, false);
    rig.publish("first", &[b'1'; 30], AtLeastOnce);
    rig.publish("second", &[b'2'; 30], AtLeastOnce);
    rig.publish("third", b"", AtLeastOnce);
    rig.send_all();
    let now = rig.now();
    rig.client.receive_buffer()[..4].copy_from_slice(&[0x40, 2, 0, 2]);
    rig.client.received(4);
    assert_eq!(rig.client.advance(now), Ok(true));
    rig.publish("zero", &[b'0'; 25], AtMostOnce);
    assert_eq!(rig.events(), Vec::<String>::new());
    assert_eq!(rig.client.in_flight(), 2);
    for number in [1, 3] {
        rig.receive(Packet::PubAck(id(number)));
    }
    assert_eq!(rig.events(), ["published 1 qos=1", "published 3 qos=1"]);
}

/// The answer is not even kept until the message is sent: it may be a late answer for the same identifier.
#[test]
fn an_answer_to_a_request_that_was_not_offered_is_ignored() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut rig = Rig::online();
        rig.publish("a", b"", qos);
        rig.receive(Packet::PubAck(id(1)));
        rig.receive_publish("in", b"", AtMostOnce, 0);
        assert_eq!(rig.events(), ["message in qos=0 (0 B)"]);
        assert_eq!(rig.send_all(), [format!("PUBLISH a qos={qos} id=1 (0 B)")]);
        assert_eq!(rig.client.in_flight(), 1);
    }
}
