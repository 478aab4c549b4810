//! Mistakes of other codecs: each of them is a test here, those with strings in `strings.rs`, those of MQTT
//! 3.1 in `mqtt31.rs`, matching in `topics.rs`.

use baremqtt::codec::{ConnAck, Decoded, Packet, SubAck, decode};
use baremqtt::{Connect, EncodeError, QoS, RefusalCode, SubAckCode, SubAckCodes, Version, Violation};

use super::{BOTH, decoded, encoded, hex, id, missing, not_encoded, raw_connect, refused, refused_in_both};

/// Other codecs panic on them, or take them for the beginning of a packet.
#[test]
fn short_packets() {
    let too_short =
        ["20 00", "20 01 00", "30 00", "30 01 00", "40 00", "40 01 00", "50 00", "62 01 00", "70 00"];
    for digits in too_short {
        refused_in_both(digits, Violation::PacketLength);
    }
    for digits in ["82 00", "82 01 00", "90 00", "90 01 00", "A2 00", "A2 01 00", "B0 00", "B0 01 00"] {
        refused_in_both(digits, Violation::PacketLength);
    }
    // Even with the bytes that its length leaves room for, it is still refused for its length.
    for digits in ["10 03 0000 04", "10 0B 0004 4D515454 05 02 000A 00", "10 07 0004 4D515458 04"] {
        refused_in_both(digits, Violation::PacketLength);
    }
    // If a packet can only be wrong, not even the rest of its header is awaited.
    for digits in ["40 00", "40 03", "B0 01", "C0 01", "D0 7F", "E0 01", "10 0B"] {
        refused_in_both(digits, Violation::PacketLength);
    }
}

#[test]
fn truncated_connect() {
    for version in BOTH {
        let whole = raw_connect(version, 0xEE, &[b"id", b"will", b"gone", b"user", b"pass"]);
        decoded(&whole, version);
        for len in 2..whole.len() {
            // The remaining length matches the cut, the fields do not.
            let cut = [&[0x10, len as u8 - 2], &whole[2..len]].concat();
            let flag_without_field =
                version == Version::Mqtt31 && [whole.len() - 6, whole.len() - 12].contains(&len);
            if flag_without_field {
                decoded(&cut, version);
            } else {
                assert_eq!(refused(&cut, version), Violation::PacketLength, "{cut:02X?}");
            }
        }
    }
}

#[test]
fn truncated_subscribe() {
    refused_in_both("82 03 0001 00", Violation::PacketLength);
    refused_in_both("82 04 0001 0001", Violation::PacketLength);
    refused_in_both("82 05 0001 0001 61", Violation::PacketLength);
    refused_in_both("82 07 0001 0001 61 00 00", Violation::PacketLength);
    refused_in_both("A2 03 0001 00", Violation::PacketLength);
    refused_in_both("A2 04 0001 0001", Violation::PacketLength);
}

#[test]
fn topic_length_larger_than_the_packet() {
    refused_in_both("30 02 0001", Violation::PacketLength);
    refused_in_both("30 03 0002 61", Violation::PacketLength);
    refused_in_both("30 03 FFFF 61", Violation::PacketLength);
    refused_in_both("32 04 0001 61 00", Violation::PacketLength);
    // Having a complete topic is no excuse for reading bytes of the next packet.
    refused_in_both("30 03 0005 61 62636465", Violation::PacketLength);
}

#[test]
fn packet_id_zero() {
    refused_in_both("32 05 0001 74 0000", Violation::PacketIdZero);
    refused_in_both("34 05 0001 74 0000", Violation::PacketIdZero);
    for digits in ["40 02 0000", "50 02 0000", "62 02 0000", "70 02 0000", "B0 02 0000"] {
        refused_in_both(digits, Violation::PacketIdZero);
    }
    refused_in_both("82 06 0000 0001 61 00", Violation::PacketIdZero);
    refused_in_both("90 03 0000 00", Violation::PacketIdZero);
    refused_in_both("A2 05 0000 0001 61", Violation::PacketIdZero);
}

#[test]
fn remaining_length_of_five_bytes_or_with_surplus_bytes() {
    refused_in_both("30 80 80 80 80", Violation::RemainingLength);
    refused_in_both("30 FF FF FF FF 7F", Violation::RemainingLength);
    refused_in_both("82 80 00", Violation::RemainingLength);
    refused_in_both("C0 80 00", Violation::RemainingLength);
    refused_in_both("40 82 00 000A", Violation::RemainingLength);
}

#[test]
fn reserved_packet_types() {
    for digits in ["00", "0F", "F0", "FF", "00 00", "F0 00"] {
        refused_in_both(digits, Violation::PacketType);
    }
}

