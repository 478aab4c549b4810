//! Behaviour of brokers that a client must survive, one test per row of our list.

use std::collections::BTreeMap;

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{SessionLoss, SubAckCode, Version};

use crate::harness::*;

/// RabbitMQ 3.10 does not support QoS 2: the message completes at QoS 1, and the event says so.
#[test]
fn rabbitmq_answers_qos_2_with_puback() {
    let mut rig = Rig::online();
    rig.publish("a", b"", ExactlyOnce);
    rig.send_all();
    rig.receive(Packet::PubAck(id(1)));
    assert_eq!(rig.events(), ["published 1 qos=1"]);
    assert_eq!(rig.client.in_flight(), 0);
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    assert!(rig.send_all().is_empty());
}

/// Mosquitto 2.0.11 resumes by sending everything that is queued at once, beyond its own in-flight limit.
#[test]
fn mosquitto_resumes_with_a_flood() {
    let mut rig = Rig::<8>::sized(1024, 1024);
    rig.go_online(&CONNECT, true);
    for number in 1..=2_900 {
        rig.receive_publish("a", b"", ExactlyOnce, number);
        if number % 50 == 0 {
            rig.send_all();
        }
    }
    rig.send_all();
    for number in 1..=2_900 {
        rig.receive(pubrel(number));
        rig.send_bytes(usize::MAX);
    }
    let events = rig.events();
    assert_eq!(events.len(), 2_900);
    assert!(events.iter().all(|line| line.starts_with("message")));
}

/// Its counter serves QoS 1 and 2 alike, so a flood of both leaves gaps, and the set of identifiers can fill up.
/// Then the flood takes a few connections, each of which makes progress, and still nothing is lost or delivered twice.
#[test]
fn mosquitto_resumes_with_a_flood_of_qos_1_and_2() {
    let mut rig = Rig::<8>::sized(1024, 1024);
    // What the broker stores: for each message, whether PUBREC has arrived.
    let mut waiting: BTreeMap<u16, bool> =
        (1..=2_900).filter(|number| number % 10 != 0).map(|number| (number, false)).collect();
    let (mut delivered, mut connections) = (0, 0);
    while !waiting.is_empty() {
        connections += 1;
        assert!(connections < 12);
        rig.go_online(&CONNECT, true);
        for (number, received) in waiting.clone() {
            let message = publish("a", b"", ExactlyOnce, number, connections > 1);
            rig.receive(if received { pubrel(number) } else { message });
            for line in rig.send_all() {
                let (answer, number) = line.split_once(" id=").unwrap();
                let number = number.parse().unwrap();
                match answer {
                    "PUBREC" => waiting.insert(number, true),
                    _ => waiting.remove(&number),
                };
            }
        }
        let (messages, rest): (Vec<_>, Vec<_>) =
            rig.events().into_iter().partition(|line| line.starts_with("message"));
        delivered += messages.len();
        if rest.is_empty() {
            rig.lose_link();
        } else {
            assert_eq!(rest, ["error InboundFull"]);
        }
    }
    assert_eq!(delivered, 2_610);
}

/// Mosquitto with 3.1: the bit is 0 for a resumed session too, and means nothing.
#[test]
fn mosquitto_in_3_1_never_reports_a_session() {
    let connect = CONNECT.version(Version::Mqtt31);
    let mut rig = Rig::new();
    rig.go_online(&connect, false);
    rig.receive_publish("a", b"", ExactlyOnce, 7);
    rig.publish("b", b"", ExactlyOnce);
    rig.send_all();
    rig.events();
    rig.lose_link();
    rig.go_online(&connect, false);
    assert_eq!(rig.send_all(), ["PUBLISH b qos=2 id=1 dup (0 B)"]);
    rig.receive(publish("a", b"", ExactlyOnce, 7, true));
    assert!(rig.events().is_empty(), "the set of identifiers is kept");
}

/// rumqttd 0.20 does not answer an UNSUBSCRIBE for a filter that was not subscribed: the timeout ends the connection.
#[test]
fn rumqttd_does_not_acknowledge_unsubscribe() {
    let mut rig = Rig::online();
    rig.unsubscribe(&["never/subscribed"]);
    rig.send_all();
    assert_eq!(rig.at(30_000).events(), ["error TimedOut(Ack)", "ended 1 Lost"]);
    rig.go_online(&CONNECT, true);
    assert!(rig.send_all().is_empty());
}

/// On an unknown PUBREL, rumqttd closes the connection and amqtt stays silent:
/// the link is lost, the message stays, the session resumes.
#[test]
fn a_missing_pubcomp_ends_the_link_but_not_the_exchange() {
    let mut rig = Rig::online();
    rig.publish("a", b"", ExactlyOnce);
    rig.send_all();
    rig.receive(Packet::PubRec(id(1)));
    rig.send_all();
    assert_eq!(rig.at(30_000).events(), ["error TimedOut(Ack)"]);
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all(), ["PUBREL id=1"]);
    rig.receive(Packet::PubComp(id(1)));
    assert_eq!(rig.events(), ["published 1 qos=2"]);
}

/// aedes 1.2 always reports session present as 0: the caller chooses what a lost session means.
#[test]
fn aedes_never_keeps_a_session() {
    for (loss, sent) in [(SessionLoss::Resend, 1), (SessionLoss::Drop, 0)] {
        let mut rig = Rig::online();
        rig.choose(|c| c.session_loss = loss);
        rig.publish("a", b"", AtLeastOnce);
        rig.send_all();
        rig.lose_link();
        rig.go_online(&CONNECT, false);
        assert_eq!(rig.send_all().len(), sent);
        assert_eq!(rig.events().len(), 1 - sent);
    }
}

#[test]
fn any_broker_publishes_before_suback_and_after_unsuback() {
    let mut rig = Rig::online();
    rig.subscribe(&[("a", AtMostOnce)]);
    rig.send_all();
    rig.receive_publish("a", b"early", AtLeastOnce, 1);
    rig.receive_suback(1, &[SubAckCode::Granted(AtMostOnce)]);
    rig.unsubscribe(&["a"]);
    rig.send_all();
    rig.receive(Packet::UnsubAck(id(2)));
    rig.receive_publish("a", b"late", AtMostOnce, 0);
    assert_eq!(
        rig.events(),
        [
            "message a qos=1 id=1 (5 B) \"early\"",
            "subscribed 1 0",
            "unsubscribed 2",
            "message a qos=0 (4 B) \"late\""
        ]
    );
}

#[test]
fn any_broker_sends_acknowledgements_of_an_earlier_connection() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    for packet in [Packet::PubAck(id(1)), Packet::PubComp(id(2)), Packet::UnsubAck(id(3))] {
        rig.receive(packet);
    }
    assert!(rig.events().is_empty());
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 dup (0 B)"]);
    rig.receive(Packet::PubAck(id(1)));
    assert_eq!(rig.events(), ["published 1 qos=1"]);
}
