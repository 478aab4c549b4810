//! A connection that reconnects.

use super::connection::{NonBlocking, poll};
use super::{Connection, Stream};
use crate::transport::one_stream::{Attempts, Turn, reconnects};
use crate::transport::{GaveUp, Update};
use crate::{Config, Connect, InboundIds, Instant, Standard};

/// A [`Connection`] that is reopened whenever it is lost, with growing delays. The delays start again from the shortest once a
/// connection has lived for as long as the longest delay, or for a minute.
///
/// `open` reopens the stream in place, or returns [`WouldBlock`](nb::Error::WouldBlock) and is called again. Like a connection, this type
/// dereferences to the client. Use [`Routes`](crate::Routes) to renew subscriptions.
///
/// ```
/// use baremqtt::transport::Update;
/// use baremqtt::transport::polled::{Connection, Reconnect, Stream};
/// use baremqtt::{Backoff, Buffers, Client, Connect, Instant, Message};
///
/// type Open<S> = fn(&mut S) -> nb::Result<(), <S as Stream>::Error>;
///
/// fn run<S: Stream>(stream: S, open: Open<S>, millis: fn() -> u32) {
///     let client = Client::new(Buffers { rx: [0; 256], tx: [0; 256] });
///     let connection = Connection::new(stream, client);
///     let mut mqtt = Reconnect::new(connection, open, Backoff::new(500, 60_000));
///     loop {
///         let connect = Connect::new("lamp").clean_session(false).keep_alive(30);
///         match mqtt.poll(&connect, Instant::from_millis(millis())) {
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
    /// Milliseconds until [`poll`](Self::poll) must be called, even if the stream is not ready: 12 days at most, and 0 while a stream is
    /// being opened.
    #[must_use]
    pub fn time_left(&self, now: Instant) -> u32 {
        self.attempts.time_left(&self.connection.driver, now)
    }

    /// Returns the next event or loss of the link, like [`Connection::poll`], and connects with `connect` when there is no connection and
    /// the delay has passed. `connect` can be different each time, for instance with a new access token. Call it as often as
    /// [`Connection::poll`].
    ///
    /// # Errors
    /// [`WouldBlock`](nb::Error::WouldBlock) if there is nothing to report now. Otherwise see [`GaveUp`].
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
