//! Async, over a read half and a write half that are `embedded_io_async::{Read, Write}`.
//!
//! Any executor will do: what waits for time is the application's own [`Timer`]. In embassy it is this (in tokio it
//! differs in the names):
//!
//! ```
//! # mod embassy_time {
//! #     pub struct Instant(u64);
//! #     impl Instant {
//! #         pub fn now() -> Self { Instant(0) }
//! #         pub fn from_millis(ms: u64) -> Self { Instant(ms) }
//! #         pub fn as_millis(&self) -> u64 { self.0 }
//! #     }
//! #     pub struct Timer;
//! #     impl Timer { pub async fn at(_: Instant) {} }
//! # }
//! use baremqtt::transport::Error;
//! use baremqtt::transport::embedded_io_async::{Connection, Timer};
//! use baremqtt::{Buffers, Client, Connect, Event, Instant, Message, QoS};
//! use embedded_io_async::{Read, Write};
//!
//! struct Embassy;
//!
//! impl Timer for Embassy {
//!     fn now(&self) -> Instant {
//!         Instant::from_millis(embassy_time::Instant::now().as_millis())
//!     }
//!
//!     async fn sleep_until(&mut self, at: Instant) {
//!         embassy_time::Timer::at(embassy_time::Instant::from_millis(at.as_millis())).await;
//!     }
//! }
//!
//! # fn toggle_lamp() {}
//! async fn run<I, O>(input: I, output: O) -> Result<(), Error<I::Error>>
//! where
//!     I: Read,
//!     O: Write<Error = I::Error>,
//! {
//!     let client = Client::<_, _, 4>::new(Buffers { rx: [0; 256], tx: [0; 256] });
//!     let mut mqtt = Connection::new(input, output, client, Embassy);
//!     mqtt.connect(&Connect::new("lamp").keep_alive(30)).await?;
//!     // In a buffer that is empty there is room for these.
//!     let _ = mqtt.subscribe(&[("lamp/toggle", QoS::AtLeastOnce)]);
//!     let _ = mqtt.publish(&Message::new("lamp/status", b"here").retain());
//!     loop {
//!         if let Some(Event::Message(_)) = mqtt.next_event(None).await? {
//!             toggle_lamp();
//!         }
//!     }
//! }
//! ```

use core::future::pending;
use core::time::Duration;

use embedded_io_async::{ErrorKind, Read, Write};

use super::Error;
use super::any_of::any_of;
use super::driver::Driver;
use crate::{Client, Connect, Event, Instant, Message, PacketId, QoS, RequestError};

/// The clock of an executor.
#[allow(async_fn_in_trait, reason = "what is known of the type shows whether its futures are Send")]
pub trait Timer {
    /// The point in time that the client's timers count by: now.
    fn now(&self) -> Instant;

    /// Waits until then; not at all if that has passed. The future may be dropped at any time.
    async fn sleep_until(&mut self, at: Instant);
}

/// A client, the two halves of the stream that it talks over, and a clock.
///
/// Reading goes on while a write waits, so that a server which does not read cannot keep the client from reading. The
/// price: whenever one of them is ready, the futures of the others are dropped, and made anew. Both halves have to be
/// cancel-safe, as `embedded_io_async` recommends (a `read`, `write` or `flush` that is dropped has done nothing): those of
/// embassy-net and tokio are; peripherals with DMA need a buffer between.
pub struct Connection<I, O, C, R, T, const N: usize> {
    driver: Driver<R, T, N>,
    input: I,
    output: O,
    timer: C,
}

/// What a write half has done.
enum Output<E> {
    Written(Result<usize, E>),
    Flushed(Result<(), E>),
}

impl<I, O, C, R, T, const N: usize> Connection<I, O, C, R, T, N> {
    /// A connection over a stream that is open.
    ///
    /// The client is one that is off line: a new one, or one that [`into_parts`](Self::into_parts) has returned.
    pub const fn new(input: I, output: O, client: Client<R, T, N>, timer: C) -> Self {
        Connection { driver: Driver::new(client), input, output, timer }
    }
}

