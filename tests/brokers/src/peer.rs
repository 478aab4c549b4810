//! A client with its connection, and what it has received.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use baremqtt::transport::net::{Connection, Error};
use baremqtt::{
    Buffers, Client, Config, Connect, Event, LargeMessages, Message, QoS, RefusalCode, StreamedMessage,
    SubAckCode, Version,
};

/// How long anything may take.
const TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug)]
pub struct Choices;

impl Config for Choices {
    fn streams(&self) -> bool {
        true
    }

    fn large_messages(&self) -> LargeMessages {
        LargeMessages::Pieces
    }
}

/// Where a broker listens, and the credentials of clients that have no user name of their own.
#[derive(Clone, Copy)]
pub struct Target {
    pub addr: SocketAddr,
    pub guest: Option<&'static str>,
}

type Buffered = Client<Vec<u8>, Vec<u8>, Choices>;

#[derive(Debug, PartialEq)]
pub struct Received {
    pub topic: String,
    pub payload: Vec<u8>,
    pub qos: QoS,
    pub retain: bool,
}

pub struct Peer {
    pub mqtt: Connection<TcpStream, Vec<u8>, Vec<u8>, Choices>,
    guest: Option<&'static str>,
    pub session_present: Option<bool>,
    pub received: Vec<Received>,
    pub published: usize,
    pub granted: Option<SubAckCode>,
    unsubscribed: bool,
    /// The payload that is streamed out, and how far it has got.
    stream: (Vec<u8>, usize),
}

impl Peer {
    pub fn new(to: Target) -> Result<Self, Error> {
        Self::with(to, Client::with_config(Buffers { rx: vec![0; 4096], tx: vec![0; 8192] }, Choices))
    }

    fn with(to: Target, client: Buffered) -> Result<Self, Error> {
        Ok(Peer {
            mqtt: Connection::tcp(to.addr, TIMEOUT, client).map_err(Error::Io)?,
            guest: to.guest,
            session_present: None,
            received: Vec::new(),
            published: 0,
            granted: None,
            unsubscribed: false,
            stream: (Vec::new(), 0),
        })
    }

