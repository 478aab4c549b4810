//! Blocking, over anything that is `embedded_io::{Read, ReadReady, Write}`.
//!
//! `ReadReady` is asked before each read: a read that blocks could not keep the link alive.
//!
//! ```
//! use baremqtt::transport::embedded_io::Connection;
//! use baremqtt::transport::Error;
//! use baremqtt::{Buffers, Client, Connect, Event, Instant, Message, QoS};
//! use embedded_io::{Read, ReadReady, Write};
//!
//! # fn toggle_lamp() {}
//! fn run<S: Read + ReadReady + Write>(uart: S, millis: fn() -> u64) -> Result<(), Error<S::Error>> {
//!     let client = Client::<_, _, 4>::new(Buffers { rx: [0; 256], tx: [0; 256] });
//!     let mut mqtt = Connection::new(uart, client, || Instant::from_millis(millis()));
//!     mqtt.connect(&Connect::new("lamp").keep_alive(30))?;
//!     // In a buffer that is empty there is room for these.
//!     let _ = mqtt.subscribe(&[("lamp/toggle", QoS::AtLeastOnce)]);
//!     let _ = mqtt.publish(&Message::new("lamp/status", b"here").retain());
//!     loop {
//!         if let Some(Event::Message(_)) = mqtt.next_event(None)? {
//!             toggle_lamp();
//!         }
//!     }
//! }
//! ```

use core::task::Poll;
use core::time::Duration;

use embedded_io::{ErrorKind, Read, ReadReady, Write};

use super::driver::Driver;
use super::{Error, turn};
use crate::{Client, Connect, Event, Instant, Message, PacketId, QoS, RequestError};

/// A client, the stream that it talks over, and a clock.
///
/// A write that fails with [`ErrorKind::TimedOut`] has taken nothing, and goes on after it was the turn of reading. A
/// stream whose writes block for ever when the server does not read has nothing that could end them.
pub struct Connection<S, C, R, T, const N: usize> {
    driver: Driver<R, T, N>,
    stream: S,
    clock: C,
}

impl<S, C, R, T, const N: usize> Connection<S, C, R, T, N> {
    /// A connection over a stream that is open. `clock` is asked for the time at each turn, and while there is nothing to
    /// do it is called again and again: it can sleep until the next interrupt first.
    ///
    /// The client is one that is off line: a new one, or one that [`into_parts`](Self::into_parts) has returned.
    pub const fn new(stream: S, client: Client<R, T, N>, clock: C) -> Self {
        Connection { driver: Driver::new(client), stream, clock }
    }
}

