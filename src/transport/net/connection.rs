//! One connection, polled by a single thread.

use core::time::Duration;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::thread;
use std::time::Instant as Clock;
use std::vec::Vec;

use super::stream::{DRAIN, INTERVAL, Offline, Stream, Timed, WRITE_TIMEOUT, open_tcp};
use super::{Error, has_more, since};
use crate::transport::common::{Countdown, Driver, is_a_client};
use crate::transport::turn::Reads;
use crate::{Client, Config, Event, InboundIds, Instant, Standard};

/// If the application has been away for longer than this, in ms, input is read first.
const ABSENCE: u32 = 20;

/// How long queued bytes may wait, in ms, while there are events of input that was read before. Answers and requests that are queued
/// meanwhile are sent in one write, which costs this process, the network and the server less than many.
const GATHER: u32 = 5;

/// This many requests under way, or events from one read, count as a steady stream.
const STREAM: usize = 8;

/// How long the thread sleeps before each wait in a steady stream. See [`Connection::coalesce`].
const PAUSE: Duration = Duration::from_micros(50);

/// The longest sleep while there is nothing to read, in ms.
const MOST_SLEEP: u32 = 1_000;

/// A client and its stream, for a single thread. It does not reconnect: a [`Runner`](super::Runner) does.
///
/// It dereferences to the [`Client`], whose calls make requests. The page of the [module](super) has a program.
pub struct Connection<S, R = Vec<u8>, T = Vec<u8>, C = Standard, I = InboundIds> {
    driver: Driver<io::Error, R, T, C, I>,
    /// `None` while there is no connection.
    stream: Option<Timed<S>>,
    epoch: Clock,
    /// When the clock was last read in a turn.
    seen: Instant,
    /// When everything that was queued was last offered to the stream.
    offered: Instant,
    /// Events since the last wait.
    events: usize,
    /// The pause that was set by [`coalesce`](Self::coalesce).
    pause: Option<Duration>,
}

is_a_client!(Connection<S>);

impl<R, T, C, I> Connection<TcpStream, R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Opens a connection over TCP, with [`open_tcp`]. Call [`connect`](Client::connect) next.
    ///
    /// # Errors
    /// See [`open_tcp`].
    pub fn tcp(
        address: impl ToSocketAddrs,
        timeout: Duration,
        client: Client<R, T, C, I>,
    ) -> io::Result<Self> {
        Ok(Self::new(open_tcp(address, timeout)?, client))
    }
}

