//! One client: the sans-IO `Client` with small buffers of its own, its socket if it has one, and its conversation.

use std::io::{self, ErrorKind, Read, Write};

use baremqtt::{
    Backoff, Buffers, Client, Config, Connect, Event, Instant, Message, QoS, RequestError, State, SubAckCode,
};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::options::Options;
use crate::report::Totals;
use crate::talk::{Arrival, Talk};
use crate::timers::Millis;

/// Buffers that are large enough without counting bytes.
pub type Mqtt = Client<[u8; 256], [u8; 256], Few, [u8; 0]>;

/// The configuration of all clients: few requests at a time, and nothing at QoS 2.
pub struct Few;

impl Config for Few {
    fn max_requests(&self) -> u16 {
        2
    }

    fn receives_exactly_once(&self) -> bool {
        false
    }
}

const LEAST_DELAY_MS: u32 = 200;
const GREATEST_DELAY_MS: u32 = 5_000;

/// One client of many.
pub struct Node {
    client: Mqtt,
    stream: Option<TcpStream>,
    talk: Talk,
    backoff: Backoff,
    number: u32,
    place: Place,
    subscribed: bool,
    /// All messages have been sent; only the session has to be removed from the broker.
    leaving: bool,
    /// Whether the connection has a clean session, which the broker removes when it ends.
    clean: bool,
    retry_at: Millis,
    /// When the server accepted the connection.
    connected_at: Millis,
}

/// The state of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Waits until the next attempt is due.
    Resting,
    /// Waits until one of the nodes that are connecting has finished.
    Queued,
    /// Connecting: TCP, then CONNECT.
    Connecting,
    Connected,
    /// Has finished.
    Gone,
}

impl Node {
    pub fn new(number: u32, options: &Options) -> Self {
        // Spread over time.
        let first = Millis::from(number.wrapping_mul(7_919) % options.pace_ms.max(1));
        Node {
            client: Client::with_inbound_ids(Buffers { rx: [0; 256], tx: [0; 256] }, Few, []),
            stream: None,
            talk: Talk::new(options.messages, first),
            backoff: Backoff::new(LEAST_DELAY_MS, GREATEST_DELAY_MS).seed(number.wrapping_add(1)),
            number,
            place: Place::Queued,
            subscribed: false,
            leaving: false,
            clean: false,
            retry_at: 0,
            connected_at: 0,
        }
    }

    pub fn place(&self) -> Place {
        self.place
    }

    /// Whether all its messages are delivered.
    pub fn is_done(&self) -> bool {
        self.talk.is_over()
    }

    /// When it has to be called, even if nothing is received.
    pub fn wake_at(&self, now: Millis) -> Option<Millis> {
        let client = || self.client.time_left().map(|ms| now + Millis::from(ms));
        match self.place {
            Place::Resting => Some(self.retry_at),
            Place::Queued | Place::Gone => None,
            Place::Connecting => client(),
            Place::Connected => {
                let next = self.talk.next_at().filter(|_| self.subscribed && !self.leaving);
                [client(), next].into_iter().flatten().min()
            }
        }
    }

