//! Topics are valid, and match, as section 4.7 specifies.

#[path = "../common/topic_rules.rs"]
mod topic_rules;

use baremqtt::{TopicFilter, TopicName};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn validity_follows_section_4_7(text in prop_oneof!["[ab+#/$\0]{0,6}", "[x+#/]{0,40}", "\\PC{0,40}"]) {
        prop_assert_eq!(TopicName::new(&text).is_ok(), topic_rules::is_name(&text), "{:?}", text);
        prop_assert_eq!(TopicFilter::new(&text).is_ok(), topic_rules::is_filter(&text), "{:?}", text);
    }

    #[test]
    fn bytes_are_valid_if_their_text_is(
        bytes in vec(prop_oneof![3 => 0x20..0x7F_u8, 2 => 0x80..=0xFF_u8, 1 => any::<u8>()], 0..24),
    ) {
        let text = core::str::from_utf8(&bytes);
        prop_assert_eq!(TopicName::from_bytes(&bytes).is_ok(), text.is_ok_and(topic_rules::is_name));
        prop_assert_eq!(TopicFilter::from_bytes(&bytes).is_ok(), text.is_ok_and(topic_rules::is_filter));
    }

    /// Few letters and levels, so that many pairs match.
    #[test]
    fn matching_follows_section_4_7(
        filter in vec(prop_oneof!["[ab$]{0,2}", Just("+".to_string()), Just("#".to_string())], 1..5),
        name in vec("[ab$]{0,2}", 1..5),
    ) {
        let (filter, name) = (filter.join("/"), name.join("/"));
        if let (Ok(parsed), Ok(topic)) = (TopicFilter::new(&filter), TopicName::new(&name)) {
            let expected = topic_rules::matches(&filter, &name);
            prop_assert_eq!(parsed.matches(topic), expected, "{} {}", filter, name);
        }
    }
}
