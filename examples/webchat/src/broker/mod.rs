//! The broker that the chat runs on, and who is let in there.

mod files;
mod gate;
mod mosquitto;
mod own;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::{io, thread};

use mosquitto::Mosquitto;
pub use own::Own;

use crate::options::{Choice, Options};
use crate::{link, secret};

/// The user that this server is for the broker. Nobody can choose this name.
pub const SERVER: &str = "webchat@server";

pub enum Broker {
    Mosquitto(Mosquitto),
    Own(Own),
}

impl Broker {
    pub fn start(options: &Options, password: &str) -> Result<Self, String> {
        let groups = &options.groups;
        match &options.broker {
            Choice::Own => Own::start(groups, password).map(Broker::Own),
            Choice::Any if !mosquitto::is_installed() => {
                println!("There is no Mosquitto on this machine: using the small broker that comes along.");
                Own::start(groups, password).map(Broker::Own)
            }
            Choice::Any => {
                let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().map_err(|e| e.to_string())?));
                let broker = Mosquitto::new(addr, options.websocket_port, groups, password, None)?;
                broker.supervise()?;
                Ok(Broker::Mosquitto(broker))
            }
            Choice::Running { addr, files } => {
                let broker =
                    Mosquitto::new(*addr, options.websocket_port, groups, password, Some(files.clone()))?;
                println!("Mosquitto's configuration is in {}", files.display());
                Ok(Broker::Mosquitto(broker))
            }
        }
    }

    /// Where this server connects to.
    pub fn addr(&self) -> SocketAddr {
        match self {
            Broker::Mosquitto(broker) => broker.addr(),
            Broker::Own(broker) => broker.addr(),
        }
    }

    /// Lets somebody in, and some others not any more; returns once that holds.
    pub async fn admit(self: &Arc<Self>, name: &str, password: &str, gone: &[String]) -> Result<(), String> {
        let (this, name, password) = (Arc::clone(self), name.to_owned(), password.to_owned());
        let gone = gone.to_vec();
        let admit = move || match &*this {
            Broker::Mosquitto(broker) => broker.admit(&name, &password, &gone),
            Broker::Own(broker) => {
                gone.iter().for_each(|name| broker.dismiss(name));
                broker.admit(&name, &password);
                Ok(())
            }
        };
        tokio::task::spawn_blocking(admit).await.unwrap_or_else(|error| Err(error.to_string()))
    }

    /// Lets somebody in no more.
    pub fn dismiss(&self, name: &str) -> Result<(), String> {
        match self {
            Broker::Mosquitto(broker) => broker.dismiss(&[name.to_owned()]),
            Broker::Own(broker) => {
                broker.dismiss(name);
                Ok(())
            }
        }
    }
}

/// A loopback port that nobody listens on now.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Tries until the broker lets somebody in; `false` if it does not in a few seconds.
fn wait_until_let_in(broker: SocketAddr, name: &str, password: &str) -> Result<bool, String> {
    let id = client_id()?;
    for _ in 0..100 {
        if link::lets_in(broker, &id, name, password) {
            return Ok(true);
        }
        thread::sleep(std::time::Duration::from_millis(30));
    }
    Ok(false)
}

/// A client identifier that nobody guesses: with a known one, anybody could push the connection out. MQTT 3.1 has room
/// for 23 characters.
pub fn client_id() -> Result<String, String> {
    let mut id = secret::random()?;
    id.truncate(20);
    Ok(id)
}
