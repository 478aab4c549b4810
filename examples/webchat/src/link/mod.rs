//! The single connection to the broker, as the rest of the server uses it.

mod listener;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{io, process};

use baremqtt::transport::net::{self, Runner, open_tcp};
use baremqtt::transport::{HandleError, WaitError};
use baremqtt::{Backoff, Buffers, Client, Config, Connect, Message, RequestError, Version};
use tokio::sync::Semaphore;
use tokio::task;

use crate::chat::presence::{self, Presence};
use crate::lock;
use listener::Listener;

/// How long a sender waits for the broker's acknowledgement.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The limit of messages in flight.
const MAX_WAITING: u16 = 64;
/// The limit of their size in bytes.
const MAX_BYTES: usize = 8 << 20;

/// Why a message was not sent, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no connection, or it was lost before the acknowledgement.
    Away,
    /// Too many messages are in flight.
    Busy,
    /// No acknowledgement in time.
    Late,
}

pub struct Link {
    handle: net::Handle<Vec<u8>, Vec<u8>, Choices>,
    /// Each sender waits on a thread.
    places: Arc<Semaphore>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    connected: AtomicBool,
    presence: Mutex<Presence>,
}

struct Choices;

impl Config for Choices {
    fn max_requests(&self) -> u16 {
        MAX_WAITING
    }

    fn connack_timeout_ms(&self) -> u32 {
        3_000
    }

    fn pingresp_timeout_ms(&self) -> u32 {
        5_000
    }

    fn ack_timeout_ms(&self) -> u32 {
        8_000
    }
}

impl Link {
    /// Connects, and reconnects whenever there is no connection.
    pub fn start(broker: SocketAddr, id: String, username: String, password: String) -> io::Result<Self> {
        let buffers = Buffers { rx: vec![0; 64 << 10], tx: vec![0; MAX_BYTES] };
        let backoff = Backoff::new(200, 3_000).seed(process::id());
        // The chat runs as long as its server does: whoever removed its password may restore it.
        let runner = Runner::new(Client::with_config(buffers, Choices), backoff).retry_refusals();
        let (handle, shared) = (runner.handle(), Arc::new(Shared::default()));
        let mut listener = Listener::new(Arc::clone(&shared)).map_err(io::Error::other)?;
        let run = move || {
            let connect = Connect::new(&id)
                .version(Version::Mqtt31)
                .keep_alive(10)
                .credentials(&username, password.as_bytes());
            let result = runner.run(
                |link| {
                    let stream = link.open(move || open_tcp(broker, Duration::from_secs(2)))?;
                    link.run(stream, &connect)
                },
                |update, outbound| listener.take(update, outbound),
            );
            if let Err(error) = result {
                eprintln!("webchat: the connection is given up: {error}");
            }
        };
        let thread = thread::Builder::new().name("mqtt".to_owned()).spawn(run)?;
        let places = Arc::new(Semaphore::new(MAX_WAITING.into()));
        Ok(Link { handle, places, shared, thread: Some(thread) })
    }

    pub fn is_connected(&self) -> bool {
        self.shared.connected.load(Ordering::Acquire)
    }

    pub fn with_presence<T>(&self, look: impl FnOnce(&mut Presence) -> T) -> T {
        look(&mut lock(&self.shared.presence))
    }

    /// Publishes at QoS 1, and waits for the acknowledgement, for a while.
    pub async fn publish(&self, topic: &str, payload: Vec<u8>) -> Result<(), Failure> {
        self.post(topic, payload, false).await
    }

    /// Makes the broker forget the last presence of this name.
    pub async fn clear_presence(&self, name: &str) {
        self.with_presence(|presence| presence.forget(name));
        // While the broker is away there is nothing to clear: it keeps nothing when it ends.
        let _ = self.post(&presence::topic(name), Vec::new(), true).await;
    }

    async fn post(&self, topic: &str, payload: Vec<u8>, retain: bool) -> Result<(), Failure> {
        if !self.is_connected() {
            return Err(Failure::Away);
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Failure::Busy)?;
        let (handle, topic) = (self.handle.clone(), topic.to_owned());
        let publishing = task::spawn_blocking(move || {
            let _place = place;
            let message = Message { retain, ..Message::new(&topic, &payload).at_least_once() };
            handle.publish_and_wait(&message, Some(TIMEOUT))
        });
        publishing.await.map_err(|_| Failure::Away)?.map_err(Failure::from)
    }
}

impl From<HandleError<WaitError>> for Failure {
    fn from(error: HandleError<WaitError>) -> Self {
        match error {
            HandleError::Refused(WaitError::TimedOut { .. }) => Failure::Late,
            HandleError::Refused(WaitError::Request(
                RequestError::Full(_) | RequestError::TooLarge { .. },
            )) => Failure::Busy,
            _ => Failure::Away,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
