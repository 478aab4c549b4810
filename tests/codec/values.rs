//! The values that packets are made of: numbers, comparison, `Debug`.

use std::collections::HashSet;

use baremqtt::codec::{
    ConnAck, Delivery, FixedHeader, Packet, PacketId, PacketType, Publish, SubAck, Subscribe,
    SubscribeFilters, Text, Unsubscribe, UnsubscribeFilters,
};
use baremqtt::{
    Connect, QoS, RefusalCode, SubAckCode, SubAckCodes, TopicFilter, TopicName, Version, Violation,
};

use super::{decoded, encoded, hex, id};

#[test]
fn packet_ids_count_up_and_skip_0() {
    assert_eq!(PacketId::new(0), None);
    assert_eq!(PacketId::FIRST.get(), 1);
    assert_eq!(id(1).next(), id(2));
    assert_eq!(id(65_534).next(), id(65_535));
    assert_eq!(id(65_535).next(), PacketId::FIRST);
}

#[test]
fn qos_is_a_number_from_0_to_2() {
    for bits in 0..=255 {
        assert_eq!(QoS::from_bits(bits).map(QoS::bits), (bits <= 2).then_some(bits));
    }
    assert!(QoS::AtMostOnce < QoS::AtLeastOnce && QoS::AtLeastOnce < QoS::ExactlyOnce);
}

#[test]
fn delivery_has_an_identifier_and_dup_above_qos_0() {
    let none = Delivery::AtMostOnce;
    assert_eq!((none.qos(), none.id(), none.dup()), (QoS::AtMostOnce, None, false));
    let once = Delivery::AtLeastOnce { id: id(7), dup: true };
    assert_eq!((once.qos(), once.id(), once.dup()), (QoS::AtLeastOnce, Some(id(7)), true));
    let exactly = Delivery::ExactlyOnce { id: id(8), dup: false };
    assert_eq!((exactly.qos(), exactly.id(), exactly.dup()), (QoS::ExactlyOnce, Some(id(8)), false));
}

#[test]
fn first_byte_of_each_packet_type() {
    for (digits, first) in [
        ("20 02 00 00", 0x20),
        ("31 03 0001 74", 0x30),
        ("62 02 0001", 0x62),
        ("82 06 0001 0001 61 00", 0x82),
        ("A2 05 0001 0001 61", 0xA2),
        ("E0 00", 0xE0),
    ] {
        let packet_type = decoded(&hex(digits), Version::Mqtt311).packet_type();
        assert_eq!(packet_type.first_byte(), first);
    }
    assert!(PacketType::Connect < PacketType::Disconnect);
}

