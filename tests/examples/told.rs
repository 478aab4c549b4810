//! The output of `quickstart`.

use crate::process::Ended;

/// The lines that have to be printed, in this order.
const STORY: [&str; 16] = [
    "Alice  is granted QoS 2",
    "Bob    is granted QoS 2",
    "Bob    hears \"Hello Bob!\"",
    "Alice  hears \"Hello Alice!\"",
    "Alice  knows that the broker has it, id 2: PUBACK",
    "Bob    hears \"At QoS 1",
    "Bob    knows that the broker has it, id 2: PUBACK",
    "Alice  hears \"Better than not at all.\"",
    "Alice  knows that the broker has it, id 3: PUBCOMP",
    "Bob    hears \"And at QoS 2",
    "Bob    knows that the broker has it, id 3: PUBCOMP",
    "Alice  hears \"That is all one can wish for.\"",
    "Bob    hears \"Tea at five\"",
    "Bob    vanishes",
    "Alice  hears \"Bob is gone\"",
    "All that was said has arrived.",
];

pub fn assert_told(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut lines = ended.output.iter();
    for part in STORY {
        assert!(lines.any(|line| line.starts_with(part)), "{part:?} is missing: {ended:?}");
    }
    assert!(ended.output.iter().any(|line| line.contains("Tea at five") && line.ends_with(", retained")));
}