    /// Connected, or why not. If the server is unavailable the attempt is repeated, as that code suggests: some send it as long as they
    /// have not ended the previous connection of this client.
    pub fn connect(to: Target, connect: &Connect<'_>) -> Result<Self, Error> {
        let end = Instant::now() + TIMEOUT;
        loop {
            let mut peer = Self::new(to)?;
            match peer.send_connect(connect) {
                Ok(()) => return Ok(peer),
                Err(error)
                    if error.refusal() == Some(RefusalCode::SERVER_UNAVAILABLE) && Instant::now() < end =>
                {
                    std::thread::sleep(Duration::from_millis(100));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn send_connect(&mut self, connect: &Connect<'_>) -> Result<(), Error> {
        match self.guest {
            Some(guest) if connect.credentials.is_none() => {
                self.mqtt.connect(&connect.credentials(guest, b"guest"))?
            }
            _ => self.mqtt.connect(connect)?,
        }
        match self.mqtt.next_event(Some(TIMEOUT))? {
            Some(Event::Connected { session_present }) => self.session_present = session_present,
            other => panic!("instead of CONNACK: {other:?}"),
        }
        Ok(())
    }

    pub fn start(to: Target, id: &str, version: Version) -> Self {
        let connect = Connect::new(id).version(version).keep_alive(30);
        Self::connect(to, &connect).unwrap_or_else(|error| panic!("CONNECT: {error}"))
    }

    /// Ends the connection with DISCONNECT; the client keeps the session.
    pub fn disconnect(mut self) -> Buffered {
        self.mqtt.disconnect().unwrap();
        self.mqtt.into_client()
    }

    /// Reconnects with the session of this client.
    pub fn resume(to: Target, client: Buffered, connect: &Connect<'_>) -> Self {
        let end = Instant::now() + TIMEOUT;
        let mut client = Some(client);
        loop {
            // While the broker starts, its port is closed, or it closes connections at once.
            std::thread::sleep(Duration::from_millis(100));
            assert!(Instant::now() < end, "no connection in time");
            if TcpStream::connect(to.addr).is_err() {
                continue;
            }
            let mut peer = Self::with(to, client.take().unwrap()).unwrap();
            match peer.send_connect(connect) {
                Ok(()) => return peer,
                Err(_) => client = Some(peer.mqtt.into_client()),
            }
        }
    }

    /// Handles events until `condition` holds.
    pub fn run_until(&mut self, what: &str, condition: impl Fn(&Peer) -> bool) {
        let end = Instant::now() + TIMEOUT;
        while !condition(self) {
            assert!(
                Instant::now() < end,
                "{what}: not in time, {} received, {} published",
                self.received.len(),
                self.published
            );
            self.step(Duration::from_millis(50)).unwrap_or_else(|error| fail(what, error));
        }
    }

    /// Handles events for this long.
    pub fn run_for(&mut self, time: Duration) -> Result<(), Error> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.step(Duration::from_millis(20))?;
        }
        Ok(())
    }

    pub fn step(&mut self, wait: Duration) -> Result<(), Error> {
        match self.mqtt.next_event(Some(wait))? {
            Some(Event::Message(message)) => {
                self.received.push(Received {
                    topic: message.topic.as_str().into(),
                    payload: message.payload.to_vec(),
                    qos: message.delivery.qos(),
                    retain: message.retain,
                });
            }
            Some(Event::MessageStart(large)) => {
                let topic = large.topic.map_or("", |topic| topic.as_str()).into();
                let (qos, retain) = (large.delivery.qos(), large.retain);
                self.received.push(Received { topic, payload: Vec::new(), qos, retain });
            }
            Some(Event::MessagePiece(piece)) => self.received.last_mut().unwrap().payload.extend(piece),
            Some(Event::Published { .. }) => self.published += 1,
            Some(Event::Subscribed { codes, .. }) => self.granted = codes.get(0),
            Some(Event::Unsubscribed { .. }) => self.unsubscribed = true,
            Some(Event::StreamReady { .. }) => {
                let (payload, at) = &mut self.stream;
                *at += self.mqtt.write_payload(&payload[*at..])?;
            }
            Some(Event::MessageEnd) | None => {}
            Some(other) => panic!("{other:?}"),
        }
        if self.mqtt.waits_for_payload() {
            let (payload, at) = &mut self.stream;
            *at += self.mqtt.write_payload(&payload[*at..])?;
        }
        Ok(())
    }

    /// Returns what was granted.
    pub fn subscribe(&mut self, filter: &str, qos: QoS) -> SubAckCode {
        self.granted = None;
        self.mqtt.subscribe(&[(filter, qos)]).unwrap();
        self.run_until("SUBACK", |peer| peer.granted.is_some());
        self.granted.unwrap()
    }

    pub fn unsubscribe(&mut self, filter: &str) {
        self.mqtt.unsubscribe(&[filter]).unwrap();
        self.run_until("UNSUBACK", |peer| peer.unsubscribed);
    }

    /// Queues it, as soon as there is room.
    pub fn publish(&mut self, message: &Message<'_>) {
        let end = Instant::now() + TIMEOUT;
        while self.mqtt.publish(message).is_err() {
            assert!(Instant::now() < end, "there is no room: {} published", self.published);
            self.step(Duration::from_millis(20)).unwrap_or_else(|error| fail("publishing", error));
        }
    }

    pub fn publish_streamed(&mut self, topic: &str, payload: Vec<u8>) {
        let message = StreamedMessage::new(topic, payload.len()).qos(QoS::AtLeastOnce).repeatable();
        self.stream = (payload, 0);
        self.mqtt.publish_streamed(&message).unwrap();
    }

    /// Everything queued has been sent.
    pub fn flush(&mut self) {
        let end = Instant::now() + TIMEOUT;
        while !self.mqtt.flush().unwrap() {
            assert!(Instant::now() < end, "the output is stuck");
        }
    }
}

/// The broker has closed the connection: that is what it does instead.
pub struct ConnectionClosed(pub String);

fn fail(what: &str, error: Error) -> ! {
    match error {
        Error::Io(_) | Error::Closed => {
            std::panic::panic_any(ConnectionClosed(format!("no: it closes the connection ({what})")))
        }
        error => panic!("{what}: {error}"),
    }
}
