//! For poll loops, over functions that return [`nb::Result`].
//!
//! Nothing here waits: where the stream says [`WouldBlock`](nb::Error::WouldBlock), the rest follows with the next
//! [`poll`](Connection::poll).
//!
//! ```
//! use baremqtt::transport::polled::{Connection, Serial};
//! use baremqtt::{Buffers, Client, Connect, Event, Instant, Message, QoS};
//!
//! # let mut connack = [0x20, 2, 0, 0].into_iter();
//! # let mut rx_ready = || connack.next().ok_or(nb::Error::<()>::WouldBlock);
//! # let mut tx_ready = |_: u8| nb::Result::<(), ()>::Ok(());
//! # let mut ticks = 0;
//! # let mut millis = || { ticks += 1; ticks };
//! // Byte by byte, as `embedded_hal_nb::serial` has it: `|| uart_rx.read()` and `|byte| uart_tx.write(byte)`.
//! let uart = Serial { read: || rx_ready(), write: |byte| tx_ready(byte) };
//! let client = Client::new(Buffers { rx: [0; 256], tx: [0; 256] });
//! let mut mqtt = Connection::new(uart, client);
//! mqtt.connect(&Connect::new("lamp").keep_alive(30))?;
//! loop {
//!     match mqtt.poll(Instant::from_millis(millis())) {
//!         Ok(Event::Connected { .. }) => {
//!             mqtt.subscribe(&[("lamp/toggle", QoS::AtLeastOnce)])?;
//!             mqtt.publish(&Message::new("lamp/status", b"online"))?;
//! #           return Ok(());
//!         }
//!         Ok(event) => drop(event),
//!         Err(nb::Error::WouldBlock) => {} // other work
//!         Err(nb::Error::Other(_)) => break, // the connection has ended
//!     }
//! }
//! # panic!("not connected");
//! # #[allow(unreachable_code)]
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::task::Poll;

use super::driver::Driver;
use super::turn::{self, Reads};
use super::{Error, is_a_client};
use crate::{Client, Config, Event, InboundIds, Instant, Standard};

/// A transport that does not wait.
pub trait Stream {
    /// What it fails with.
    type Error;

    /// Reads at least one byte into a buffer that is not empty, and returns how many; 0 is the end of the stream.
    ///
    /// # Errors
    /// [`WouldBlock`](nb::Error::WouldBlock) if nothing is there; else what has ended the connection.
    fn read(&mut self, buffer: &mut [u8]) -> nb::Result<usize, Self::Error>;

    /// Takes at least one of these bytes, and returns how many.
    ///
    /// # Errors
    /// [`WouldBlock`](nb::Error::WouldBlock) if none can be taken now; else what has ended the connection.
    fn write(&mut self, bytes: &[u8]) -> nb::Result<usize, Self::Error>;

    /// Sees to it that what was written leaves. A stream without a buffer has nothing to do.
    ///
    /// # Errors
    /// [`WouldBlock`](nb::Error::WouldBlock) as long as something is left: then this is called again. Else what has
    /// ended the connection.
    fn flush(&mut self) -> nb::Result<(), Self::Error> {
        Ok(())
    }
}

/// A stream of two functions that read and write a byte each.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Serial<I, O> {
    /// Reads a byte.
    pub read: I,
    /// Writes a byte.
    pub write: O,
}

impl<I, O, E> Stream for Serial<I, O>
where
    I: FnMut() -> nb::Result<u8, E>,
    O: FnMut(u8) -> nb::Result<(), E>,
{
    type Error = E;

    fn read(&mut self, buffer: &mut [u8]) -> nb::Result<usize, E> {
        let Some(place) = buffer.first_mut() else { return Err(nb::Error::WouldBlock) };
        *place = (self.read)()?;
        Ok(1)
    }

    fn write(&mut self, bytes: &[u8]) -> nb::Result<usize, E> {
        let Some(byte) = bytes.first() else { return Err(nb::Error::WouldBlock) };
        (self.write)(*byte)?;
        Ok(1)
    }
}

/// A client and the stream that it talks over.
pub struct Connection<S: Stream, R, T, C = Standard, I = InboundIds> {
    driver: Driver<S::Error, R, T, C, I>,
    stream: S,
}

is_a_client!(Connection<S: Stream>);

impl<S: Stream, R, T, C, I> Connection<S, R, T, C, I> {
    /// A connection over a stream that is open. [`connect`](Client::connect) is next.
    ///
    /// The client is one that is offline: a new one, or one that [`into_parts`](Self::into_parts) has returned.
    pub const fn new(stream: S, client: Client<R, T, C, I>) -> Self {
        Connection { driver: Driver::new(client), stream }
    }

    /// Whether there is a connection, or one on its way.
    pub fn is_open(&self) -> bool {
        self.driver.is_open()
    }

    /// The stream: to close it, or to open it anew. Bytes that are read from it or written to it are missed by the client.
    pub const fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
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
    /// Continues with another stream: the session stays, the link is a new one. [`connect`](Client::connect) is next. Returns the
    /// old stream.
    pub fn reopen(&mut self, stream: S) -> S {
        self.close();
        core::mem::replace(&mut self.stream, stream)
    }

    /// Gives the connection up, without DISCONNECT. The stream stays; once it is open again, [`connect`](Client::connect) is next.
    pub fn close(&mut self) {
        self.driver.close();
    }

    /// The client and the stream apart. The client is offline.
    pub fn into_parts(mut self) -> (Client<R, T, C, I>, S) {
        self.close();
        (self.driver.client, self.stream)
    }

    /// Looks for an event, while it keeps the link alive, sends what is queued and reads what has come. Call it whenever the stream
    /// may be ready, after requests, and when [`time_left`](Client::time_left) has passed. Of `now` only differences count: a clock
    /// of 32 bits that wraps will do.
    ///
    /// # Errors
    /// [`WouldBlock`](nb::Error::WouldBlock) if there is none now. Else what has ended the connection: after
    /// [`disconnect`](Client::disconnect) and [`finish`](Client::finish) that is [`Error::Disconnected`], as soon as DISCONNECT has left.
    pub fn poll(&mut self, now: Instant) -> nb::Result<Event<'_>, Error<S::Error>> {
        let found = self.driver.turn(&mut NonBlocking(&mut self.stream), &mut || now, Reads::All)?;
        found.then(|| self.driver.client.event()).flatten().ok_or(nb::Error::WouldBlock)
    }
}

struct NonBlocking<'a, S>(&'a mut S);

impl<S: Stream> turn::Stream for NonBlocking<'_, S> {
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

fn poll<V, E>(result: nb::Result<V, E>) -> Poll<Result<V, E>> {
    match result {
        Ok(value) => Poll::Ready(Ok(value)),
        Err(nb::Error::Other(error)) => Poll::Ready(Err(error)),
        Err(nb::Error::WouldBlock) => Poll::Pending,
    }
}
