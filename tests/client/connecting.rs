//! CONNECT with all its fields, and every possible answer.

use baremqtt::codec::{ConnAck, Packet, RefusalCode};
use baremqtt::{Connect, ConnectError, QoS, State, Version, Violation, Will};

use crate::harness::*;

#[test]
fn every_field_and_flag_is_sent() {
    let will = |qos| Will::new("w/t", b"gone").qos(qos);
    let cases = [
        (Connect::new("c"), "CONNECT MQTT 3.1.1 client_id=\"c\" clean keep_alive=60s"),
        (Connect::new(""), "CONNECT MQTT 3.1.1 client_id=\"\" clean keep_alive=60s"),
        (
            Connect::new("c").clean_session(false).keep_alive(0),
            "CONNECT MQTT 3.1.1 client_id=\"c\" keep_alive=0s",
        ),
        (
            Connect::new("c").keep_alive(65_535).version(Version::Mqtt31),
            "CONNECT MQTT 3.1 client_id=\"c\" clean keep_alive=65535s",
        ),
        (
            Connect::new("c").username("me"),
            "CONNECT MQTT 3.1.1 client_id=\"c\" clean keep_alive=60s user=\"me\"",
        ),
        (
            Connect::new("c").credentials("", b""),
            "CONNECT MQTT 3.1.1 client_id=\"c\" clean keep_alive=60s user=\"\" password=***",
        ),
        (
            Connect::new("c").will(will(QoS::AtMostOnce)),
            "CONNECT MQTT 3.1.1 client_id=\"c\" clean keep_alive=60s will=w/t qos=0 (4 B) \"gone\"",
        ),
        (
            Connect::new("c").will(will(QoS::AtLeastOnce).retain()),
            "CONNECT MQTT 3.1.1 client_id=\"c\" clean keep_alive=60s will=w/t qos=1 retain (4 B) \"gone\"",
        ),
        (
            Connect::new("c").will(will(QoS::ExactlyOnce)).credentials("me", b"\0\xFF"),
            "CONNECT MQTT 3.1.1 client_id=\"c\" clean keep_alive=60s user=\"me\" password=*** \
             will=w/t qos=2 (4 B) \"gone\"",
        ),
    ];
    for (connect, line) in cases {
        in_all_chunkings(|chunks| {
            let mut rig = Rig::new().chunked(chunks);
            rig.connect(&connect);
            assert_eq!(rig.send_all(), [line]);
            assert_eq!(rig.client.state(), State::Connecting);
        });
    }
}

#[test]
fn fields_are_encoded_in_order() {
    let mut rig = Rig::new();
    rig.connect(&Connect::new("id").will(Will::new("t", b"m")).credentials("u", b"p").keep_alive(0x0102));
    rig.send_bytes(usize::MAX);
    let expected = b"\x10\x1A\x00\x04MQTT\x04\xC6\x01\x02\x00\x02id\x00\x01t\x00\x01m\x00\x01u\x00\x01p";
    assert_eq!(rig.wire, expected);
}

#[test]
fn connack_that_accepts_is_the_first_event() {
    in_all_chunkings(|chunks| {
        for present in [false, true] {
            let mut rig = Rig::new().chunked(chunks);
            rig.go_online(&CONNECT, present);
            assert_eq!(rig.client.state(), State::Connected);
            assert!(rig.events().is_empty());
        }
    });
}

#[test]
fn connack_that_refuses_ends_the_connection() {
    let codes = [
        RefusalCode::UNACCEPTABLE_PROTOCOL_VERSION,
        RefusalCode::IDENTIFIER_REJECTED,
        RefusalCode::SERVER_UNAVAILABLE,
        RefusalCode::BAD_USER_NAME_OR_PASSWORD,
        RefusalCode::NOT_AUTHORIZED,
    ];
    for (number, code) in (1..).zip(codes) {
        for version in [Version::Mqtt31, Version::Mqtt311] {
            let mut rig = Rig::new();
            rig.connect(&CONNECT.version(version));
            rig.send_all();
            rig.receive(Packet::ConnAck(ConnAck::Refused(code)));
            assert_eq!(code.code(), number);
            assert_eq!(rig.events(), [format!("error Refused({code:?})")]);
            assert_eq!(rig.client.state(), State::Offline);
            assert_eq!(rig.deadline(), None);
            assert!(rig.send_all().is_empty());
        }
    }
}

