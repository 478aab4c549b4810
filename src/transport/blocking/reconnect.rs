//! A connection that reconnects.

use core::task::Poll;
use core::time::Duration;

use embedded_io::{Error as _, ErrorKind, ErrorType, Read, ReadReady, Write};

use super::Connection;
use super::connection::Ready;
use crate::transport::common::Countdown;
use crate::transport::one_stream::{Attempts, Turn, reconnects};
use crate::transport::{GaveUp, Update};
use crate::{Config, Connect, InboundIds, Instant, Standard};

/// A [`Connection`] that is reopened whenever it is lost, with growing delays. The delays start again from the shortest once a
/// connection has lived for as long as the longest delay, or for a minute.
///
/// `open` reopens the stream in place; nothing else happens meanwhile. Like a connection, this type dereferences to the client. Use
/// [`Routes`](crate::Routes) to renew subscriptions.
///
/// ```
/// use baremqtt::transport::blocking::{Connection, Reconnect};
/// use baremqtt::transport::{GaveUp, Update};
/// use baremqtt::{Backoff, Buffers, Client, Connect, Event, Instant, QoS, Routes};
/// use embedded_io::{Read, ReadReady, Write};
///
/// trait Modem: Read + ReadReady + Write {
///     fn dial(&mut self, host: &str) -> Result<(), Self::Error>;
/// }
///
/// fn run<S: Modem>(modem: S, millis: fn() -> u32) -> Result<(), GaveUp<S::Error>> {
///     let client = Client::new(Buffers { rx: [0; 256], tx: [0; 256] });
///     let connection = Connection::new(modem, client, || Instant::from_millis(millis()));
///     let dial = |modem: &mut S| modem.dial("broker.example");
///     let mut mqtt = Reconnect::new(connection, dial, Backoff::new(500, 60_000).seed(17));
///     let mut routes = Routes::<_, (), 1>::new();
///     routes.add("lamp/toggle", QoS::AtLeastOnce, ()).expect("a valid filter, and room for one");
///     loop {
///         let connect = Connect::new("lamp").clean_session(false).keep_alive(30);
///         if let Some(Update::Event(event)) = mqtt.next_event(&connect, None)? {
///             routes.note(&event);
///             if let Event::Message(_) = event { /* toggle it */ }
///         }
///         routes.subscribe(&mut mqtt.outbound())?;
///     }
/// }
/// ```
pub struct Reconnect<S: ErrorType, K, F, R, T, C = Standard, I = InboundIds> {
    connection: Connection<S, K, R, T, C, I>,
    open: F,
    attempts: Attempts,
}

reconnects!(Reconnect<S: ErrorType, K>, Connection<S, K, R, T, C, I>);

impl<S, K, F, R, T, C, I> Reconnect<S, K, F, R, T, C, I>
where
    S: Read + ReadReady + Write,
    K: FnMut() -> Instant,
    F: FnMut(&mut S) -> Result<(), S::Error>,
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Milliseconds until [`next_event`](Self::next_event) must be called, even if the stream is not ready: 12 days at most. This is for
    /// programs that call it without waiting.
    #[must_use]
    pub fn time_left(&mut self) -> u32 {
        let Reconnect { connection, attempts, .. } = self;
        attempts.time_left(&connection.driver, (connection.clock)())
    }

    /// Waits for the next event or loss of the link, like [`Connection::next_event`], and connects with `connect` whenever there is no
    /// connection. `connect` can be different each time, for instance with a new access token.
    ///
    /// # Errors
    /// See [`GaveUp`].
    pub fn next_event(
        &mut self,
        connect: &Connect<'_>,
        timeout: Option<Duration>,
    ) -> Result<Option<Update<'_, S::Error>>, GaveUp<S::Error>> {
        let Reconnect { connection, open, attempts } = self;
        let Connection { driver, stream, clock } = connection;
        let mut countdown = Countdown::new(timeout, clock());
        loop {
            let reopen = |stream: &mut Ready<'_, S>| Poll::Ready(open(stream.0));
            let is_reset = |error: &S::Error| error.kind() == ErrorKind::ConnectionReset;
            match attempts.turn(driver, &mut Ready(stream), reopen, connect, clock, is_reset)? {
                Turn::Event => return Ok(driver.client.event().map(Update::Event)),
                Turn::Lost { error, retry_in } => return Ok(Some(Update::LinkLost { error, retry_in })),
                Turn::Idle => {}
            }
            if match countdown.left(clock()) {
                Some(left) => left == 0,
                None => attempts.has_link && driver.waits_for_application(),
            } {
                return Ok(None);
            }
        }
    }
}
