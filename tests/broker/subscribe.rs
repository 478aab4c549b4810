//! SUBSCRIBE and UNSUBSCRIBE: filters, granted QoS, overlap.

use baremqtt::codec::{Delivery, Packet, QoS, Subscribe, SubscribeFilters, Version};

use crate::client::{Client, at_least_once, exactly_once};
use crate::{VERSIONS, id, start};

#[test]
fn messages_are_delivered_at_the_lower_qos() {
    let server = start();
    let (mut receiver, mut sender) = Client::pair(&server, Version::Mqtt311);
    receiver.subscribe_all(&[("0", QoS::AtMostOnce), ("1", QoS::AtLeastOnce), ("2", QoS::ExactlyOnce)]);
    for topic in ["0", "1", "2"] {
        sender.publish(topic, b"zero", Delivery::AtMostOnce, false);
        sender.publish(topic, b"one", at_least_once(1), false);
        sender.publish(topic, b"two", exactly_once(2), false);
        sender.expect(&Packet::PubAck(id(1)));
        sender.expect(&Packet::PubRec(id(2)));
        sender.release(id(2));
    }
    for payload in [b"zero" as &[u8], b"one", b"two"] {
        receiver.expect_publish("0", payload, Delivery::AtMostOnce);
    }
    receiver.expect_publish("1", b"zero", Delivery::AtMostOnce);
    receiver.expect_publish("1", b"one", at_least_once(1));
    receiver.expect_publish("1", b"two", at_least_once(2));
    receiver.expect_publish("2", b"zero", Delivery::AtMostOnce);
    receiver.expect_publish("2", b"one", at_least_once(3));
    receiver.expect_publish("2", b"two", exactly_once(4));
}

#[test]
fn overlapping_filters_deliver_once_at_the_highest_qos() {
    let server = start();
    for version in VERSIONS {
        let mut client = Client::clean(&server, version, "a");
        client.subscribe_all(&[("#", QoS::AtMostOnce), ("a/#", QoS::ExactlyOnce), ("a/+", QoS::AtLeastOnce)]);
        client.publish("a/b", b"x", exactly_once(1), false);
        client.expect_publish("a/b", b"x", exactly_once(1));
        client.expect(&Packet::PubRec(id(1)));
        client.expect_nothing();
    }
}

#[test]
fn the_same_filter_replaces_the_subscription() {
    let server = start();
    let mut client = Client::clean(&server, Version::Mqtt311, "a");
    client.subscribe("a", QoS::ExactlyOnce);
    client.subscribe("a", QoS::AtMostOnce);
    client.publish("a", b"x", at_least_once(1), false);
    client.expect_publish("a", b"x", Delivery::AtMostOnce);
    client.expect(&Packet::PubAck(id(1)));
    client.expect_nothing();
}

#[test]
fn unsubscribe_ends_a_subscription_and_is_always_acknowledged() {
    let server = start();
    for version in VERSIONS {
        let mut client = Client::clean(&server, version, "a");
        client.subscribe("a/#", QoS::AtMostOnce);
        // Filters are compared byte by byte.
        client.unsubscribe("a/+");
        client.publish("a/b", b"x", Delivery::AtMostOnce, false);
        client.expect_publish("a/b", b"x", Delivery::AtMostOnce);
        client.unsubscribe("a/#");
        client.publish("a/b", b"x", Delivery::AtMostOnce, false);
        client.expect_nothing();
    }
}

#[test]
fn a_delivery_that_has_begun_completes_after_unsubscribe() {
    let server = start();
    let mut client = Client::clean(&server, Version::Mqtt311, "a");
    client.subscribe("a", QoS::ExactlyOnce);
    client.publish("a", b"x", exactly_once(1), false);
    client.expect_publish("a", b"x", exactly_once(1));
    client.expect(&Packet::PubRec(id(1)));
    client.unsubscribe("a");
    client.complete_exactly_once(id(1));
}

#[test]
fn dollar_topics_are_not_for_filters_that_begin_with_a_wildcard() {
    let server = start();
    let mut client = Client::clean(&server, Version::Mqtt311, "a");
    client.subscribe_all(&[("#", QoS::AtMostOnce), ("+/x", QoS::AtMostOnce)]);
    client.publish("$own/x", b"x", Delivery::AtMostOnce, false);
    client.expect_nothing();
    client.subscribe("$own/#", QoS::AtMostOnce);
    client.publish("$own/x", b"x", Delivery::AtMostOnce, false);
    client.expect_publish("$own/x", b"x", Delivery::AtMostOnce);
}

#[test]
fn a_3_1_client_may_repeat_subscribe_with_dup() {
    let server = start();
    let mut client = Client::clean(&server, Version::Mqtt31, "a");
    let list = [("a", QoS::AtMostOnce)];
    let filters = SubscribeFilters::new(&list).expect("valid");
    client.send(&Packet::Subscribe(Subscribe { id: id(3), dup: true, filters }));
    client.receive(|packet| assert!(matches!(packet, Packet::SubAck(ack) if ack.id == id(3))));
}
