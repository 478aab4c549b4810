//! A connection that reconnects by itself.

use super::connection::{NonBlocking, poll};
use super::{Connection, Stream};
use crate::transport::attempts::{Attempts, Turn};
use crate::transport::{GaveUp, Update, reconnects};
use crate::{Config, Connect, InboundIds, Instant, Standard};

/// A [`Connection`] that is opened again whenever it is lost, after delays that grow. They start again with the least once a
/// connection has lived for as long as the greatest, or for a minute.
///
/// `open` opens the stream anew, in its place, or says [`WouldBlock`](nb::Error::WouldBlock) and is called again. As a connection does,
/// this dereferences to the client. Subscriptions come back with [`Routes`](crate::Routes).
///
/// ```
/// use baremqtt::transport::Update;
/// use baremqtt::transport::polled::{Connection, Reconnect, Stream};
/// use baremqtt::{Backoff, Buffers, Client, Connect, Instant, Message};
///
/// fn run<S: Stream>(stream: S, open: fn(&mut S) -> nb::Result<(), S::Error>, millis: fn() -> u32) {
///     let client = Client::new(Buffers { rx: [0; 256], tx: [0; 256] });
///     let mut mqtt = Reconnect::new(Connection::new(stream, client), open, Backoff::new(500, 60_000));
///     loop {
///         match mqtt.poll(&Connect::new("lamp").keep_alive(30), Instant::from_millis(millis())) {
///             Ok(Update::Event(event)) => { /* ... */ }
///             Ok(_) | Err(nb::Error::WouldBlock) => { /* other work */ }
///             Err(nb::Error::Other(_)) => break, // refused, for instance
///         }
///     }
/// }
/// ```
pub struct Reconnect<S: Stream, F, R, T, C = Standard, I = InboundIds> {
    connection: Connection<S, R, T, C, I>,
    open: F,
    attempts: Attempts,
}

reconnects!(Reconnect<S: Stream>, Connection<S, R, T, C, I>);

impl<S, F, R, T, C, I> Reconnect<S, F, R, T, C, I>
where
    S: Stream,
    F: FnMut(&mut S) -> nb::Result<(), S::Error>,
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Looks for an event or a loss, and connects with `connect` whenever there is no connection and it is time: it can be another one
    /// each time, with a token that has not expired. Call it as often as [`Connection::poll`], and now and then while there is no
    /// connection.
    ///
    /// # Errors
    /// [`WouldBlock`](nb::Error::WouldBlock) if there is nothing now. Else see [`GaveUp`].
    pub fn poll(
        &mut self,
        connect: &Connect<'_>,
        now: Instant,
    ) -> nb::Result<Update<'_, S::Error>, GaveUp<S::Error>> {
        let Reconnect { connection, open, attempts } = self;
        let Connection { driver, stream } = connection;
        let reopen = |stream: &mut NonBlocking<'_, S>| poll(open(stream.0));
        let mut clock = || now;
        match attempts.turn(driver, &mut NonBlocking(stream), reopen, connect, &mut clock, |_| false)? {
            Turn::Event => driver.client.event().map(Update::Event).ok_or(nb::Error::WouldBlock),
            Turn::Lost { error, retry_in } => Ok(Update::LinkLost { error, retry_in }),
            Turn::Idle => Err(nb::Error::WouldBlock),
        }
    }
}
