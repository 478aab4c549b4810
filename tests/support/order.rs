//! Numbered messages, and the order in which they arrive.

use std::collections::HashSet;

/// Counts each message once.
#[derive(Default)]
pub struct Order {
    pub list: Vec<usize>,
    seen: HashSet<usize>,
}

impl Order {
    pub fn add(&mut self, number: usize) {
        if self.seen.insert(number) {
            self.list.push(number);
        }
    }
}

/// How many arrive after one that was sent later.
pub fn late(order: &[usize]) -> usize {
    order
        .iter()
        .scan(0, |last, &number| Some(std::mem::replace(last, number.max(*last)) > number))
        .filter(|late| *late)
        .count()
}
