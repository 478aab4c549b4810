//! A client with a cancel-safe stream, for one task.

use core::future::pending;
use core::time::Duration;

use embedded_io_async::{ErrorKind, ErrorType, Read, Write};

use super::any_of::any_of;
use super::io::pause;
use super::{Timer, sleep};
use crate::transport::Error;
use crate::transport::common::{Countdown, Driver, is_a_client};
use crate::{Client, Config, Event, InboundIds, Standard};

/// A client, the two halves of its stream, and a timer.
///
/// Reading continues while a write waits, so that a server that does not read cannot stop the client from reading. For this, reads, writes
/// and flushes wait together, and as soon as one is ready the futures of the others are dropped and created again. **Both halves
/// must therefore be cancel-safe**, as `embedded_io_async` recommends: a `read`, `write` or `flush` that is dropped must have had no
/// effect. Those of embassy-net and tokio are. Peripherals with DMA need a buffer in between. embedded-tls is not cancel-safe: it would
/// lose the rest of a record.
pub struct Connection<Rd: ErrorType, Wr, K, R, T, C = Standard, I = InboundIds> {
    driver: Driver<Rd::Error, R, T, C, I>,
    input: Rd,
    output: Wr,
    timer: K,
}

is_a_client!(Connection<Rd: ErrorType, Wr, K>);

/// What was done with the write half.
enum Output<E> {
    Written(Result<usize, E>),
    Flushed(Result<(), E>),
}

impl<Rd: ErrorType, Wr, K, R, T, C, I> Connection<Rd, Wr, K, R, T, C, I> {
    /// A connection over an open stream. Call [`connect`](Client::connect) next.
    ///
    /// The client must be offline: a new one, or one that was returned by [`into_parts`](Self::into_parts).
    #[must_use]
    pub const fn new(input: Rd, output: Wr, client: Client<R, T, C, I>, timer: K) -> Self {
        Connection { driver: Driver::new(client), input, output, timer }
    }

    /// Whether there is a connection, or one is being established.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.driver.is_open()
    }

    /// The two halves of the stream, for instance to close it, or to discard old input of a serial line. The client does not see bytes
    /// that you read or write here.
    #[must_use]
    pub const fn halves_mut(&mut self) -> (&mut Rd, &mut Wr) {
        (&mut self.input, &mut self.output)
    }
}

