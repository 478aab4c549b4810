//! The application controls its messages: it can list what is in flight, and give a message up.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{GiveUpError, PacketId, Request, StreamedMessage, UnderWay};

use crate::harness::*;

/// What is in flight, one line each.
fn under_way(rig: &Rig) -> Vec<String> {
    rig.client
        .under_way()
        .map(|UnderWay { id, request, may_have_arrived, .. }| {
            let left = if may_have_arrived { " left" } else { "" };
            match request {
                Request::Publish(publish) => {
                    let payload = String::from_utf8_lossy(publish.payload).into_owned();
                    format!("{id} {} qos={} {payload:?}{left}", publish.topic, publish.delivery.qos())
                }
                Request::GivenUp { qos } => format!("{id} given up qos={qos}{left}"),
                other => format!("{id} {other:?}{left}"),
            }
        })
        .collect()
}

#[test]
fn everything_under_way_is_shown() {
    let mut rig = Rig::online();
    rig.publish("a", b"one", AtLeastOnce);
    rig.publish("b", b"two", ExactlyOnce);
    rig.publish("z", b"zero", AtMostOnce);
    rig.subscribe(&[("s", AtMostOnce)]);
    rig.send_all();
    rig.receive(Packet::PubRec(id(2)));
    rig.unsubscribe(&["s"]);
    rig.client.publish_streamed(&StreamedMessage::new("c", 500).qos(AtLeastOnce).repeatable()).unwrap();
    let expected =
        ["1 a qos=1 \"one\" left", "3 Subscribe left", "2 Released", "4 Unsubscribe", "5 c qos=1 \"\""];
    assert_eq!(under_way(&rig), expected);
    // Also after a restart.
    let mut image = [0; 300];
    let len = rig.client.save(&mut image).unwrap();
    let mut rig = Rig::new();
    rig.client.restore(&image[..len]).unwrap();
    let expected =
        ["1 a qos=1 \"one\" left", "3 Ended left", "2 Released left", "4 Ended left", "5 c qos=1 \"\" left"];
    assert_eq!(under_way(&rig), expected);
}

/// The transport may report in several calls what it has accepted of the bytes that `pending` returned once.
#[test]
fn what_can_still_be_reported_as_sent_is_not_given_up() {
    let mut rig = Rig::online();
    rig.publish("a", b"one", AtLeastOnce);
    rig.publish("b", b"two", AtLeastOnce);
    let bytes = rig.client.pending().to_vec();
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    rig.client.sent(first.len());
    assert_eq!(rig.client.give_up(id(2)), Err(GiveUpError::BeingSent));
    rig.client.sent(rest.len());
    assert_eq!(rig.client.give_up(id(2)), Ok(()), "after that it is");
    rig.publish("c", b"three", AtLeastOnce);
    assert_eq!(rig.client.pending(), b"\x32\x0A\x00\x01c\x00\x03three");
}

#[test]
fn a_given_up_message_that_was_not_sent_is_removed() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut rig = Rig::new();
        rig.publish("stale", b"payload", qos);
        rig.publish("next", b"", AtLeastOnce);
        assert_eq!(rig.client.give_up(id(1)), Ok(()));
        assert_eq!(rig.client.give_up(id(1)), Err(GiveUpError::Unknown), "only once");
        assert!(rig.events().is_empty());
        rig.go_online(&CONNECT, false);
        assert_eq!(rig.send_all(), ["PUBLISH next qos=1 id=2 (0 B)"]);
        assert_eq!(rig.client.in_flight(), 1);
    }
}

/// A server that closes the connection whenever it sees a certain message: without it the others get through.
#[test]
fn a_message_that_the_server_rejects_can_be_given_up() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut rig = Rig::online();
        rig.publish("poison", &[0; 300], qos);
        rig.publish("harmless", b"", qos);
        for _ in 0..3 {
            assert!(rig.send_all()[0].starts_with("PUBLISH poison"));
            rig.lose_link();
            rig.go_online(&CONNECT, true);
        }
        rig.lose_link();
        assert_eq!(rig.client.give_up(id(1)), Ok(()));
        rig.go_online(&CONNECT, true);
        let sent = rig.send_all();
        let harmless = format!("PUBLISH harmless qos={qos} id=2 dup (0 B)");
        // At QoS 2 PUBREL tells the server to forget the identifier.
        let expected: &[&str] = if qos == ExactlyOnce { &["PUBREL id=1", &harmless] } else { &[&harmless] };
        assert_eq!(sent, expected);
        if qos == ExactlyOnce {
            rig.receive(Packet::PubComp(id(1)));
        }
        assert_eq!(rig.events().len(), usize::from(qos == ExactlyOnce));
        assert_eq!(rig.client.in_flight(), 1);
    }
}

