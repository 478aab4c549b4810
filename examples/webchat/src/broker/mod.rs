//! The broker that the chat uses, and who is admitted to it.

mod login;
mod mosquitto;
mod own;

use std::sync::Arc;

use std::net::SocketAddr;

use mosquitto::Mosquitto;
pub use own::Own;

use crate::options::{Choice, Options};
use crate::secret;

/// The user name of this server at the broker. Nobody can choose this name.
pub const SERVER: &str = "webchat@server";

pub enum Broker {
    Mosquitto(Mosquitto),
    Own(Own),
}

impl Broker {
    /// Starts the chosen broker, and returns a description of it.
    pub fn start(options: &Options, password: &str) -> Result<Self, String> {
        let (port, groups) = (options.websocket_port, &options.groups);
        match &options.broker {
            Choice::Any => match mosquitto::find() {
                Some(program) => {
                    let name = program.display().to_string();
                    let broker = Mosquitto::start(program, port, groups, password)?;
                    println!(
                        "The broker is a Mosquitto that was started for this chat: {name}, port {port}."
                    );
                    Ok(Broker::Mosquitto(broker))
                }
                None => {
                    println!("There is no Mosquitto on this machine (Debian: apt install mosquitto).");
                    Broker::own(groups, password)
                }
            },
            Choice::Own => Broker::own(groups, password),
            Choice::Running { addr, files } => {
                let broker = Mosquitto::beside(*addr, files.clone(), port, groups, password)?;
                println!("The broker is a Mosquitto at {addr}, port {port} for browsers, that you start by");
                println!("    mosquitto -c {}", broker.config().display());
                Ok(Broker::Mosquitto(broker))
            }
        }
    }

    fn own(groups: &[String], password: &str) -> Result<Self, String> {
        let broker = Own::start(groups, password)?;
        println!("The broker is the small one among these examples, within this program.");
        Ok(Broker::Own(broker))
    }

    /// The address that this server connects to.
    pub fn addr(&self) -> SocketAddr {
        match self {
            Broker::Mosquitto(broker) => broker.addr(),
            Broker::Own(broker) => broker.addr(),
        }
    }

    /// Admits somebody, and stops admitting some others; returns once that is in effect.
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

    /// Stops admitting somebody, and disconnects them.
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

/// A client identifier that nobody can guess: with a known one, anybody could take over the connection. MQTT 3.1 allows
/// 23 characters.
pub fn client_id() -> Result<String, String> {
    let mut id = secret::random()?;
    id.truncate(20);
    Ok(id)
}
