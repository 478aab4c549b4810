//! Blocking, over anything that is `std::io::Read + Write`.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use baremqtt::transport::std::Connection;
//! use baremqtt::{Buffers, Client, Connect, Event, Message, QoS};
//!
//! let client = Client::<_, _, 16>::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
//! let mut mqtt = Connection::tcp(("localhost", 1883), Duration::from_secs(5), client)?;
//! mqtt.connect(&Connect::new("gateway").keep_alive(30))?;
//! mqtt.subscribe(&[("sensor/#", QoS::AtLeastOnce)])?;
//! mqtt.publish(&Message::new("gateway/status", b"here").retain())?;
//! loop {
//!     if let Some(Event::Message(message)) = mqtt.next_event(None)? {
//!         println!("{}: {} bytes", message.topic, message.payload.len());
//!     }
//! }
//! # #[allow(unreachable_code)]
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod reconnect;

pub use reconnect::{GaveUp, Reconnect, StopHandle, Update};

use core::time::Duration;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Instant as Clock;

use crate::{Client, Connect, Event, Instant, Message, PacketId, QoS, RequestError, State, client};

/// How long a write may block before it is the turn of reading.
const WRITE_TIMEOUT: Duration = Duration::from_millis(50);
/// How long a read may block if nothing else limits it.
const MOST_PATIENCE: Duration = Duration::from_secs(3_600);

/// A client and the stream that it talks over.
pub struct Connection<S, R, T, const N: usize> {
    client: Client<R, T, N>,
    /// `None` while there is no connection.
    stream: Option<S>,
    set_read_timeout: fn(&S, Duration) -> io::Result<()>,
    /// The time-out that was set last.
    read_timeout: Duration,
    /// What was written has still to be flushed.
    unflushed: bool,
    epoch: Clock,
    /// When the stream was read last. Time-outs of the server are judged by this, so that a slow application is not
    /// taken for a slow server.
    read_at: Instant,
}

/// Why a connection has ended.
pub type Error = super::Error<io::Error>;

