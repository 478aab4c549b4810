//! The differences between MQTT 3.1 and 3.1.1, as far as a codec is concerned.

use baremqtt::codec::{
    ConnAck, Delivery, Packet, Publish, SubAck, Subscribe, SubscribeFilters, Unsubscribe, UnsubscribeFilters,
};
use baremqtt::{Connect, QoS, RefusalCode, SubAckCode, SubAckCodes, TopicName, Version, Violation, Will};

use super::{decoded, encoded, hex, id, not_encoded, raw_connect, refused};

use Version::{Mqtt31, Mqtt311};

fn subscribe(dup: bool) -> Packet<'static> {
    let filters = SubscribeFilters::new(&[("a/b", QoS::AtLeastOnce)]).unwrap();
    Packet::Subscribe(Subscribe { id: id(1), dup, filters })
}

fn unsubscribe(dup: bool) -> Packet<'static> {
    let filters = UnsubscribeFilters::new(&["a/b"]).unwrap();
    Packet::Unsubscribe(Unsubscribe { id: id(1), dup, filters })
}

#[test]
fn protocol_name_and_level() {
    let connect = |version| Packet::Connect(Connect::new("c").version(version).keep_alive(10));
    let bytes = hex("10 0F 0006 4D5149736470 03 02 000A 0001 63");
    assert_eq!(encoded(&connect(Mqtt31), Mqtt31), bytes);
    let bytes_311 = hex("10 0D 0004 4D515454 04 02 000A 0001 63");
    assert_eq!(encoded(&connect(Mqtt311), Mqtt311), bytes_311);
    // A CONNECT states its own version, whatever the decoder expects.
    assert_eq!(decoded(&bytes, Mqtt311), connect(Mqtt31));
    assert_eq!(decoded(&bytes_311, Mqtt31), connect(Mqtt311));
}

/// First 82, A2 and 62; again, with DUP, 8A, AA and 6A, which are invalid in 3.1.1.
#[test]
fn headers_of_subscribe_unsubscribe_and_pubrel() {
    check_dup(subscribe, 0x82, 0x8A);
    check_dup(unsubscribe, 0xA2, 0xAA);
    check_dup(|dup| Packet::PubRel { id: id(1), dup }, 0x62, 0x6A);
}

fn check_dup(packet: fn(bool) -> Packet<'static>, first: u8, again: u8) {
    for (dup, byte) in [(false, first), (true, again)] {
        let bytes = encoded(&packet(dup), Mqtt31);
        assert_eq!(bytes[0], byte);
        assert_eq!(decoded(&bytes, Mqtt31), packet(dup));
    }
    assert_eq!(encoded(&packet(false), Mqtt311)[0], first);
    assert_eq!(not_encoded(&packet(true), Mqtt311), Violation::Dup);
    assert_eq!(refused(&[again], Mqtt311), Violation::HeaderFlags);
}

/// The standard shows QoS as 1 and RETAIN as "x" there; clients (phpMQTT) send other values, and servers accept them.
#[test]
fn flags_of_subscribe_unsubscribe_and_pubrel_other_than_dup_are_ignored() {
    for flags in 0..16 {
        let dup = flags & 8 != 0;
        for (packet, packet_type) in
            [(subscribe(dup), 0x80), (unsubscribe(dup), 0xA0), (Packet::PubRel { id: id(1), dup }, 0x60)]
        {
            let mut bytes = encoded(&packet, Mqtt31);
            bytes[0] = packet_type | flags;
            assert_eq!(decoded(&bytes, Mqtt31), packet, "{flags:X}");
        }
    }
}

#[test]
fn unused_header_flags_are_ignored() {
    let codes = SubAckCodes::new(&[SubAckCode::Granted(QoS::AtMostOnce)]).unwrap();
    let packets = [
        Packet::Connect(Connect::new("c").version(Mqtt31)),
        Packet::ConnAck(ConnAck::Accepted { session_present: false }),
        Packet::PubAck(id(1)),
        Packet::PubRec(id(1)),
        Packet::PubComp(id(1)),
        Packet::SubAck(SubAck { id: id(1), codes }),
        Packet::UnsubAck(id(1)),
        Packet::PingReq,
        Packet::PingResp,
        Packet::Disconnect,
    ];
    for packet in packets {
        let mut bytes = encoded(&packet, Mqtt31);
        assert_eq!(bytes[0] & 0x0F, 0);
        for flags in 0..16 {
            bytes[0] = bytes[0] & 0xF0 | flags;
            assert_eq!(decoded(&bytes, Mqtt31), packet);
        }
    }
}

