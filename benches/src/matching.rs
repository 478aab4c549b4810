//! Topic matching, with filters and names that are already checked.

use std::hint::black_box;

use baremqtt::{TopicFilter, TopicName};

use crate::Meter;
use crate::operations::Operation;

const NAME: &str = "site/b7/floor3/room12/sensor/temp";

/// Filters, and whether they match the name.
const FILTERS: [(&str, bool); 6] = [
    ("site/+/floor3/#", true),
    (NAME, true),
    ("site/+/+/+/+/temp", true),
    ("site/b7/floor4/#", false),
    ("+/+/+/+/+/hum", false),
    ("#", true),
];

const TIMES: u64 = 100;

/// A row for each filter and one for all of them. `$parse` turns a filter into what is matched, `$matches` does the matching.
macro_rules! rows {
    ($codec:literal, $name:expr, $parse:expr, $matches:expr) => {
        [
            rows!(@ $codec, $name, $parse, $matches, "site/+/floor3/#", FILTERS[0..1]),
            rows!(@ $codec, $name, $parse, $matches, "the name itself", FILTERS[1..2]),
            rows!(@ $codec, $name, $parse, $matches, "site/+/+/+/+/temp", FILTERS[2..3]),
            rows!(@ $codec, $name, $parse, $matches, "site/b7/floor4/#", FILTERS[3..4]),
            rows!(@ $codec, $name, $parse, $matches, "+/+/+/+/+/hum", FILTERS[4..5]),
            rows!(@ $codec, $name, $parse, $matches, "#", FILTERS[5..6]),
            rows!(@ $codec, $name, $parse, $matches, "all six", FILTERS[..]),
        ]
    };
    (@ $codec:literal, $topic:expr, $parse:expr, $matches:expr, $row:literal, $filters:expr) => {
        Operation {
            group: "topics",
            name: $row,
            codec: $codec,
            times: TIMES,
            run: |meter: &mut Meter, times| {
                let topic = $topic;
                let filters: Vec<_> = $filters.iter().map(|(filter, _)| $parse(*filter)).collect();
                meter.measure(times, || {
                    for filter in &filters {
                        black_box($matches(black_box(filter), black_box(&topic)));
                    }
                });
            },
            check: || {
                let topic = $topic;
                $filters.iter().all(|(filter, covers)| $matches(&$parse(*filter), &topic) == *covers)
            },
        }
    };
}

pub fn all() -> Vec<Operation> {
    #[allow(unused_mut)]
    let mut all = Vec::from(rows!(
        "baremqtt",
        TopicName::new(NAME).unwrap(),
        |filter| TopicFilter::new(filter).unwrap(),
        |filter: &TopicFilter<'static>, name: &TopicName<'static>| filter.matches(*name)
    ));
    #[cfg(feature = "peers")]
    {
        all.extend(rows!("rumqttc", NAME, String::from, |filter: &String, name: &&str| rumqttc::matches(
            name, filter
        )));
        all.extend(rows!(
            "mqttbytes",
            NAME,
            String::from,
            |filter: &String, name: &&str| mqttbytes::matches(name, filter)
        ));
        all.extend(rows!(
            "ntex-mqtt",
            NAME,
            |filter: &str| ntex_mqtt::TopicFilter::try_from(ntex_bytes::ByteString::from(filter)).unwrap(),
            |filter: &ntex_mqtt::TopicFilter, name: &&str| filter.matches_topic(name)
        ));
    }
    all
}
