//! UTF-8 (1.5.3), topic names and filters (4.7).

use baremqtt::QoS::AtMostOnce;
use baremqtt::{Connect, Message, QoS, RequestError, TopicFilter, TopicName, Violation, Will};

use crate::harness::*;

/// The client goes offline and reports a violation of this rule.
fn refused(topic: &[u8], clause: &str) {
    let mut rig = Rig::online();
    let mut packet = vec![0x30, topic.len() as u8 + 2, 0, topic.len() as u8];
    packet.extend(topic);
    rig.receive_bytes(&packet);
    assert_eq!(rig.events(), [format!("error {clause}")], "{topic:02x?}");
}

#[test]
fn mqtt_1_5_3_1() {
    for ill_formed in [
        &b"\xC0\x80"[..], // overlong
        b"\xED\xA0\x80",  // a surrogate
        b"\xED\xBF\xBF",
        b"\xF4\x90\x80\x80", // above U+10FFFF
        b"\xF0\x80\x80\xAF",
        b"a\x80",
        b"\xFF",
        b"\xE2\x82", // cut off
    ] {
        refused(ill_formed, "MQTT-1.5.3-1");
    }
}

#[test]
fn mqtt_1_5_3_2() {
    refused(b"a\0b", "MQTT-1.5.3-2");
    let mut rig = Rig::online();
    let forbidden = Err(RequestError::Forbidden(Violation::NulCharacter));
    assert_eq!(rig.client.publish(&Message::new("a\0b", b"")), forbidden);
    for connect in
        [Connect::new("\0"), Connect::new("c").username("\0"), Connect::new("c").will(Will::new("\0", b""))]
    {
        assert!(Rig::new().client.connect(&connect).is_err());
    }
}

#[test]
fn mqtt_1_5_3_3() {
    let mut rig = Rig::online();
    rig.receive_publish("\u{FEFF}a\u{FEFF}", b"", AtMostOnce, 0);
    rig.publish("\u{FEFF}", b"", AtMostOnce);
    rig.send_bytes(usize::MAX);
    assert_eq!(rig.wire, b"\x30\x05\x00\x03\xEF\xBB\xBF");
    let event = rig.events().remove(0);
    assert_eq!(event, format!("message {} qos=0 (0 B)", "\u{FEFF}a\u{FEFF}".escape_debug()));
}

#[test]
fn mqtt_4_7_1_1() {
    for name in ["+", "#", "a/+", "a/#", "a+b", "a#"] {
        refused(name.as_bytes(), "MQTT-3.3.2-2");
        let mut rig = Rig::online();
        let forbidden = Err(RequestError::Forbidden(Violation::WildcardInTopicName));
        assert_eq!(rig.client.publish(&Message::new(name, b"")), forbidden);
    }
}

fn filter_is_refused(filter: &str, violation: Violation) {
    let mut rig = Rig::online();
    let forbidden = Err(RequestError::Forbidden(violation));
    assert_eq!(rig.client.subscribe(&[(filter, QoS::AtMostOnce)]), forbidden, "{filter}");
    assert_eq!(rig.client.unsubscribe(&[filter]), forbidden, "{filter}");
}

#[test]
fn mqtt_4_7_1_2() {
    for filter in ["a#", "#a", "#/a", "a/#/b", "##", "a/b#"] {
        filter_is_refused(filter, Violation::MultiLevelWildcard);
    }
    for filter in ["#", "/#", "a/#", "+/#", "//#"] {
        assert!(TopicFilter::new(filter).is_ok(), "{filter}");
    }
}

#[test]
fn mqtt_4_7_1_3() {
    for filter in ["a+", "+a", "a/b+/c", "++", "/+a"] {
        filter_is_refused(filter, Violation::SingleLevelWildcard);
    }
    for filter in ["+", "/+", "+/+", "a/+/b", "+/a/+"] {
        assert!(TopicFilter::new(filter).is_ok(), "{filter}");
    }
}

#[test]
fn mqtt_4_7_3_1() {
    refused(b"", "MQTT-4.7.3-1");
    filter_is_refused("", Violation::TopicEmpty);
    assert_eq!(TopicName::new(""), Err(Violation::TopicEmpty));
    assert!(TopicName::new("/").is_ok());
}

#[test]
fn mqtt_4_7_3_2() {
    filter_is_refused("a/\0", Violation::NulCharacter);
    assert_eq!(TopicName::new("a/\0"), Err(Violation::NulCharacter));
}

#[test]
fn mqtt_4_7_3_3() {
    let longest = "x".repeat(65_535);
    assert!(TopicName::new(&longest).is_ok());
    assert!(TopicFilter::new(&longest).is_ok());
    let longer = "x".repeat(65_536);
    assert_eq!(TopicName::new(&longer), Err(Violation::TooLong));
    assert_eq!(TopicFilter::new(&longer), Err(Violation::TooLong));
}
