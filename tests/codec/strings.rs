//! Strings and topics that other codecs fail to check: wherever a packet contains one, it is checked.

use baremqtt::codec::Packet;
use baremqtt::{Connect, Violation, Will};

use super::{BOTH, not_encoded, raw_connect, refused, refused_in_both};

#[test]
fn nul_and_surrogates_in_every_string() {
    let strings: [(&[u8], Violation); 4] = [
        (b"a\0", Violation::NulCharacter),
        (b"\xED\xA0\x80", Violation::Utf8),
        (b"\xED\xBF\xBF", Violation::Utf8),
        (b"\xC0\x80", Violation::Utf8),
    ];
    for version in BOTH {
        for (text, violation) in strings {
            let len = text.len() as u8;
            let wrong = [
                raw_connect(version, 0x02, &[text]),
                raw_connect(version, 0x06, &[b"id", text, b"gone"]),
                raw_connect(version, 0x82, &[b"id", text]),
                [&[0x30, len + 2, 0, len], text].concat(),
                [&[0x82, len + 5, 0, 1, 0, len], text, &[0]].concat(),
                [&[0xA2, len + 4, 0, 1, 0, len], text].concat(),
            ];
            for bytes in wrong {
                assert_eq!(refused(&bytes, version), violation, "{bytes:02X?} in {version}");
            }
        }
        for connect in [
            Connect::new("a\0"),
            Connect::new("a").username("a\0"),
            Connect::new("a").will(Will::new("a\0", b"")),
        ] {
            let packet = Packet::Connect(connect.version(version));
            assert_eq!(not_encoded(&packet, version), Violation::NulCharacter);
        }
    }
}

#[test]
fn wildcard_or_empty_topic_in_publish() {
    refused_in_both("30 02 0000", Violation::TopicEmpty);
    refused_in_both("32 04 0000 0001", Violation::TopicEmpty);
    for topic in ["#", "+", "a/#", "a/+/b", "a+b", "a#"] {
        for version in BOTH {
            let len = topic.len() as u8;
            let bytes = [&[0x30, len + 2, 0, len], topic.as_bytes()].concat();
            assert_eq!(refused(&bytes, version), Violation::WildcardInTopicName, "{topic}");
            let bytes = raw_connect(version, 0x06, &[b"id", topic.as_bytes(), b"gone"]);
            assert_eq!(refused(&bytes, version), Violation::WildcardInTopicName, "{topic}");
        }
    }
}

#[test]
fn misplaced_wildcards_in_filters() {
    let filters = [
        ("a#", Violation::MultiLevelWildcard),
        ("#/a", Violation::MultiLevelWildcard),
        ("a/#/b", Violation::MultiLevelWildcard),
        ("##", Violation::MultiLevelWildcard),
        ("a+", Violation::SingleLevelWildcard),
        ("+a", Violation::SingleLevelWildcard),
        ("a/+b/c", Violation::SingleLevelWildcard),
        ("++", Violation::SingleLevelWildcard),
        ("", Violation::TopicEmpty),
    ];
    for version in BOTH {
        for (filter, violation) in filters {
            let (text, len) = (filter.as_bytes(), filter.len() as u8);
            // A valid filter before it does not hide an invalid one.
            let subscribe = [&[0x82, len + 9, 0, 1, 0, 1, b'a', 0, 0, len], text, &[0]].concat();
            assert_eq!(refused(&subscribe, version), violation, "{filter}");
            let unsubscribe = [&[0xA2, len + 7, 0, 1, 0, 1, b'a', 0, len], text].concat();
            assert_eq!(refused(&unsubscribe, version), violation, "{filter}");
        }
    }
}
