//! Messages at each QoS, to the server and from it, until their handshakes are complete.

use baremqtt::codec::{Delivery, Packet, QoS, Version};

use crate::client::{Client, at_least_once, exactly_once, with_dup};
use crate::{VERSIONS, id, start, start_with};

#[test]
fn qos_0_messages_are_delivered_in_order() {
    let server = start();
    for version in VERSIONS {
        let (mut receiver, mut sender) = Client::pair(&server, version);
        receiver.subscribe("a/+", QoS::ExactlyOnce);
        for number in 0..100 {
            sender.publish("a/b", &[number], Delivery::AtMostOnce, false);
        }
        for number in 0..100 {
            receiver.expect_publish("a/b", &[number], Delivery::AtMostOnce);
        }
    }
}

#[test]
fn qos_1_is_acknowledged_on_both_sides() {
    let server = start();
    for version in VERSIONS {
        let (mut receiver, mut sender) = Client::pair(&server, version);
        receiver.subscribe("a", QoS::ExactlyOnce);
        for number in 1..=3 {
            sender.publish("a", &[number as u8], at_least_once(number * 7), false);
            sender.expect(&Packet::PubAck(id(number * 7)));
            receiver.expect_publish("a", &[number as u8], at_least_once(number));
            receiver.send(&Packet::PubAck(id(number)));
        }
        receiver.expect_nothing();
    }
}

#[test]
fn qos_2_runs_to_completion_on_both_sides() {
    let server = start();
    for version in VERSIONS {
        let (mut receiver, mut sender) = Client::pair(&server, version);
        receiver.subscribe("a", QoS::ExactlyOnce);
        for number in 1..=3 {
            sender.publish("a", b"x", exactly_once(99), false);
            sender.expect(&Packet::PubRec(id(99)));
            receiver.expect_publish("a", b"x", exactly_once(number));
            receiver.complete_exactly_once(id(number));
            sender.release(id(99));
        }
        receiver.expect_nothing();
    }
}

#[test]
fn a_repeated_qos_2_message_is_delivered_once() {
    let server = start();
    let (mut receiver, mut sender) = Client::pair(&server, Version::Mqtt311);
    receiver.subscribe("a", QoS::AtMostOnce);
    sender.publish("a", b"x", exactly_once(5), false);
    sender.expect(&Packet::PubRec(id(5)));
    sender.publish("a", b"x", with_dup(exactly_once(5)), false);
    sender.expect(&Packet::PubRec(id(5)));
    receiver.expect_publish("a", b"x", Delivery::AtMostOnce);
    receiver.expect_nothing();
    sender.release(id(5));

    // The identifier is free again: a message that uses it is a new one.
    sender.publish("a", b"y", exactly_once(5), false);
    sender.expect(&Packet::PubRec(id(5)));
    receiver.expect_publish("a", b"y", Delivery::AtMostOnce);
}

#[test]
fn a_repeated_qos_1_message_is_delivered_again_with_dup_0() {
    let server = start();
    let (mut receiver, mut sender) = Client::pair(&server, Version::Mqtt311);
    receiver.subscribe("a", QoS::AtLeastOnce);
    sender.publish("a", b"x", at_least_once(5), false);
    sender.publish("a", b"x", with_dup(at_least_once(5)), false);
    receiver.expect_publish("a", b"x", at_least_once(1));
    receiver.expect_publish("a", b"x", at_least_once(2));
}

#[test]
fn unknown_acknowledgements_are_replied_to_or_ignored() {
    let server = start();
    for version in VERSIONS {
        let mut client = Client::clean(&server, version, "a");
        client.release(id(9));
        client.send(&Packet::PubRec(id(8)));
        client.expect(&Packet::PubRel { id: id(8), dup: false });
        client.send(&Packet::PubComp(id(8)));
        client.send(&Packet::PubAck(id(7)));
        client.expect_nothing();
    }
}

#[test]
fn the_number_of_messages_in_flight_is_limited() {
    let server = start_with(|options| options.limits.in_flight = 2);
    let (mut receiver, mut sender) = Client::pair(&server, Version::Mqtt311);
    receiver.subscribe("a", QoS::ExactlyOnce);
    for number in 1..=4 {
        sender.publish("a", &[number], exactly_once(number.into()), false);
        sender.expect(&Packet::PubRec(id(number.into())));
    }
    receiver.expect_publish("a", &[1], exactly_once(1));
    receiver.expect_publish("a", &[2], exactly_once(2));
    receiver.expect_nothing();
    receiver.complete_exactly_once(id(1));
    receiver.expect_publish("a", &[3], exactly_once(3));
    receiver.expect_nothing();
}

#[test]
fn a_client_receives_its_own_messages() {
    let server = start();
    let mut client = Client::clean(&server, Version::Mqtt311, "a");
    client.subscribe("a", QoS::ExactlyOnce);
    client.publish("a", b"x", exactly_once(1), false);
    // Each direction counts its own identifiers.
    client.expect_publish("a", b"x", exactly_once(1));
    client.expect(&Packet::PubRec(id(1)));
    client.complete_exactly_once(id(1));
    client.release(id(1));
    client.expect_nothing();
}

#[test]
fn payloads_of_any_length_are_delivered() {
    let server = start();
    let (mut receiver, mut sender) = Client::pair(&server, Version::Mqtt311);
    receiver.subscribe("a", QoS::AtMostOnce);
    for len in [0, 1, 127, 128, 16_383, 16_384, 2_097_152, 5_000_000] {
        let payload: Vec<u8> = (0..len).map(|index| index as u8).collect();
        sender.publish("a", &payload, Delivery::AtMostOnce, false);
        receiver.expect_publish("a", &payload, Delivery::AtMostOnce);
    }
}

#[test]
fn a_topic_too_long_for_3_1_does_not_reach_a_3_1_client() {
    let server = start();
    let mut old = Client::clean(&server, Version::Mqtt31, "old");
    let mut new = Client::clean(&server, Version::Mqtt311, "new");
    old.subscribe("#", QoS::ExactlyOnce);
    new.subscribe("#", QoS::AtMostOnce);
    let topic = "t".repeat(32_768);
    new.publish_and_wait_echo(&topic);
    // Neither the message nor its identifier was processed.
    new.publish("short", b"x", at_least_once(2), false);
    old.expect_publish("short", b"x", at_least_once(1));
}

impl Client {
    /// Publishes at QoS 1 to a topic that the client has subscribed to at QoS 0.
    fn publish_and_wait_echo(&mut self, topic: &str) {
        self.publish(topic, b"x", at_least_once(1), false);
        self.expect_publish(topic, b"x", Delivery::AtMostOnce);
        self.expect(&Packet::PubAck(id(1)));
    }
}
