//! The small broker from this project's examples, for machines without Mosquitto.
//!
//! It has no access rights and no WebSocket: browsers connect through the gate.

mod gate;
#[path = "../../../../broker/server/mod.rs"]
mod server;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::extract::ws::WebSocket;
use server::{Options, Server};
use tokio::sync::watch;

use super::SERVER;
use crate::chat::presence;
use crate::{lock, secret};
use gate::House;

pub struct Own {
    server: Server,
    password: String,
    groups: Vec<String>,
    users: Arc<Users>,
}

impl Own {
    pub fn start(groups: &[String], password: &str) -> Result<Self, String> {
        let options = Options {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            users: vec![(SERVER.to_owned(), password.to_owned())],
            ..Options::default()
        };
        let server = Server::start(options).map_err(|error| format!("cannot start the broker: {error}"))?;
        Ok(Own { server, password: password.to_owned(), groups: groups.to_vec(), users: Arc::default() })
    }

    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    pub fn admit(&self, name: &str, password: &str) {
        let user = User { password: password.to_owned(), stay: watch::Sender::new(()) };
        lock(&self.users.0).insert(name.to_owned(), user);
    }

    pub fn dismiss(&self, name: &str) {
        lock(&self.users.0).remove(name);
    }

    /// Serves a browser until it goes.
    pub async fn serve(&self, socket: WebSocket) {
        let house = House {
            users: Arc::clone(&self.users),
            may_read: self.groups.iter().cloned().chain([presence::FILTER.to_owned()]).collect(),
            server: (SERVER.to_owned(), self.password.clone()),
        };
        gate::serve(socket, self.addr(), house).await;
    }
}

/// Who is admitted.
#[derive(Default)]
struct Users(Mutex<HashMap<String, User>>);

struct User {
    password: String,
    /// Ends when they are dismissed.
    stay: watch::Sender<()>,
}

impl Users {
    /// How long this user may stay, if the password is the right one.
    fn let_in(&self, name: &str, password: &[u8]) -> Option<watch::Receiver<()>> {
        let users = lock(&self.0);
        let user = users.get(name).filter(|user| secret::same(user.password.as_bytes(), password))?;
        Some(user.stay.subscribe())
    }
}
