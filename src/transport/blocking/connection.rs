//! One connection over one stream.

use core::task::Poll;
use core::time::Duration;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write};

use crate::transport::Error;
use crate::transport::common::{Countdown, Driver, is_a_client};
use crate::transport::one_stream::has_one_stream;
use crate::transport::turn::{self, Reads};
use crate::{Client, Config, Event, InboundIds, Instant, Standard};

/// A client, its stream, and a clock. It does not reconnect: a [`Reconnect`](super::Reconnect) does.
///
/// It dereferences to the [`Client`], whose calls make requests. The page of the [module](super) has a program.
///
/// A write that fails with [`ErrorKind::TimedOut`] must have accepted nothing; it is repeated after the next read. If the writes of a
/// stream have no timeout, a server that does not read can block them forever.
pub struct Connection<S: ErrorType, K, R, T, C = Standard, I = InboundIds> {
    pub(super) driver: Driver<S::Error, R, T, C, I>,
    pub(super) stream: S,
    pub(super) clock: K,
}

is_a_client!(Connection<S: ErrorType, K>);
has_one_stream!(Connection<S: ErrorType, K>);

impl<S: ErrorType, K, R, T, C, I> Connection<S, K, R, T, C, I> {
    /// A connection over an open stream. Call [`connect`](Client::connect) next.
    ///
    /// `clock` returns the time. Any millisecond clock will do, including a 32-bit counter that wraps. While there is nothing to do, it is
    /// called in a loop, so it can sleep until the next interrupt before it returns.
    ///
    /// The client must be offline: a new one, or one that was returned by [`into_parts`](Self::into_parts).
    #[must_use]
    pub const fn new(stream: S, client: Client<R, T, C, I>, clock: K) -> Self {
        Connection { driver: Driver::new(client), stream, clock }
    }
}

impl<S, K, R, T, C, I> Connection<S, K, R, T, C, I>
where
    S: Read + ReadReady + Write,
    K: FnMut() -> Instant,
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Waits for the next event, keeps the link alive, and sends queued packets. Returns `None` if there was no event within `timeout`;
    /// without a `timeout` it waits as long as necessary. With a `timeout` of zero it does not wait for the server at all, which is
    /// suitable for a loop that has other things to do.
    ///
    /// Without a `timeout`, it returns `None` only if the client is blocked by the application: it has to supply a payload, acknowledge
    /// messages, or save the session.
    ///
    /// # Errors
    /// Why the connection has ended; see [`Error`].
    pub fn next_event(&mut self, timeout: Option<Duration>) -> Result<Option<Event<'_>>, Error<S::Error>> {
        let mut countdown = Countdown::new(timeout, (self.clock)());
        loop {
            if self.driver.turn(&mut Ready(&mut self.stream), &mut self.clock, Reads::All)? {
                return Ok(self.driver.client.event());
            }
            if match countdown.left((self.clock)()) {
                Some(left) => left == 0,
                None => self.driver.waits_for_application(),
            } {
                return Ok(None);
            }
        }
    }

    /// Milliseconds until [`next_event`](Self::next_event) must be called, even if the stream is not ready: 12 days at most. This is for
    /// programs that call it without waiting.
    #[must_use]
    pub fn time_left(&mut self) -> u32 {
        self.driver.time_left((self.clock)())
    }

    /// Sends queued packets, as far as the stream accepts them; returns whether everything was sent.
    ///
    /// # Errors
    /// [`Error::Closed`] if writing has failed: [`next_event`](Self::next_event) returns the reason, after the events that were received
    /// before.
    pub fn flush(&mut self) -> Result<bool, Error<S::Error>> {
        self.driver.send(&mut Ready(&mut self.stream), &mut self.clock);
        self.driver.check_output()
    }

    /// Sends everything that is queued, and then DISCONNECT. After that, close the output of the stream, [drain](Self::drain) its input,
    /// and close it. The client keeps the session.
    ///
    /// Events that are received meanwhile are dropped. To handle them, call [`Client::disconnect`] or
    /// [`finish`](Client::finish) instead, and then [`next_event`](Self::next_event) until it returns [`Error::Disconnected`].
    ///
    /// # Errors
    /// Why DISCONNECT could not be sent. The server then publishes the will.
    pub fn disconnect(&mut self) -> Result<(), Error<S::Error>> {
        loop {
            if self.driver.disconnects((self.clock)())? {
                return Ok(());
            }
            let mut stream = Ready(&mut self.stream);
            self.driver.send(&mut stream, &mut self.clock);
            self.driver.read(&mut stream, &mut self.clock, 0);
        }
    }

    /// Reads and discards input until the end of the stream, for at most `timeout`. This prevents data loss: if a TCP stream is closed with
    /// unread input, the bytes that were sent last may not reach the server.
    pub fn drain(&mut self, timeout: Duration) {
        let mut countdown = Countdown::new(Some(timeout), (self.clock)());
        let mut waste = [0; 64];
        while countdown.left((self.clock)()) != Some(0) {
            match turn::PollStream::read(&mut Ready(&mut self.stream), &mut waste, 0) {
                Poll::Ready(Ok(0) | Err(_)) => return,
                Poll::Ready(Ok(_)) | Poll::Pending => {}
            }
        }
    }
}

/// A stream that is read only if it has input.
pub(super) struct Ready<'a, S>(pub(super) &'a mut S);

impl<S: Read + ReadReady + Write> turn::PollStream for Ready<'_, S> {
    type Error = S::Error;

    fn read(&mut self, buffer: &mut [u8], _: u32) -> Poll<Result<usize, S::Error>> {
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

/// Turns temporary errors into `Pending`.
fn unless_later<V, E: embedded_io::Error>(result: Result<V, E>) -> Poll<Result<V, E>> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::TimedOut) => Poll::Pending,
        result => Poll::Ready(result),
    }
}
