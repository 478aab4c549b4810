//! Finds out whether the broker admits somebody, by trying.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::net::Connection;
use baremqtt::{Buffers, Client, Connect, Event, Version};

use super::client_id;

/// How long it may take until the broker knows a new user.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Tries until the broker admits somebody; `false` if it does not within a few seconds.
pub fn wait_until_let_in(broker: SocketAddr, name: &str, password: &str) -> Result<bool, String> {
    let id = client_id()?;
    let started = Instant::now();
    while !lets_in(broker, &id, name, password) {
        if started.elapsed() > TIMEOUT {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(30));
    }
    Ok(true)
}

fn lets_in(broker: SocketAddr, id: &str, username: &str, password: &str) -> bool {
    let client = Client::new(Buffers { rx: vec![0; 256], tx: vec![0; 1024] });
    let Ok(mut connection) = Connection::tcp(broker, Duration::from_secs(1), client) else { return false };
    let connect = Connect::new(id).version(Version::Mqtt31).credentials(username, password.as_bytes());
    if connection.connect(&connect).is_err() {
        return false;
    }
    // This is the first event.
    matches!(connection.next_event(None), Ok(Some(Event::Connected { .. })))
        && connection.disconnect().is_ok()
}
