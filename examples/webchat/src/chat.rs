//! The chat: who is in, what is sent, what was missed.

use std::fmt;
use std::sync::{Arc, Mutex};

use axum::extract::ws::WebSocket;
use serde::Serialize;

use crate::archive::Archive;
use crate::broker::Broker;
use crate::link::{Failure, Link};
use crate::message::Message;
use crate::people::{NoRoom, People, Person};
use crate::{lock, names, secret};

/// Why somebody does not get what they want.
#[derive(Debug)]
pub enum Refusal {
    Invalid(&'static str),
    Stranger,
    NotYours,
    Taken,
    Unknown,
    TooFast,
    Failed(&'static str),
    Late,
}

const AWAY: Refusal = Refusal::Failed("the broker is away");

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Invalid(why) | Refusal::Failed(why) => why,
            Refusal::Stranger => "sign in first",
            Refusal::NotYours => "this is not your name",
            Refusal::Taken => "this name is taken",
            Refusal::Unknown => "there is nobody of this name",
            Refusal::TooFast => "too many messages, wait a moment",
            Refusal::Late => "the broker did not acknowledge in time",
        })
    }
}

/// What somebody who has signed in shows: the token here, name and password to the broker.
#[derive(Serialize)]
pub struct Ticket {
    pub name: String,
    pub token: String,
    pub password: String,
}

pub struct Chat {
    groups: Vec<String>,
    websocket_port: u16,
    broker: Arc<Broker>,
    link: Link,
    people: Mutex<People>,
    archive: Mutex<Archive>,
    /// One at a time comes or goes.
    door: tokio::sync::Mutex<()>,
}

impl Chat {
    pub fn new(groups: Vec<String>, websocket_port: u16, broker: Arc<Broker>, link: Link) -> Self {
        Chat {
            groups,
            websocket_port,
            broker,
            link,
            people: Mutex::default(),
            archive: Mutex::default(),
            door: tokio::sync::Mutex::default(),
        }
    }

    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    pub fn has_own_broker(&self) -> bool {
        matches!(&*self.broker, Broker::Own(_))
    }

    pub fn websocket_port(&self) -> Option<u16> {
        (!self.has_own_broker()).then_some(self.websocket_port)
    }

    /// Gives a name away, with secrets for this server and for the broker.
    pub async fn sign_in(&self, name: &str) -> Result<Ticket, Refusal> {
        let name = names::check(name).map_err(Refusal::Invalid)?;
        if self.groups.iter().any(|group| names::key(group) == names::key(&name)) {
            return Err(Refusal::Taken);
        }
        let _turn = self.door.lock().await;
        if !self.link.is_connected() {
            return Err(AWAY);
        }
        let room = self.link.with_presence(|presence| lock(&self.people).make_room(&name, presence));
        let gone = room.map_err(|no_room| match no_room {
            NoRoom::Taken => Refusal::Taken,
            NoRoom::Full => Refusal::Failed("there are too many people"),
        })?;
        let person = Person::new(&name, lock(&self.archive).last()).map_err(said)?;
        gone.iter().for_each(|name| lock(&self.people).leave(name));
        if let Err(why) = self.broker.admit(&name, &person.password, &gone).await {
            self.broker.dismiss(&name).map_err(said)?;
            return Err(said(why));
        }
        for name in &gone {
            self.link.clear_presence(name).await;
        }
        let ticket = Ticket { name, token: person.token.clone(), password: person.password.clone() };
        lock(&self.people).enter(person);
        Ok(ticket)
    }

    pub async fn sign_out(&self, token: &str) -> Result<(), Refusal> {
        let _turn = self.door.lock().await;
        let name = self.person(token)?.name;
        lock(&self.people).leave(&name);
        self.broker.dismiss(&name).map_err(said)?;
        self.link.clear_presence(&name).await;
        Ok(())
    }

    /// Publishes a message, and returns once the broker has acknowledged it.
    pub async fn send(&self, token: &str, mut message: Message) -> Result<(), Refusal> {
        let person = self.person(token)?;
        if message.from != person.name {
            return Err(Refusal::NotYours);
        }
        if message.id.is_empty() {
            message.id = secret::random().map_err(said)?;
        }
        message.check().map_err(Refusal::Invalid)?;
        if !self.groups.contains(&message.to) && !lock(&self.people).has(&message.to) {
            return Err(Refusal::Unknown);
        }
        // Costs nothing, so it does not count.
        if !self.link.is_connected() {
            return Err(AWAY);
        }
        if !lock(&self.people).may_send(&person.name) {
            return Err(Refusal::TooFast);
        }
        let json: Arc<str> = serde_json::to_string(&message).map_err(|error| said(error.to_string()))?.into();
        let begun = lock(&self.archive).begin(&message.from, &message.to, &message.id, &json);
        // Somebody who has not heard the answer sends again what was acknowledged.
        let Some(number) = begun else { return Ok(()) };
        match self.link.publish(&message.to, &json).await {
            Ok(()) => {
                lock(&self.archive).acknowledged(number);
                Ok(())
            }
            Err(failure) => {
                lock(&self.archive).failed(number);
                Err(match failure {
                    Failure::Away => AWAY,
                    Failure::Busy => Refusal::Failed("too much is under way"),
                    Failure::Late => Refusal::Late,
                })
            }
        }
    }

    /// The messages after that number that are somebody's to see, and the number to ask with the next time.
    pub fn missed(&self, token: &str, after: u64) -> Result<(u64, Vec<Arc<str>>), Refusal> {
        let person = self.person(token)?;
        let archive = lock(&self.archive);
        let is_theirs = |from: &str, to: &str| {
            from == person.name || to == person.name || self.groups.iter().any(|group| group == to)
        };
        let messages =
            archive.after(after.max(person.since)).filter(|entry| is_theirs(&entry.from, &entry.to));
        Ok((archive.last(), messages.map(|entry| Arc::clone(&entry.json)).collect()))
    }

    /// Serves a browser with the broker that comes along.
    pub async fn serve(&self, socket: WebSocket) {
        if let Broker::Own(broker) = &*self.broker {
            broker.serve(socket).await;
        }
    }

    fn person(&self, token: &str) -> Result<Person, Refusal> {
        lock(&self.people).by_token(token).cloned().ok_or(Refusal::Stranger)
    }
}

/// Something that is the operator's business, who is told.
fn said(why: String) -> Refusal {
    eprintln!("webchat: {why}");
    Refusal::Failed("the server cannot do that now, and says why in its window")
}
