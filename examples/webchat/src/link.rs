//! The one connection to the broker, in a thread of its own.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{io, process, thread};

use baremqtt::transport::std::{Connection, GaveUp, Reconnect, Update, open_tcp};
use baremqtt::{
    Backoff, Buffers, Client, Connect, Event, Message, Options, PacketId, QoS, RequestError, SessionLoss,
    Version,
};
use tokio::sync::oneshot;

use crate::lock;
use crate::presence::{self, Presence};

/// How long a sender waits for the broker's acknowledgement.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the thread waits for the broker before it looks for something to send.
const TURN: Duration = Duration::from_millis(10);
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

struct Post {
    topic: String,
    payload: Arc<str>,
    retain: bool,
    answer: oneshot::Sender<Result<(), Failure>>,
}

/// What the rest of the server has of the connection.
pub struct Link {
    posts: SyncSender<Post>,
    shared: Arc<Shared>,
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
        let worker = Worker { inbox, shared: Arc::clone(&shared), waiting: HashMap::new(), said: false };
        thread::Builder::new().name("mqtt".to_owned()).spawn(move || {
            let connect = Connect::new(&id)
                .version(Version::Mqtt31)
                .keep_alive(10)
                .credentials(&username, password.as_bytes());
            let Err(error) = worker.run(broker, &connect);
            eprintln!("webchat: {error}");
        })?;
        Ok(Link { posts, shared })
    }

    pub fn is_connected(&self) -> bool {
        self.shared.connected.load(Ordering::Acquire)
    }

    pub fn with_presence<T>(&self, look: impl FnOnce(&mut Presence) -> T) -> T {
        look(&mut lock(&self.shared.presence))
    }

    /// Publishes at QoS 1, and waits for the acknowledgement, a while.
    pub async fn publish(&self, topic: &str, payload: &Arc<str>) -> Result<(), Failure> {
        self.post(topic, payload, false).await
    }

    /// Makes the broker forget who said last that they are here or not.
    pub async fn clear_presence(&self, name: &str) {
        self.with_presence(|presence| presence.forget(name));
        // While the broker is away there is nothing to forget: it keeps nothing when it ends.
        let _ = self.post(&presence::topic(name), &Arc::from(""), true).await;
    }

    async fn post(&self, topic: &str, payload: &Arc<str>, retain: bool) -> Result<(), Failure> {
        if !self.is_connected() {
            return Err(Failure::Away);
        }
        let (answer, answered) = oneshot::channel();
        let post = Post { topic: topic.to_owned(), payload: Arc::clone(payload), retain, answer };
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

type Mqtt<F> = Reconnect<F, TcpStream, Vec<u8>, Vec<u8>, MAX_WAITING>;

struct Worker {
    inbox: Receiver<Post>,
    shared: Arc<Shared>,
    /// Who waits for which acknowledgement.
    waiting: HashMap<PacketId, oneshot::Sender<Result<(), Failure>>>,
    /// That the broker is away was said already.
    said: bool,
}

impl Worker {
    fn run(mut self, broker: SocketAddr, connect: &Connect<'_>) -> Result<std::convert::Infallible, GaveUp> {
        let mut mqtt = reconnecting(broker);
        loop {
            self.take_posts(&mut mqtt);
            let mut connected = false;
            match mqtt.next_event(connect, Some(TURN))? {
                Update::Event(Event::Connected { .. }) => connected = true,
                Update::Event(event) => self.handle(&event),
                Update::LinkLost { error, .. } => {
                    if !self.said {
                        eprintln!("webchat: the broker is away: {error}");
                    }
                    self.said = true;
                    self.lost();
                }
                Update::Idle => {}
            }
            if connected {
                self.connected(&mut mqtt);
            }
        }
    }

    /// Sends what people have posted.
    fn take_posts<F: FnMut() -> io::Result<TcpStream>>(&mut self, mqtt: &mut Mqtt<F>) {
        while let Ok(post) = self.inbox.try_recv() {
            // Whoever does not wait any more was told that it failed.
            if post.answer.is_closed() {
                continue;
            }
            let message = Message {
                topic: &post.topic,
                payload: post.payload.as_bytes(),
                qos: QoS::AtLeastOnce,
                retain: post.retain,
            };
            let published = match mqtt.connection().is_open() {
                true => mqtt.connection().publish(&message),
                false => Err(RequestError::NotConnected),
            };
            match published {
                Ok(Some(id)) => drop(self.waiting.insert(id, post.answer)),
                Ok(None) | Err(RequestError::NotConnected) => drop(post.answer.send(Err(Failure::Away))),
                Err(_) => drop(post.answer.send(Err(Failure::Busy))),
            }
        }
    }

    fn handle(&mut self, event: &Event<'_>) {
        match event {
            Event::Published { id, .. } => self.answer(*id, Ok(())),
            Event::Ended { id, .. } => self.answer(*id, Err(Failure::Away)),
            Event::Message(message) => {
                if let Some(name) = message.topic.as_str().strip_prefix(&presence::topic("")) {
                    lock(&self.shared.presence).note(name, message.payload);
                }
            }
            _ => {}
        }
    }

    fn answer(&mut self, id: PacketId, result: Result<(), Failure>) {
        if let Some(answer) = self.waiting.remove(&id) {
            // Whoever does not wait any more was told that it failed.
            let _ = answer.send(result);
        }
    }

    fn connected<F: FnMut() -> io::Result<TcpStream>>(&mut self, mqtt: &mut Mqtt<F>) {
        if self.said {
            eprintln!("webchat: the broker is there again");
            self.said = false;
        }
        // It is told again with every connection; a session that is kept would bring messages of no use.
        match mqtt.connection().subscribe(&[(&presence::topic("+"), QoS::AtLeastOnce)]) {
            Ok(_) => self.shared.connected.store(true, Ordering::Release),
            Err(error) => eprintln!("webchat: cannot subscribe: {error}"),
        }
    }

    /// Nobody waits for a connection that is gone: they can send again, and receivers know a repetition by its id.
    fn lost(&mut self) {
        self.shared.connected.store(false, Ordering::Release);
        for (_, answer) in self.waiting.drain() {
            let _ = answer.send(Err(Failure::Away));
        }
        lock(&self.shared.presence).lost();
    }
}

fn reconnecting(broker: SocketAddr) -> Mqtt<impl FnMut() -> io::Result<TcpStream>> {
    let mut options = Options::new();
    // What was under way when the connection was lost is not sent again by itself: its sender was told that it failed.
    options.session_loss = SessionLoss::Drop;
    options.timeouts.connack_ms = 3_000;
    options.timeouts.pingresp_ms = 5_000;
    options.timeouts.ack_ms = 8_000;
    let buffers = Buffers { rx: vec![0; 64 << 10], tx: vec![0; 8 << 20] };
    let client = Client::with_options(buffers, options);
    let connection = Connection::offline(client, |tcp: &TcpStream, time| tcp.set_read_timeout(Some(time)));
    let open = move || open_tcp(broker, Duration::from_secs(2));
    Reconnect::new(connection, open, Backoff::new(200, 3_000).seed(process::id()))
}

/// Whether the broker lets somebody in, now.
pub fn lets_in(broker: SocketAddr, id: &str, username: &str, password: &str) -> bool {
    let client = Client::<_, _, 1>::new(Buffers { rx: vec![0; 256], tx: vec![0; 1024] });
    let Ok(mut connection) = Connection::tcp(broker, Duration::from_secs(1), client) else { return false };
    let connect = Connect::new(id).version(Version::Mqtt31).credentials(username, password.as_bytes());
    connection.connect(&connect).is_ok() && connection.disconnect().is_ok()
}
