//! One connection over one stream.

use core::task::Poll;
use core::time::Duration;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write};

use crate::transport::driver::Driver;
use crate::transport::timeout::Countdown;
use crate::transport::turn::{self, Reads};
use crate::transport::{Error, has_one_stream, is_a_client};
use crate::{Client, Config, Event, InboundIds, Instant, Standard};

/// A client, the stream that it talks over, and a clock.
///
/// A write that fails with [`ErrorKind::TimedOut`] has taken nothing, and is repeated after the next read. A stream whose writes
/// block for ever when the server does not read has nothing that could end them.
pub struct Connection<S: ErrorType, K, R, T, C = Standard, I = InboundIds> {
    pub(super) driver: Driver<S::Error, R, T, C, I>,
    pub(super) stream: S,
    pub(super) clock: K,
}

is_a_client!(Connection<S: ErrorType, K>);
has_one_stream!(Connection<S: ErrorType, K>);

impl<S: ErrorType, K, R, T, C, I> Connection<S, K, R, T, C, I> {
    /// A connection over a stream that is open. [`connect`](Client::connect) is next.
    ///
    /// `clock` is asked for the time at each turn, and while there is nothing to do it is called again and again: it can sleep
    /// until the next interrupt first. It may be any clock of milliseconds, one of 32 bits that wraps too.
    ///
    /// The client is one that is offline: a new one, or one that [`into_parts`](Self::into_parts) has returned.
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
    /// Waits for the next event, for at most `timeout` (`None`: as long as it takes), while it keeps the link alive and sends what
    /// is queued. `None` if nothing happened in that time. With a `timeout` of zero it does not wait for the server at all, which
    /// suits a loop that has other things to do.
    ///
    /// Without `timeout`, `None` means that it is the application's turn: a payload is to be handed over, or nothing more can be
    /// looked at before messages are acknowledged or the session is saved.
    ///
    /// # Errors
    /// What has ended the connection, see [`Error`].
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

    /// Sends what is queued, as far as the stream takes it; returns whether that was all.
    ///
    /// # Errors
    /// [`Error::Closed`] where the output has failed: [`next_event`](Self::next_event) says why, after what had come.
    pub fn flush(&mut self) -> Result<bool, Error<S::Error>> {
        self.driver.send(&mut Ready(&mut self.stream), &mut self.clock);
        self.driver.check_output()
    }

    /// Sends what is queued, and DISCONNECT behind it. Then the stream has to be closed, its output first, and what still comes be
    /// [drained](Self::drain). The session stays in the client.
    ///
    /// Events that come meanwhile are passed over. An application that wants them calls [`Client::disconnect`] or
    /// [`finish`](Client::finish), and [`next_event`](Self::next_event) until [`Error::Disconnected`].
    ///
    /// # Errors
    /// What kept DISCONNECT from being sent: then the server publishes the will.
    pub fn disconnect(&mut self) -> Result<(), Error<S::Error>> {
        self.driver.disconnect()?;
        loop {
            let mut stream = Ready(&mut self.stream);
            self.driver.send(&mut stream, &mut self.clock);
            self.driver.read(&mut stream, &mut self.clock, 0);
            if self.driver.has_disconnected((self.clock)())? {
                return Ok(());
            }
        }
    }

    /// Reads and drops what still comes, to the end of the stream, for at most this time. A TCP stream that is closed with
    /// something unread takes back what was sent last.
    pub fn drain(&mut self, timeout: Duration) {
        let mut countdown = Countdown::new(Some(timeout), (self.clock)());
        let mut waste = [0; 64];
        while countdown.left((self.clock)()) != Some(0) {
            match turn::Stream::read(&mut Ready(&mut self.stream), &mut waste, 0) {
                Poll::Ready(Ok(0) | Err(_)) => return,
                Poll::Ready(Ok(_)) | Poll::Pending => {}
            }
        }
    }
}

/// A stream that is read only if something is there.
pub(super) struct Ready<'a, S>(pub(super) &'a mut S);

impl<S: Read + ReadReady + Write> turn::Stream for Ready<'_, S> {
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

/// Errors that pass are none.
fn unless_later<V, E: embedded_io::Error>(result: Result<V, E>) -> Poll<Result<V, E>> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::TimedOut) => Poll::Pending,
        result => Poll::Ready(result),
    }
}
