//! A client with a stream of which every operation may be dropped, for one task.

use core::future::pending;
use core::time::Duration;

use embedded_io_async::{ErrorKind, ErrorType, Read, Write};

use super::Timer;
use super::any_of::any_of;
use crate::transport::driver::Driver;
use crate::transport::timeout::Countdown;
use crate::transport::{Error, is_a_client};
use crate::{Client, Config, Event, InboundIds, Standard};

/// A client, the two halves of the stream that it talks over, and a clock.
///
/// Reading goes on while a write waits, so that a server which does not read cannot keep the client from reading. The price:
/// whenever one of them is ready, the futures of the others are dropped, and made anew. **Both halves have to be cancel-safe**, as
/// `embedded_io_async` recommends: a `read`, `write` or `flush` that is dropped has done nothing. Those of embassy-net and
/// tokio are; peripherals with DMA need a buffer between; embedded-tls is not, and loses the rest of a record.
pub struct Connection<Rd: ErrorType, Wr, K, R, T, C = Standard, I = InboundIds> {
    driver: Driver<Rd::Error, R, T, C, I>,
    input: Rd,
    output: Wr,
    timer: K,
}

is_a_client!(Connection<Rd: ErrorType, Wr, K>);

/// What a write half has done.
enum Output<E> {
    Written(Result<usize, E>),
    Flushed(Result<(), E>),
}

impl<Rd: ErrorType, Wr, K, R, T, C, I> Connection<Rd, Wr, K, R, T, C, I> {
    /// A connection over a stream that is open. [`connect`](Client::connect) is next.
    ///
    /// The client is one that is offline: a new one, or one that [`into_parts`](Self::into_parts) has returned.
    #[must_use]
    pub const fn new(input: Rd, output: Wr, client: Client<R, T, C, I>, timer: K) -> Self {
        Connection { driver: Driver::new(client), input, output, timer }
    }

    /// Whether there is a connection, or one on its way.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.driver.is_open()
    }

    /// The two halves of the stream: to close it, or to empty a line that stays as it is. Bytes that are read from it or written to
    /// it are missed by the client.
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
    /// Continues with another stream: the session stays, the link is a new one. [`connect`](Client::connect) is next. Returns the
    /// halves of the old stream.
    pub fn reopen(&mut self, input: Rd, output: Wr) -> (Rd, Wr) {
        self.close();
        (core::mem::replace(&mut self.input, input), core::mem::replace(&mut self.output, output))
    }

    /// Gives the connection up, without DISCONNECT. The stream stays; once it is open again, [`connect`](Client::connect) is next.
    pub fn close(&mut self) {
        self.driver.close();
    }

    /// The client, the two halves of the stream and the timer apart. The client is offline.
    #[must_use]
    pub fn into_parts(mut self) -> (Client<R, T, C, I>, Rd, Wr, K) {
        self.close();
        (self.driver.client, self.input, self.output, self.timer)
    }

    /// Waits for the next event, for at most `timeout` (`None`: as long as it takes), while it keeps the link alive and sends what
    /// is queued. `None` if nothing happened in that time.
    ///
    /// Without `timeout`, `None` means that it is the application's turn: a payload is to be handed over, or nothing more can be
    /// looked at before messages are acknowledged or the session is saved.
    ///
    /// # Cancel safety
    /// Safe: no event is lost, no byte is lost or sent twice. So it can be one branch of a `select`, beside whatever makes the
    /// application publish. Nobody keeps the link alive while it does not run.
    ///
    /// # Errors
    /// What has ended the connection, see [`Error`].
    pub async fn next_event(
        &mut self,
        timeout: Option<Duration>,
    ) -> Result<Option<Event<'_>>, Error<Rd::Error>> {
        let mut countdown = Countdown::new(timeout, self.timer.now());
        // What has come is read before the clock is looked at: a slow application is not to be taken for a slow server.
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
            self.transfer(self.driver.time_left(now).into_iter().chain(left).min()).await;
        }
    }

    /// Sends what is queued. What comes in meanwhile is read, so that the server can get on, but not looked at.
    ///
    /// # Cancel safety
    /// Safe: no byte is lost or sent twice. What is left goes with the next call of any method.
    ///
    /// # Errors
    /// [`Error::Closed`] where the output has failed: [`next_event`](Self::next_event) says why, after what had come. Or the
    /// stall timeout.
    pub async fn flush(&mut self) -> Result<(), Error<Rd::Error>> {
        let asked_at = self.timer.now();
        while !self.driver.check_output()? {
            self.transfer(self.driver.stall_left(asked_at, self.timer.now())).await;
            self.driver.check_stall(asked_at, self.timer.now())?;
        }
        Ok(())
    }

    /// Sends what is queued, and DISCONNECT behind it. Then the stream has to be closed, its output first, and what still comes be
    /// [drained](Self::drain). The session stays in the client.
    ///
    /// Events that come meanwhile are passed over. An application that wants them calls [`Client::disconnect`] or
    /// [`finish`](Client::finish), and [`next_event`](Self::next_event) until [`Error::Disconnected`].
    ///
    /// # Cancel safety
    /// Safe: no byte is lost or sent twice; [`next_event`](Self::next_event) goes on with it.
    ///
    /// # Errors
    /// What kept DISCONNECT from being sent: then the server publishes the will.
    pub async fn disconnect(&mut self) -> Result<(), Error<Rd::Error>> {
        self.driver.disconnect()?;
        loop {
            let now = self.timer.now();
            if self.driver.has_disconnected(now)? {
                return Ok(());
            }
            self.transfer(self.driver.time_left(now)).await;
        }
    }

    /// Reads and drops what still comes, to the end of the stream, for at most this time. A TCP stream that is closed with
    /// something unread takes back what was sent last. Its output has to be closed before, so that the server closes it too.
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

    /// Reads, writes or flushes once, whatever is ready first, or waits for so many ms.
    ///
    /// Cancel-safe, because what the stream has done is told to the client without another `await` between.
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
        let sleep = async {
            match wait {
                Some(0) => {}
                Some(ms) => timer.sleep(ms).await,
                None => pending().await,
            }
        };
        let (was_read, was_written) = any_of(read, write, sleep).await;

        let now = self.timer.now();
        // What was read first: a failure of the output puts an end to reading.
        match was_read {
            Some(result) if !is_interrupted(&result) => self.driver.received(result, now),
            _ => {}
        }
        match was_written {
            Some(Output::Written(result)) if !is_interrupted(&result) => self.driver.written(result, now),
            Some(Output::Flushed(result)) if !is_interrupted(&result) => self.driver.flushed(result, now),
            _ => {}
        }
    }
}

fn is_interrupted<V, E: embedded_io_async::Error>(result: &Result<V, E>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::Interrupted)
}