impl<S, R, T, C, I> Connection<S, R, T, C, I>
where
    S: Stream,
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// A connection over an open stream. Call [`connect`](Client::connect) next.
    #[must_use]
    pub fn new(stream: S, client: Client<R, T, C, I>) -> Self {
        let mut connection = Self::offline(client);
        connection.reopen(stream);
        connection
    }

    /// A connection without a stream; [`reopen`](Self::reopen) provides one. Until then, QoS 1 and 2 messages can be queued.
    #[must_use]
    pub fn offline(mut client: Client<R, T, C, I>) -> Self {
        client.link_lost();
        Connection {
            driver: Driver::new(client),
            stream: None,
            epoch: Clock::now(),
            seen: Instant::from_millis(0),
            offered: Instant::from_millis(0),
            events: 0,
            pause: None,
        }
    }

    /// Continues the session on another stream. Call [`connect`](Client::connect) next. The old stream, if there is one, is
    /// [closed](Self::close).
    pub fn reopen(&mut self, stream: S) {
        self.close();
        self.stream = Some(Timed::new(stream));
    }

    /// Sets how long the thread sleeps before each wait for the server, so that everything that arrives meanwhile is read at once.
    ///
    /// In a steady stream of messages, in either direction, this process and the server then wake each other much less often, which saves
    /// CPU time in both. Without this call, the pause is 50 µs while 8 requests are under way, and after 8 events from one read. There is
    /// none for request and response, where each message is waited for. Zero turns the pause off altogether.
    pub const fn coalesce(&mut self, pause: Duration) {
        self.pause = Some(pause);
    }

    /// How long to sleep before the next wait.
    fn pause(&mut self) -> Duration {
        let is_stream = self.driver.client.in_flight() >= STREAM || self.events >= STREAM;
        self.events = 0;
        self.pause.unwrap_or(if is_stream { PAUSE } else { Duration::ZERO })
    }

    /// Closes the stream without DISCONNECT, so that the server publishes the will. Remaining input is read and discarded first, for at
    /// most a second: if a TCP stream is closed with unread input, the bytes that were sent last may not reach the server.
    pub fn close(&mut self) {
        self.driver.close();
        self.hang_up(true);
    }

    /// Whether there is a connection, or one is being established.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.stream.is_some() && self.driver.is_open()
    }

    /// The stream, if there is one.
    #[must_use]
    pub fn stream(&self) -> Option<&S> {
        self.stream.as_ref().map(Timed::get)
    }

    /// Returns the client. The stream is [closed](Self::close).
    #[must_use]
    pub fn into_client(mut self) -> Client<R, T, C, I> {
        self.close();
        self.driver.client
    }

    /// Waits for the next event, keeps the link alive, and sends queued packets. Returns `None` if there was no event within `timeout`;
    /// without a `timeout` it waits as long as necessary.
    ///
    /// Events of input that has already been read are reported first. Queued packets are sent together after that, or in the first
    /// call after 5 ms. If handling an event takes longer, call [`flush`](Self::flush) first.
    ///
    /// Without a `timeout`, it returns `None` only if the client is blocked by the application: it has to supply a payload, acknowledge
    /// messages, or save the session.
    ///
    /// # Errors
    /// Why the connection has ended; see [`Error`]. The stream is then closed.
    pub fn next_event(&mut self, timeout: Option<Duration>) -> Result<Option<Event<'_>>, Error> {
        let found = self.find_event(timeout)?;
        self.events = self.events.saturating_add(found.into());
        Ok(if found { self.driver.client.event() } else { None })
    }

    /// Whether there is an event within this time.
    fn find_event(&mut self, timeout: Option<Duration>) -> Result<bool, Error> {
        let now = self.now();
        if self.turn(now)? {
            return Ok(true);
        }
        let mut countdown = Countdown::new(timeout, now);
        loop {
            if timeout.is_none() && self.driver.waits_for_application() {
                return Ok(false);
            }
            self.wait(countdown.left(self.seen));
            // Process what arrived at the last moment.
            let is_over = countdown.left(self.seen) == Some(0);
            if self.turn(self.seen)? {
                return Ok(true);
            }
            if is_over {
                return Ok(false);
            }
        }
    }

    /// Processes input, and sends queued bytes.
    fn turn(&mut self, now: Instant) -> Result<bool, Error> {
        let away = now.since(self.seen) >= ABSENCE;
        if now.since(self.offered) < GATHER && !away && self.stream.is_some() {
            self.seen = now;
            if self.driver.advance(now).map_err(|error| self.failed(error))? {
                return Ok(true);
            }
        }
        let epoch = self.epoch;
        let mut clock = || since(epoch);
        let reads = if away { Reads::Once } else { Reads::Never };
        let found = match &mut self.stream {
            Some(stream) => self.driver.turn(stream, &mut clock, reads),
            None => {
                // The end of a request is reported offline too.
                self.driver.client.link_lost();
                self.driver.turn(&mut Offline, &mut clock, Reads::Never)
            }
        };
        self.seen = clock();
        self.offered = self.seen;
        found.map_err(|error| self.failed(error))
    }

    /// Reads once, or sleeps if there is no room to read into.
    fn wait(&mut self, left: Option<u32>) {
        let timeout = self.driver.time_left(self.seen).min(left.unwrap_or(u32::MAX));
        let has_output = self.driver.has_output();
        let (epoch, pause) = (self.epoch, self.pause());
        match &mut self.stream {
            Some(stream) if self.driver.can_read() => {
                let timeout = timeout.min(if has_output { WRITE_TIMEOUT } else { u32::MAX });
                if !pause.is_zero() && pause < Duration::from_millis(timeout.into()) {
                    thread::sleep(pause);
                }
                self.driver.read(stream, &mut || since(epoch), timeout);
            }
            _ => {
                let most = if has_output { INTERVAL } else { MOST_SLEEP };
                thread::sleep(Duration::from_millis(timeout.min(most).into()));
            }
        }
        self.seen = self.now();
    }

    /// Sends queued packets, as far as the stream accepts them; returns whether everything was sent.
    ///
    /// # Errors
    /// [`Error::Closed`] if writing has failed: [`next_event`](Self::next_event) returns the reason, after the events that were received
    /// before.
    pub fn flush(&mut self) -> Result<bool, Error> {
        let Some(stream) = &mut self.stream else { return Err(Error::Closed) };
        let epoch = self.epoch;
        self.driver.send(stream, &mut || since(epoch));
        self.driver.check_output()
    }

    /// Sends everything that is queued, and then DISCONNECT. Closes the stream after the server has closed it, or after a second. The
    /// client keeps the session.
    ///
    /// Events that are received meanwhile are dropped. To handle them, call [`Client::disconnect`] or
    /// [`finish`](Client::finish) instead, and then [`next_event`](Self::next_event) until it returns [`Error::Disconnected`].
    ///
    /// # Errors
    /// Why DISCONNECT could not be sent. The server then publishes the will.
    pub fn disconnect(&mut self) -> Result<(), Error> {
        let result = self.disconnect_and_wait();
        match &result {
            Ok(()) => self.close(),
            Err(error) => self.hang_up(has_more(error)),
        }
        result
    }

    fn disconnect_and_wait(&mut self) -> Result<(), Error> {
        let epoch = self.epoch;
        let mut clock = || since(epoch);
        loop {
            if self.driver.disconnects(clock())? {
                return Ok(());
            }
            let Some(stream) = &mut self.stream else { return Err(Error::Closed) };
            if !self.driver.send(stream, &mut clock) {
                self.wait(Some(WRITE_TIMEOUT));
            }
        }
    }

    /// A connection has ended.
    fn failed(&mut self, error: Error) -> Error {
        self.hang_up(has_more(&error));
        error
    }

    /// Closes the stream, its output first.
    fn hang_up(&mut self, drains: bool) {
        if let Some(mut stream) = self.stream.take() {
            stream.finish(if drains { DRAIN } else { Duration::ZERO });
        }
    }

    fn now(&self) -> Instant {
        since(self.epoch)
    }
}
