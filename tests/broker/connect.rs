//! CONNECT and CONNACK: versions, client identifiers, users, take-over, DISCONNECT.

use baremqtt::codec::{ConnAck, Connect, Delivery, Packet, QoS, RefusalCode, Version};

use crate::client::Client;
use crate::server::Server;
use crate::{VERSIONS, start, start_with};

#[test]
fn both_versions_are_served_at_the_same_time() {
    let server = start();
    let mut old = Client::clean(&server, Version::Mqtt31, "old");
    let mut new = Client::clean(&server, Version::Mqtt311, "new");
    old.subscribe("to/old", QoS::AtMostOnce);
    new.subscribe("to/new", QoS::AtMostOnce);
    old.publish("to/new", b"from old", Delivery::AtMostOnce, false);
    new.expect_publish("to/new", b"from old", Delivery::AtMostOnce);
    new.publish("to/old", b"from new", Delivery::AtMostOnce, false);
    old.expect_publish("to/old", b"from new", Delivery::AtMostOnce);
    old.disconnect();
    new.disconnect();
}

#[test]
fn unknown_levels_are_refused_with_code_1() {
    let server = start();
    for connect in [
        b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x01a" as &[u8],
        b"\x10\x0d\x00\x04MQTT\x03\x02\x00\x00\x00\x01a",
        b"\x10\x0f\x00\x06MQIsdp\x04\x02\x00\x00\x00\x01a",
    ] {
        let mut client = Client::open(&server, Version::Mqtt311);
        client.send_bytes(connect);
        client.expect(&Packet::ConnAck(ConnAck::Refused(RefusalCode::UNACCEPTABLE_PROTOCOL_VERSION)));
        client.expect_closed();
    }
}

#[test]
fn unknown_protocols_are_closed_without_a_reply() {
    let server = start();
    for bytes in [b"\x10\x0d\x00\x04MQTX\x04\x02\x00\x00\x00\x01a" as &[u8], b"GET / HTTP/1.1\r\n\r\n"] {
        let mut client = Client::open(&server, Version::Mqtt311);
        client.send_bytes(bytes);
        client.expect_closed();
    }
}

#[test]
fn an_empty_identifier_needs_3_1_1_and_a_clean_session() {
    let server = start();
    let mut one = Client::clean(&server, Version::Mqtt311, "");
    let mut two = Client::clean(&server, Version::Mqtt311, "");
    one.expect_nothing();
    two.expect_nothing();

    let mut persistent = Client::open(&server, Version::Mqtt311);
    persistent.send_bytes(b"\x10\x0c\x00\x04MQTT\x04\x00\x00\x00\x00\x00");
    persistent.expect(&Packet::ConnAck(ConnAck::Refused(RefusalCode::IDENTIFIER_REJECTED)));
    persistent.expect_closed();

    let mut old = Client::open(&server, Version::Mqtt31);
    old.send_bytes(b"\x10\x0e\x00\x06MQIsdp\x03\x02\x00\x00\x00\x00");
    old.expect(&Packet::ConnAck(ConnAck::Refused(RefusalCode::IDENTIFIER_REJECTED)));
    old.expect_closed();
}

#[test]
fn a_long_client_identifier_needs_3_1_1() {
    let server = start();
    let id = "x".repeat(24);
    let mut bytes = b"\x10\x26\x00\x06MQIsdp\x03\x02\x00\x00\x00\x18".to_vec();
    bytes.extend_from_slice(id.as_bytes());
    let mut old = Client::open(&server, Version::Mqtt31);
    old.send_bytes(&bytes);
    old.expect(&Packet::ConnAck(ConnAck::Refused(RefusalCode::IDENTIFIER_REJECTED)));
    old.expect_closed();
    Client::clean(&server, Version::Mqtt31, &id[..23]).disconnect();
    Client::clean(&server, Version::Mqtt311, &id).disconnect();
}

fn server_with_user() -> Server {
    start_with(|options| options.users = vec![("ada".into(), "secret".into()), ("bob".into(), "".into())])
}

#[test]
fn users_are_authenticated_by_password() {
    let server = server_with_user();
    for version in VERSIONS {
        let connect = Connect::new("a").version(version);
        Client::connect(&server, connect.credentials("ada", b"secret"), false).disconnect();
        Client::connect(&server, connect.credentials("bob", b""), false).disconnect();
        for wrong in [
            connect.credentials("ada", b"Secret"),
            connect.credentials("ada", b""),
            connect.username("ada"),
            connect.username("bob"),
            connect.credentials("eve", b"secret"),
        ] {
            Client::expect_refused(&server, wrong, RefusalCode::BAD_USER_NAME_OR_PASSWORD);
        }
        Client::expect_refused(&server, connect, RefusalCode::NOT_AUTHORIZED);
    }
}

#[test]
fn packets_after_a_refused_connect_are_ignored() {
    let server = server_with_user();
    let mut watcher = Client::connect(&server, Connect::new("w").credentials("ada", b"secret"), false);
    watcher.subscribe("#", QoS::AtMostOnce);
    let mut client = Client::open(&server, Version::Mqtt311);
    let mut bytes = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a".to_vec();
    bytes.extend_from_slice(b"\x30\x04\x00\x01tx");
    client.send_bytes(&bytes);
    client.expect(&Packet::ConnAck(ConnAck::Refused(RefusalCode::NOT_AUTHORIZED)));
    client.expect_closed();
    watcher.expect_nothing();
}

#[test]
fn without_configured_users_any_credentials_are_accepted() {
    let server = start();
    Client::connect(&server, Connect::new("a").credentials("who", b"ever"), false).disconnect();
}

#[test]
fn a_second_connection_with_the_same_identifier_takes_over() {
    let server = start();
    for version in VERSIONS {
        let mut older = Client::clean(&server, version, "same");
        let mut newer = Client::clean(&server, version, "same");
        older.expect_closed();
        newer.expect_nothing();
        newer.disconnect();
    }
}

#[test]
fn connect_can_arrive_in_pieces() {
    let server = start();
    let mut client = Client::open(&server, Version::Mqtt311);
    for byte in b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a" {
        client.send_bytes(&[*byte]);
    }
    client.expect(&Packet::ConnAck(ConnAck::Accepted { session_present: false }));
    client.disconnect();
}

#[test]
fn stopping_closes_every_connection_and_the_port() {
    let server = start();
    let addr = server.addr();
    let mut client = Client::clean(&server, Version::Mqtt311, "a");
    let mut silent = Client::open(&server, Version::Mqtt311);
    server.stop();
    client.expect_closed();
    silent.expect_closed();
    std::net::TcpStream::connect(addr).expect_err("the port is closed");
}
