//! A connection that comes back by itself, and says so.

use core::fmt;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant as Clock;

use super::{Connection, Error};
use crate::{Backoff, Client, Connect, Event, RefusalCode, Version, client};

/// How long the thread sleeps or waits before it looks whether it is to stop.
const STOP_INTERVAL: Duration = Duration::from_millis(100);

/// A [`Connection`] that is opened again whenever it is lost, after delays that grow.
///
/// The application is told of every loss ([`Update::LinkLost`]) and every connection
/// ([`Event::Connected`]): what a lost session means is its own decision. Subscriptions come back with
/// [`Routes`](crate::Routes).
///
/// ```no_run
/// use std::time::Duration;
///
/// use baremqtt::transport::std::{Connection, Reconnect, Update, open_tcp};
/// use baremqtt::{Backoff, Buffers, Client, Connect, Event, QoS, Routes};
///
/// let client = Client::<_, _, 16>::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
/// let connection = Connection::offline(client, |tcp: &std::net::TcpStream, time| tcp.set_read_timeout(Some(time)));
/// let open = || open_tcp(("localhost", 1883), Duration::from_secs(5));
/// let mut mqtt = Reconnect::new(connection, open, Backoff::new(500, 60_000).seed(std::process::id()));
///
/// let mut routes = Routes::<fn(&[u8]), 4>::new();
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
///     let now = mqtt.connection().now();
///     routes.subscribe(&mut mqtt.connection().client_mut().outbound(), now)?;
/// }
/// # #[allow(unreachable_code)]
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reconnect<F, S, R, T, const N: usize> {
    connection: Connection<S, R, T, N>,
    open: F,
    backoff: Backoff,
    retry_at: Option<Clock>,
    fallback: bool,
    fallen_back: bool,
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
    /// CONNECT cannot be sent as it is.
    Connect(client::ConnectError),
    /// A [`StopHandle`] has asked for it.
    Stopped,
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GaveUp::Limit(error) => write!(f, "gave up: {error}"),
            GaveUp::Connect(error) => error.fmt(f),
            GaveUp::Stopped => f.write_str("stopped"),
        }
    }
}

impl core::error::Error for GaveUp {}

/// Ends [`Reconnect::next_event`] from another thread, within a tenth of a second.
#[derive(Clone, Debug)]
pub struct StopHandle(Arc<AtomicBool>);

impl StopHandle {
    /// From now on there is no waiting and no attempt any more.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<F, S, R, T, const N: usize> Reconnect<F, S, R, T, N>
where
    F: FnMut() -> io::Result<S>,
    S: Read + Write,
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Keeps a connection up with streams that `open` makes.
    pub fn new(connection: Connection<S, R, T, N>, open: F, backoff: Backoff) -> Self {
        Reconnect {
            connection,
            open,
            backoff,
            retry_at: None,
            fallback: false,
            fallen_back: false,
            stop: Arc::new(AtomicBool::new(false)),
        }
    }

    /// With a second attempt in MQTT 3.1 where the server does not take 3.1.1: it says so by CONNACK, or closes the
    /// connection without one. Later attempts stay with 3.1.
    #[must_use]
    pub fn fall_back_to_mqtt31(self) -> Self {
        Reconnect { fallback: true, ..self }
    }

    /// A handle that ends the waiting.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(Arc::clone(&self.stop))
    }

    /// The connection: for [`publish`](Connection::publish) and the like, on line or not.
    pub fn connection(&mut self) -> &mut Connection<S, R, T, N> {
        &mut self.connection
    }

    /// The client and the stream, if there is one, to go on without this helper.
    pub fn into_parts(self) -> (Client<R, T, N>, Option<S>) {
        self.connection.into_parts()
    }

    /// Waits for the next event, for at most `timeout` (`None`: as long as it takes), and connects with `connect`
    /// whenever there is no connection.
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
            let wait = left.unwrap_or(STOP_INTERVAL).min(STOP_INTERVAL);
            if self.connection.is_open() {
                match self.connection.advance_within(wait) {
                    Ok(true) => break,
                    Ok(false) => {}
                    Err(error) => return self.lost(error),
                }
            } else if !self.sleep(wait) {
                return match self.attempt(connect) {
                    Ok(session_present) => Ok(Update::Event(Event::Connected { session_present })),
                    Err(Error::Connect(error)) => Err(GaveUp::Connect(error)),
                    Err(error) => self.lost(error),
                };
            }
            if left.is_some_and(|left| left <= wait) || self.connection.client.waits_for_acknowledgement() {
                return Ok(Update::Idle);
            }
        }
        Ok(self.connection.event().map_or(Update::Idle, Update::Event))
    }

    /// Sleeps, if it is too early for the next attempt.
    fn sleep(&mut self, most: Duration) -> bool {
        let left = self.retry_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(Clock::now()));
        thread::sleep(left.min(most));
        left > most
    }

    fn attempt(&mut self, connect: &Connect<'_>) -> Result<Option<bool>, Error> {
        let version = if self.fallen_back { Version::Mqtt31 } else { connect.version };
        let stream = (self.open)().map_err(Error::Io)?;
        self.connection.reopen(stream);
        let result = self.connection.connect(&connect.version(version));
        match &result {
            Ok(_) => self.backoff.reset(),
            Err(error) if self.fallback && version == Version::Mqtt311 && is_refusal_of_version(error) => {
                self.fallen_back = true;
            }
            Err(_) => {}
        }
        result
    }

    fn lost(&mut self, error: Error) -> Result<Update<'_>, GaveUp> {
        self.connection.close();
        let Some(delay) = self.backoff.next_ms() else { return Err(GaveUp::Limit(error)) };
        let retry_in = Duration::from_millis(u64::from(delay));
        self.retry_at = Clock::now().checked_add(retry_in);
        Ok(Update::LinkLost { error, retry_in })
    }
}

/// Whether this is how a server behaves that knows only MQTT 3.1.
fn is_refusal_of_version(error: &Error) -> bool {
    match error {
        Error::Closed => true,
        Error::Io(error) => error.kind() == io::ErrorKind::ConnectionReset,
        Error::Client(error) => *error == client::Error::Refused(RefusalCode::UNACCEPTABLE_PROTOCOL_VERSION),
        Error::Connect(_) => false,
    }
}