/// CONNECT states that it is 3.1, whatever version is expected: its flags are ignored then.
#[test]
fn header_flags_of_connect_are_checked_once_its_version_is_known() {
    let packet = Packet::Connect(Connect::new("c").version(Mqtt31));
    let mut bytes = encoded(&packet, Mqtt31);
    for flags in 0..16 {
        bytes[0] = 0x10 | flags;
        assert_eq!(decoded(&bytes, Mqtt311), packet);
    }
}

#[test]
fn dup_at_qos_0_is_ignored() {
    let publish = Publish {
        topic: TopicName::new("t").unwrap(),
        payload: b"",
        delivery: Delivery::AtMostOnce,
        retain: false,
    };
    assert_eq!(decoded(&hex("38 03 0001 74"), Mqtt31), Packet::Publish(publish));
}

#[test]
fn connect_flags_bit_0_is_unused() {
    let bytes = raw_connect(Mqtt31, 0x03, &[b"c"]);
    let connect = Connect::new("c").version(Mqtt31).keep_alive(10);
    assert_eq!(decoded(&bytes, Mqtt31), Packet::Connect(connect));
    // Sent as 0.
    assert_eq!(encoded(&Packet::Connect(connect), Mqtt31)[11], 0x02);
}

/// The server may send any value there; it never means that a session is present, and we send 0.
#[test]
fn connack_byte_1_is_reserved() {
    for byte in 0..=255 {
        let accepted = ConnAck::Accepted { session_present: false };
        assert_eq!(decoded(&[0x20, 2, byte, 0], Mqtt31), Packet::ConnAck(accepted));
        let refused = ConnAck::Refused(RefusalCode::BAD_USER_NAME_OR_PASSWORD);
        assert_eq!(decoded(&[0x20, 2, byte, 4], Mqtt31), Packet::ConnAck(refused));
    }
    let accepted = Packet::ConnAck(ConnAck::Accepted { session_present: false });
    assert_eq!(encoded(&accepted, Mqtt31), hex("20 02 00 00"));
    let present = Packet::ConnAck(ConnAck::Accepted { session_present: true });
    assert_eq!(not_encoded(&present, Mqtt31), Violation::SessionPresent);
    assert_eq!(encoded(&present, Mqtt311), hex("20 02 01 00"));
}

#[test]
fn connack_codes_are_the_same() {
    for code in 6..=255 {
        let refusal = ConnAck::Refused(RefusalCode::new(code).unwrap());
        assert_eq!(decoded(&[0x20, 2, 0, code], Mqtt31), Packet::ConnAck(refusal));
    }
    for code in 1..=5 {
        let bytes = [0x20, 2, 0, code];
        let Packet::ConnAck(ConnAck::Refused(refusal)) = decoded(&bytes, Mqtt31) else { panic!() };
        assert_eq!(refusal.code(), code);
        assert_eq!(encoded(&decoded(&bytes, Mqtt31), Mqtt31), bytes);
    }
}

#[test]
fn client_id_of_1_to_23_characters() {
    let long = "x".repeat(24);
    let umlauts = "ä".repeat(24);
    for client_id in ["x", &long[..23], &umlauts[..46]] {
        for clean_session in [false, true] {
            let connect = Connect::new(client_id).version(Mqtt31).clean_session(clean_session);
            assert_eq!(
                decoded(&encoded(&Packet::Connect(connect), Mqtt31), Mqtt31),
                Packet::Connect(connect)
            );
        }
    }
    for client_id in ["", &long, &umlauts] {
        let connect = Packet::Connect(Connect::new(client_id).version(Mqtt31));
        assert_eq!(not_encoded(&connect, Mqtt31), Violation::ClientIdLength);
        let bytes = raw_connect(Mqtt31, 0x02, &[client_id.as_bytes()]);
        assert_eq!(refused(&bytes, Mqtt31), Violation::ClientIdLength);
        // 3.1.1 allows them.
        encoded(&Packet::Connect(Connect::new(client_id)), Mqtt311);
    }
}

#[test]
fn will_message_is_ascii() {
    for (message, allowed) in
        [(&b""[..], true), (b"gone", true), ("fällt".as_bytes(), false), (b"\xFF", false)]
    {
        let connect =
            |version| Packet::Connect(Connect::new("c").version(version).will(Will::new("t", message)));
        encoded(&connect(Mqtt311), Mqtt311);
        let bytes = raw_connect(Mqtt31, 0x06, &[b"c", b"t", message]);
        if allowed {
            encoded(&connect(Mqtt31), Mqtt31);
            decoded(&bytes, Mqtt31);
        } else {
            assert_eq!(not_encoded(&connect(Mqtt31), Mqtt31), Violation::WillMessage);
            assert_eq!(refused(&bytes, Mqtt31), Violation::WillMessage);
        }
    }
}

