//! Topic names and filters, violations and time.

use baremqtt::{Instant, TopicFilter, TopicName, Violation};

use crate::codec::print;
use crate::{any, any_bytes, any_text, keep};

pub fn run() {
    keep(TopicName::from_bytes(any_bytes()));
    keep(TopicFilter::from_bytes(any_bytes()));
    if let (Ok(name), Ok(filter)) = (TopicName::new(any_text()), TopicFilter::new(any_text())) {
        keep(filter.matches(name));
        keep((name.as_str(), name.as_bytes(), name == any_text()));
        keep((filter.as_str(), filter.as_bytes(), filter == any_text()));
        print(name);
        print(filter);
    }
    for violation in Violation::ALL {
        keep(violation.clause());
        print(violation);
    }
    let (a, b) = (Instant::from_millis(any(1)), Instant::from_millis(any(2)));
    keep((a.after(any(3)), a.since(b), b.as_millis()));
}
