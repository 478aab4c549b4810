//! Sending messages, and fetching missed ones.

use std::sync::Arc;

use serde::Serialize;

use super::refusal::{AWAY, said};
use super::{Chat, Person, Refusal};
use crate::message::{Content, Envelope, Message, Picture};
use crate::{lock, secret};

/// Messages that somebody has not got from the broker.
#[derive(Serialize)]
pub struct Missed {
    /// The number to ask with the next time.
    last: u64,
    /// Whether messages can reach the broker.
    online: bool,
    messages: Vec<Arc<Message>>,
}

impl Chat {
    /// Publishes a message, and returns once the broker has acknowledged it.
    pub async fn send(&self, person: &Person, mut message: Message) -> Result<(), Refusal> {
        let Envelope { to, from, id, .. } = &mut message.envelope;
        if *from != person.name {
            return Err(Refusal::NotYours);
        }
        if id.is_empty() {
            *id = secret::random().map_err(said)?;
        }
        let to = to.clone();
        message.check().map_err(Refusal::Invalid)?;
        if !self.groups.contains(&to) && !lock(&self.people).has(&to) {
            return Err(Refusal::Unknown);
        }
        // This costs nothing, so it does not count.
        if !self.link.is_connected() {
            return Err(AWAY);
        }
        if !lock(&self.people).may_send(&person.name, message.size()) {
            return Err(Refusal::TooFast);
        }
        let payload = message.payload().map_err(said)?;
        // Somebody who did not get the answer sends a message again that was already acknowledged.
        let Some(number) = lock(&self.archive).begin(message) else { return Ok(()) };
        let result = self.link.publish(&to, payload).await;
        match result {
            Ok(()) => lock(&self.archive).acknowledged(number),
            Err(_) => lock(&self.archive).failed(number),
        }
        result.map_err(Refusal::from)
    }

    /// The messages after that number that this person may see. Of a picture, only that it exists.
    pub fn missed(&self, person: &Person, after: u64) -> Missed {
        let archive = lock(&self.archive);
        let entries = archive.after(after.max(person.since));
        let theirs = entries.filter(|message| self.may_see(person, &message.envelope)).map(Arc::clone);
        Missed { messages: theirs.collect(), last: archive.last(), online: self.link.is_connected() }
    }

    /// A picture that somebody has not got from the broker.
    pub fn picture(&self, person: &Person, from: &str, id: &str) -> Result<Picture, Refusal> {
        let archive = lock(&self.archive);
        let message = archive.after(person.since).find(|message| message.is(from, id));
        match message
            .filter(|message| self.may_see(person, &message.envelope))
            .map(|message| &message.content)
        {
            Some(Content::Picture(picture)) => Ok(picture.clone()),
            _ => Err(Refusal::Unknown),
        }
    }

    fn may_see(&self, person: &Person, Envelope { from, to, .. }: &Envelope) -> bool {
        *from == person.name || *to == person.name || self.groups.contains(to)
    }
}
