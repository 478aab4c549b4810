//! Who has signed in.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::presence::{GRACE, Presence};
use crate::message::names;
use crate::secret;

/// How many people can be signed in at a time.
const MAX_PEOPLE: usize = 200;
/// Messages that somebody may send within [`WINDOW`]. A picture counts as one more for each [`WEIGHT`] bytes.
const MAX_IN_WINDOW: usize = 60;
const WEIGHT: usize = 16 << 10;
const WINDOW: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct Person {
    pub name: String,
    /// The browser's secret for this server.
    pub token: String,
    /// Its secret for the broker.
    pub password: String,
    /// The newest message when they signed in: older ones are not for them.
    pub since: u64,
    came: Instant,
    window: Instant,
    sent: usize,
}

impl Person {
    pub fn new(name: &str, since: u64) -> Result<Self, String> {
        let now = Instant::now();
        Ok(Person {
            name: name.to_owned(),
            token: secret::random()?,
            password: secret::random()?,
            since,
            came: now,
            window: now,
            sent: 0,
        })
    }

    fn is_held(&self, presence: &Presence) -> bool {
        self.came.elapsed() < GRACE || presence.is_held(&self.name)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum NoRoom {
    Taken,
    Full,
}

/// Everybody, by the key of their name.
#[derive(Default)]
pub struct People(HashMap<String, Person>);

impl People {
    /// Returns whether the name is free, and who has to leave for it: its last owner, and at most one person who is offline.
    pub fn make_room(&self, name: &str, presence: &Presence) -> Result<Vec<String>, NoRoom> {
        let key = names::key(name);
        if let Some(owner) = self.0.get(&key) {
            return if owner.is_held(presence) { Err(NoRoom::Taken) } else { Ok(vec![owner.name.clone()]) };
        }
        if self.0.len() < MAX_PEOPLE {
            return Ok(Vec::new());
        }
        let away = self.0.values().filter(|person| !person.is_held(presence));
        let longest = away.min_by_key(|person| person.came).ok_or(NoRoom::Full)?;
        Ok(vec![longest.name.clone()])
    }

    pub fn enter(&mut self, person: Person) {
        self.0.insert(names::key(&person.name), person);
    }

    pub fn leave(&mut self, name: &str) {
        self.0.remove(&names::key(name));
    }

    pub fn by_token(&self, token: &str) -> Option<&Person> {
        self.0.values().find(|person| secret::same(person.token.as_bytes(), token.as_bytes()))
    }

    /// Whether somebody of this name has signed in.
    pub fn has(&self, name: &str) -> bool {
        self.0.get(&names::key(name)).is_some_and(|person| person.name == name)
    }

    /// Counts a message of `size` bytes; `false` if there are too many in too short a time.
    pub fn may_send(&mut self, name: &str, size: usize) -> bool {
        let Some(person) = self.0.get_mut(&names::key(name)) else { return false };
        if person.window.elapsed() >= WINDOW {
            (person.window, person.sent) = (Instant::now(), 0);
        }
        person.sent += 1 + size / WEIGHT;
        person.sent <= MAX_IN_WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_owner() {
        let (mut people, mut presence) = (People::default(), Presence::default());
        let person = Person::new("Alice", 0).expect("random numbers");
        people.enter(person.clone());
        assert_eq!(people.make_room("alice", &presence), Err(NoRoom::Taken));
        assert_eq!(people.make_room("Bob", &presence), Ok(vec![]));
        assert!(people.by_token(&person.token).is_some_and(|found| found.name == "Alice"));
        assert!(people.by_token("").is_none());
        assert!(people.has("Alice") && !people.has("alice"));

        let Some(long_ago) = Instant::now().checked_sub(GRACE) else { return };
        people.enter(Person { came: long_ago, ..person });
        presence.note("Alice", b"on");
        assert_eq!(people.make_room("Alice", &presence), Err(NoRoom::Taken));
        presence.forget("Alice");
        assert_eq!(people.make_room("Alice", &presence), Ok(vec!["Alice".to_owned()]));
    }

    #[test]
    fn there_are_limits() {
        let (mut people, presence) = (People::default(), Presence::default());
        for number in 0..MAX_PEOPLE {
            people.enter(Person::new(&number.to_string(), 0).expect("random numbers"));
        }
        assert_eq!(people.make_room("x", &presence), Err(NoRoom::Full));
        assert!((0..MAX_IN_WINDOW).all(|_| people.may_send("1", 100)));
        assert!(!people.may_send("1", 100));
        assert!((0..3).all(|_| people.may_send("2", 256 << 10)));
        assert!(!people.may_send("2", 256 << 10));
    }
}
