//! Retained messages: kept, replaced, cleared, and distinguished from live ones.

use baremqtt::codec::{Delivery, QoS};

use crate::client::{Client, at_least_once};
use crate::{VERSIONS, start};

#[test]
fn a_new_subscriber_receives_the_retained_message() {
    let server = start();
    for version in VERSIONS {
        let mut sender = Client::clean(&server, version, "sender");
        sender.publish_and_wait("a/b", b"first", true);
        sender.publish_and_wait("a/b", b"second", true);
        sender.publish_and_wait("a/b", b"not retained", false);
        sender.publish("a/c", b"other", Delivery::AtMostOnce, true);
        sender.disconnect();

        let mut receiver = Client::clean(&server, version, "receiver");
        receiver.subscribe("a/#", QoS::ExactlyOnce);
        receiver.expect_retained("a/b", b"second", at_least_once(1));
        receiver.expect_retained("a/c", b"other", Delivery::AtMostOnce);
        receiver.expect_nothing();
        receiver.subscribe("a/b", QoS::AtMostOnce);
        receiver.expect_retained("a/b", b"second", Delivery::AtMostOnce);
    }
}

#[test]
fn subscribing_again_delivers_the_retained_message_again() {
    let server = start();
    let mut client = Client::clean(&server, VERSIONS[1], "a");
    client.publish_and_wait("a", b"x", true);
    for _ in 0..2 {
        client.subscribe("a", QoS::AtMostOnce);
        client.expect_retained("a", b"x", Delivery::AtMostOnce);
    }
}

#[test]
fn an_established_subscription_receives_a_retained_message_with_retain_0() {
    let server = start();
    for version in VERSIONS {
        let mut client = Client::clean(&server, version, "a");
        client.subscribe("live", QoS::AtMostOnce);
        client.publish("live", b"x", Delivery::AtMostOnce, true);
        client.expect_publish("live", b"x", Delivery::AtMostOnce);
        client.publish("live", b"", Delivery::AtMostOnce, true);
        client.expect_publish("live", b"", Delivery::AtMostOnce);
        client.disconnect();
    }
}

#[test]
fn an_empty_payload_clears_the_retained_message() {
    let server = start();
    for version in VERSIONS {
        let mut client = Client::clean(&server, version, "a");
        client.publish_and_wait("a", b"x", true);
        // Without RETAIN an empty payload clears nothing.
        client.publish_and_wait("a", b"", false);
        client.subscribe("a", QoS::AtMostOnce);
        client.expect_retained("a", b"x", Delivery::AtMostOnce);
        client.unsubscribe("a");
        client.publish_and_wait("a", b"", true);
        client.subscribe("a", QoS::AtMostOnce);
        client.expect_nothing();
    }
}

#[test]
fn a_retained_message_outlives_the_session_of_its_publisher() {
    let server = start();
    let mut sender = Client::clean(&server, VERSIONS[1], "sender");
    sender.publish_and_wait("a", b"x", true);
    sender.disconnect();
    let mut reconnected = Client::clean(&server, VERSIONS[1], "sender");
    reconnected.subscribe("a", QoS::AtMostOnce);
    reconnected.expect_retained("a", b"x", Delivery::AtMostOnce);
}
