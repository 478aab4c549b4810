//! The one connection to the broker: what the rest of the server has of it.

mod worker;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use baremqtt::transport::net::StopHandle;
use baremqtt::{Connect, Version};
use tokio::sync::oneshot;

use crate::chat::presence::{self, Presence};
use crate::lock;
use worker::Worker;

/// How long a sender waits for the broker's acknowledgement.
const PATIENCE: Duration = Duration::from_secs(5);
/// Messages that wait to be sent, and as many under way.
const MAX_WAITING: usize = 64;

/// Why a message was not sent, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no connection, or it was lost before the acknowledgement.
    Away,
    /// Too much is under way.
    Busy,
    /// No acknowledgement in time.
    Late,
}

pub struct Link {
    posts: SyncSender<Post>,
    shared: Arc<Shared>,
    stop: StopHandle,
    thread: Option<JoinHandle<()>>,
}

/// A message on its way to the thread that has the connection.
struct Post {
    topic: String,
    payload: Vec<u8>,
    retain: bool,
    answer: oneshot::Sender<Result<(), Failure>>,
}

#[derive(Default)]
struct Shared {
    connected: AtomicBool,
    presence: Mutex<Presence>,
}

impl Link {
    /// Connects from now on, again and again, whenever there is no connection.
    pub fn start(broker: SocketAddr, id: String, username: String, password: String) -> io::Result<Self> {
        let (posts, inbox) = mpsc::sync_channel(MAX_WAITING);
        let shared = Arc::new(Shared::default());
        let worker = Worker::new(inbox, Arc::clone(&shared));
        let mqtt = worker::reconnecting(broker);
        let stop = mqtt.stop_handle();
        let run = move || {
            let connect = Connect::new(&id)
                .version(Version::Mqtt31)
                .keep_alive(10)
                .credentials(&username, password.as_bytes());
            worker.run(mqtt, &connect);
        };
        let thread = thread::Builder::new().name("mqtt".to_owned()).spawn(run)?;
        Ok(Link { posts, shared, stop, thread: Some(thread) })
    }

    pub fn is_connected(&self) -> bool {
        self.shared.connected.load(Ordering::Acquire)
    }

    pub fn with_presence<T>(&self, look: impl FnOnce(&mut Presence) -> T) -> T {
        look(&mut lock(&self.shared.presence))
    }

    /// Publishes at QoS 1, and waits for the acknowledgement, a while.
    pub async fn publish(&self, topic: &str, payload: Vec<u8>) -> Result<(), Failure> {
        self.post(topic, payload, false).await
    }

    /// Makes the broker forget who said last that they are here or not.
    pub async fn clear_presence(&self, name: &str) {
        self.with_presence(|presence| presence.forget(name));
        // While the broker is away there is nothing to forget: it keeps nothing when it ends.
        let _ = self.post(&presence::topic(name), Vec::new(), true).await;
    }

    async fn post(&self, topic: &str, payload: Vec<u8>, retain: bool) -> Result<(), Failure> {
        if !self.is_connected() {
            return Err(Failure::Away);
        }
        let (answer, answered) = oneshot::channel();
        let post = Post { topic: topic.to_owned(), payload, retain, answer };
        self.posts.try_send(post).map_err(|error| match error {
            TrySendError::Full(_) => Failure::Busy,
            TrySendError::Disconnected(_) => Failure::Away,
        })?;
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Failure::Away),
            Err(_) => Err(Failure::Late),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
