//! The thread that has the connection: it sends what is posted, and hears who is here.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use std::{io, process};

use baremqtt::codec::Publish;
use baremqtt::transport::net::{Connection, Error, GaveUp, Reconnect, Update, open_tcp};
use baremqtt::{
    Backoff, Buffers, Client, Config, Connect, Event, Message, PacketId, QoS, RequestError, Routes,
    SessionLoss, State,
};
use tokio::sync::oneshot;

use super::{Failure, MAX_WAITING, Post, Shared};
use crate::chat::presence::{FILTER, Presence};
use crate::lock;

/// How long the thread waits for the broker before it looks for something to send.
const TURN: Duration = Duration::from_millis(10);
/// Bytes under way to the broker.
const MAX_BYTES: usize = 8 << 20;

type Open = Box<dyn FnMut() -> io::Result<TcpStream> + Send>;
pub(super) type Mqtt = Reconnect<Open, TcpStream, Vec<u8>, Vec<u8>, Choices>;
type Handlers = Routes<&'static str, Handler, 1>;

/// What to do with messages of a topic.
type Handler = fn(&mut Presence, &Publish<'_>);

/// A connection that comes back by itself.
pub(super) fn reconnecting(broker: SocketAddr) -> Mqtt {
    let buffers = Buffers { rx: vec![0; 64 << 10], tx: vec![0; MAX_BYTES] };
    let connection = Connection::offline(Client::with_config(buffers, Choices));
    let open: Open = Box::new(move || open_tcp(broker, Duration::from_secs(2)));
    // The chat lives as long as its server does: whoever has taken its password away may give it back.
    Reconnect::new(connection, open, Backoff::new(200, 3_000).seed(process::id())).retry_refusals()
}

pub(super) struct Choices;

impl Config for Choices {
    fn max_requests(&self) -> u16 {
        MAX_WAITING as u16
    }

    /// What was under way when the connection was lost is not sent again by itself: its sender was told that it failed.
    fn session_loss(&self) -> SessionLoss {
        SessionLoss::Drop
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

pub(super) struct Worker {
    inbox: Receiver<Post>,
    shared: Arc<Shared>,
    /// Who waits for which acknowledgement.
    waiting: HashMap<PacketId, oneshot::Sender<Result<(), Failure>>>,
    /// That the broker is away was said already.
    said: bool,
}

impl Worker {
    pub(super) fn new(inbox: Receiver<Post>, shared: Arc<Shared>) -> Self {
        Worker { inbox, shared, waiting: HashMap::new(), said: false }
    }

    /// Runs until it is stopped.
    pub(super) fn run(mut self, mut mqtt: Mqtt, connect: &Connect<'_>) {
        if let Err(error) = self.turns(&mut mqtt, connect) {
            eprintln!("webchat: the connection is given up: {error}");
        }
        self.all_failed();
        // Nobody is left who would care whether it reaches the broker.
        let _ = mqtt.disconnect();
    }

    fn turns(&mut self, mqtt: &mut Mqtt, connect: &Connect<'_>) -> Result<(), Box<dyn std::error::Error>> {
        let mut routes = Handlers::new();
        routes.add(FILTER, QoS::AtLeastOnce, Presence::hear)?;
        loop {
            self.take_posts(mqtt);
            match mqtt.next_event(connect, Some(TURN)) {
                Ok(Update::Event(event)) => {
                    routes.note(&event);
                    self.handle(&event, &routes);
                }
                Ok(Update::LinkLost { error, .. }) => self.lost(&error),
                Ok(Update::Idle) => {}
                Err(GaveUp::Stopped) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            routes.subscribe(&mut mqtt.outbound())?;
        }
    }

    /// Sends what people have posted.
    fn take_posts(&mut self, mqtt: &mut Mqtt) {
        while let Ok(post) = self.inbox.try_recv() {
            // Whoever does not wait any more was told that it failed.
            if post.answer.is_closed() {
                continue;
            }
            match publish(mqtt, &post) {
                Ok(Some(id)) => drop(self.waiting.insert(id, post.answer)),
                Ok(None) | Err(RequestError::NotConnected) => drop(post.answer.send(Err(Failure::Away))),
                Err(_) => drop(post.answer.send(Err(Failure::Busy))),
            }
        }
    }

    fn handle(&mut self, event: &Event<'_>, routes: &Handlers) {
        match event {
            Event::Connected { .. } => self.connected(),
            Event::Published { id, .. } => self.answer(*id, Ok(())),
            Event::Ended { id, .. } => self.answer(*id, Err(Failure::Away)),
            Event::Message(message) => {
                let mut presence = lock(&self.shared.presence);
                routes.matching(message.topic).for_each(|handler| handler(&mut presence, message));
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

    fn connected(&mut self) {
        if self.said {
            eprintln!("webchat: the broker is there again");
            self.said = false;
        }
        self.shared.connected.store(true, Ordering::Release);
    }

    fn lost(&mut self, error: &Error) {
        if !self.said {
            eprintln!("webchat: the broker is away: {error}");
            self.said = true;
        }
        self.all_failed();
    }

    /// Nobody waits for a connection that is gone: they can send again, and receivers know a repetition by its id.
    fn all_failed(&mut self) {
        self.shared.connected.store(false, Ordering::Release);
        for (_, answer) in self.waiting.drain() {
            let _ = answer.send(Err(Failure::Away));
        }
        lock(&self.shared.presence).lost();
    }
}

/// Queues a message while there is a connection: later, its sender would have been told that it failed.
fn publish(mqtt: &mut Mqtt, post: &Post) -> Result<Option<PacketId>, RequestError> {
    if mqtt.state() != State::Connected {
        return Err(RequestError::NotConnected);
    }
    mqtt.publish(&Message {
        topic: &post.topic,
        payload: &post.payload,
        qos: QoS::AtLeastOnce,
        retain: post.retain,
    })
}
