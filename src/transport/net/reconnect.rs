//! A connection that comes back by itself, and says so.

use core::fmt;
use core::ops::{Deref, DerefMut};
use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant as Clock;

use super::{Connection, Error, Stream};
use crate::transport::retry::Retry;
use crate::{Backoff, Client, Config, Connect, ConnectError, Event, InboundIds, RefusalCode, Standard};

/// How long the thread sleeps or waits before it looks whether it is to stop.
const STOP_INTERVAL: Duration = Duration::from_millis(100);

/// A [`Connection`] that is opened again whenever it is lost, after delays that grow.
///
/// The application is told of every loss ([`Update::LinkLost`]) and every connection ([`Event::Connected`]): what a lost session
/// means is its own decision. Subscriptions come back with [`Routes`](crate::Routes). As a connection does, it dereferences to the
/// [`Client`].
///
/// The delays begin anew once a connection has lived for as long as the greatest of them, or for a minute. So two clients of one
/// name, or a server that accepts and closes, are met less and less often.
///
/// ```no_run
/// use std::time::Duration;
///
/// use baremqtt::transport::net::{Connection, Reconnect, Update, open_tcp};
/// use baremqtt::{Backoff, Buffers, Client, Connect, Event, QoS, Routes};
///
/// let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
/// let open = || open_tcp(("localhost", 1883), Duration::from_secs(5));
/// let backoff = Backoff::new(500, 60_000).seed(std::process::id());
/// let mut mqtt = Reconnect::new(Connection::offline(client), open, backoff);
///
/// let mut routes = Routes::<_, fn(&[u8]), 4>::new();
/// routes.add("sensor/#", QoS::AtLeastOnce, |payload| println!("{} bytes", payload.len()))?;
/// let connect = Connect::new("gateway").clean_session(false);
/// loop {
///     match mqtt.next_event(&connect, None)? {
///         Update::Event(event) => {
///             routes.note(&event);
///             if let Event::Message(message) = event {
///                 routes.matching(message.topic).for_each(|handler| handler(message.payload));
///             }
///         }
///         Update::LinkLost { error, retry_in } => eprintln!("{error}; again in {retry_in:?}"),
///         Update::Idle => {}
///     }
///     routes.subscribe(&mut mqtt.outbound())?;
/// }
/// # #[allow(unreachable_code)]
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reconnect<F, S, R, T, C = Standard, I = InboundIds> {
    connection: Connection<S, R, T, C, I>,
    open: F,
    retry: Retry,
    retry_at: Option<Clock>,
    stop: Arc<AtomicBool>,
}

/// What [`Reconnect::next_event`] has to tell.
#[derive(Debug)]
pub enum Update<'a> {
    /// An event of the client.
    Event(Event<'a>),
    /// The connection is lost, or an attempt to make one has failed. The next attempt follows.
    LinkLost {
        /// Why.
        error: Error,
        /// When the next attempt is made.
        retry_in: Duration,
    },
    /// Nothing has happened in the given time.
    Idle,
}

/// The end of all attempts.
#[derive(Debug)]
#[non_exhaustive]
pub enum GaveUp {
    /// The limit of the [`Backoff`] is reached; this is what the last attempt came to.
    Limit(Error),
    /// The server refuses the connection, and will not change its mind by itself.
    Refused(RefusalCode),
    /// CONNECT cannot be sent as it is.
    Connect(ConnectError),
    /// The application has disconnected ([`Client::disconnect`], [`finish`](Client::finish)).
    Disconnected,
    /// A [`StopHandle`] has asked for it.
    Stopped,
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GaveUp::Limit(_) => f.write_str("no connection after so many attempts"),
            GaveUp::Refused(code) => write!(f, "the server refuses the connection: {code}"),
            GaveUp::Connect(error) => error.fmt(f),
            GaveUp::Disconnected => f.write_str("disconnected"),
            GaveUp::Stopped => f.write_str("stopped"),
        }
    }
}

impl core::error::Error for GaveUp {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            GaveUp::Limit(error) => Some(error),
            _ => None,
        }
    }
}

/// Ends [`Reconnect::next_event`] from another thread, within a tenth of a second, or as soon as `open` returns.
#[derive(Clone, Debug)]
pub struct StopHandle(Arc<AtomicBool>);

impl StopHandle {
    /// From now on there is no waiting and no attempt any more.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<F, S, R, T, C, I> Deref for Reconnect<F, S, R, T, C, I> {
    type Target = Client<R, T, C, I>;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl<F, S, R, T, C, I> DerefMut for Reconnect<F, S, R, T, C, I> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}

impl<F, S, R, T, C, I> fmt::Debug for Reconnect<F, S, R, T, C, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnect")
            .field("connection", &self.connection)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

