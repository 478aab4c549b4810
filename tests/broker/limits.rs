//! Limits, so that one client cannot take resources away from the others.

use std::time::Duration;

use baremqtt::codec::{Connect, Delivery, QoS, RefusalCode, Version};

use crate::client::Client;
use crate::{start, start_with};

#[test]
fn a_client_that_does_not_read_is_disconnected_and_blocks_no_other() {
    let server = start_with(|options| options.limits.unsent_bytes = 100_000);
    let mut slow = Client::clean(&server, Version::Mqtt311, "slow");
    let mut fast = Client::clean(&server, Version::Mqtt311, "fast");
    slow.subscribe("a", QoS::AtMostOnce);
    fast.subscribe("a", QoS::AtMostOnce);
    let payload = [7; 100_000];
    // Far more than the buffers of two sockets can hold.
    for _ in 0..500 {
        fast.publish("a", &payload, Delivery::AtMostOnce, false);
        fast.expect_publish("a", &payload, Delivery::AtMostOnce);
    }
    while !slow.at_end() {}
    fast.expect_nothing();
}

#[test]
fn a_connection_without_connect_is_closed() {
    let server = start_with(|options| options.limits.connect_time = Duration::from_millis(100));
    let mut client = Client::open(&server, Version::Mqtt311);
    client.send_bytes(&[0x10]);
    client.expect_closed();
}

#[test]
fn the_number_of_connections_is_limited() {
    let server = start_with(|options| options.limits.connections = 2);
    let first = Client::clean(&server, Version::Mqtt311, "first");
    let mut second = Client::clean(&server, Version::Mqtt311, "second");
    Client::open(&server, Version::Mqtt311).expect_closed();
    second.expect_nothing();
    first.disconnect();
}

#[test]
fn the_number_of_sessions_is_limited() {
    let server = start_with(|options| options.limits.sessions = 1);
    let client = Client::connect(&server, Connect::new("a").clean_session(false), false);
    client.disconnect();
    Client::expect_refused(&server, Connect::new("b"), RefusalCode::SERVER_UNAVAILABLE);
    Client::connect(&server, Connect::new("a"), false).disconnect();
}

#[test]
fn hundreds_of_clients_are_served() {
    let server = start();
    let mut clients: Vec<_> =
        (0..200).map(|number| Client::clean(&server, Version::Mqtt311, &format!("c{number}"))).collect();
    for client in &mut clients {
        client.subscribe("all", QoS::AtMostOnce);
    }
    clients[0].publish("all", b"x", Delivery::AtMostOnce, false);
    for client in &mut clients {
        client.expect_publish("all", b"x", Delivery::AtMostOnce);
    }
}
