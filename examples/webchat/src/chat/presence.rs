//! Who is online, as far as this server knows.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use baremqtt::codec::Publish;

/// How long a name stays reserved for its owner after the connection was lost.
pub const GRACE: Duration = Duration::from_secs(30);

const PREFIX: &str = "presence/";
/// Everybody's presence.
pub const FILTER: &str = "presence/+";

/// The topic on which somebody announces that they are online, and their will that they are not.
pub fn topic(name: &str) -> String {
    format!("{PREFIX}{name}")
}

#[derive(Clone, Copy)]
enum Seen {
    Here,
    GoneSince(Instant),
}

#[derive(Default)]
pub struct Presence(HashMap<String, Seen>);

impl Presence {
    /// Handles a message on a topic that [`FILTER`] matches.
    pub fn hear(&mut self, message: &Publish<'_>) {
        if let Some(name) = message.topic.as_str().strip_prefix(PREFIX) {
            self.note(name, message.payload);
        }
    }

    pub fn note(&mut self, name: &str, payload: &[u8]) {
        let seen = match payload {
            b"" => return self.forget(name),
            b"on" => Seen::Here,
            _ => Seen::GoneSince(Instant::now()),
        };
        self.0.insert(name.to_owned(), seen);
    }

    /// The broker is unreachable, so nobody is online.
    pub fn lost(&mut self) {
        let now = Instant::now();
        for seen in self.0.values_mut().filter(|seen| matches!(seen, Seen::Here)) {
            *seen = Seen::GoneSince(now);
        }
    }

    /// Whether somebody is online, or was a moment ago.
    pub fn is_held(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|seen| match seen {
            Seen::Here => true,
            Seen::GoneSince(time) => time.elapsed() < GRACE,
        })
    }

    pub fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }
}
