//! Wills: published when a connection ends in any way but DISCONNECT.

use std::thread;
use std::time::{Duration, Instant};

use baremqtt::Will;
use baremqtt::codec::{Connect, Delivery, QoS, Version};

use crate::client::{Client, at_least_once};
use crate::server::Server;
use crate::{VERSIONS, start};

const WILL: Will<'static> = Will::new("will", b"gone");

fn watcher(server: &Server, version: Version) -> Client {
    let mut watcher = Client::clean(server, version, "watcher");
    watcher.subscribe("will", QoS::ExactlyOnce);
    watcher
}

#[test]
fn a_lost_connection_publishes_the_will() {
    let server = start();
    for version in VERSIONS {
        let mut watcher = watcher(&server, version);
        drop(Client::with_will(&server, version, "a", WILL));
        watcher.expect_publish("will", b"gone", Delivery::AtMostOnce);
    }
}

#[test]
fn disconnect_discards_the_will() {
    let server = start();
    for version in VERSIONS {
        let mut watcher = watcher(&server, version);
        Client::with_will(&server, version, "a", WILL).disconnect();
        watcher.expect_nothing();
    }
}

#[test]
fn a_will_has_its_own_qos_and_may_be_retained() {
    let server = start();
    for version in VERSIONS {
        let mut watcher = watcher(&server, version);
        drop(Client::with_will(&server, version, "a", WILL.qos(QoS::AtLeastOnce).retain()));
        watcher.expect_publish("will", b"gone", at_least_once(1));
        let mut later = Client::clean(&server, version, "later");
        later.subscribe("will", QoS::AtMostOnce);
        later.expect_retained("will", b"gone", Delivery::AtMostOnce);
        later.unsubscribe("will");
        later.publish_and_wait("will", b"", true);
    }
}

#[test]
fn a_takeover_publishes_the_will() {
    let server = start();
    for version in VERSIONS {
        let mut watcher = watcher(&server, version);
        let mut older = Client::with_will(&server, version, "a", WILL);
        let newer = Client::clean(&server, version, "a");
        older.expect_closed();
        watcher.expect_publish("will", b"gone", Delivery::AtMostOnce);
        newer.disconnect();
        watcher.expect_nothing();
    }
}

#[test]
fn a_violation_publishes_the_will() {
    let server = start();
    for version in VERSIONS {
        let mut watcher = watcher(&server, version);
        let mut client = Client::with_will(&server, version, "a", WILL);
        client.send_bytes(&[0xF0, 0]);
        client.expect_closed();
        watcher.expect_publish("will", b"gone", Delivery::AtMostOnce);
    }
}

#[test]
fn silence_for_one_and_a_half_times_the_keep_alive_publishes_the_will() {
    let server = start();
    let mut watcher = watcher(&server, Version::Mqtt311);
    let connect = Connect::new("a").keep_alive(2).will(WILL);
    let mut client = Client::connect(&server, connect, false);
    thread::sleep(Duration::from_millis(500));
    let silent = Instant::now();
    client.expect_nothing();
    client.expect_closed();
    let elapsed = silent.elapsed();
    // Not too early; the client's read timeout limits how late.
    assert!(elapsed >= Duration::from_secs(3), "closed after {elapsed:?}");
    watcher.expect_publish("will", b"gone", Delivery::AtMostOnce);
}

#[test]
fn silence_publishes_the_will_in_3_1_too() {
    let server = start();
    let mut watcher = watcher(&server, Version::Mqtt31);
    let connect = Connect::new("a").version(Version::Mqtt31).keep_alive(1).will(WILL);
    Client::connect(&server, connect, false).expect_closed();
    watcher.expect_publish("will", b"gone", Delivery::AtMostOnce);
}

#[test]
fn keep_alive_0_never_expires() {
    let server = start();
    let connect = Connect::new("a").keep_alive(0).will(WILL);
    let mut client = Client::connect(&server, connect, false);
    thread::sleep(Duration::from_millis(500));
    client.expect_nothing();
}