/// Sent at QoS 1: its identifier is blocked until the acknowledgement or the end of the connection, and its end is reported once.
#[test]
fn at_qos_1_a_stub_waits_for_puback_or_the_end_of_the_link() {
    for acknowledged in [true, false] {
        let mut rig = Rig::<0>::sized(64, 160);
        rig.go_online(&CONNECT, false);
        rig.publish("a", &[0; 80], AtLeastOnce);
        rig.send_all();
        let message = baremqtt::Message::new("b", &[0; 80]).at_least_once();
        assert!(rig.client.publish(&message).is_err(), "there is no room");
        rig.client.give_up(id(1)).unwrap();
        assert_eq!(rig.client.publish(&message).unwrap(), PacketId::new(2), "now there is");
        rig.client.set_next_packet_id(id(1));
        assert_eq!(rig.publish("c", b"", AtLeastOnce), 3, "1 and 2 are in use");
        if acknowledged {
            rig.receive(Packet::PubAck(id(1)));
            assert_eq!(rig.events(), ["published 1 qos=1"]);
        } else {
            rig.lose_link();
            assert_eq!(rig.events(), ["ended 1 Lost"]);
        }
        rig.client.set_next_packet_id(id(1));
        assert_eq!(rig.publish("d", b"", AtLeastOnce), 1);
    }
}

#[test]
fn at_qos_2_a_stub_answers_pubrec_and_ends_at_pubcomp() {
    let mut rig = Rig::online();
    rig.publish("a", b"payload", ExactlyOnce);
    rig.send_all();
    rig.client.give_up(id(1)).unwrap();
    assert_eq!(under_way(&rig), ["1 given up qos=2 left"]);
    rig.receive(Packet::PubRec(id(1)));
    assert_eq!(rig.client.give_up(id(1)), Err(GiveUpError::Released));
    assert_eq!(rig.send_all(), ["PUBREL id=1"]);
    rig.receive(Packet::PubComp(id(1)));
    assert_eq!(rig.events(), ["published 1 qos=2"]);
    assert_eq!(rig.client.in_flight(), 0);
}

/// The remainder of a message, over any number of connections, restarts and lost sessions.
#[test]
fn a_stub_survives_everything_that_a_message_does() {
    for len in [0, 1, 2, 3, 120, 121, 122, 130, 200, 400] {
        let mut rig = Rig::online();
        rig.publish("a", &vec![7; len], ExactlyOnce);
        rig.publish("b", b"x", AtLeastOnce);
        rig.send_all();
        rig.client.give_up(id(1)).unwrap();
        let mut image = [0; 600];
        let image_len = rig.client.save(&mut image).unwrap();
        let mut restored = Rig::new();
        restored.client.restore(&image[..image_len]).unwrap();
        rig.lose_link();
        for mut rig in [rig, restored] {
            rig.go_online(&CONNECT, true);
            let again = "PUBLISH b qos=1 id=2 dup (1 B) \"x\"";
            assert_eq!(rig.send_all(), ["PUBREL id=1", again], "{len}");
            rig.lose_link();
            rig.go_online(&CONNECT, false);
            assert_eq!(rig.events(), ["ended 1 Uncertain"]);
            assert_eq!(rig.send_all(), [again]);
        }
    }
}

#[test]
fn a_message_that_is_being_sent_cannot_be_given_up() {
    let mut rig = Rig::online();
    rig.publish("a", b"payload", AtLeastOnce);
    rig.publish("b", b"payload", AtLeastOnce);
    let _ = rig.client.pending();
    assert_eq!(rig.client.give_up(id(2)), Err(GiveUpError::BeingSent), "offered");
    rig.send_bytes(3);
    assert_eq!(rig.client.give_up(id(1)), Err(GiveUpError::BeingSent), "half sent");
    assert_eq!(rig.client.give_up(id(2)), Err(GiveUpError::BeingSent), "the rest of the offer");
    assert_eq!(rig.client.give_up(id(3)), Err(GiveUpError::Unknown));
    rig.send_all();
    assert_eq!(rig.client.give_up(id(1)), Ok(()));
    assert_eq!(rig.client.give_up(id(2)), Ok(()));
}

#[test]
fn a_streamed_message_whose_payload_is_requested_can_be_given_up() {
    let mut rig = Rig::online();
    rig.client.publish_streamed(&StreamedMessage::new("large", 500).qos(AtLeastOnce).repeatable()).unwrap();
    rig.publish("next", b"", AtLeastOnce);
    assert_eq!(rig.events(), ["ready 1"]);
    assert_eq!(rig.client.give_up(id(1)), Ok(()));
    assert!(rig.client.write_payload(b"x").is_err());
    assert_eq!(rig.send_all(), ["PUBLISH next qos=1 id=2 (0 B)"]);
    assert!(rig.events().is_empty());
}

/// The remainder of a sent message has a header of its own, whatever its length.
#[test]
fn messages_of_any_length_can_be_given_up() {
    for len in 100..160 {
        let mut rig = Rig::online();
        rig.publish("a", &vec![b'x'; len], AtLeastOnce);
        rig.send_all();
        rig.publish("b", b"", AtLeastOnce);
        rig.client.give_up(id(1)).unwrap();
        assert_eq!(rig.client.under_way().count(), 2, "{len}");
        assert_eq!(rig.send_all(), ["PUBLISH b qos=1 id=2 (0 B)"], "{len}");
        rig.receive(Packet::PubAck(id(2)));
        rig.receive(Packet::PubAck(id(1)));
        assert_eq!(rig.client.under_way().count(), 0, "{len}");
    }
}
