//! A WebSocket as a stream for the adapter of std (section 6 of the standard): what is read are the bytes of binary frames,
//! one after the other, and what is written goes out in binary frames. Where a frame ends means nothing.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use baremqtt::transport::net::Stream;
use tungstenite::client::{ClientRequestBuilder, client_with_config};
use tungstenite::error::ProtocolError;
use tungstenite::handshake::HandshakeError;
use tungstenite::http::Uri;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tungstenite::{Bytes, Error, Message, WebSocket};

use crate::one_read::OneRead;

/// Most servers put a packet into one frame: this is the longest packet there is.
const LONGEST_RECEIVED: usize = 268_435_460;
/// What is written goes out in frames of so many bytes at the most.
const LONGEST_SENT: usize = 16 << 10;
const READ_BUFFER: usize = 16 << 10;
/// How long a read blocks at the most until the WebSocket is open.
const GLANCE: Duration = Duration::from_millis(100);

/// A WebSocket over a stream: TCP, or TLS on top of it. Dropping it closes it.
#[derive(Debug)]
pub struct WebSocketStream<S: Stream> {
    /// `None` once it is closed.
    socket: Option<WebSocket<OneRead<S>>>,
    /// What has not been read yet of a frame.
    received: Bytes,
}

impl<S: Stream> WebSocketStream<S> {
    /// Asks the server at the other end of `stream` for a WebSocket that speaks `protocol`, `mqtt` (MQTT-6.0.0-3), for
    /// at most `timeout`.
    ///
    /// # Errors
    /// Those of the stream; [`InvalidData`](ErrorKind::InvalidData) with a [`tungstenite::Error`] where the server does
    /// not open a WebSocket with this protocol.
    pub fn connect(uri: &Uri, protocol: &str, mut stream: S, timeout: Duration) -> io::Result<Self> {
        let started = Instant::now();
        // How often is looked at the clock.
        stream.limit_read(GLANCE.min(timeout))?;
        stream.limit_write(GLANCE.min(timeout))?;
        let request = ClientRequestBuilder::new(uri.clone()).with_sub_protocol(protocol);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(LONGEST_RECEIVED))
            .max_frame_size(Some(LONGEST_RECEIVED));
        let mut attempt = client_with_config(request, OneRead::unlimited(stream), Some(config));
        loop {
            match attempt {
                // The server has agreed on the protocol, or this would be an error.
                Ok((mut socket, _)) => {
                    socket.get_mut().limit();
                    return Ok(WebSocketStream { socket: Some(socket), received: Bytes::new() });
                }
                Err(HandshakeError::Failure(Error::Protocol(ProtocolError::HandshakeIncomplete))) => {
                    let text = format!("the server has closed: perhaps it does not speak {protocol} there");
                    return Err(io::Error::new(ErrorKind::InvalidData, text));
                }
                Err(HandshakeError::Failure(error)) => return Err(io_error(error)),
                Err(HandshakeError::Interrupted(_)) if started.elapsed() >= timeout => {
                    return Err(io::Error::new(ErrorKind::TimedOut, "the server does not open a WebSocket"));
                }
                Err(HandshakeError::Interrupted(unfinished)) => attempt = unfinished.handshake(),
            }
        }
    }

    fn open(&mut self) -> io::Result<&mut WebSocket<OneRead<S>>> {
        self.socket.as_mut().ok_or_else(|| ErrorKind::NotConnected.into())
    }

    /// Closes the WebSocket, and the stream underneath with it.
    fn close(&mut self, code: CloseCode, reason: &'static str) {
        if let Some(mut socket) = self.socket.take() {
            // Nobody is left to tell, should it fail.
            let _ = socket.close(Some(CloseFrame { code, reason: reason.into() }));
        }
    }

    /// What has failed has failed for good, unless it was only a timeout.
    fn fail(&mut self, error: Error) -> io::Error {
        if !is_temporary(&error) {
            self.close(CloseCode::Protocol, "");
        }
        io_error(error)
    }

    /// Takes the next frame in; `false` at the end.
    fn receive(&mut self) -> io::Result<bool> {
        let Some(socket) = &mut self.socket else { return Ok(false) };
        socket.get_mut().allow_one();
        match socket.read() {
            Ok(Message::Binary(bytes)) => {
                self.received = bytes;
                Ok(true)
            }
            // The pong leaves with the next read or write.
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => Ok(true),
            Ok(Message::Text(_)) => {
                self.close(CloseCode::Unsupported, "MQTT takes binary frames");
                let text = "the server has sent a text frame [MQTT-6.0.0-1]";
                Err(io::Error::new(ErrorKind::InvalidData, text))
            }
            Ok(Message::Close(_)) => {
                self.close(CloseCode::Normal, "");
                Ok(false)
            }
            Err(error) if is_end(&error) => {
                self.socket = None;
                Ok(false)
            }
            Err(error) => Err(self.fail(error)),
        }
    }
}

impl<S: Stream> Read for WebSocketStream<S> {
    /// Reads the stream underneath at most once, so that a server that sends bit by bit, or nothing but pings, does not
    /// keep the client from its timers: that looks like a timeout.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.received.is_empty() && !self.receive()? {
            return Ok(0);
        }
        if self.received.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let len = buffer.len().min(self.received.len());
        let taken = self.received.split_to(len);
        buffer.iter_mut().zip(taken).for_each(|(to, byte)| *to = byte);
        Ok(len)
    }
}

impl<S: Stream> Write for WebSocketStream<S> {
    /// Takes more once the frames before are out, so that they do not pile up.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.flush()?;
        let frame = Bytes::copy_from_slice(bytes.get(..LONGEST_SENT).unwrap_or(bytes));
        let len = frame.len();
        match self.open()?.write(Message::Binary(frame)) {
            Ok(()) => Ok(len),
            // The frame is taken: what is left of it goes with the next write, or with `flush`.
            Err(error) if is_temporary(&error) => Ok(len),
            Err(error) => Err(self.fail(error)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open()?.flush().map_err(|error| self.fail(error))
    }
}

impl<S: Stream> Stream for WebSocketStream<S> {
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()> {
        self.open()?.get_mut().get_mut().limit_read(timeout)
    }

    fn limit_write(&mut self, timeout: Duration) -> io::Result<()> {
        self.open()?.get_mut().get_mut().limit_write(timeout)
    }

    /// The server answers the close frame with its own, and closes the stream underneath.
    fn finish_output(&mut self) -> io::Result<()> {
        let socket = self.open()?;
        let closing = socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }));
        closing.and_then(|()| socket.flush()).map_err(io_error)
    }
}

impl<S: Stream> Drop for WebSocketStream<S> {
    fn drop(&mut self) {
        self.close(CloseCode::Normal, "");
    }
}

fn is_end(error: &Error) -> bool {
    // TCP may end without a close frame.
    matches!(
        error,
        Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
    )
}

fn is_temporary(error: &Error) -> bool {
    use ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error, Error::Io(error) if matches!(error.kind(), Interrupted | TimedOut | WouldBlock))
}

fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        error => io::Error::new(ErrorKind::InvalidData, error),
    }
}