#[test]
fn a_packet_before_connack_is_a_violation() {
    for packet in [
        publish("a", b"", QoS::AtMostOnce, 0, false),
        Packet::PubAck(id(1)),
        Packet::PubRec(id(1)),
        pubrel(1),
        Packet::PubComp(id(1)),
        Packet::UnsubAck(id(1)),
        Packet::PingResp,
    ] {
        let mut rig = Rig::new();
        rig.connect(&CONNECT);
        rig.send_all();
        rig.receive(packet);
        assert_eq!(rig.events(), ["error MQTT-3.2.0-1"], "{packet}");
        assert_eq!(rig.client.state(), State::Offline);
    }
}

#[test]
fn a_second_connack_is_a_violation() {
    let mut rig = Rig::online();
    rig.receive_connack(true);
    assert_eq!(rig.events(), ["error MQTT-4.8.0-1"]);
    assert_eq!(rig.client.state(), State::Offline);
}

#[test]
fn a_packet_that_only_clients_send_is_a_violation() {
    for bytes in [
        &b"\x10\x0C\x00\x04MQTT\x04\x02\x00\x00\x00\x00"[..],
        b"\x82\x06\x00\x01\x00\x01a\x00",
        b"\xA2\x05\x00\x01\x00\x01a",
        b"\xC0\x00",
        b"\xE0\x00",
    ] {
        let mut rig = Rig::online();
        rig.receive_bytes(bytes);
        assert_eq!(rig.events(), ["error MQTT-4.8.0-1"]);
    }
}

#[test]
fn a_clean_session_cannot_be_present() {
    let mut rig = Rig::new();
    rig.connect(&CONNECT.clean_session(true));
    rig.send_all();
    rig.receive_connack(true);
    assert_eq!(rig.events(), ["error MQTT-3.2.2-1"]);
}

#[test]
fn connack_before_the_end_of_connect_waits_for_it() {
    // A transport may have put bytes on the wire before it reports them.
    let mut rig = Rig::new();
    rig.connect(&CONNECT);
    rig.send_bytes(5);
    rig.receive_connack(false);
    assert!(rig.events().is_empty());
    assert_eq!(rig.send_all().len(), 1);
    assert_eq!(rig.events(), ["connected present=false"]);
}

#[test]
fn connect_is_refused_while_there_is_a_connection() {
    let mut rig = Rig::new();
    rig.connect(&CONNECT);
    for _ in 0..3 {
        assert_eq!(rig.client.connect(&CONNECT), Err(ConnectError::AlreadyConnected));
        rig.send_bytes(5);
    }
    assert_eq!(rig.send_all().len(), 1, "one CONNECT");
    rig.receive_connack(false);
    assert_eq!(rig.client.connect(&CONNECT), Err(ConnectError::AlreadyConnected));
    rig.disconnect();
    assert_eq!(rig.client.connect(&CONNECT), Err(ConnectError::AlreadyConnected));
    assert_eq!(rig.send_all(), ["DISCONNECT"]);
    assert_eq!(rig.client.connect(&CONNECT), Ok(()));
}

#[test]
fn connect_that_the_standard_forbids_changes_nothing() {
    let cases = [
        (Connect::new("").clean_session(false), Violation::ClientIdEmpty),
        (Connect::new("a\0"), Violation::NulCharacter),
        (Connect::new("").version(Version::Mqtt31), Violation::ClientIdLength),
        (Connect::new("123456789012345678901234").version(Version::Mqtt31), Violation::ClientIdLength),
        (Connect::new("c").will(Will::new("a/+", b"")), Violation::WildcardInTopicName),
        (Connect::new("c").will(Will::new("", b"")), Violation::TopicEmpty),
        (Connect::new("c").username("\0"), Violation::NulCharacter),
    ];
    for (connect, violation) in cases {
        let mut rig = Rig::new();
        assert_eq!(rig.client.connect(&connect), Err(ConnectError::Forbidden(violation)));
        assert_eq!(rig.client.state(), State::Offline);
        assert_eq!(rig.deadline(), None);
        assert!(rig.send_all().is_empty());
    }
}

#[test]
fn connect_that_does_not_fit_reports_how_much_room_there_is() {
    let mut rig = Rig::<8>::sized(40, 64);
    let connect = Connect::new("a client identifier that is rather long");
    assert_eq!(rig.client.connect(&connect), Err(ConnectError::TooLarge { needed: 53, room: 40 }));
    rig.go_online(&CONNECT, false);
}