impl<S, C, R, T, const N: usize> Connection<S, C, R, T, N>
where
    S: Read + ReadReady + Write,
    C: FnMut() -> Instant,
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Goes on with another stream: the session stays, the link is a new one. [`connect`](Self::connect) is next.
    /// Returns the old stream.
    pub fn reopen(&mut self, stream: S) -> S {
        self.close();
        core::mem::replace(&mut self.stream, stream)
    }

    /// Gives the connection up, without DISCONNECT. The stream stays; once it is open anew, [`connect`](Self::connect)
    /// is next.
    pub fn close(&mut self) {
        self.driver.close();
    }

    /// Whether there is a connection, or one on its way.
    pub fn is_open(&self) -> bool {
        self.driver.is_open()
    }

    /// The client, to be looked at.
    pub fn client(&self) -> &Client<R, T, N> {
        &self.driver.client
    }

    /// The client, for what needs no stream.
    pub fn client_mut(&mut self) -> &mut Client<R, T, N> {
        &mut self.driver.client
    }

    /// The stream: to close it, or to open it anew. Bytes that are read from it or written to it are missed by the client.
    pub fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The client and the stream apart. The client is off line.
    pub fn into_parts(mut self) -> (Client<R, T, N>, S) {
        self.close();
        (self.driver.client, self.stream)
    }

    /// The point in time that the client's timers count by: now.
    pub fn now(&mut self) -> Instant {
        (self.clock)()
    }

    /// Sends CONNECT and waits for CONNACK. Says whether the server has kept the session; `None` in MQTT 3.1,
    /// where it does not tell.
    ///
    /// # Errors
    /// [`Error::Client`] with [`Refused`](crate::Error::Refused) where the server refuses; any other [`Error`].
    pub fn connect(&mut self, connect: &Connect<'_>) -> Result<Option<bool>, Error<S::Error>> {
        let now = self.now();
        self.driver.client.connect(connect, now).map_err(Error::Connect)?;
        self.driver.read_at = now;
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
        let now = self.now();
        self.driver.client.publish(message, now)
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
        let now = self.now();
        self.driver.client.publish_streamed(message, now)
    }

    /// Hands over the next piece of the payload that [`Event::StreamReady`] has asked for; see
    /// [`Client::write_payload`]. Says how many bytes were taken; [`flush`](Self::flush) makes room for more. Where flush says
    /// `false`, the server is slow: let [`next_event`](Self::next_event) have a turn.
    ///
    /// # Errors
    /// See [`StreamError`](crate::StreamError).
    #[cfg(feature = "large-messages")]
    pub fn write_payload(&mut self, payload: &[u8]) -> Result<usize, crate::StreamError> {
        let now = self.now();
        self.driver.client.write_payload(payload, now)
    }

    /// Queues a SUBSCRIBE; see [`Client::subscribe`].
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn subscribe(&mut self, filters: &[(&str, QoS)]) -> Result<PacketId, RequestError> {
        let now = self.now();
        self.driver.client.subscribe(filters, now)
    }

    /// Queues an UNSUBSCRIBE; see [`Client::unsubscribe`].
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn unsubscribe(&mut self, filters: &[&str]) -> Result<PacketId, RequestError> {
        let now = self.now();
        self.driver.client.unsubscribe(filters, now)
    }

    /// Waits for the next event, for at most `timeout` (`None`: as long as it takes), while it keeps the link alive and
    /// sends what is queued. `None` if nothing happened in that time. With a `timeout` of zero it does not wait for the
    /// server at all, which suits a loop that has other things to do.
    ///
    /// With [manual acknowledgement](crate::Options::manual_acknowledgement), `None` also says, even without `timeout`,
    /// that no further message can be looked at before some are acknowledged.
    ///
    /// # Errors
    /// What has ended the connection, see [`Error`].
    pub fn next_event(&mut self, timeout: Option<Duration>) -> Result<Option<Event<'_>>, Error<S::Error>> {
        let started = self.now();
        loop {
            if self.driver.turn(&mut Ready(&mut self.stream), &mut self.clock)? {
                return Ok(self.driver.client.event());
            }
            let waited = u128::from(self.driver.read_at.since(started));
            if match timeout {
                Some(timeout) => waited >= timeout.as_millis(),
                None => self.driver.client.waits_for_acknowledgement(),
            } {
                return Ok(None);
            }
        }
    }

    /// Sends what is queued, as far as the stream takes it; says whether that was all.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Closed`].
    pub fn flush(&mut self) -> Result<bool, Error<S::Error>> {
        self.driver.flush(&mut Ready(&mut self.stream), &mut self.clock)
    }

    /// Sends what is queued, and DISCONNECT behind it. Then the stream has to be closed. The session stays in the client.
    ///
    /// What comes in meanwhile is read, so that the server can get on, but neither looked at nor acknowledged.
    ///
    /// # Errors
    /// What kept DISCONNECT from being sent: then the server publishes the will.
    pub fn disconnect(&mut self) -> Result<(), Error<S::Error>> {
        let started = self.now();
        self.driver.client.disconnect(started);
        while !self.flush()? || self.is_open() {
            if self.is_open() {
                self.driver.read(&mut Ready(&mut self.stream), &mut self.clock)?;
            }
            let now = self.now();
            self.driver.fail_if_stalled(started, now)?;
        }
        Ok(())
    }
}

/// A stream that is read only if something is there.
struct Ready<'a, S>(&'a mut S);

impl<S: Read + ReadReady + Write> turn::Stream for Ready<'_, S> {
    type Error = S::Error;

    fn read(&mut self, buffer: &mut [u8]) -> Poll<Result<usize, S::Error>> {
        match self.0.read_ready() {
            Ok(true) => unless_later(self.0.read(buffer)),
            Ok(false) => Poll::Pending,
            Err(error) => unless_later(Err(error)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Poll<Result<usize, S::Error>> {
        unless_later(self.0.write(bytes))
    }

    fn flush(&mut self) -> Poll<Result<(), S::Error>> {
        unless_later(self.0.flush())
    }
}

/// Errors that pass are none.
fn unless_later<V, E: embedded_io::Error>(result: Result<V, E>) -> Poll<Result<V, E>> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::TimedOut) => Poll::Pending,
        result => Poll::Ready(result),
    }
}