/// In 3.1.1 it may be any bytes.
#[test]
fn password_is_a_string() {
    let connect = |version| Packet::Connect(Connect::new("c").version(version).credentials("u", b"\xFF"));
    encoded(&connect(Mqtt311), Mqtt311);
    assert_eq!(not_encoded(&connect(Mqtt31), Mqtt31), Violation::Utf8);
    assert_eq!(refused(&raw_connect(Mqtt31, 0xC2, &[b"c", b"u", b"\xFF"]), Mqtt31), Violation::Utf8);
}

/// For clients of the still older version 3 the remaining length decides.
#[test]
fn user_name_or_password_flag_without_the_field() {
    let connect = Connect::new("c").version(Mqtt31).keep_alive(10);
    let cases: [(u8, &[&[u8]], Connect<'_>); 3] =
        [(0x82, &[b"c"], connect), (0xC2, &[b"c"], connect), (0xC2, &[b"c", b"u"], connect.username("u"))];
    for (flags, fields, expected) in cases {
        assert_eq!(decoded(&raw_connect(Mqtt31, flags, fields), Mqtt31), Packet::Connect(expected));
        assert_eq!(refused(&raw_connect(Mqtt311, flags, fields), Mqtt311), Violation::PacketLength);
    }
    // This applies to these two fields only, and only if they are missing entirely.
    assert_eq!(refused(&raw_connect(Mqtt31, 0x06, &[b"c"]), Mqtt31), Violation::PacketLength);
    assert_eq!(refused(&raw_connect(Mqtt31, 0x02, &[b"c", b"u"]), Mqtt31), Violation::PacketLength);
}

#[test]
fn suback_has_the_granted_qos_in_the_low_two_bits() {
    for byte in 0..=255_u8 {
        let bytes = [0x90, 3, 0, 1, byte];
        let Some(granted) = QoS::from_bits(byte & 3) else {
            assert_eq!(refused(&bytes, Mqtt31), Violation::SubAckCode);
            continue;
        };
        let Packet::SubAck(suback) = decoded(&bytes, Mqtt31) else { panic!() };
        assert_eq!(suback.codes.get(0), Some(SubAckCode::Granted(granted)));
        assert_eq!(suback.codes.get(1), None);
        // The ignored bits are sent as 0.
        assert_eq!(encoded(&Packet::SubAck(suback), Mqtt31), [0x90, 3, 0, 1, byte & 3]);
    }
}

#[test]
fn suback_has_no_failure_code() {
    let codes = [SubAckCode::Granted(QoS::AtMostOnce), SubAckCode::Failure];
    let suback = Packet::SubAck(SubAck { id: id(1), codes: SubAckCodes::new(&codes).unwrap() });
    assert_eq!(not_encoded(&suback, Mqtt31), Violation::SubAckFailure);
    encoded(&suback, Mqtt311);
}

#[test]
fn subscribe_has_the_requested_qos_in_the_low_two_bits() {
    for byte in 0..=255_u8 {
        let bytes = [0x82, 6, 0, 1, 0, 1, b'a', byte];
        let Some(wanted) = QoS::from_bits(byte & 3) else {
            assert_eq!(refused(&bytes, Mqtt31), Violation::RequestedQos);
            continue;
        };
        let Packet::Subscribe(subscribe) = decoded(&bytes, Mqtt31) else { panic!() };
        assert!(subscribe.filters.iter().map(|(_, qos)| qos).eq([wanted]));
        assert_eq!(encoded(&Packet::Subscribe(subscribe), Mqtt31), [0x82, 6, 0, 1, 0, 1, b'a', byte & 3]);
        if byte > 2 {
            assert_eq!(refused(&bytes, Mqtt311), Violation::RequestedQos);
        }
    }
}

#[test]
fn topic_of_more_than_32_767_characters() {
    fn publish(topic: &str) -> Packet<'_> {
        let topic = TopicName::new(topic).unwrap();
        Packet::Publish(Publish { topic, payload: b"", delivery: Delivery::AtMostOnce, retain: false })
    }
    for longest in ["x".repeat(32_767), "ä".repeat(32_767)] {
        let packet = publish(&longest);
        assert_eq!(decoded(&encoded(&packet, Mqtt31), Mqtt31), packet);
        encoded(&Packet::Connect(Connect::new("c").version(Mqtt31).will(Will::new(&longest, b""))), Mqtt31);
    }
    let too_long = "x".repeat(32_768);
    assert_eq!(not_encoded(&publish(&too_long), Mqtt31), Violation::TopicLength);
    let bytes = encoded(&publish(&too_long), Mqtt311);
    decoded(&bytes, Mqtt311);
    assert_eq!(refused(&bytes, Mqtt31), Violation::TopicLength);
    let connect = Packet::Connect(Connect::new("c").version(Mqtt31).will(Will::new(&too_long, b"")));
    assert_eq!(not_encoded(&connect, Mqtt31), Violation::TopicLength);
}
