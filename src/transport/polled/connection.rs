//! One connection over one stream.

use core::task::Poll;

use super::Stream;
use crate::transport::Error;
use crate::transport::common::{Driver, is_a_client};
use crate::transport::one_stream::has_one_stream;
use crate::transport::turn::{self, Reads};
use crate::{Client, Config, Event, InboundIds, Instant, Standard};

/// A client and its stream. It does not reconnect: a [`Reconnect`](super::Reconnect) does.
///
/// It dereferences to the [`Client`], whose calls make requests. The page of the [module](super) has a program.
pub struct Connection<S: Stream, R, T, C = Standard, I = InboundIds> {
    pub(super) driver: Driver<S::Error, R, T, C, I>,
    pub(super) stream: S,
}

is_a_client!(Connection<S: Stream>);
has_one_stream!(Connection<S: Stream>);

impl<S: Stream, R, T, C, I> Connection<S, R, T, C, I> {
    /// A connection over an open stream. Call [`connect`](Client::connect) next.
    ///
    /// The client must be offline: a new one, or one that was returned by [`into_parts`](Self::into_parts).
    #[must_use]
    pub const fn new(stream: S, client: Client<R, T, C, I>) -> Self {
        Connection { driver: Driver::new(client), stream }
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
    /// Milliseconds until [`poll`](Self::poll) must be called, even if the stream is not ready: 12 days at most.
    #[must_use]
    pub fn time_left(&self, now: Instant) -> u32 {
        self.driver.time_left(now)
    }

    /// Sends queued packets, reads input, keeps the link alive, and returns the next event. Call it whenever the stream
    /// may be ready, after requests, and when [`time_left`](Self::time_left) has passed. Only differences between values of `now` matter,
    /// so a 32-bit clock that wraps will do if this is called at least every 24 days.
    ///
    /// # Errors
    /// [`WouldBlock`](nb::Error::WouldBlock) if there is no event now. Otherwise, why the connection has ended; after
    /// [`disconnect`](Client::disconnect) or [`finish`](Client::finish) this is [`Error::Disconnected`], as soon as DISCONNECT has been
    /// sent.
    pub fn poll(&mut self, now: Instant) -> nb::Result<Event<'_>, Error<S::Error>> {
        let found = self.driver.turn(&mut NonBlocking(&mut self.stream), &mut || now, Reads::All)?;
        found.then(|| self.driver.client.event()).flatten().ok_or(nb::Error::WouldBlock)
    }
}

pub(super) struct NonBlocking<'a, S>(pub(super) &'a mut S);

impl<S: Stream> turn::PollStream for NonBlocking<'_, S> {
    type Error = S::Error;

    fn read(&mut self, buffer: &mut [u8], _: u32) -> Poll<Result<usize, S::Error>> {
        poll(self.0.read(buffer))
    }

    fn write(&mut self, bytes: &[u8]) -> Poll<Result<usize, S::Error>> {
        poll(self.0.write(bytes))
    }

    fn flush(&mut self) -> Poll<Result<(), S::Error>> {
        poll(self.0.flush())
    }
}

pub(super) fn poll<V, E>(result: nb::Result<V, E>) -> Poll<Result<V, E>> {
    match result {
        Ok(value) => Poll::Ready(Ok(value)),
        Err(nb::Error::Other(error)) => Poll::Ready(Err(error)),
        Err(nb::Error::WouldBlock) => Poll::Pending,
    }
}
