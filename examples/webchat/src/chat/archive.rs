//! The latest messages. Anyone who was offline for a moment, or whose broker was, fetches missed messages from here.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::message::Message;

/// The number of messages that are kept, at most.
const MAX_MESSAGES: usize = 2_000;
/// The number of bytes that are kept, at most.
const MAX_BYTES: usize = 32 << 20;

struct Entry {
    /// Counts up.
    number: u64,
    message: Arc<Message>,
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

    /// Stores a message that is about to be published, and returns its number; `None` if it is already acknowledged.
    ///
    /// It is stored before: somebody who subscribes while it is in transit finds it here, or gets it from the broker.
    pub fn begin(&mut self, message: Message) -> Option<u64> {
        let known = |entry: &&Entry| entry.message.is(&message.envelope.from, &message.envelope.id);
        if let Some(entry) = self.entries.iter().find(known) {
            return (!entry.acknowledged).then_some(entry.number);
        }
        self.last += 1;
        self.bytes += message.size();
        self.entries.push_back(Entry { number: self.last, message: Arc::new(message), acknowledged: false });
        while self.entries.len() > MAX_MESSAGES || self.bytes > MAX_BYTES {
            self.bytes -= self.entries.pop_front().map_or(0, |entry| entry.message.size());
        }
        Some(self.last)
    }

    /// The broker has acknowledged it.
    pub fn acknowledged(&mut self, number: u64) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.number == number) {
            entry.acknowledged = true;
        }
    }

    /// The sender was told that it failed: nobody finds it here, unless it is sent again.
    pub fn failed(&mut self, number: u64) {
        let failed = |entry: &Entry| entry.number == number && !entry.acknowledged;
        if let Some(entry) = self.entries.iter().position(failed).and_then(|at| self.entries.remove(at)) {
            self.bytes -= entry.message.size();
        }
    }

    /// The messages after that number.
    pub fn after(&self, number: u64) -> impl Iterator<Item = &Arc<Message>> {
        self.entries.iter().filter(move |entry| entry.number > number).map(|entry| &entry.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Content, Envelope};

    fn message(from: &str, id: &str, con: &str) -> Message {
        let envelope = Envelope { to: "B".into(), from: from.into(), time: 0, id: id.into() };
        Message { envelope, content: Content::Text(con.into()) }
    }

    #[test]
    fn a_message_is_there_once() {
        let mut archive = Archive::default();
        assert_eq!(archive.begin(message("A", "1", "hi")), Some(1));
        assert_eq!(archive.begin(message("A", "1", "hi")), Some(1));
        archive.acknowledged(1);
        assert_eq!(archive.begin(message("A", "1", "hi")), None);
        assert_eq!(archive.begin(message("C", "1", "hi")), Some(2));
        assert_eq!(archive.after(0).count(), 2);
        assert_eq!(archive.after(1).count(), 1);
        archive.failed(2);
        archive.failed(1);
        assert_eq!(archive.after(0).count(), 1);
        assert_eq!(archive.bytes, 2);
    }

    #[test]
    fn old_ones_go() {
        let mut archive = Archive::default();
        let long = "x".repeat(1 << 20);
        for id in 0..100 {
            archive.begin(message("A", &id.to_string(), &long));
        }
        assert_eq!(archive.after(0).count(), 32);
        for id in 100..3_000 {
            archive.begin(message("A", &id.to_string(), ""));
        }
        assert_eq!(archive.after(0).count(), MAX_MESSAGES);
    }
}