/// Lists are equal if their contents are, wherever they are stored.
#[test]
fn decoded_lists_equal_those_of_the_application() {
    let filters = [("a/+", QoS::AtMostOnce), ("b", QoS::ExactlyOnce)];
    let filters = SubscribeFilters::new(&filters).unwrap();
    let removed = UnsubscribeFilters::new(&["a/+", "b"]).unwrap();
    let codes = [SubAckCode::Granted(QoS::AtLeastOnce), SubAckCode::Failure];
    let codes = SubAckCodes::new(&codes).unwrap();
    assert_eq!((codes.len(), codes.get(1), codes.get(2)), (2, Some(SubAckCode::Failure), None));
    for (packet, shown) in [
        (
            Packet::Subscribe(Subscribe { id: id(1), dup: false, filters }),
            r#"[("a/+", AtMostOnce), ("b", ExactlyOnce)]"#,
        ),
        (Packet::Unsubscribe(Unsubscribe { id: id(1), dup: false, filters: removed }), r#"["a/+", "b"]"#),
        (Packet::SubAck(SubAck { id: id(1), codes }), "[Granted(AtLeastOnce), Failure]"),
    ] {
        let bytes = encoded(&packet, Version::Mqtt311);
        let again = decoded(&bytes, Version::Mqtt311);
        assert_eq!(again, packet);
        assert_eq!(HashSet::from([again, packet]).len(), 1);
        assert!(format!("{again:?}").contains(shown), "{again:?}");
    }
    let other = [("a/+", QoS::AtMostOnce), ("b", QoS::AtLeastOnce)];
    assert_ne!(filters, SubscribeFilters::new(&other).unwrap());
    assert_ne!(removed, UnsubscribeFilters::new(&["a/+"]).unwrap());
}

#[test]
fn lists_are_checked_when_constructed() {
    assert_eq!(SubscribeFilters::new(&[]), Err(Violation::NoTopicFilter));
    assert_eq!(UnsubscribeFilters::new(&[]), Err(Violation::NoTopicFilterToRemove));
    assert_eq!(SubAckCodes::new(&[]), Err(Violation::SubAckCount));
    let wrong = SubscribeFilters::new(&[("a", QoS::AtMostOnce), ("a#", QoS::AtMostOnce)]);
    assert_eq!(wrong, Err(Violation::MultiLevelWildcard));
    assert_eq!(UnsubscribeFilters::new(&["a", ""]), Err(Violation::TopicEmpty));
}

#[test]
fn topics_are_compared_and_displayed_as_text() {
    let name = TopicName::new("a/ä").unwrap();
    assert!(name == "a/ä" && name == *"a/ä" && name != "a/b");
    assert_eq!((name.to_string(), format!("{name:?}")), ("a/ä".to_string(), "\"a/ä\"".to_string()));
    let filter = TopicFilter::new("a/+").unwrap();
    assert!(filter == "a/+" && filter == *"a/+" && filter != "a/#");
    assert_eq!((filter.to_string(), filter.as_str()), ("a/+".to_string(), "a/+"));
}

#[test]
fn topics_are_sorted_and_converted_as_text() {
    let mut names = ["b", "a/b", "a"].map(|name| TopicName::try_from(name).unwrap());
    names.sort();
    assert_eq!(names.map(TopicName::as_str), ["a", "a/b", "b"]);
    let filter = TopicFilter::try_from("a/+").unwrap();
    let lent: [&str; 2] = [filter.as_ref(), names[0].as_ref()];
    assert_eq!(lent, ["a/+", "a"]);
    assert!(filter > TopicFilter::new("a").unwrap());
    assert!(Text::new("a") < Text::new("a\0"), "also if one is invalid");
    assert_eq!(TopicName::try_from("a/+"), Err(Violation::WildcardInTopicName));
}

/// A text in a CONNECT may be empty, and may contain what would be a wildcard elsewhere.
#[test]
fn checking_a_text_reports_the_violation() {
    for text in ["", "a", "+", "a/#", "ä", "sensor-17/+/x", "\u{FEFF}"] {
        let made = Text::new(text);
        assert_eq!((made.check(), made.is_empty()), (Ok(()), text.is_empty()), "{text:?}");
        assert!(made == text && made == *text && made == Text::from(text) && made.as_str() == text);
        assert_eq!((made.to_string(), format!("{made:?}")), (text.to_string(), format!("{text:?}")));
        assert_eq!(made.as_bytes(), text.as_bytes());
    }
    for place in 0..20 {
        let text = format!("{}\0{}", "x".repeat(place), "x".repeat(19 - place));
        assert_eq!(Text::new(&text).check(), Err(Violation::NulCharacter));
    }
    assert_eq!(Text::new(&"x".repeat(65_536)).check(), Err(Violation::TooLong));
}

#[test]
fn lengths_can_be_constants() {
    const CONNECT: Connect<'static> = Connect::new("sensor-17").credentials("user", b"secret");
    const LEN: usize = CONNECT.encoded_len();
    assert_eq!(CONNECT.encode(&mut [0; LEN]), Ok(LEN));
}

/// The type of a packet is the one in the header that it is encoded with.
#[test]
fn each_packet_has_its_type() {
    let filters = SubscribeFilters::new(&[("a", QoS::AtMostOnce)]).unwrap();
    let removed = UnsubscribeFilters::new(&["a"]).unwrap();
    let codes = SubAckCodes::new(&[SubAckCode::Failure]).unwrap();
    let (id, dup) = (id(1), false);
    let topic = TopicName::new("a").unwrap();
    let publish = Publish { topic, payload: b"", delivery: Delivery::AtMostOnce, retain: false };
    let packets = [
        Packet::Connect(Connect::new("c")),
        Packet::ConnAck(ConnAck::Accepted { session_present: false }),
        Packet::Publish(publish),
        Packet::PubAck(id),
        Packet::PubRec(id),
        Packet::PubRel { id, dup },
        Packet::PubComp(id),
        Packet::Subscribe(Subscribe { id, dup, filters }),
        Packet::SubAck(SubAck { id, codes }),
        Packet::Unsubscribe(Unsubscribe { id, dup, filters: removed }),
        Packet::UnsubAck(id),
        Packet::PingReq,
        Packet::PingResp,
        Packet::Disconnect,
    ];
    for (number, packet) in (1..).zip(packets) {
        let bytes = encoded(&packet, Version::Mqtt311);
        assert_eq!(bytes[0] >> 4, number, "{packet}");
        let header = FixedHeader::decode(&bytes, Version::Mqtt311).unwrap().unwrap();
        assert_eq!(packet.packet_type(), header.packet_type);
    }
}

#[cfg(feature = "std")]
#[test]
fn packets_as_vectors() {
    let connect = Connect::new("c").keep_alive(10);
    for version in crate::BOTH {
        let connect = connect.version(version);
        let bytes = encoded(&Packet::Connect(connect), version);
        assert_eq!(connect.encode_to_vec(), Ok(bytes.clone()));
        assert_eq!(Packet::Connect(connect).encode_to_vec(version), Ok(bytes));
    }
    let topic = TopicName::new("a").unwrap();
    let publish = Publish { topic, payload: b"x", delivery: Delivery::AtMostOnce, retain: true };
    let bytes = encoded(&Packet::Publish(publish), Version::Mqtt311);
    assert_eq!(publish.encode_to_vec(Version::Mqtt311), Ok(bytes));
    let forbidden = Connect::new("").clean_session(false);
    assert_eq!(forbidden.encode_to_vec(), Err(baremqtt::EncodeError::Forbidden(Violation::ClientIdEmpty)));
}

#[test]
fn each_refusal_code_has_a_text() {
    let texts = [
        "unacceptable protocol version (1)",
        "identifier rejected (2)",
        "server unavailable (3)",
        "bad user name or password (4)",
        "not authorized (5)",
        "reserved code (6)",
    ];
    for (code, text) in (1..).zip(texts) {
        let code = RefusalCode::new(code).unwrap();
        assert_eq!(code.to_string(), text);
        assert_eq!(code.is_reserved(), code.code() > 5);
    }
    assert_eq!(RefusalCode::new(0), None);
}

#[test]
fn versions_are_parsed_as_they_are_displayed() {
    for version in crate::BOTH {
        assert_eq!(version.to_string().trim_start_matches("MQTT ").parse(), Ok(version));
    }
    for text in ["", "3", "3.1.2", "5", " 3.1", "MQTT 3.1"] {
        let error = text.parse::<Version>().unwrap_err();
        assert_eq!(error.to_string(), "the versions are 3.1 and 3.1.1", "{text:?}");
    }
}

#[test]
fn debug_of_an_iterator_shows_the_remaining_items() {
    let filters = [("a", QoS::AtMostOnce), ("b", QoS::ExactlyOnce)];
    let mut iter = SubscribeFilters::new(&filters).unwrap().into_iter();
    iter.next();
    assert_eq!(format!("{iter:?}"), r#"[("b", ExactlyOnce)]"#);
    let mut iter = UnsubscribeFilters::new(&["a", "b"]).unwrap().into_iter();
    iter.next();
    assert_eq!(format!("{iter:?}"), r#"["b"]"#);
    let codes = [SubAckCode::Granted(QoS::AtMostOnce), SubAckCode::Failure];
    let mut iter = SubAckCodes::new(&codes).unwrap().into_iter();
    iter.next();
    assert_eq!(format!("{iter:?}"), "[Failure]");
}