impl<Rd, Wr, K, R, T, C, I> Connection<Rd, Wr, K, R, T, C, I>
where
    Rd: Read,
    Wr: Write<Error = Rd::Error>,
    K: Timer,
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Continues the session on another stream. Call [`connect`](Client::connect) next. Returns the halves of the old stream.
    pub fn reopen(&mut self, input: Rd, output: Wr) -> (Rd, Wr) {
        self.close();
        (core::mem::replace(&mut self.input, input), core::mem::replace(&mut self.output, output))
    }

    /// Ends the connection without DISCONNECT. The stream is kept; once it is open again, call [`connect`](Client::connect).
    pub fn close(&mut self) {
        self.driver.close();
    }

    /// Returns the client, which is then offline, the two halves of the stream, and the timer.
    #[must_use]
    pub fn into_parts(mut self) -> (Client<R, T, C, I>, Rd, Wr, K) {
        self.close();
        (self.driver.client, self.input, self.output, self.timer)
    }

    /// Waits for the next event, keeps the link alive, and sends queued packets. Returns `None` if there was no event within `timeout`;
    /// without a `timeout` it waits as long as necessary.
    ///
    /// Without a `timeout`, it returns `None` only if the client is blocked by the application: it has to supply a payload, acknowledge
    /// messages, or save the session.
    ///
    /// # Cancel safety
    /// Safe: no event is lost, and no byte is lost or sent twice. It can therefore be one branch of a `select`, next to whatever makes the
    /// application publish. The link is not kept alive while this future does not run.
    ///
    /// # Errors
    /// Why the connection has ended; see [`Error`].
    pub async fn next_event(
        &mut self,
        timeout: Option<Duration>,
    ) -> Result<Option<Event<'_>>, Error<Rd::Error>> {
        let mut countdown = Countdown::new(timeout, self.timer.now());
        // Input is read before the clock, so that a slow application is not mistaken for a slow server.
        self.transfer(Some(0)).await;
        loop {
            let now = self.timer.now();
            if self.driver.advance(now)? {
                return Ok(self.driver.client.event());
            }
            let left = countdown.left(now);
            if left == Some(0) || (left.is_none() && self.driver.waits_for_application()) {
                return Ok(None);
            }
            self.transfer(Some(self.driver.time_left(now).min(left.unwrap_or(u32::MAX)))).await;
        }
    }

    /// Sends everything that is queued. Meanwhile, input is read so that the server is not held up, but it is not processed yet.
    ///
    /// # Cancel safety
    /// Safe: no byte is lost or sent twice. The next call of any method sends the rest.
    ///
    /// # Errors
    /// [`Error::Closed`] if writing has failed: [`next_event`](Self::next_event) returns the reason, after the events that were received
    /// before. Or the stall timeout.
    pub async fn flush(&mut self) -> Result<(), Error<Rd::Error>> {
        self.driver.progress_at = self.timer.now();
        while !self.driver.check_output()? {
            self.transfer(self.driver.stall_left(self.timer.now())).await;
            self.driver.check_stall(self.timer.now())?;
        }
        Ok(())
    }

    /// Sends everything that is queued, and then DISCONNECT. After that, close the output of the stream, [drain](Self::drain) its input,
    /// and close it. The client keeps the session.
    ///
    /// Events that are received meanwhile are dropped. To handle them, call [`Client::disconnect`] or
    /// [`finish`](Client::finish) instead, and then [`next_event`](Self::next_event) until it returns [`Error::Disconnected`].
    ///
    /// # Cancel safety
    /// Safe: no byte is lost or sent twice; [`next_event`](Self::next_event) continues the work.
    ///
    /// # Errors
    /// Why DISCONNECT could not be sent. The server then publishes the will.
    pub async fn disconnect(&mut self) -> Result<(), Error<Rd::Error>> {
        loop {
            let now = self.timer.now();
            if self.driver.disconnects(now)? {
                return Ok(());
            }
            self.transfer(Some(self.driver.time_left(now))).await;
        }
    }

    /// Reads and discards input until the end of the stream, for at most `timeout`. This prevents data loss: if a TCP stream is closed with
    /// unread input, the bytes that were sent last may not reach the server. Close the output first, so that the server closes its side.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn drain(&mut self, timeout: Duration) {
        let mut countdown = Countdown::new(Some(timeout), self.timer.now());
        let mut waste = [0; 64];
        while let Some(left @ 1..) = countdown.left(self.timer.now()) {
            let sleep = self.timer.sleep(left);
            let (read, _) = any_of(self.input.read(&mut waste), pending::<()>(), sleep).await;
            if matches!(read, Some(Ok(0) | Err(_))) {
                return;
            }
        }
    }

    /// Reads, writes or flushes once, whichever is ready first, or waits for `wait` ms.
    ///
    /// Cancel-safe, because the result of an operation is passed to the client without another `await` in between.
    async fn transfer(&mut self, wait: Option<u32>) {
        let Connection { driver, input, output, timer } = self;
        let (reads, has_output) = (driver.can_read(), driver.has_output());
        let (room, bytes) = driver.client.split_io();
        let read = async {
            match room {
                [_, ..] if reads => input.read(room).await,
                _ => pending().await,
            }
        };
        let write = async {
            match bytes {
                _ if !has_output => pending().await,
                [_, ..] => Output::Written(output.write(bytes).await),
                [] => Output::Flushed(output.flush().await),
            }
        };
        let (was_read, was_written) = any_of(read, write, sleep(timer, wait)).await;

        let now = self.timer.now();
        // Input first: it arrived before the write failed.
        let mut interrupted = false;
        match was_read {
            Some(result) if is_interrupted(&result) => interrupted = true,
            Some(result) => self.driver.received(result, now),
            None => {}
        }
        match was_written {
            Some(Output::Written(result)) if is_interrupted(&result) => interrupted = true,
            Some(Output::Flushed(result)) if is_interrupted(&result) => interrupted = true,
            Some(Output::Written(result)) => self.driver.written(result, now),
            Some(Output::Flushed(result)) => self.driver.flushed(result, now),
            None => {}
        }
        if interrupted {
            // It is tried again, but other tasks come first.
            pause().await;
        }
    }
}

fn is_interrupted<V, E: embedded_io_async::Error>(result: &Result<V, E>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::Interrupted)
}
