//! The latest messages. Whoever was not on line for a moment, or whose broker was not, asks for what was missed.

use std::collections::VecDeque;
use std::sync::Arc;

/// Messages that are kept, at the most.
const MAX_MESSAGES: usize = 2_000;
/// Bytes that are kept, at the most.
const MAX_BYTES: usize = 32 << 20;

pub struct Entry {
    /// Counts up.
    pub number: u64,
    pub from: String,
    pub to: String,
    id: String,
    pub json: Arc<str>,
    acknowledged: bool,
}

#[derive(Default)]
pub struct Archive {
    entries: VecDeque<Entry>,
    bytes: usize,
    last: u64,
}

impl Archive {
    /// The number of the newest message.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Notes a message that is about to be published, and says its number; `None`: it is acknowledged already.
    ///
    /// It is noted before: somebody who subscribes while it is on its way finds it here, or gets it from the broker.
    pub fn begin(&mut self, from: &str, to: &str, id: &str, json: &Arc<str>) -> Option<u64> {
        if let Some(entry) = self.entries.iter().find(|entry| entry.from == from && entry.id == id) {
            return (!entry.acknowledged).then_some(entry.number);
        }
        self.last += 1;
        self.bytes += json.len();
        self.entries.push_back(Entry {
            number: self.last,
            from: from.to_owned(),
            to: to.to_owned(),
            id: id.to_owned(),
            json: Arc::clone(json),
            acknowledged: false,
        });
        while self.entries.len() > MAX_MESSAGES || self.bytes > MAX_BYTES {
            self.bytes -= self.entries.pop_front().map_or(0, |entry| entry.json.len());
        }
        Some(self.last)
    }

    /// The broker has acknowledged it.
    pub fn acknowledged(&mut self, number: u64) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.number == number) {
            entry.acknowledged = true;
        }
    }

    /// The sender was told that it failed: nobody is to find it, unless it comes again.
    pub fn failed(&mut self, number: u64) {
        let failed = |entry: &Entry| entry.number == number && !entry.acknowledged;
        if let Some(entry) = self.entries.iter().position(failed).and_then(|at| self.entries.remove(at)) {
            self.bytes -= entry.json.len();
        }
    }

    /// What came after that number.
    pub fn after(&self, number: u64) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.number > number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_there_once() {
        let (mut archive, json) = (Archive::default(), Arc::from("{}"));
        assert_eq!(archive.begin("A", "B", "1", &json), Some(1));
        assert_eq!(archive.begin("A", "B", "1", &json), Some(1));
        archive.acknowledged(1);
        assert_eq!(archive.begin("A", "B", "1", &json), None);
        assert_eq!(archive.begin("C", "B", "1", &json), Some(2));
        assert_eq!(archive.after(0).count(), 2);
        assert_eq!(archive.after(1).count(), 1);
        archive.failed(2);
        archive.failed(1);
        assert_eq!(archive.after(0).count(), 1);
        assert_eq!(archive.bytes, 2);
    }

    #[test]
    fn old_ones_go() {
        let (mut archive, json) = (Archive::default(), Arc::from("x".repeat(1 << 20)));
        for id in 0..100 {
            archive.begin("A", "B", &id.to_string(), &json);
        }
        assert_eq!(archive.after(0).count(), 32);
        let json = Arc::from("");
        for id in 100..3_000 {
            archive.begin("A", "B", &id.to_string(), &json);
        }
        assert_eq!(archive.after(0).count(), MAX_MESSAGES);
    }
}