#[test]
fn reserved_flags() {
    let required =
        [(2, 0), (4, 0), (5, 0), (6, 2), (7, 0), (8, 2), (9, 0), (10, 2), (11, 0), (12, 0), (13, 0), (14, 0)];
    for (packet_type, right) in required {
        for flags in (0..16).filter(|flags| *flags != right) {
            let first = packet_type << 4 | flags;
            assert_eq!(refused(&[first], Version::Mqtt311), Violation::HeaderFlags, "{first:02X}");
        }
    }
    let mut connect = raw_connect(Version::Mqtt311, 0x03, &[b"id"]);
    assert_eq!(refused(&connect, Version::Mqtt311), Violation::ConnectFlags);
    connect = raw_connect(Version::Mqtt311, 0x02, &[b"id"]);
    connect[0] = 0x12;
    assert_eq!(refused(&connect, Version::Mqtt311), Violation::HeaderFlags);
}

#[test]
fn qos_3_and_will_qos_3() {
    refused_in_both("36", Violation::Qos);
    refused_in_both("3F 05 0001 74 0001", Violation::Qos);
    for version in BOTH {
        let connect = raw_connect(version, 0x1E, &[b"id", b"will", b"gone"]);
        assert_eq!(refused(&connect, version), Violation::WillQos);
    }
    assert_eq!(refused(&hex("82 06 0001 0001 61 03"), Version::Mqtt311), Violation::RequestedQos);
    assert_eq!(refused(&hex("90 03 0001 03"), Version::Mqtt311), Violation::SubAckCode);
}

#[test]
fn will_flags_without_a_will() {
    for version in BOTH {
        for flags in [0x08, 0x10, 0x18, 0x20] {
            let connect = raw_connect(version, 0x02 | flags, &[b"id"]);
            assert_eq!(refused(&connect, version), Violation::WillFlags);
        }
    }
}

#[test]
fn dup_on_qos_0() {
    assert_eq!(refused(&hex("38"), Version::Mqtt311), Violation::DupAtMostOnce);
    assert_eq!(refused(&hex("39 03 0001 74"), Version::Mqtt311), Violation::DupAtMostOnce);
}

#[test]
fn connack_refused_with_session_present() {
    // The bit is wrong there (MQTT-3.2.2-4), but a server that refuses does not violate the protocol.
    for code in 1..=255 {
        let refusal = ConnAck::Refused(RefusalCode::new(code).unwrap());
        assert_eq!(decoded(&[0x20, 2, 1, code], Version::Mqtt311), Packet::ConnAck(refusal));
    }
    let refusal = Packet::ConnAck(ConnAck::Refused(RefusalCode::NOT_AUTHORIZED));
    assert_eq!(encoded(&refusal, Version::Mqtt311), hex("20 02 00 05"));
    assert_eq!(
        decoded(&hex("20 02 01 00"), Version::Mqtt311),
        Packet::ConnAck(ConnAck::Accepted { session_present: true })
    );
}

#[test]
fn connack_with_reserved_flags_or_trailing_bytes() {
    for flags in 2..=255 {
        assert_eq!(refused(&[0x20, 2, flags, 0], Version::Mqtt311), Violation::ConnAckFlags);
        assert_eq!(refused(&[0x20, 2, flags, 5], Version::Mqtt311), Violation::ConnAckFlags);
    }
    refused_in_both("20 03 00 00 00", Violation::PacketLength);
}

/// They are in use (6: too many connections, 7: banned), and the number helps the user.
#[test]
fn connack_with_a_reserved_code() {
    for code in 0..=255 {
        let refusal = RefusalCode::new(code);
        assert_eq!(refusal.map(RefusalCode::code), (code != 0).then_some(code));
        if let Some(refusal) = refusal {
            let bytes = [0x20, 2, 0, code];
            assert_eq!(decoded(&bytes, Version::Mqtt311), Packet::ConnAck(ConnAck::Refused(refusal)));
            assert_eq!(refusal.is_reserved(), code > 5);
        }
    }
    let banned = Packet::ConnAck(ConnAck::Refused(RefusalCode::new(7).unwrap()));
    assert_eq!(banned.to_string(), "CONNACK refused: reserved code (7)");
    for version in BOTH {
        assert_eq!(not_encoded(&banned, version), Violation::ConnAckCode);
    }
}

#[test]
fn pingresp_with_a_body() {
    refused_in_both("D0 01 00", Violation::PacketLength);
    refused_in_both("C0 01 00", Violation::PacketLength);
    refused_in_both("E0 02 00 00", Violation::PacketLength);
}

