//! Moves bytes between the client and the serial line.

use baremqtt::{Client, Connect, ConnectError, Event, Instant, Outbound, State};
use embedded_io::{ErrorKind, Read, ReadReady, Write};

/// Bytes for what comes in. A message that is larger comes in pieces.
pub const RX: usize = 256;
/// Bytes for what goes out, and for messages until they are acknowledged.
pub const TX: usize = 768;

/// Requests that can be under way.
pub const REQUESTS: usize = 16;

/// The client.
pub type Mqtt = Client<[u8; RX], [u8; TX], REQUESTS>;

/// Why a connection has ended.
#[derive(Clone, Copy, Debug, defmt::Format)]
pub enum Error {
    /// The serial line has lost bytes.
    Line,
    /// The client has given the connection up.
    Client(baremqtt::client::Error),
}

impl From<ErrorKind> for Error {
    fn from(_: ErrorKind) -> Self {
        Error::Line
    }
}

/// A client at a serial line.
pub struct Link<S> {
    line: S,
    client: &'static mut Mqtt,
}

impl<S: Read<Error = ErrorKind> + ReadReady + Write> Link<S> {
    pub fn new(line: S, client: &'static mut Mqtt) -> Self {
        Link { line, client }
    }

    pub fn client(&mut self) -> &mut Mqtt {
        self.client
    }

    pub fn state(&self) -> State {
        self.client.state()
    }

    /// Begins a connection. What an earlier one has left on the line is thrown away.
    pub fn connect(&mut self, connect: &Connect<'_>, now: Instant) -> Result<(), ConnectError> {
        while self.line.read_ready() == Ok(true) {
            let _ = self.line.read(&mut [0; 16]);
        }
        self.client.connect(connect, now)
    }

    /// Moves what can be moved without waiting. `true`: there is an event.
    ///
    /// It sends a little, reads a little, and so on: a UART has room for a few bytes only.
    pub fn turn(&mut self, now: Instant) -> Result<bool, Error> {
        let result = self.exchange(now);
        if result.is_err() {
            self.client.link_lost();
        }
        result
    }

    fn exchange(&mut self, now: Instant) -> Result<bool, Error> {
        loop {
            let mut idle = true;
            let pending = self.client.pending();
            if !pending.is_empty() {
                let len = self.line.write(pending)?;
                self.client.sent(len, now);
                idle = false;
            }
            let buffer = self.client.receive_buffer();
            if !buffer.is_empty() && self.line.read_ready()? {
                let len = self.line.read(buffer)?;
                self.client.received(len, now);
                idle = false;
            }
            if self.client.advance(now).map_err(Error::Client)? {
                return Ok(true);
            }
            if idle {
                return Ok(false);
            }
        }
    }

    /// The event, and what a handler can answer with.
    pub fn event(&mut self) -> (Option<Event<'_>>, Outbound<'_>) {
        self.client.split()
    }
}