impl<I, O, C, R, T, const N: usize> Connection<I, O, C, R, T, N>
where
    I: Read,
    O: Write<Error = I::Error>,
    C: Timer,
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Goes on with another stream: the session stays, the link is a new one. [`connect`](Self::connect) is next.
    /// Returns the halves of the old stream.
    pub fn reopen(&mut self, input: I, output: O) -> (I, O) {
        self.close();
        (core::mem::replace(&mut self.input, input), core::mem::replace(&mut self.output, output))
    }

    /// Gives the connection up, without DISCONNECT. The stream stays; once it is open anew, [`connect`](Self::connect)
    /// is next.
    pub fn close(&mut self) {
        self.driver.close();
    }

    /// Whether there is a connection, or one on its way.
    pub fn is_open(&self) -> bool {
        self.driver.is_open()
    }

    /// The client, to be looked at.
    pub fn client(&self) -> &Client<R, T, N> {
        &self.driver.client
    }

    /// The client, for what needs no stream.
    pub fn client_mut(&mut self) -> &mut Client<R, T, N> {
        &mut self.driver.client
    }

    /// The two halves of the stream: to close it, or to empty a line that stays as it is. Bytes that are read from it or
    /// written to it are missed by the client.
    pub fn halves_mut(&mut self) -> (&mut I, &mut O) {
        (&mut self.input, &mut self.output)
    }

    /// The client, the two halves of the stream and the timer apart. The client is off line.
    pub fn into_parts(mut self) -> (Client<R, T, N>, I, O, C) {
        self.close();
        (self.driver.client, self.input, self.output, self.timer)
    }

    /// The point in time that the client's timers count by: now.
    pub fn now(&self) -> Instant {
        self.timer.now()
    }

    /// Sends CONNECT and waits for CONNACK. Says whether the server has kept the session; `None` in MQTT 3.1,
    /// where it does not tell.
    ///
    /// # Cancel safety
    /// Safe: CONNECT is under way, and [`next_event`](Self::next_event) brings [`Event::Connected`]. To begin anew
    /// instead, [`reopen`](Self::reopen) with another stream.
    ///
    /// # Errors
    /// [`Error::Client`] with [`Refused`](crate::Error::Refused) where the server refuses; any other [`Error`].
    pub async fn connect(&mut self, connect: &Connect<'_>) -> Result<Option<bool>, Error<I::Error>> {
        let now = self.now();
        self.driver.client.connect(connect, now).map_err(Error::Connect)?;
        self.driver.read_at = now;
        loop {
            // The first event is this one; everything else comes after it.
            if let Some(Event::Connected { session_present }) = self.next_event(None).await? {
                return Ok(session_present);
            }
        }
    }

    /// Queues a message; see [`Client::publish`]. It leaves with the next [`next_event`](Self::next_event) or
    /// [`flush`](Self::flush).
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn publish(&mut self, message: &Message<'_>) -> Result<Option<PacketId>, RequestError> {
        let now = self.now();
        self.driver.client.publish(message, now)
    }

    /// Queues a message whose payload is to be handed over in pieces; see [`Client::publish_streamed`].
    ///
    /// # Errors
    /// See [`RequestError`].
    #[cfg(feature = "large-messages")]
    pub fn publish_streamed(
        &mut self,
        message: &crate::StreamedMessage<'_>,
    ) -> Result<Option<PacketId>, RequestError> {
        let now = self.now();
        self.driver.client.publish_streamed(message, now)
    }

    /// Hands over the next piece of the payload that [`Event::StreamReady`] has asked for; see
    /// [`Client::write_payload`]. Says how many bytes were taken; [`flush`](Self::flush) makes room for more.
    ///
    /// # Errors
    /// See [`StreamError`](crate::StreamError).
    #[cfg(feature = "large-messages")]
    pub fn write_payload(&mut self, payload: &[u8]) -> Result<usize, crate::StreamError> {
        let now = self.now();
        self.driver.client.write_payload(payload, now)
    }

    /// Queues a SUBSCRIBE; see [`Client::subscribe`].
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn subscribe(&mut self, filters: &[(&str, QoS)]) -> Result<PacketId, RequestError> {
        let now = self.now();
        self.driver.client.subscribe(filters, now)
    }

    /// Queues an UNSUBSCRIBE; see [`Client::unsubscribe`].
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn unsubscribe(&mut self, filters: &[&str]) -> Result<PacketId, RequestError> {
        let now = self.now();
        self.driver.client.unsubscribe(filters, now)
    }

    /// Waits for the next event, for at most `timeout` (`None`: as long as it takes), while it keeps the link alive and
    /// sends what is queued. `None` if nothing happened in that time.
    ///
    /// With [manual acknowledgement](crate::Options::manual_acknowledgement), `None` also says, even without `timeout`,
    /// that no further message can be looked at before some are acknowledged.
    ///
    /// # Cancel safety
    /// Safe: no event is lost, no byte is lost or sent twice. So it can be one branch of a `select`, beside whatever makes
    /// the application publish. Nobody keeps the link alive while it does not run.
    ///
    /// # Errors
    /// What has ended the connection, see [`Error`].
    pub async fn next_event(
        &mut self,
        timeout: Option<Duration>,
    ) -> Result<Option<Event<'_>>, Error<I::Error>> {
        let until =
            timeout.map(|timeout| self.now().after(u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX)));
        loop {
            if self.driver.advance()? {
                return Ok(self.driver.client.event());
            }
            if !self.is_open() && !self.driver.unflushed {
                return Err(Error::Closed);
            }
            if match until {
                Some(until) => until <= self.driver.read_at,
                None => {
                    self.driver.client.waits_for_acknowledgement() && self.driver.client.pending().is_empty()
                }
            } {
                return Ok(None);
            }
            let deadline = match self.is_open() {
                true => self.driver.client.deadline(),
                false => self.driver.stall_deadline(Instant::ZERO),
            };
            self.transfer(deadline.into_iter().chain(until).min()).await?;
            self.driver.fail_if_flush_is_stuck(self.now())?;
        }
    }

    /// Sends what is queued. What comes in meanwhile is read, so that the server can get on, but not looked at.
    ///
    /// # Cancel safety
    /// Safe: no byte is lost or sent twice. What is left goes with the next call of any method.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Closed`], or the stall time-out.
    pub async fn flush(&mut self) -> Result<(), Error<I::Error>> {
        let asked_at = self.now();
        while !self.driver.client.pending().is_empty() || self.driver.unflushed {
            self.send(asked_at).await?;
        }
        Ok(())
    }

    /// Sends what is queued, and DISCONNECT behind it. Then the stream has to be closed. The session stays in the client.
    ///
    /// What comes in meanwhile is read, so that the server can get on, but neither looked at nor acknowledged.
    ///
    /// # Cancel safety
    /// Safe: no byte is lost or sent twice. Call it again to go on.
    ///
    /// # Errors
    /// What kept DISCONNECT from being sent: then the server publishes the will.
    pub async fn disconnect(&mut self) -> Result<(), Error<I::Error>> {
        let asked_at = self.now();
        self.driver.client.disconnect(asked_at);
        while self.is_open() || self.driver.unflushed {
            self.send(asked_at).await?;
        }
        Ok(())
    }

    /// A transfer that fails where output does not move on.
    async fn send(&mut self, asked_at: Instant) -> Result<(), Error<I::Error>> {
        self.transfer(self.driver.stall_deadline(asked_at)).await?;
        self.driver.fail_if_stalled(asked_at, self.now())
    }

    /// Reads, writes or flushes once, whatever is ready first, or waits until this time has come.
    ///
    /// Cancel-safe, because what the stream has done is told to the client without another `await` between.
    async fn transfer(&mut self, wake_at: Option<Instant>) -> Result<(), Error<I::Error>> {
        let Connection { driver, input, output, timer } = self;
        let (open, unflushed) = (driver.is_open(), driver.unflushed);
        let (room, bytes) = driver.client.split_io();
        let read = async {
            match room {
                [_, ..] if open => input.read(room).await,
                _ => pending().await,
            }
        };
        let write = async {
            match bytes {
                [_, ..] => Output::Written(output.write(bytes).await),
                [] if unflushed => Output::Flushed(output.flush().await),
                [] => pending().await,
            }
        };
        let sleep = async {
            match wake_at {
                Some(at) => timer.sleep_until(at).await,
                None => pending().await,
            }
        };
        let (was_read, was_written) = any_of(read, write, sleep).await;

        let now = self.timer.now();
        self.driver.read_at = now;
        match was_written {
            Some(Output::Written(result)) if !is_interrupted(&result) => self.driver.written(result, now)?,
            Some(Output::Flushed(result)) if !is_interrupted(&result) => self.driver.flushed(result)?,
            _ => {}
        }
        match was_read {
            Some(result) if !is_interrupted(&result) => self.driver.received(result, now),
            _ => Ok(()),
        }
    }
}

fn is_interrupted<V, E: embedded_io_async::Error>(result: &Result<V, E>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::Interrupted)
}