/// Opens a TCP connection with `TCP_NODELAY`, ready for a [`Connection`] or for TLS on top of it.
///
/// All addresses that the name stands for are tried, each for at most `timeout`.
///
/// # Errors
/// What the last attempt came to.
pub fn open_tcp(address: impl ToSocketAddrs, timeout: Duration) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(ErrorKind::NotFound, "the name stands for no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

impl<R, T, const N: usize> Connection<TcpStream, R, T, N>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
{
    /// A connection over TCP: [`open_tcp`] and [`new`](Self::new).
    ///
    /// # Errors
    /// What [`open_tcp`] says.
    pub fn tcp(address: impl ToSocketAddrs, timeout: Duration, client: Client<R, T, N>) -> io::Result<Self> {
        let stream = open_tcp(address, timeout)?;
        Ok(Self::new(stream, client, |stream, timeout| stream.set_read_timeout(Some(timeout))))
    }
}

impl<S, R, T, const N: usize> Connection<S, R, T, N>
where
    S: Read + Write,
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
{
    /// A connection over a stream that is open.
    ///
    /// `set_read_timeout` tells the stream how long a read may block; the duration is never 0. Writes should
    /// have a time-out too, a short one like 50 ms, so that a server that does not read cannot keep the client from
    /// reading.
    pub fn new(
        stream: S,
        client: Client<R, T, N>,
        set_read_timeout: fn(&S, Duration) -> io::Result<()>,
    ) -> Self {
        let mut connection = Self::offline(client, set_read_timeout);
        connection.reopen(stream);
        connection
    }

    /// A connection without a stream; [`reopen`](Self::reopen) brings one. Meanwhile messages of QoS 1 and 2 can be
    /// queued.
    pub fn offline(
        mut client: Client<R, T, N>,
        set_read_timeout: fn(&S, Duration) -> io::Result<()>,
    ) -> Self {
        client.link_lost();
        Connection {
            client,
            stream: None,
            set_read_timeout,
            read_timeout: Duration::ZERO,
            unflushed: false,
            epoch: Clock::now(),
            read_at: Instant::ZERO,
        }
    }

    /// Goes on with another stream: the session stays, the link is a new one. [`connect`](Self::connect) is next.
    /// Returns the old stream.
    pub fn reopen(&mut self, stream: S) -> Option<S> {
        let old = self.close();
        self.stream = Some(stream);
        old
    }

    /// Gives the stream up, without DISCONNECT.
    pub fn close(&mut self) -> Option<S> {
        self.client.link_lost();
        self.read_timeout = Duration::ZERO;
        self.unflushed = false;
        self.stream.take()
    }

    /// Whether there is a connection, or one on its way.
    pub fn is_open(&self) -> bool {
        self.stream.is_some() && self.client.state() != State::Offline
    }

    /// The client, to be looked at.
    pub fn client(&self) -> &Client<R, T, N> {
        &self.client
    }

    /// The client, for what needs no stream.
    pub fn client_mut(&mut self) -> &mut Client<R, T, N> {
        &mut self.client
    }

    /// The stream, if there is one.
    pub fn stream(&self) -> Option<&S> {
        self.stream.as_ref()
    }

    /// The client and the stream apart. The client is off line.
    pub fn into_parts(mut self) -> (Client<R, T, N>, Option<S>) {
        let stream = self.close();
        (self.client, stream)
    }

    /// The point in time that the client's timers count by: now.
    pub fn now(&self) -> Instant {
        Instant::from_millis(self.epoch.elapsed().as_millis() as u64)
    }

    /// Sends CONNECT and waits for CONNACK. Says whether the server has kept the session; `None` in MQTT 3.1,
    /// where it does not tell.
    ///
    /// # Errors
    /// [`Error::Client`] with [`Refused`](client::Error::Refused) where the server refuses; any other [`Error`].
    pub fn connect(&mut self, connect: &Connect<'_>) -> Result<Option<bool>, Error> {
        self.client.connect(connect, self.now()).map_err(Error::Connect)?;
        self.read_at = self.now();
        loop {
            // The first event is this one; everything else comes after it.
            if let Some(Event::Connected { session_present }) = self.next_event(None)? {
                return Ok(session_present);
            }
        }
    }

    /// Queues a message; see [`Client::publish`]. It leaves with the next [`next_event`](Self::next_event) or
    /// [`flush`](Self::flush).
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn publish(&mut self, message: &Message<'_>) -> Result<Option<PacketId>, RequestError> {
        self.client.publish(message, self.now())
    }

    /// Queues a message whose payload is to be handed over in pieces; see [`Client::publish_streamed`].
    ///
    /// # Errors
    /// See [`RequestError`].
    #[cfg(feature = "large-messages")]
    pub fn publish_streamed(
        &mut self,
        message: &crate::StreamedMessage<'_>,
    ) -> Result<Option<PacketId>, RequestError> {
        self.client.publish_streamed(message, self.now())
    }

    /// Hands over the next piece of the payload that [`Event::StreamReady`] has asked for; see
    /// [`Client::write_payload`]. Says how many bytes were taken; [`flush`](Self::flush) makes room for more. Where
    /// flush says `false`, the server is slow: let [`next_event`](Self::next_event) have a turn.
    ///
    /// # Errors
    /// See [`StreamError`](crate::StreamError).
    #[cfg(feature = "large-messages")]
    pub fn write_payload(&mut self, payload: &[u8]) -> Result<usize, crate::StreamError> {
        self.client.write_payload(payload, self.now())
    }

    /// Queues a SUBSCRIBE; see [`Client::subscribe`].
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn subscribe(&mut self, filters: &[(&str, QoS)]) -> Result<PacketId, RequestError> {
        self.client.subscribe(filters, self.now())
    }

    /// Queues an UNSUBSCRIBE; see [`Client::unsubscribe`].
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn unsubscribe(&mut self, filters: &[&str]) -> Result<PacketId, RequestError> {
        self.client.unsubscribe(filters, self.now())
    }

    /// Sends what is queued, and DISCONNECT behind it; then lets go of the stream, after the server has closed it or a
    /// second has passed. (A stream that is closed while something is unread can take back what was sent last.) The
    /// session stays in the client.
    ///
    /// # Errors
    /// What kept DISCONNECT from being sent: then the server publishes the will.
    pub fn disconnect(&mut self) -> Result<(), Error> {
        self.client.disconnect(self.now());
        let result = self.flush_to_the_end();
        if result.is_ok() {
            self.drain();
        }
        self.close();
        result
    }

    /// Reads to the end, for at most a second.
    fn drain(&mut self) {
        let started = Clock::now();
        let mut waste = [0; 256];
        while let Some(left) = Duration::from_secs(1).checked_sub(started.elapsed()) {
            if self.limit_read(left).is_err() {
                return;
            }
            match self.stream.as_mut().map(|stream| stream.read(&mut waste)) {
                Some(Ok(1..)) => {}
                Some(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    }

    /// Sends everything up to DISCONNECT. What comes in meanwhile is read, so that the server can get on, but neither
    /// looked at nor acknowledged.
    fn flush_to_the_end(&mut self) -> Result<(), Error> {
        loop {
            self.flush()?;
            if self.client.state() == State::Offline {
                return Ok(());
            }
            self.read(WRITE_TIMEOUT)?;
            if self.client.deadline().is_some_and(|deadline| deadline <= self.read_at) {
                // A server that does not take anything any more.
                return Err(self.fail(Error::Client(client::Error::TimedOut(client::Timeout::Stall))));
            }
        }
    }

    /// Waits for the next event, for at most `timeout` (`None`: as long as it takes), while it keeps the link alive
    /// and sends what is queued. `None` if nothing happened in that time.
    ///
    /// With [manual acknowledgement](crate::Options::manual_acknowledgement), `None` also says, even without `timeout`,
    /// that no further message can be looked at before some are acknowledged.
    ///
    /// # Errors
    /// What has ended the connection, see [`Error`].
    pub fn next_event(&mut self, timeout: Option<Duration>) -> Result<Option<Event<'_>>, Error> {
        let started = Clock::now();
        loop {
            let left = timeout.map(|timeout| timeout.saturating_sub(started.elapsed()));
            if self.advance_within(left.unwrap_or(MOST_PATIENCE))? {
                return Ok(self.client.event());
            }
            if left.is_some_and(|left| left.is_zero()) || self.client.waits_for_acknowledgement() {
                return Ok(None);
            }
        }
    }

    /// The event that was found last.
    fn event(&self) -> Option<Event<'_>> {
        self.client.event()
    }

    /// One turn: looks for an event, and if there is none, sends what is queued, reads once, and looks again.
    fn advance_within(&mut self, wait: Duration) -> Result<bool, Error> {
        let mut all_sent = false;
        // Where answers leave, there is room for those to packets that were read before: they come before reading.
        let mut any_sent = true;
        while any_sent {
            if self.advance()? {
                return Ok(true);
            }
            let any = !self.client.pending().is_empty();
            all_sent = self.flush()?;
            any_sent = any && all_sent;
            if !self.is_open() {
                return Err(Error::Closed);
            }
        }
        if self.client.waits_for_acknowledgement() {
            // Reading brings nothing new, and the application is not to wait for ever.
            if wait < MOST_PATIENCE {
                std::thread::sleep(self.patience(wait, all_sent));
            }
            self.read_at = self.now();
            return Ok(false);
        }
        self.read(self.patience(wait, all_sent))?;
        self.advance()
    }

    /// Sends what is queued, as far as the stream takes it; says whether that was all.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Closed`].
    pub fn flush(&mut self) -> Result<bool, Error> {
        loop {
            let now = self.now();
            let bytes = self.client.pending();
            if bytes.is_empty() {
                break;
            }
            let Some(stream) = &mut self.stream else { return Err(Error::Closed) };
            match stream.write(bytes) {
                Ok(0) => return Err(self.fail(Error::Closed)),
                Ok(len) => {
                    self.client.sent(len, now);
                    self.unflushed = true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) => return Ok(false),
                Err(error) => return Err(self.fail(Error::Io(error))),
            }
        }
        while self.unflushed {
            let Some(stream) = &mut self.stream else { return Err(Error::Closed) };
            match stream.flush() {
                Ok(()) => self.unflushed = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) => return Ok(false),
                Err(error) => return Err(self.fail(Error::Io(error))),
            }
        }
        Ok(true)
    }

    fn advance(&mut self) -> Result<bool, Error> {
        self.client.advance(self.read_at).map_err(Error::Client)
    }

    /// How long a read may block.
    fn patience(&self, wait: Duration, all_sent: bool) -> Duration {
        let until_deadline = self.client.deadline().map(|at| Duration::from_millis(at.since(self.now())));
        let patience = wait.min(until_deadline.unwrap_or(MOST_PATIENCE));
        if all_sent { patience } else { patience.min(WRITE_TIMEOUT) }
    }

    /// Reads once, for at most so long.
    fn read(&mut self, patience: Duration) -> Result<(), Error> {
        if !self.client.receive_buffer().is_empty() {
            self.limit_read(patience).map_err(|error| self.fail(Error::Io(error)))?;
            let Some(stream) = &mut self.stream else { return Err(Error::Closed) };
            match stream.read(self.client.receive_buffer()) {
                Ok(0) => return Err(self.fail(Error::Closed)),
                Ok(len) => {
                    let now = self.now();
                    self.client.received(len, now);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted || is_timeout(&error) => {}
                Err(error) => return Err(self.fail(Error::Io(error))),
            }
        } else if self.client.pending().is_empty() {
            let error = io::Error::new(ErrorKind::InvalidInput, "the receive buffer is too small");
            return Err(self.fail(Error::Io(error)));
        }
        self.read_at = self.now();
        Ok(())
    }

    /// Sets the time-out of reads where the one that is set is too long, or so short that it would wake the thread
    /// for nothing again and again.
    fn limit_read(&mut self, patience: Duration) -> io::Result<()> {
        let patience = patience.max(Duration::from_millis(1));
        if self.read_timeout > patience || self.read_timeout.saturating_mul(2) < patience {
            if let Some(stream) = &self.stream {
                (self.set_read_timeout)(stream, patience)?;
            }
            self.read_timeout = patience;
        }
        Ok(())
    }

    fn fail(&mut self, error: Error) -> Error {
        self.client.link_lost();
        error
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
