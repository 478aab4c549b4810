//! The chat: who has signed in, who is online, what was said.

mod archive;
mod door;
mod people;
mod post;
pub mod presence;
mod refusal;

use std::sync::{Arc, Mutex};

use axum::extract::ws::WebSocket;

use archive::Archive;
pub use door::Ticket;
use people::People;
pub use people::Person;
pub use post::Missed;
pub use refusal::Refusal;

use crate::broker::Broker;
use crate::link::Link;
use crate::lock;

pub struct Chat {
    groups: Vec<String>,
    websocket_port: u16,
    people: Mutex<People>,
    archive: Mutex<Archive>,
    /// Only one person signs in or out at a time.
    door: tokio::sync::Mutex<()>,
    // They are dropped in this order.
    link: Link,
    broker: Arc<Broker>,
}

impl Chat {
    pub fn new(groups: Vec<String>, websocket_port: u16, broker: Broker, link: Link) -> Self {
        Chat {
            groups,
            websocket_port,
            people: Mutex::default(),
            archive: Mutex::default(),
            door: tokio::sync::Mutex::default(),
            link,
            broker: Arc::new(broker),
        }
    }

    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Where browsers reach the broker; `None`: where they reach this server, see [`serve`](Self::serve).
    pub fn websocket_port(&self) -> Option<u16> {
        matches!(&*self.broker, Broker::Mosquitto(_)).then_some(self.websocket_port)
    }

    /// Serves a browser with the built-in broker.
    pub async fn serve(&self, socket: WebSocket) {
        if let Broker::Own(broker) = &*self.broker {
            broker.serve(socket).await;
        }
    }

    /// Whose token this is.
    pub fn person(&self, token: &str) -> Result<Person, Refusal> {
        lock(&self.people).by_token(token).cloned().ok_or(Refusal::Stranger)
    }
}