    /// Begins an attempt. A later turn finds out the result.
    pub fn connect(&mut self, options: &Options, registry: &Registry, now: Millis) {
        self.place = Place::Connecting;
        let opened = TcpStream::connect(options.broker).and_then(|mut stream| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            registry.register(&mut stream, Token(self.number as usize), interest)?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
            Ok(())
        });
        // CONNECT is queued at once, so that its timeout covers TCP too.
        let id = options.client_id(self.number);
        self.clean = self.leaving;
        let connect = Connect::new(&id).version(options.version).clean_session(self.clean);
        let queued = self.client.connect(&connect.keep_alive(options.keep_alive));
        if opened.is_err() || queued.is_err() {
            self.lost(now);
        }
    }

    /// All messages have been sent: ends the session, which takes one more connection.
    pub fn leave(&mut self, options: &Options, totals: &mut Totals, now: Millis) {
        self.leaving = true;
        if self.place == Place::Connected {
            self.client.disconnect();
            self.turn(options, totals, now);
        }
    }

    /// Runs a turn, after the socket has become ready or the timer has expired.
    pub fn turn(&mut self, options: &Options, totals: &mut Totals, now: Millis) {
        match self.place {
            Place::Resting if self.retry_at <= now => self.place = Place::Queued,
            Place::Connecting | Place::Connected => {
                let was_connected = self.place == Place::Connected;
                let result = match self.has_arrived() {
                    Ok(true) => self.exchange(options, totals, now),
                    Ok(false) => self.time_out(now),
                    Err(error) => Err(error),
                };
                if let Err(error) = result {
                    match was_connected {
                        true => totals.lost += 1,
                        false => totals.failure = Some(error.to_string()),
                    }
                    self.lost(now);
                }
            }
            Place::Resting | Place::Queued | Place::Gone => {}
        }
    }

    /// Whether connecting TCP has completed, which can be an error.
    fn has_arrived(&self) -> io::Result<bool> {
        let Some(stream) = &self.stream else { return Ok(true) };
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        Ok(stream.peer_addr().map_or_else(|error| error.kind() != ErrorKind::NotConnected, |_| true))
    }

    /// If no byte was read or written, only the clock can have an effect.
    fn time_out(&mut self, now: Millis) -> io::Result<()> {
        self.advance(now).map(|_| ())
    }

    /// The client uses the low 32 bits of the time.
    fn advance(&mut self, now: Millis) -> io::Result<bool> {
        self.client.advance(Instant::from_millis(now as u32)).map_err(io::Error::other)
    }

    /// Writes, reads and handles events, until the socket has no more input and accepts no more output: only then will it report
    /// again that it is ready.
    fn exchange(&mut self, options: &Options, totals: &mut Totals, now: Millis) -> io::Result<()> {
        let mut drained = false;
        loop {
            self.say_something(options, totals, now);
            self.write()?;
            if drained || self.stream.is_none() {
                return Ok(());
            }
            drained = self.read()?;
            while self.advance(now)? {
                self.look(options, totals, now);
            }
        }
    }

    /// Writes as much as the socket accepts. After DISCONNECT there is no socket any more.
    fn write(&mut self) -> io::Result<()> {
        let Some(stream) = &mut self.stream else { return Err(ErrorKind::NotConnected.into()) };
        loop {
            let bytes = self.client.pending();
            if bytes.is_empty() {
                break;
            }
            match stream.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(len) => self.client.sent(len),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if self.client.state() == State::Offline {
            self.stream = None;
            self.place = if self.clean { Place::Gone } else { Place::Queued };
        }
        Ok(())
    }

    /// Reads as much as there is room for; returns whether the socket has no more input.
    fn read(&mut self) -> io::Result<bool> {
        let Some(stream) = &mut self.stream else { return Err(ErrorKind::NotConnected.into()) };
        while let room @ [_, ..] = self.client.receive_buffer() {
            match stream.read(room) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => self.client.received(len),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn look(&mut self, options: &Options, totals: &mut Totals, now: Millis) {
        let next_at = now + Millis::from(options.pace_ms);
        match self.client.event() {
            Some(Event::Connected { session_present }) => {
                self.connected_at = now;
                totals.connects += 1;
                self.place = Place::Connected;
                if self.leaving {
                    self.client.disconnect();
                    return;
                }
                self.subscribed &= session_present == Some(true);
                if !self.subscribed {
                    let topic = options.topic(self.number);
                    // There is room: the buffer contains one message at most.
                    let _ = self.client.subscribe(&[(&topic, QoS::AtLeastOnce)]);
                }
            }
            Some(Event::Subscribed { codes, .. }) => {
                self.subscribed = codes.iter().all(|code| code == SubAckCode::Granted(QoS::AtLeastOnce));
                self.talk.subscribed_again();
                totals.refused += u64::from(!self.subscribed);
            }
            Some(Event::Published { .. }) => {
                totals.acknowledged += 1;
                self.talk.acknowledged(next_at);
            }
            Some(Event::Message(message)) => {
                let number = std::str::from_utf8(message.payload).ok().and_then(|text| text.parse().ok());
                match number.map(|number| self.talk.arrived(number, next_at)) {
                    Some(Arrival::First) => totals.arrived += 1,
                    Some(Arrival::Again) => totals.arrived_again += 1,
                    None => totals.foreign += 1,
                }
            }
            _ => {}
        }
        totals.sent_again += u64::from(self.talk.take_back_if_in_vain());
    }

    /// Publishes the next message, if it is due.
    fn say_something(&mut self, options: &Options, totals: &mut Totals, now: Millis) {
        let due = self.talk.next_at().is_some_and(|at| at <= now);
        if !due || !self.subscribed || self.leaving || self.place != Place::Connected {
            return;
        }
        let topic = options.topic(self.number);
        let payload = self.talk.number().to_string();
        let message = Message::new(&topic, payload.as_bytes()).qos(QoS::AtLeastOnce);
        match self.client.publish(&message) {
            Ok(_) => {
                self.talk.sent();
                totals.sent += 1;
            }
            // The next event makes room.
            Err(RequestError::Full(_)) => {}
            Err(_) => totals.refused += 1,
        }
    }

    /// The link was lost or not established. The client keeps unacknowledged messages.
    fn lost(&mut self, now: Millis) {
        self.client.link_lost();
        self.stream = None;
        if self.place == Place::Connected {
            self.backoff.lived((now - self.connected_at) as u32);
        }
        let delay = self.backoff.next_ms().unwrap_or(GREATEST_DELAY_MS);
        self.retry_at = now + Millis::from(delay);
        let forgotten = self.clean && self.place == Place::Connected;
        self.place = if forgotten { Place::Gone } else { Place::Resting };
    }
}
