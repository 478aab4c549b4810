//! Frames over a stream: bytes to frames and back.

use std::io::{self, ErrorKind};

use baremqtt::transport::net::Stream;
use tungstenite::error::ProtocolError;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Bytes, Error, Message, WebSocket};

use crate::memory::Memory;

/// The maximum length of a frame that is sent.
const LONGEST_SENT: usize = 16 << 10;
/// If more bytes than this wait to be sent, nothing is read, because each frame may be a ping that needs an answer.
const MOST_UNSENT: usize = 64 << 10;

#[derive(Debug)]
pub struct Frames<S> {
    /// `None` once it is closed.
    socket: Option<WebSocket<Memory>>,
    pub stream: S,
    /// The part of a frame that has not been read yet.
    received: Bytes,
}

/// The result of looking for data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Come {
    /// This many bytes; 0 at the end.
    Bytes(usize),
    /// No complete frame.
    Nothing,
}

impl<S: Stream> Frames<S> {
    pub fn new(socket: WebSocket<Memory>, stream: S) -> Self {
        Frames { socket: Some(socket), stream, received: Bytes::new() }
    }

    fn open(&mut self) -> io::Result<&mut WebSocket<Memory>> {
        self.socket.as_mut().ok_or_else(|| ErrorKind::NotConnected.into())
    }

    /// Accepts bytes that were read from the stream; no bytes mean its end.
    pub fn feed(&mut self, bytes: &[u8]) {
        if let Some(socket) = &mut self.socket {
            let memory = socket.get_mut();
            memory.input.extend(bytes);
            memory.has_ended |= bytes.is_empty();
        }
    }

    /// Sends pending bytes, as far as the stream accepts them. After a timeout, the rest is sent next time.
    pub fn send(&mut self) -> io::Result<()> {
        let output = &mut self.socket.as_mut().ok_or(ErrorKind::NotConnected)?.get_mut().output;
        send(output, &mut self.stream)
    }

    /// Closes the WebSocket and the stream beneath it.
    pub fn close(&mut self, code: CloseCode, reason: &'static str) {
        if let Some(mut socket) = self.socket.take() {
            // A failure here cannot be reported.
            let _ = socket.close(Some(CloseFrame { code, reason: reason.into() }));
            let _ = send(&mut socket.get_mut().output, &mut self.stream);
            let _ = self.stream.finish_output();
        }
    }

    /// The server answers the close frame with its own, and closes the stream beneath.
    pub fn finish_output(&mut self) -> io::Result<()> {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        self.open()?.close(Some(frame)).map_err(io_error)?;
        self.send()
    }

    /// Makes a failure permanent.
    fn fail(&mut self, error: Error) -> io::Error {
        self.close(CloseCode::Protocol, "");
        io_error(error)
    }

    /// Takes received frames until one contains data. If too much waits to be sent, this is sent first, or the read times out.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Come> {
        if self.received.is_empty() {
            match self.next_frame()? {
                Some(bytes) => self.received = bytes,
                None if self.socket.is_none() => return Ok(Come::Bytes(0)),
                None => return Ok(Come::Nothing),
            }
        }
        let len = buffer.len().min(self.received.len());
        let taken = self.received.split_to(len);
        buffer.iter_mut().zip(taken).for_each(|(to, byte)| *to = byte);
        Ok(Come::Bytes(len))
    }

    /// The next frame that is not empty; `None` if none is complete, or the WebSocket is closed.
    fn next_frame(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let Some(socket) = &mut self.socket else { return Ok(None) };
            if socket.get_mut().output.len() > MOST_UNSENT {
                send(&mut socket.get_mut().output, &mut self.stream)?;
            }
            match socket.read() {
                Ok(Message::Binary(bytes)) if !bytes.is_empty() => return Ok(Some(bytes)),
                // The next read creates the pong.
                Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Text(_)) => {
                    self.close(CloseCode::Unsupported, "MQTT takes binary frames");
                    let text = "the server has sent a text frame [MQTT-6.0.0-1]";
                    return Err(io::Error::new(ErrorKind::InvalidData, text));
                }
                Ok(Message::Close(_)) => self.close(CloseCode::Normal, ""),
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    // Send pongs. If that fails, the next write says so: what was received comes first.
                    let _ = self.send();
                    return Ok(None);
                }
                Err(error) if is_end(&error) => self.socket = None,
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// Accepts bytes only after earlier frames have been sent, so that they do not accumulate.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send()?;
        let frame = Bytes::copy_from_slice(bytes.get(..LONGEST_SENT).unwrap_or(bytes));
        let len = frame.len();
        if let Err(error) = self.open()?.write(Message::Binary(frame)) {
            return Err(self.fail(error));
        }
        // The frame has been accepted; the next write, or `flush`, sends the rest of it.
        match self.send() {
            Err(error) if !is_temporary(&error) => Err(error),
            _ => Ok(len),
        }
    }
}

/// Sends as much as the stream accepts.
pub fn send(output: &mut Vec<u8>, stream: &mut impl Stream) -> io::Result<()> {
    while !output.is_empty() {
        match stream.write(output) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(len) => drop(output.drain(..len)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    stream.flush()
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

pub fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

pub fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        error => io::Error::new(ErrorKind::InvalidData, error),
    }
}