#[test]
fn empty_client_id_with_clean_session_0() {
    let kept = raw_connect(Version::Mqtt311, 0x00, &[b""]);
    assert_eq!(refused(&kept, Version::Mqtt311), Violation::ClientIdEmpty);
    let clean = raw_connect(Version::Mqtt311, 0x02, &[b""]);
    let connect = Connect::new("").keep_alive(10);
    assert_eq!(decoded(&clean, Version::Mqtt311), Packet::Connect(connect));
    let kept = Packet::Connect(connect.clean_session(false));
    assert_eq!(not_encoded(&kept, Version::Mqtt311), Violation::ClientIdEmpty);
}

#[test]
fn password_without_user_name() {
    for version in BOTH {
        let connect = raw_connect(version, 0x42, &[b"id", b"secret"]);
        assert_eq!(refused(&connect, version), Violation::PasswordWithoutUsername);
    }
}

#[test]
fn protocol_name_and_level() {
    let connect = |name: &[u8], level: u8| {
        let fields = [&[0, name.len() as u8], name, &[level, 2, 0, 10, 0, 2, b'i', b'd']].concat();
        [&[0x10, fields.len() as u8], &fields[..]].concat()
    };
    for version in BOTH {
        for (name, level) in [("MQTT", 3), ("MQTT", 5), ("MQTT", 0x84), ("MQIsdp", 4), ("MQIsdp", 0)] {
            let bytes = connect(name.as_bytes(), level);
            assert_eq!(refused(&bytes, version), Violation::ProtocolLevel, "{name} {level}");
        }
        for (name, level) in [("mqtt", 4), ("MQTTX", 4), ("MQIsdP", 3), ("XXXX", 4)] {
            let bytes = connect(name.as_bytes(), level);
            assert_eq!(refused(&bytes, version), Violation::ProtocolName, "{name} {level}");
        }
    }
}

#[test]
fn empty_subscribe_unsubscribe_and_suback() {
    refused_in_both("82 02 0001", Violation::NoTopicFilter);
    refused_in_both("A2 02 0001", Violation::NoTopicFilterToRemove);
    refused_in_both("90 02 0001", Violation::SubAckCount);
}

#[test]
fn suback_with_several_codes_and_with_0x80() {
    let bytes = hex("90 06 000A 00 01 02 80");
    let codes = [
        SubAckCode::Granted(QoS::AtMostOnce),
        SubAckCode::Granted(QoS::AtLeastOnce),
        SubAckCode::Granted(QoS::ExactlyOnce),
        SubAckCode::Failure,
    ];
    let suback = Packet::SubAck(SubAck { id: id(10), codes: SubAckCodes::new(&codes).unwrap() });
    assert_eq!(decoded(&bytes, Version::Mqtt311), suback);
    assert_eq!(encoded(&suback, Version::Mqtt311), bytes);
    for code in (3..0x80).chain(0x81..=0xFF) {
        assert_eq!(refused(&[0x90, 4, 0, 10, 0, code], Version::Mqtt311), Violation::SubAckCode);
    }
}

#[test]
fn qos_0_publish_with_a_payload_of_0_or_1_byte() {
    for version in BOTH {
        for (digits, expected) in [("30 03 0001 74", &b""[..]), ("30 04 0001 74 FF", b"\xFF")] {
            let bytes = hex(digits);
            let Packet::Publish(publish) = decoded(&bytes, version) else { panic!() };
            assert_eq!((publish.topic.as_str(), publish.payload), ("t", expected));
        }
    }
}

#[test]
fn packets_that_arrive_byte_by_byte() {
    for version in BOTH {
        for digits in ["20 02 00 00", "62 02 0001", "D0 00", "30 06 0001 74 010203"] {
            let bytes = hex(digits);
            for len in 0..bytes.len() {
                let exact = bytes.len() - len;
                assert_eq!(missing(&bytes[..len], version), if len < 2 { 1 } else { exact });
            }
            decoded(&bytes, version);
        }
    }
}

#[test]
fn what_follows_a_packet_is_not_part_of_it() {
    let bytes = hex("40 02 0001 40 02 0002 FF");
    let expected = Decoded::Complete { packet: Packet::PubAck(id(1)), len: 4 };
    assert_eq!(decode(&bytes, Version::Mqtt311), Ok(expected));
    let expected = Decoded::Complete { packet: Packet::PubAck(id(2)), len: 4 };
    assert_eq!(decode(&bytes[4..], Version::Mqtt311), Ok(expected));
}

/// In another codec a hostile length wrote past the end of the buffer.
#[test]
fn a_slice_that_is_too_short_is_not_written_to() {
    let connect = Connect::new("sensor-17").credentials("user", b"secret");
    let needed = connect.encoded_len();
    for len in 0..needed {
        let mut out = vec![0xAA; len];
        assert_eq!(connect.encode(&mut out), Err(EncodeError::BufferTooSmall { needed }));
        assert!(out.iter().all(|byte| *byte == 0xAA));
    }
}
