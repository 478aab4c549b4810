//! Frames over a stream: bytes in, frames out, and the other way round.

use std::io::{self, ErrorKind};

use baremqtt::transport::net::Stream;
use tungstenite::error::ProtocolError;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Bytes, Error, Message, WebSocket};

use crate::memory::Memory;

/// What is written goes out in frames of so many bytes at the most.
const LONGEST_SENT: usize = 16 << 10;
/// With so many bytes that the stream does not take, no more frames are looked at: each may be a ping.
const MOST_UNSENT: usize = 64 << 10;

#[derive(Debug)]
pub struct Frames<S> {
    /// `None` once it is closed.
    socket: Option<WebSocket<Memory>>,
    pub stream: S,
    /// What has not been read yet of a frame.
    received: Bytes,
}

/// What has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Come {
    /// So many bytes; 0 at the end.
    Bytes(usize),
    /// No whole frame.
    Nothing,
}

impl<S: Stream> Frames<S> {
    pub fn new(socket: WebSocket<Memory>, stream: S) -> Self {
        Frames { socket: Some(socket), stream, received: Bytes::new() }
    }

    fn open(&mut self) -> io::Result<&mut WebSocket<Memory>> {
        self.socket.as_mut().ok_or_else(|| ErrorKind::NotConnected.into())
    }

    /// Takes what the stream has brought; nothing is its end.
    pub fn feed(&mut self, bytes: &[u8]) {
        if let Some(socket) = &mut self.socket {
            let memory = socket.get_mut();
            memory.come.extend(bytes);
            memory.has_ended |= bytes.is_empty();
        }
    }

    /// Sends what is to leave, as far as the stream takes it. A timeout leaves the rest for the next time.
    pub fn send(&mut self) -> io::Result<()> {
        let leave = &mut self.socket.as_mut().ok_or(ErrorKind::NotConnected)?.get_mut().leave;
        send(leave, &mut self.stream)
    }

    /// Closes the WebSocket, and the stream underneath with it.
    pub fn close(&mut self, code: CloseCode, reason: &'static str) {
        if let Some(mut socket) = self.socket.take() {
            // Nobody is left to tell, should it fail.
            let _ = socket.close(Some(CloseFrame { code, reason: reason.into() }));
            let _ = send(&mut socket.get_mut().leave, &mut self.stream);
            let _ = self.stream.finish_output();
        }
    }

    /// The server answers the close frame with its own, and closes the stream underneath.
    pub fn finish_output(&mut self) -> io::Result<()> {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        self.open()?.close(Some(frame)).map_err(io_error)?;
        self.send()
    }

    /// What has failed has failed for good.
    fn fail(&mut self, error: Error) -> io::Error {
        self.close(CloseCode::Protocol, "");
        io_error(error)
    }

    /// Takes frames from what has come, until there is something in one.
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

    /// The next frame that is not empty; `None` where none is whole, or the WebSocket is closed.
    fn next_frame(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let Some(socket) = &mut self.socket else { return Ok(None) };
            if socket.get_mut().leave.len() > MOST_UNSENT {
                return self.answered().map(|()| None);
            }
            match socket.read() {
                Ok(Message::Binary(bytes)) if !bytes.is_empty() => return Ok(Some(bytes)),
                // The pong is made by the next read.
                Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Text(_)) => {
                    self.close(CloseCode::Unsupported, "MQTT takes binary frames");
                    let text = "the server has sent a text frame [MQTT-6.0.0-1]";
                    return Err(io::Error::new(ErrorKind::InvalidData, text));
                }
                Ok(Message::Close(_)) => self.close(CloseCode::Normal, ""),
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    return self.answered().map(|()| None);
                }
                Err(error) if is_end(&error) => self.socket = None,
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// Sends pongs. If the stream is full, they go with the next write.
    fn answered(&mut self) -> io::Result<()> {
        match self.send() {
            Err(error) if !is_temporary(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes more once the frames before are out, so that they do not pile up.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send()?;
        let frame = Bytes::copy_from_slice(bytes.get(..LONGEST_SENT).unwrap_or(bytes));
        let len = frame.len();
        if let Err(error) = self.open()?.write(Message::Binary(frame)) {
            return Err(self.fail(error));
        }
        // The frame is taken: what is left of it goes with the next write, or with `flush`.
        self.answered().map(|()| len)
    }
}

/// Sends as much as the stream takes.
pub fn send(leave: &mut Vec<u8>, stream: &mut impl Stream) -> io::Result<()> {
    while !leave.is_empty() {
        match stream.write(leave) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(len) => drop(leave.drain(..len)),
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
