//! Topic names and topic filters: which are valid, and what matches (section 4.7).

#[path = "../common/topic_rules.rs"]
mod topic_rules;

use baremqtt::{TopicFilter, TopicName, Violation};

#[track_caller]
fn matches(filter: &str, name: &str) -> bool {
    let found = TopicFilter::new(filter).unwrap().matches(TopicName::new(name).unwrap());
    assert_eq!(found, topic_rules::matches(filter, name), "{filter} {name}");
    found
}

/// Section 4.7.1.2.
#[test]
fn examples_of_the_multi_level_wildcard() {
    for name in
        ["sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/wimbledon"]
    {
        assert!(matches("sport/tennis/player1/#", name), "{name}");
        assert!(matches("sport/#", name));
        assert!(matches("#", name));
    }
    assert!(matches("sport/#", "sport"));
    assert!(!matches("sport/#", "sports"));
    assert!(!matches("sport/tennis/player1/#", "sport/tennis/player2"));
    assert!(TopicFilter::new("sport/tennis/#").is_ok());
    assert_eq!(TopicFilter::new("sport/tennis#"), Err(Violation::MultiLevelWildcard));
    assert_eq!(TopicFilter::new("sport/tennis/#/ranking"), Err(Violation::MultiLevelWildcard));
}

/// Section 4.7.1.3.
#[test]
fn examples_of_the_single_level_wildcard() {
    assert!(matches("sport/tennis/+", "sport/tennis/player1"));
    assert!(matches("sport/tennis/+", "sport/tennis/player2"));
    assert!(!matches("sport/tennis/+", "sport/tennis/player1/ranking"));
    assert!(!matches("sport/+", "sport"));
    assert!(matches("sport/+", "sport/"));
    assert!(TopicFilter::new("+").is_ok());
    assert!(TopicFilter::new("+/tennis/#").is_ok());
    assert_eq!(TopicFilter::new("sport+"), Err(Violation::SingleLevelWildcard));
    assert!(TopicFilter::new("sport/+/player1").is_ok());
    assert!(matches("+/+", "/finance"));
    assert!(matches("/+", "/finance"));
    assert!(!matches("+", "/finance"));
}

/// Section 4.7.2.
#[test]
fn examples_of_topics_that_begin_with_a_dollar_sign() {
    assert!(!matches("#", "$SYS/uptime"));
    assert!(!matches("+/monitor/Clients", "$SYS/monitor/Clients"));
    assert!(matches("$SYS/#", "$SYS/"));
    assert!(matches("$SYS/#", "$SYS"));
    assert!(matches("$SYS/monitor/+", "$SYS/monitor/Clients"));
    // Only the first character counts.
    assert!(matches("+/$x", "a/$x"));
    assert!(matches("a/#", "a/$x"));
    assert!(matches("+/x", "a$/x"));
}

/// Section 4.7.3.
#[test]
fn examples_of_semantics() {
    assert!(!matches("ACCOUNTS", "Accounts"));
    assert!(matches("Accounts payable", "Accounts payable"));
    assert!(!matches("/finance", "finance"));
    assert!(matches("/", "/"));
    assert!(matches("/#", "/"));
    assert!(matches("+/+", "/"));
    assert!(matches("//#", "//"));
    assert!(!matches("/", "//"));
    assert_eq!(TopicName::new(""), Err(Violation::TopicEmpty));
    assert_eq!(TopicFilter::new(""), Err(Violation::TopicEmpty));
}

/// Not even those of the regular expressions that other clients turn a filter into; and nothing is normalised.
#[test]
fn other_characters_have_no_meaning() {
    assert!(!matches("a.b/x", "aXb/x"));
    assert!(matches("a.b/[x]*", "a.b/[x]*"));
    assert!(!matches("\u{E4}", "a\u{308}"));
    assert!(!matches("\u{212B}", "\u{C5}"));
}

#[test]
fn byte_order_mark_is_a_character() {
    let name = TopicName::from_bytes(b"\xEF\xBB\xBFa").unwrap();
    assert_eq!(name, "\u{FEFF}a");
    assert_eq!(name.as_bytes(), b"\xEF\xBB\xBFa");
    assert!(!matches("a", "\u{FEFF}a"));
    assert!(matches("+/\u{FEFF}", "x/\u{FEFF}"));
}

/// `None` if `from_bytes` accepts it.
fn violation(bytes: &[u8]) -> Option<Violation> {
    let name = TopicName::from_bytes(bytes).err();
    assert_eq!(TopicFilter::from_bytes(bytes).err(), name, "{bytes:02X?}");
    name
}

