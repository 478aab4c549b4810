//! A WebSocket as a stream for the std adapter (section 6 of the standard). Reads return the bytes of binary frames, one after
//! another, and writes send binary frames. The boundaries of frames have no meaning.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::net::Stream;
use tungstenite::client::{ClientRequestBuilder, client_with_config};
use tungstenite::error::ProtocolError;
use tungstenite::handshake::HandshakeError;
use tungstenite::http::Uri;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, WebSocket};

use crate::frames::{Come, Frames, io_error, is_temporary, send};
use crate::memory::Memory;

/// Most servers put a packet into one frame; this is the longest possible packet.
const LONGEST_RECEIVED: usize = 268_435_460;
/// The size of one read.
const CHUNK: usize = 16 << 10;
/// The read timeout until the WebSocket is open.
const GLANCE: Duration = Duration::from_millis(100);
/// How often the reader tries to send what has to leave before it reads more.
const INTERVAL: Duration = Duration::from_millis(5);

/// A WebSocket over a stream: TCP, or TLS on top of it. Dropping it closes it.
///
/// It has halves if that stream has: in a `Runner`, one thread then blocks on the input, and an idle connection causes no wake-ups.
#[derive(Debug)]
pub struct WebSocketStream<S: Stream> {
    frames: Arc<Mutex<Frames<S>>>,
}

/// The input, to be read on another thread.
struct Reader<S> {
    frames: Arc<Mutex<Frames<S>>>,
    input: Box<dyn Read + Send>,
    chunk: Vec<u8>,
}

impl<S: Stream> WebSocketStream<S> {
    /// Opens a WebSocket over `stream`, for at most `timeout`. `protocol` is the sub-protocol, normally `mqtt` (MQTT-6.0.0-3).
    ///
    /// # Errors
    /// Those of the stream; [`InvalidData`](ErrorKind::InvalidData) with a [`tungstenite::Error`] if the server does
    /// not open a WebSocket with this protocol.
    pub fn connect(uri: &Uri, protocol: &str, mut stream: S, timeout: Duration) -> io::Result<Self> {
        stream.limit_read(GLANCE.min(timeout))?;
        stream.limit_write(GLANCE.min(timeout))?;
        let socket = shake_hands(uri, protocol, &mut stream, timeout)?;
        Ok(WebSocketStream { frames: Arc::new(Mutex::new(Frames::new(socket, stream))) })
    }
}

fn shake_hands(
    uri: &Uri,
    protocol: &str,
    stream: &mut impl Stream,
    timeout: Duration,
) -> io::Result<WebSocket<Memory>> {
    let started = Instant::now();
    let request = ClientRequestBuilder::new(uri.clone()).with_sub_protocol(protocol);
    let config = WebSocketConfig::default()
        .read_buffer_size(CHUNK)
        .write_buffer_size(0)
        .max_message_size(Some(LONGEST_RECEIVED))
        .max_frame_size(Some(LONGEST_RECEIVED));
    let mut attempt = client_with_config(request, Memory::default(), Some(config));
    loop {
        let mut unfinished = match attempt {
            // The server has agreed on the protocol, or this would be an error.
            Ok((socket, _)) => return Ok(socket),
            Err(HandshakeError::Failure(Error::Protocol(ProtocolError::HandshakeIncomplete))) => {
                let text = format!("the server has closed: perhaps it does not speak {protocol} there");
                return Err(io::Error::new(ErrorKind::InvalidData, text));
            }
            Err(HandshakeError::Failure(error)) => return Err(io_error(error)),
            Err(HandshakeError::Interrupted(_)) if started.elapsed() >= timeout => {
                return Err(io::Error::new(ErrorKind::TimedOut, "the server does not open a WebSocket"));
            }
            Err(HandshakeError::Interrupted(unfinished)) => unfinished,
        };
        let memory = unfinished.get_mut().get_mut();
        let mut chunk = [0; 1024];
        match send(&mut memory.output, stream).and_then(|()| stream.read(&mut chunk)) {
            Ok(len) => {
                memory.input.extend(&chunk[..len]);
                memory.has_ended = len == 0;
            }
            Err(error) if is_temporary(&error) => {}
            Err(error) => return Err(error),
        }
        attempt = unfinished.handshake();
    }
}

impl<S: Stream> Read for WebSocketStream<S> {
    /// Reads the stream beneath at most once, and otherwise behaves like a timeout, so that a server that sends in tiny parts, or only
    /// pings, does not keep the client from its timers.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut frames = lock(&self.frames);
        if let Come::Bytes(len) = frames.read(buffer)? {
            return Ok(len);
        }
        let mut chunk = [0; CHUNK];
        let len = frames.stream.read(&mut chunk)?;
        frames.feed(&chunk[..len]);
        match frames.read(buffer)? {
            Come::Bytes(len) => Ok(len),
            Come::Nothing => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S: Stream> Read for Reader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let come = lock(&self.frames).read(buffer);
            match come {
                Ok(Come::Bytes(len)) => return Ok(len),
                Ok(Come::Nothing) => {
                    let len = self.input.read(&mut self.chunk)?;
                    lock(&self.frames).feed(&self.chunk[..len]);
                }
                Err(error) => {
                    if is_temporary(&error) {
                        // The other threads need the lock, too.
                        thread::sleep(INTERVAL);
                    }
                    return Err(error);
                }
            }
        }
    }
}

impl<S: Stream> Write for WebSocketStream<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.frames).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        lock(&self.frames).send()
    }
}

impl<S: Stream + Send + 'static> Stream for WebSocketStream<S> {
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()> {
        lock(&self.frames).stream.limit_read(timeout)
    }

    fn limit_write(&mut self, timeout: Duration) -> io::Result<()> {
        lock(&self.frames).stream.limit_write(timeout)
    }

    fn finish_output(&mut self) -> io::Result<()> {
        lock(&self.frames).finish_output()
    }

    fn reader(&mut self) -> io::Result<Option<Box<dyn Read + Send>>> {
        let Some(input) = lock(&self.frames).stream.reader()? else { return Ok(None) };
        Ok(Some(Box::new(Reader { frames: Arc::clone(&self.frames), input, chunk: vec![0; CHUNK] })))
    }

    fn close(&mut self) {
        lock(&self.frames).stream.close();
    }
}

impl<S: Stream> Drop for WebSocketStream<S> {
    fn drop(&mut self) {
        lock(&self.frames).close(CloseCode::Normal, "");
    }
}

/// Ignores poisoning: no call leaves the value half changed.
fn lock<S>(frames: &Mutex<Frames<S>>) -> MutexGuard<'_, Frames<S>> {
    frames.lock().unwrap_or_else(PoisonError::into_inner)
}
