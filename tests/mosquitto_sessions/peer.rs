//! A client that reconnects by itself, whatever happens to its link.

use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant as Clock};

use baremqtt::transport::net::{Connection, Error, open_tcp};
use baremqtt::{Buffers, Client, Connect, Event, Message, PacketId, QoS, RequestError, SubAckCode, Version};

use crate::choices::{Choices, Values};

/// A client with buffers of any size.
pub type Buffered = Client<Vec<u8>, Vec<u8>, Choices>;

/// How long anything may take, on a slow and busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(600);

pub const VERSIONS: [Version; 2] = [Version::Mqtt31, Version::Mqtt311];

/// The configuration of a peer.
#[derive(Clone, Copy)]
pub struct Setup {
    pub addr: SocketAddr,
    pub id: &'static str,
    pub version: Version,
    pub clean_session: bool,
    pub keep_alive: u16,
    pub choices: Values,
    pub rx: usize,
    pub tx: usize,
    /// How long all of it may take.
    pub timeout: Duration,
}

impl Setup {
    /// A client with a persistent session, and buffers of 64 KiB.
    pub fn new(addr: SocketAddr, id: &'static str, version: Version) -> Self {
        Setup {
            addr,
            id,
            version,
            clean_session: false,
            keep_alive: 60,
            choices: Values { streams: true, ..Choices::new().values() },
            rx: 0x1_0000,
            tx: 0x1_0000,
            timeout: TIMEOUT,
        }
    }

    pub fn buffers(self, rx: usize, tx: usize) -> Self {
        Setup { rx, tx, ..self }
    }

    pub fn timeout(self, timeout: Duration) -> Self {
        Setup { timeout, ..self }
    }

    pub fn choose(self, choose: impl FnOnce(&mut Values)) -> Self {
        let mut setup = self;
        choose(&mut setup.choices);
        setup
    }

    pub fn client(&self) -> Buffered {
        let choices = Choices::new();
        choices.choose(|values| *values = self.choices);
        Client::with_config(Buffers { rx: vec![0; self.rx], tx: vec![0; self.tx] }, choices)
    }

    fn connect(&self) -> Connect<'static> {
        Connect::new(self.id)
            .version(self.version)
            .clean_session(self.clean_session)
            .keep_alive(self.keep_alive)
    }
}

/// The client, its link, and a record of its connections.
pub struct Peer {
    pub mqtt: Connection<TcpStream, Vec<u8>, Vec<u8>, Choices>,
    setup: Setup,
    end: Clock,
    /// What the broker has reported about the session, connection by connection.
    pub sessions: Vec<Option<bool>>,
    /// Why connections have ended.
    pub errors: Vec<Error>,
}

impl Peer {
    pub fn start(setup: &Setup) -> Self {
        Self::with_client(setup, setup.client())
    }

    pub fn with_client(setup: &Setup, client: Buffered) -> Self {
        let end = Clock::now() + setup.timeout;
        let mqtt = Connection::new(open(setup.addr, end), client);
        let mut peer = Peer { mqtt, setup: *setup, end, sessions: Vec::new(), errors: Vec::new() };
        match peer.connect() {
            Ok(()) => {}
            Err(error) => peer.reconnect(error),
        }
        peer
    }

    fn connect(&mut self) -> Result<(), Error> {
        self.mqtt.connect(&self.setup.connect())?;
        match self.mqtt.next_event(None)? {
            Some(Event::Connected { session_present }) => self.sessions.push(session_present),
            other => panic!("{other:?}"),
        }
        Ok(())
    }

    /// Continues with a new link, which may take some attempts.
    pub fn reconnect(&mut self, error: Error) {
        self.errors.push(error);
        loop {
            self.mqtt.reopen(open(self.setup.addr, self.end));
            match self.connect() {
                Ok(()) => return,
                Err(error) => self.errors.push(error),
            }
            assert!(Clock::now() < self.end, "no connection in time: {:?}", self.errors.last());
        }
    }

    /// Continues over another route to the broker.
    pub fn reconnect_to(&mut self, addr: SocketAddr) {
        self.setup.addr = addr;
        self.reconnect(Error::Closed);
    }

    /// Handles the next event, if one arrives within this time; returns whether one did. A link that has ended is
    /// replaced.
    pub fn handle_event(&mut self, wait: Duration, handler: impl FnOnce(Event<'_>)) -> bool {
        assert!(Clock::now() < self.end, "not done in time; {} connections", self.sessions.len());
        match self.mqtt.next_event(Some(wait)) {
            Ok(Some(event)) => {
                handler(event);
                return true;
            }
            Ok(None) => {}
            Err(error) => self.reconnect(error),
        }
        false
    }

    /// Subscribes, as often as it takes until the answer arrives.
    pub fn subscribe(&mut self, filter: &str, qos: QoS) {
        let mut done = false;
        while !done {
            let Ok(id) = self.mqtt.subscribe(&[(filter, qos)]) else {
                self.handle_event(Duration::from_millis(10), |_| ());
                continue;
            };
            let mut open = true;
            while open {
                self.handle_event(Duration::from_secs(1), |event| match event {
                    Event::Subscribed { id: answered, codes } if answered == id => {
                        assert!(codes.iter().all(|code| code == SubAckCode::Granted(qos)), "{codes:?}");
                        (open, done) = (false, true);
                    }
                    Event::Ended { id: ended, .. } if ended == id => open = false,
                    other => panic!("{other:?}"),
                });
            }
        }
    }

    /// Waits until the broker has read everything that was sent, and the replies to its answers: it answers in order. No
    /// other event may occur meanwhile.
    pub fn wait_until_processed(&mut self) {
        for _ in 0..2 {
            self.subscribe("processed", QoS::AtMostOnce);
        }
    }

    /// Publishes, as soon as there is room. Events that occur meanwhile are passed to `handler`.
    pub fn publish(&mut self, message: &Message<'_>, mut handler: impl FnMut(Event<'_>)) -> Option<PacketId> {
        loop {
            match self.mqtt.publish(message) {
                Ok(id) => return id,
                Err(RequestError::Full(_) | RequestError::NotConnected) => {
                    self.handle_event(Duration::from_millis(100), &mut handler);
                }
                Err(other) => panic!("{other}"),
            }
        }
    }

    /// Ends the connection with DISCONNECT; the client keeps the session.
    pub fn disconnect(mut self) -> Buffered {
        self.mqtt.disconnect().expect("DISCONNECT is sent");
        self.mqtt.into_client()
    }
}

fn open(addr: SocketAddr, end: Clock) -> TcpStream {
    loop {
        match open_tcp(addr, Duration::from_secs(5)) {
            Ok(stream) => return stream,
            Err(error) => assert!(Clock::now() < end, "no broker: {error}"),
        }
        thread::sleep(Duration::from_millis(5));
    }
}