#[test]
fn ill_formed_utf8() {
    for bytes in [
        &b"\x80"[..],                // continuation alone
        b"\xC0\xAF",                 // overlong
        b"\xC1\xBF",                 //
        b"\xE0\x80\xAF",             //
        b"\xE0\x9F\xBF",             //
        b"\xF0\x80\x80\xAF",         //
        b"\xF0\x8F\xBF\xBF",         //
        b"\xC0\x80",                 // Java's U+0000
        b"\xED\xA0\x80",             // surrogates
        b"\xED\xBF\xBF",             //
        b"\xED\xA0\x80\xED\xB0\x80", // a pair of them
        b"\xF4\x90\x80\x80",         // above U+10FFFF
        b"\xF5\x80\x80\x80",         //
        b"\xF8\x88\x80\x80\x80",     // five bytes
        b"\xFE",                     //
        b"\xFF",                     //
        b"\xC3",                     // cut off
        b"\xE2\x82",                 //
        b"\xF0\x9F\x98",             //
        b"\xE2\x82a",                // followed by another character
    ] {
        // Alone, and at every position in the eight bytes that are checked together.
        for before in 0..17 {
            let text = [&vec![b'x'; before], bytes, &[b'x'; 9]].concat();
            assert_eq!(violation(&text[..before + bytes.len()]), Some(Violation::Utf8), "{bytes:02X?}");
            assert_eq!(violation(&text), Some(Violation::Utf8), "{bytes:02X?} and more");
        }
    }
    // A single byte outside ASCII.
    for byte in 0x80..=0xFF {
        for place in 0..20 {
            let mut text = [b'x'; 20];
            text[place] = byte;
            assert_eq!(violation(&text), Some(Violation::Utf8), "{byte:02X}");
        }
        assert_eq!(violation(&[b'x', byte]), Some(Violation::Utf8), "{byte:02X}");
    }
    for text in
        ["\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}"]
    {
        assert_eq!(violation(text.as_bytes()), None, "{text:?}");
    }
}

/// Every scalar value, and every sequence of up to three bytes.
#[test]
fn utf8_is_checked_as_by_the_core_library() {
    for c in ('\u{1}'..=char::MAX).filter(|c| !"+#".contains(*c)) {
        let mut buffer = [0; 4];
        assert_eq!(violation(c.encode_utf8(&mut buffer).as_bytes()), None, "{c:?}");
    }
    for number in 0x100..0x100_0000_u32 {
        let bytes = number.to_be_bytes();
        let bytes = &bytes[if number < 0x1_0000 { 2 } else { 1 }..];
        // Plain ASCII is left to the test below, so that this one is quick.
        if bytes.iter().any(|byte| *byte >= 0x80) {
            let wrong = TopicFilter::from_bytes(bytes) == Err(Violation::Utf8);
            let well_formed = core::str::from_utf8(bytes).is_ok();
            // If it also contains U+0000 or a misplaced wildcard, it may be refused for that.
            assert!(if wrong { !well_formed } else { well_formed || bytes.contains(&0) }, "{bytes:02X?}");
        }
    }
}

/// Wildcards and U+0000 are found at every position in the eight bytes that are checked together.
#[test]
fn special_characters_at_every_position() {
    for len in 1..40 {
        for place in 0..len {
            let mut text = vec![b'x'; len];
            text[place] = 0;
            assert_eq!(violation(&text), Some(Violation::NulCharacter));
            for (wildcard, misplaced) in
                [(b'+', Violation::SingleLevelWildcard), (b'#', Violation::MultiLevelWildcard)]
            {
                text[place] = wildcard;
                assert_eq!(TopicName::from_bytes(&text), Err(Violation::WildcardInTopicName));
                if len > 1 {
                    assert_eq!(TopicFilter::from_bytes(&text), Err(misplaced));
                }
            }
            // The neighbouring characters have no meaning.
            for byte in [1, b'"', b'$', b'*', b',', 0x7F] {
                text[place] = byte;
                assert_eq!(violation(&text), None);
            }
        }
    }
}

/// Words that consist of wildcards only, valid ones before invalid ones, and wildcards next to bytes outside ASCII.
#[test]
fn wildcards_among_wildcards() {
    for (filter, wrong) in [
        ("++++++++", Violation::SingleLevelWildcard),
        ("########", Violation::MultiLevelWildcard),
        ("+/a+", Violation::SingleLevelWildcard),
        ("+/ab#", Violation::MultiLevelWildcard),
        ("abcdefg/+/abcd+", Violation::SingleLevelWildcard),
        ("ä/+x", Violation::SingleLevelWildcard),
        ("ä/x#", Violation::MultiLevelWildcard),
    ] {
        assert_eq!(TopicFilter::new(filter), Err(wrong), "{filter}");
    }
    for filter in ["+/+/+/+/+/+/#", "ä/#", "#", "ä/+/x", "+/ä"] {
        assert!(TopicFilter::new(filter).is_ok(), "{filter}");
    }
}

#[test]
fn topics_can_be_checked_at_compile_time() {
    const FILTER: TopicFilter<'static> = match TopicFilter::new("sensor/+/status") {
        Ok(filter) => filter,
        Err(_) => panic!(),
    };
    assert!(FILTER.matches(TopicName::new("sensor/17/status").unwrap()));
}
