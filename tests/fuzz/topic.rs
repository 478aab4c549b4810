//! A filter and a name, with a line end between them: validity and matching by section 4.7.

use baremqtt::{TopicFilter, TopicName};

use crate::topic_rules;

pub fn run(data: &[u8]) {
    let (filter, name) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, data),
    };
    for text in [filter, name] {
        let read = core::str::from_utf8(text);
        assert_eq!(TopicFilter::from_bytes(text).is_ok(), read.is_ok_and(topic_rules::is_filter));
        assert_eq!(TopicName::from_bytes(text).is_ok(), read.is_ok_and(topic_rules::is_name));
    }
    if let (Ok(filter), Ok(name)) = (TopicFilter::from_bytes(filter), TopicName::from_bytes(name)) {
        assert!(name == name.as_str() && name == *name.as_str() && filter == filter.as_str());
        assert_eq!((name.as_ref().try_into(), filter.as_ref().try_into()), (Ok(name), Ok(filter)));
        assert_eq!(filter.matches(name), topic_rules::matches(filter.as_str(), name.as_str()));
    }
}
