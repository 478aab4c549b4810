//! Retained messages: the last one of each topic (section 3.3.1.3).

use std::collections::BTreeMap;
use std::sync::Arc;

use baremqtt::{TopicFilter, TopicName};

use super::message::Message;

pub(super) struct Retained {
    messages: BTreeMap<String, Arc<Message>>,
    max: usize,
}

impl Retained {
    pub(super) fn new(max: usize) -> Self {
        Retained { messages: BTreeMap::new(), max }
    }

    /// Replaces the message of this topic; an empty payload only removes it. `false` if there is no room.
    pub(super) fn set(&mut self, message: &Arc<Message>) -> bool {
        if message.payload().is_empty() {
            self.messages.remove(message.topic());
            return true;
        }
        if self.messages.len() >= self.max && !self.messages.contains_key(message.topic()) {
            return false;
        }
        self.messages.insert(message.topic().to_owned(), Arc::clone(message));
        true
    }

    /// The messages that the filter matches, in the order of their topics.
    pub(super) fn matching<'r>(&'r self, filter: TopicFilter<'r>) -> impl Iterator<Item = &'r Arc<Message>> {
        let covers = move |topic: &str| TopicName::new(topic).is_ok_and(|topic| filter.matches(topic));
        self.messages.values().filter(move |message| covers(message.topic()))
    }
}
