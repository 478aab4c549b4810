//! Signing in and out.

use serde::Serialize;

use super::people::{NoRoom, Person};
use super::refusal::{AWAY, said};
use super::{Chat, Refusal};
use crate::lock;
use crate::message::names;

/// Credentials of somebody who has signed in: a token for this server, name and password for the broker.
#[derive(Serialize)]
pub struct Ticket {
    name: String,
    token: String,
    password: String,
}

impl Chat {
    /// Assigns a name, with secrets for this server and for the broker.
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

    pub async fn sign_out(&self, person: &Person) -> Result<(), Refusal> {
        let _turn = self.door.lock().await;
        // Two requests at the same time count as one; and by now the name could belong to somebody else.
        let Person { name, .. } = self.person(&person.token)?;
        lock(&self.people).leave(&name);
        self.broker.dismiss(&name).map_err(said)?;
        self.link.clear_presence(&name).await;
        Ok(())
    }
}
