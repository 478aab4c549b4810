//! Sessions that outlive their connection.

use baremqtt::codec::{Connect, Delivery, Packet, QoS, Version};

use crate::client::{Client, at_least_once, exactly_once, with_dup};
use crate::server::Server;
use crate::{VERSIONS, id, start, start_with};

/// Connects with a session that is kept; in 3.1 the server cannot report whether it has one.
fn persistent(server: &Server, version: Version, present: bool) -> Client {
    let connect = Connect::new("kept").version(version).clean_session(false);
    Client::connect(server, connect, present && version == Version::Mqtt311)
}

#[test]
fn messages_wait_for_a_client_that_is_offline() {
    for version in VERSIONS {
        let server = start();
        let mut client = persistent(&server, version, false);
        client.subscribe("a", QoS::ExactlyOnce);
        client.disconnect();

        let mut sender = Client::clean(&server, version, "sender");
        for number in 0..50 {
            sender.publish_and_wait("a", &[number], false);
        }
        sender.publish("a", b"QoS 0 does not wait", Delivery::AtMostOnce, false);
        sender.disconnect();

        let mut client = persistent(&server, version, true);
        for number in 0..50 {
            client.expect_publish("a", &[number], at_least_once(u16::from(number) + 1));
            client.send(&Packet::PubAck(id(u16::from(number) + 1)));
        }
        client.expect_nothing();
    }
}

#[test]
fn unacknowledged_messages_are_resent() {
    for version in VERSIONS {
        let server = start();
        let mut client = persistent(&server, version, false);
        client.subscribe("#", QoS::ExactlyOnce);
        let mut sender = Client::clean(&server, version, "sender");
        for number in 1..=4 {
            sender.publish("two", &[number], exactly_once(number.into()), false);
            sender.expect(&Packet::PubRec(id(number.into())));
        }
        sender.publish_and_wait("one", &[5], false);

        // 1 is complete, 2 is released, 3 is received but the answer is lost, 4 and 5 stay open.
        for number in 1..=4 {
            client.expect_publish("two", &[number], exactly_once(number.into()));
        }
        client.expect_publish("one", &[5], at_least_once(5));
        client.complete_exactly_once(id(1));
        client.send(&Packet::PubRec(id(2)));
        client.expect(&Packet::PubRel { id: id(2), dup: false });
        drop(client);

        for _ in 0..2 {
            let mut client = persistent(&server, version, true);
            client.expect(&Packet::PubRel { id: id(2), dup: version == Version::Mqtt31 });
            client.expect_publish("two", &[3], with_dup(exactly_once(3)));
            client.expect_publish("two", &[4], with_dup(exactly_once(4)));
            client.expect_publish("one", &[5], with_dup(at_least_once(5)));
            client.expect_nothing();
        }

        let mut client = persistent(&server, version, true);
        client.expect(&Packet::PubRel { id: id(2), dup: version == Version::Mqtt31 });
        client.send(&Packet::PubComp(id(2)));
        for number in [3, 4] {
            client.expect_publish("two", &[number], with_dup(exactly_once(number.into())));
        }
        client.expect_publish("one", &[5], with_dup(at_least_once(5)));
        client.complete_exactly_once(id(3));
        client.complete_exactly_once(id(4));
        client.send(&Packet::PubAck(id(5)));
        client.expect_nothing();
        client.disconnect();
        persistent(&server, version, true).expect_nothing();
    }
}

#[test]
fn received_identifiers_are_remembered() {
    for version in VERSIONS {
        let server = start();
        let mut receiver = Client::clean(&server, version, "receiver");
        receiver.subscribe("a", QoS::AtMostOnce);
        let mut client = persistent(&server, version, false);
        client.publish("a", b"x", exactly_once(1), false);
        client.expect(&Packet::PubRec(id(1)));
        drop(client);

        let mut client = persistent(&server, version, true);
        client.publish("a", b"x", with_dup(exactly_once(1)), false);
        client.expect(&Packet::PubRec(id(1)));
        client.release(id(1));
        receiver.expect_publish("a", b"x", Delivery::AtMostOnce);
        receiver.expect_nothing();
    }
}

#[test]
fn a_takeover_keeps_the_session() {
    for version in VERSIONS {
        let server = start();
        let mut older = persistent(&server, version, false);
        older.subscribe("a", QoS::AtLeastOnce);
        let mut newer = persistent(&server, version, true);
        older.expect_closed();
        newer.publish("a", b"x", at_least_once(9), false);
        newer.expect_publish("a", b"x", at_least_once(1));
    }
}

#[test]
fn a_clean_session_starts_empty_and_keeps_nothing() {
    for version in VERSIONS {
        let server = start();
        let mut client = persistent(&server, version, false);
        client.subscribe("a", QoS::AtLeastOnce);
        client.disconnect();

        let mut clean = Client::clean(&server, version, "kept");
        clean.publish("a", b"x", Delivery::AtMostOnce, false);
        clean.expect_nothing();
        clean.subscribe("a", QoS::AtLeastOnce);
        clean.disconnect();

        let mut client = persistent(&server, version, false);
        client.publish("a", b"x", Delivery::AtMostOnce, false);
        client.expect_nothing();
    }
}

#[test]
fn a_session_can_continue_in_the_other_version() {
    let server = start();
    let mut client = persistent(&server, Version::Mqtt311, false);
    client.subscribe("#", QoS::AtLeastOnce);
    client.publish(&"t".repeat(40_000), b"x", at_least_once(1), false);
    client.publish("short", b"x", at_least_once(2), false);
    client.expect_publish(&"t".repeat(40_000), b"x", at_least_once(1));
    drop(client);

    let mut client = persistent(&server, Version::Mqtt31, true);
    client.expect_publish("short", b"x", with_dup(at_least_once(2)));
    client.send(&Packet::PubAck(id(2)));
    client.expect_nothing();
}

#[test]
fn the_queue_is_limited() {
    let server = start_with(|options| options.limits.queued = 3);
    let mut client = persistent(&server, Version::Mqtt311, false);
    client.subscribe("a", QoS::AtLeastOnce);
    client.disconnect();
    let mut sender = Client::clean(&server, Version::Mqtt311, "sender");
    for number in 0..10 {
        sender.publish_and_wait("a", &[number], false);
    }
    let mut client = persistent(&server, Version::Mqtt311, true);
    for number in 0..3 {
        client.expect_publish("a", &[number], at_least_once(u16::from(number) + 1));
    }
    client.expect_nothing();
}
