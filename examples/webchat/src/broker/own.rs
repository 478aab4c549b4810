//! The small broker among this project's examples, for machines without Mosquitto.
//!
//! It has no rights and no WebSocket: browsers come through the gate.

#[path = "../../../broker/server/mod.rs"]
mod server;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::extract::ws::WebSocket;
use server::{Options, Server};

use super::SERVER;
use super::gate::{self, Guest};
use crate::{lock, presence, secret};

pub struct Own {
    server: Server,
    password: String,
    groups: Vec<String>,
    users: Arc<Mutex<HashMap<String, String>>>,
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
        lock(&self.users).insert(name.to_owned(), password.to_owned());
    }

    pub fn dismiss(&self, name: &str) {
        lock(&self.users).remove(name);
    }

    /// Serves a browser until it goes.
    pub async fn serve(&self, socket: WebSocket) {
        let users = Arc::clone(&self.users);
        let guest = Guest {
            knows: Box::new(move |name, password| {
                lock(&users).get(name).is_some_and(|known| secret::same(known.as_bytes(), password))
            }),
            may_read: self.groups.iter().cloned().chain([presence::topic("+")]).collect(),
            server: (SERVER.to_owned(), self.password.clone()),
        };
        gate::serve(socket, self.addr(), guest).await;
    }
}
