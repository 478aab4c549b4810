//! The output of `quickstart`.

use crate::process::Exit;

/// The lines that have to be printed, in this order.
const CONVERSATION: [&str; 16] = [
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

pub fn assert_complete(exit: &Exit) {
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let mut lines = exit.output.iter();
    for part in CONVERSATION {
        assert!(lines.any(|line| line.starts_with(part)), "{part:?} is missing: {exit:?}");
    }
    assert!(exit.output.iter().any(|line| line.contains("Tea at five") && line.ends_with(", retained")));
}
