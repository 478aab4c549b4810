//! Violations close the connection, and no other.

use baremqtt::codec::{Connect, Packet, Version};

use crate::client::Client;
use crate::{VERSIONS, start};

/// Bytes that neither version allows from a connected client.
const ALWAYS: &[(&str, &[u8])] = &[
    ("packet type 0", b"\x00\x00"),
    ("packet type 15", b"\xf0\x00"),
    ("QoS 3", b"\x36\x05\x00\x01a\x00\x01"),
    ("packet identifier 0", b"\x32\x05\x00\x01a\x00\x00"),
    ("empty topic", b"\x30\x02\x00\x00"),
    ("wildcard in a topic name", b"\x30\x03\x00\x01+"),
    ("U+0000 in a topic name", b"\x30\x03\x00\x01\x00"),
    ("ill-formed UTF-8", b"\x30\x03\x00\x01\xff"),
    ("topic longer than the packet", b"\x30\x03\x00\x09a"),
    ("remaining length of five bytes", b"\x30\xff\xff\xff\xff\x01"),
    ("PUBACK of three bytes", b"\x40\x03\x00\x01\x00"),
    ("SUBSCRIBE without a filter", b"\x82\x02\x00\x01"),
    ("SUBSCRIBE with QoS 3", b"\x82\x06\x00\x01\x00\x01a\x03"),
    ("SUBSCRIBE with a wrong filter", b"\x82\x07\x00\x01\x00\x02a#\x00"),
    ("UNSUBSCRIBE without a filter", b"\xa2\x02\x00\x01"),
    ("CONNACK", b"\x20\x02\x00\x00"),
    ("SUBACK", b"\x90\x03\x00\x01\x00"),
    ("UNSUBACK", b"\xb0\x02\x00\x01"),
    ("PINGRESP", b"\xd0\x00"),
];

/// Bytes that 3.1 leaves open and 3.1.1 forbids.
const ONLY_3_1_1: &[(&str, &[u8])] = &[
    ("SUBSCRIBE with flags 0000", b"\x80\x06\x00\x01\x00\x01a\x00"),
    ("PUBREL with flags 0000", b"\x60\x02\x00\x01"),
    ("PINGREQ with flags", b"\xc1\x00"),
    ("DUP at QoS 0", b"\x38\x03\x00\x01a"),
    ("reserved bits of the requested QoS", b"\x82\x06\x00\x01\x00\x01a\x04"),
];

#[test]
fn violations_close_the_connection() {
    let server = start();
    let mut bystander = Client::clean(&server, Version::Mqtt311, "bystander");
    for version in VERSIONS {
        for (what, bytes) in ALWAYS {
            eprintln!("{version}: {what}");
            let mut client = Client::clean(&server, version, "a");
            client.send_bytes(bytes);
            client.expect_closed();
        }
    }
    bystander.expect_nothing();
}

#[test]
fn some_violations_do_not_exist_in_3_1() {
    let server = start();
    for (what, bytes) in ONLY_3_1_1 {
        eprintln!("{what}");
        let mut client = Client::clean(&server, Version::Mqtt311, "a");
        client.send_bytes(bytes);
        client.expect_closed();

        let mut client = Client::clean(&server, Version::Mqtt31, "a");
        client.send_bytes(bytes);
        client.send(&Packet::PingReq);
        while client.receive(|packet| *packet != Packet::PingResp) {}
    }
}

#[test]
fn a_second_connect_closes_the_connection() {
    let server = start();
    for version in VERSIONS {
        let mut client = Client::clean(&server, version, "a");
        client.send(&Packet::Connect(Connect::new("a").version(version)));
        client.expect_closed();
    }
}

#[test]
fn the_first_packet_has_to_be_connect() {
    let server = start();
    for packet in [Packet::PingReq, Packet::Disconnect] {
        let mut client = Client::open(&server, Version::Mqtt311);
        client.send(&packet);
        client.expect_closed();
    }
}

#[test]
fn invalid_connects_are_closed_without_a_reply() {
    let server = start();
    for connect in [
        b"\x10\x0d\x00\x04MQTT\x04\x03\x00\x00\x00\x01a" as &[u8], // reserved flag
        b"\x10\x0d\x00\x04MQTT\x04\x22\x00\x00\x00\x01a",          // will retain without a will
        b"\x10\x0d\x00\x04MQTT\x04\x42\x00\x00\x00\x01a",          // password without a user name
        b"\x10\x0d\x00\x04MQTT\x04\x82\x00\x00\x00\x01a",          // user name flag, no user name
        b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x01ab",         // one byte too many
        b"\x11\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a",          // header flags
    ] {
        let mut client = Client::open(&server, Version::Mqtt311);
        client.send_bytes(connect);
        client.expect_closed();
    }
}

#[test]
fn a_first_packet_that_is_too_long_is_not_waited_for() {
    let server = start();
    let mut client = Client::open(&server, Version::Mqtt311);
    client.send_bytes(b"\x10\xff\xff\xff\x7f\x00\x04MQTT\x04");
    client.expect_closed();
}

#[test]
fn disconnect_is_the_last_packet() {
    let server = start();
    let mut client = Client::clean(&server, Version::Mqtt311, "a");
    client.send_bytes(b"\xe0\x00\xc0\x00");
    client.expect_closed();
}