impl<F, S, R, T, C, I> Reconnect<F, S, R, T, C, I>
where
    F: FnMut() -> io::Result<S>,
    S: Stream,
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Keeps a connection up with streams that `open` makes. Nothing else happens while `open` runs: the name is looked up and the
    /// connection made within it.
    pub fn new(connection: Connection<S, R, T, C, I>, open: F, backoff: Backoff) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        Reconnect { connection, open, retry: Retry::new(backoff), retry_at: None, stop }
    }

    /// With attempts in MQTT 3.1 too, where the server does not take 3.1.1: it says so by CONNACK, or closes the connection
    /// without one. Where 3.1 does not work either, 3.1.1 is next; once 3.1.1 has worked, it stays with that.
    #[must_use]
    pub fn fall_back_to_mqtt31(mut self) -> Self {
        self.retry.falls_back = true;
        self
    }

    /// With further attempts after refusals that do not mend themselves: a wrong password, a client identifier that is not allowed.
    /// Without this they are the end ([`GaveUp::Refused`]).
    #[must_use]
    pub fn retry_refusals(mut self) -> Self {
        self.retry.despite_refusals = true;
        self
    }

    /// A handle that ends the waiting.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(Arc::clone(&self.stop))
    }

    /// The stream, if there is one.
    pub fn stream(&self) -> Option<&S> {
        self.connection.stream()
    }

    /// The connection as it is, to go on without this helper.
    pub fn into_connection(self) -> Connection<S, R, T, C, I> {
        self.connection
    }

    /// Sends what is queued, as far as the stream takes it; see [`Connection::flush`].
    ///
    /// # Errors
    /// [`Error::Closed`](crate::transport::Error::Closed) while there is no connection.
    pub fn flush(&mut self) -> Result<bool, Error> {
        self.connection.flush()
    }

    /// Disconnects; see [`Connection::disconnect`]. The next [`next_event`](Self::next_event) would connect again.
    ///
    /// # Errors
    /// What kept DISCONNECT from being sent: then the server publishes the will, if it knows one.
    pub fn disconnect(&mut self) -> Result<(), Error> {
        self.connection.disconnect()
    }

    /// Waits for the next event, for at most `timeout` (`None`: as long as it takes), and connects with `connect` whenever there is
    /// no connection: it can be another one each time, with a token that has not expired.
    ///
    /// # Errors
    /// See [`GaveUp`].
    pub fn next_event(
        &mut self,
        connect: &Connect<'_>,
        timeout: Option<Duration>,
    ) -> Result<Update<'_>, GaveUp> {
        let started = Clock::now();
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(GaveUp::Stopped);
            }
            let left = timeout.map(|timeout| timeout.saturating_sub(started.elapsed()));
            let slice = left.unwrap_or(STOP_INTERVAL).min(STOP_INTERVAL);
            if self.connection.stream().is_some() {
                match self.connection.find_event(Some(slice)) {
                    Ok(true) => break,
                    Ok(false) => {}
                    Err(error) => return self.lost(error),
                }
            } else if self.connection.find_event_offline() {
                break;
            } else if !self.sleep(slice) {
                match self.attempt(connect) {
                    Ok(()) => continue,
                    Err(Error::Connect(error)) => return Err(GaveUp::Connect(error)),
                    Err(error) => return self.lost(error),
                }
            }
            let is_over = left.is_some_and(|left| left <= slice);
            if is_over || (left.is_none() && self.connection.waits_for_application()) {
                return Ok(Update::Idle);
            }
        }
        self.note_connected();
        Ok(self.connection.event().map_or(Update::Idle, Update::Event))
    }

    /// The time that a connection lives counts from its CONNACK.
    fn note_connected(&mut self) {
        if let Some(Event::Connected { .. }) = self.connection.event() {
            self.retry.connected(self.connection.now());
        }
    }

    /// Sleeps, if it is too early for the next attempt.
    fn sleep(&mut self, most: Duration) -> bool {
        let left = self.retry_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(Clock::now()));
        thread::sleep(left.min(most));
        left > most
    }

    /// Opens a stream, and queues CONNECT; what comes of it is told by events.
    fn attempt(&mut self, connect: &Connect<'_>) -> Result<(), Error> {
        let stream = (self.open)().map_err(Error::Io)?;
        self.connection.reopen(stream);
        let version = self.retry.version(connect.version);
        match self.connect(&connect.version(version)) {
            // MQTT 3.1 cannot be spoken, because of the client identifier for instance: then not.
            Err(_) if !self.retry.is_impossible() => Ok(self.connect(connect)?),
            result => Ok(result?),
        }
    }

    fn lost(&mut self, error: Error) -> Result<Update<'_>, GaveUp> {
        self.connection.close();
        if matches!(error, Error::Disconnected) {
            return Err(GaveUp::Disconnected);
        }
        let is_reset = matches!(&error, Error::Io(error) if error.kind() == io::ErrorKind::ConnectionReset);
        let Some(delay) = self.retry.lost(&error, self.connection.now(), is_reset) else {
            return Err(match error.refusal() {
                Some(code) if self.retry.is_final(&error) => GaveUp::Refused(code),
                _ => GaveUp::Limit(error),
            });
        };
        let retry_in = Duration::from_millis(u64::from(delay));
        self.retry_at = Clock::now().checked_add(retry_in);
        Ok(Update::LinkLost { error, retry_in })
    }
}
