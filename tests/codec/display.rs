//! Packets as text: one line each, fit for a log.

use baremqtt::codec::{
    ConnAck, Delivery, Packet, Publish, SubAck, Subscribe, SubscribeFilters, Unsubscribe, UnsubscribeFilters,
};
use baremqtt::{
    Connect, EncodeError, QoS, RefusalCode, SubAckCode, SubAckCodes, TopicName, Version, Violation, Will,
};

use super::id;

fn publish<'a>(topic: &'a str, payload: &'a [u8]) -> Packet<'a> {
    let delivery = Delivery::AtLeastOnce { id: id(7), dup: true };
    Packet::Publish(Publish { topic: TopicName::new(topic).unwrap(), payload, delivery, retain: true })
}

#[test]
fn one_line_for_each_packet() {
    let will = Will::new("will/t", b"bye").qos(QoS::AtLeastOnce).retain();
    let connect = Connect::new("php-1").version(Version::Mqtt31).keep_alive(10).will(will);
    let filters = [("a/b", QoS::AtMostOnce), ("c/#", QoS::ExactlyOnce)];
    let codes = [SubAckCode::Granted(QoS::AtLeastOnce), SubAckCode::Failure];
    let lines = [
        (
            Packet::Connect(connect.credentials("user", b"secret")),
            "CONNECT MQTT 3.1 client_id=\"php-1\" clean keep_alive=10s user=\"user\" password=*** \
             will=will/t qos=1 retain (3 B) \"bye\"",
        ),
        (
            Packet::Connect(Connect::new("").clean_session(false)),
            "CONNECT MQTT 3.1.1 client_id=\"\" keep_alive=60s",
        ),
        (Packet::ConnAck(ConnAck::Accepted { session_present: false }), "CONNACK accepted"),
        (Packet::ConnAck(ConnAck::Accepted { session_present: true }), "CONNACK accepted session_present"),
        (
            Packet::ConnAck(ConnAck::Refused(RefusalCode::NOT_AUTHORIZED)),
            "CONNACK refused: not authorized (5)",
        ),
        (publish("a/b", b""), "PUBLISH a/b qos=1 id=7 dup retain (0 B)"),
        (Packet::PubAck(id(1)), "PUBACK id=1"),
        (Packet::PubRec(id(2)), "PUBREC id=2"),
        (Packet::PubRel { id: id(3), dup: false }, "PUBREL id=3"),
        (Packet::PubRel { id: id(3), dup: true }, "PUBREL id=3 dup"),
        (Packet::PubComp(id(65_535)), "PUBCOMP id=65535"),
        (
            Packet::Subscribe(Subscribe {
                id: id(1),
                dup: false,
                filters: SubscribeFilters::new(&filters).unwrap(),
            }),
            "SUBSCRIBE id=1 a/b qos=0 c/# qos=2",
        ),
        (
            Packet::SubAck(SubAck { id: id(1), codes: SubAckCodes::new(&codes).unwrap() }),
            "SUBACK id=1 qos=1 failure",
        ),
        (
            Packet::Unsubscribe(Unsubscribe {
                id: id(1),
                dup: true,
                filters: UnsubscribeFilters::new(&["a", "+/b"]).unwrap(),
            }),
            "UNSUBSCRIBE id=1 dup a +/b",
        ),
        (Packet::UnsubAck(id(1)), "UNSUBACK id=1"),
        (Packet::PingReq, "PINGREQ"),
        (Packet::PingResp, "PINGRESP"),
        (Packet::Disconnect, "DISCONNECT"),
    ];
    for (packet, line) in lines {
        assert_eq!(packet.to_string(), line);
        assert_eq!(Some(packet.packet_type().to_string().as_str()), line.split(' ').next());
    }
}

#[test]
fn payload_as_text_or_in_hexadecimal() {
    let displayed = |payload: &[u8]| {
        let line = publish("t", payload).to_string();
        line.strip_prefix("PUBLISH t qos=1 id=7 dup retain ").unwrap().to_string()
    };
    assert_eq!(displayed(b"21.5"), "(4 B) \"21.5\"");
    assert_eq!(displayed("发送成功".as_bytes()), "(12 B) \"发送成功\"");
    assert_eq!(displayed(b"a\n\"\x1B[31m\0"), r#"(9 B) "a\n\"\u{1b}[31m\0""#);
    assert_eq!(displayed(&[0xFF, 0x00, 0x7F]), "(3 B) ff007f");
    assert_eq!(displayed(&[b'x'; 32]), format!("(32 B) \"{}\"", "x".repeat(32)));
    assert_eq!(displayed(&[b'x'; 33]), format!("(33 B) \"{}\"...", "x".repeat(32)));
    assert_eq!(displayed(&[0xFF; 33]), format!("(33 B) {}...", "ff".repeat(32)));
    // A cut drops the character that it would split; half a character without a cut is not text.
    assert_eq!(displayed("发".repeat(11).as_bytes()), format!("(33 B) \"{}\"...", "发".repeat(10)));
    assert_eq!(displayed(b"abc\xE5\x8F"), "(5 B) 616263e58f");
    assert_eq!(displayed(b"\xE5\x8F"), "(2 B) e58f");
}

#[test]
fn password_is_never_displayed() {
    let packet = Packet::Connect(Connect::new("c").credentials("user", b"hunter2"));
    for text in [format!("{packet}"), format!("{packet:?}"), format!("{packet:#?}")] {
        assert!(text.contains("user"), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("104, 117, 110"), "{text}");
    }
}

#[test]
fn control_characters_in_names_are_escaped() {
    let hostile = "a\n\r\t\u{7F}\u{9B}\u{202E}";
    let connect =
        Connect::new(hostile).credentials(hostile, b"").will(Will::new(hostile, hostile.as_bytes()));
    let filters = [(hostile, QoS::AtMostOnce)];
    for packet in [
        Packet::Connect(connect),
        publish(hostile, hostile.as_bytes()),
        Packet::Subscribe(Subscribe {
            id: id(1),
            dup: false,
            filters: SubscribeFilters::new(&filters).unwrap(),
        }),
        Packet::Unsubscribe(Unsubscribe {
            id: id(1),
            dup: false,
            filters: UnsubscribeFilters::new(&[hostile]).unwrap(),
        }),
    ] {
        let line = packet.to_string();
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{202E}'), "{line:?}");
    }
}

#[test]
fn every_violation_has_a_text_and_a_clause() {
    let mut lines: Vec<_> = Violation::ALL.iter().map(Violation::to_string).collect();
    for (violation, line) in Violation::ALL.iter().zip(&lines) {
        let clause = violation.clause();
        assert!(clause.starts_with("MQTT-") || clause.starts_with("3.1"), "{clause}");
        assert!(line.ends_with(&format!(" [{clause}]")) && !line.contains(char::is_control), "{line}");
    }
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), Violation::ALL.len());
    assert_eq!(EncodeError::Forbidden(Violation::Qos).to_string(), "QoS 3 [MQTT-3.3.1-4]");
    assert_eq!(
        EncodeError::BufferTooSmall { needed: 5 }.to_string(),
        "the packet takes 5 bytes, more than the buffer has"
    );
}
