//! A server that sends many pings while it reads nothing, played in memory.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use baremqtt::transport::net::Stream;
use baremqtt_websocket::WebSocketStream;
use tungstenite::handshake::derive_accept_key;

/// A ping with 125 bytes is answered by a pong with as many, and a mask of 4 bytes.
const PING: usize = 2 + 125;
const PONG: usize = 2 + 4 + 125;
/// Their pongs are more than the 64 KiB that may wait to be sent, while they and `hello` are less than four reads of 16 KiB.
const FEW: usize = 510;

#[derive(Default)]
struct Server {
    /// What it has sent, as far as the client has not read it.
    sent: VecDeque<u8>,
    received: Vec<u8>,
    /// It reads nothing.
    is_stuck: bool,
}

/// The client's end, which never blocks.
#[derive(Clone, Default)]
struct Link(Arc<Mutex<Server>>);

impl Link {
    fn server(&self) -> MutexGuard<'_, Server> {
        self.0.lock().expect("no panic")
    }
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.server().sent.read(buffer)? {
            0 => Err(ErrorKind::WouldBlock.into()),
            len => Ok(len),
        }
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut server = self.server();
        if server.is_stuck {
            return Err(ErrorKind::WouldBlock.into());
        }
        server.received.extend_from_slice(bytes);
        if let Some(key) = wanted_key(&server.received) {
            let accept = derive_accept_key(&key);
            server.received.clear();
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
            );
            server.sent.extend(answer.as_bytes());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Link {
    fn limit_read(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn limit_write(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn finish_output(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn reader(&mut self) -> io::Result<Option<Box<dyn Read + Send>>> {
        Ok(Some(Box::new(self.clone())))
    }
}

/// The key in the request for a WebSocket, once it is complete.
fn wanted_key(request: &[u8]) -> Option<Vec<u8>> {
    let request = std::str::from_utf8(request).ok()?.strip_suffix("\r\n\r\n")?;
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))?;
    Some(key.into())
}

/// The server is stuck, and has sent so many pings, and then `hello`. Returns it with the client's input.
fn ping(pings: usize, has_halves: bool) -> (Link, WebSocketStream<Link>, Option<Box<dyn Read + Send>>) {
    let link = Link::default();
    let url = "ws://localhost/mqtt".parse().expect("a URL");
    let mut stream =
        WebSocketStream::connect(&url, "mqtt", link.clone(), Duration::from_secs(60)).expect("a WebSocket");
    let half = has_halves.then(|| stream.reader().expect("a stream").expect("halves"));
    let mut server = link.server();
    for _ in 0..pings {
        server.sent.extend([0x89, 125].iter().chain(&[b'x'; 125]));
    }
    server.sent.extend(b"\x82\x05hello");
    // So that a read fills its buffer.
    server.sent.make_contiguous();
    server.is_stuck = true;
    drop(server);
    (link, stream, half)
}

/// Reads often enough to take a megabyte, while the server is stuck.
fn read_in_vain(input: &mut dyn Read) {
    for _ in 0..70 {
        let error = input.read(&mut [0; 64]).expect_err("nothing but pings");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
}

/// Nothing more comes from this server: were the stream read again before `hello` is returned, it would wait for ever.
#[test]
fn a_frame_behind_pings_is_read_once_the_pongs_are_sent() {
    for has_halves in [false, true] {
        let (link, mut stream, mut half) = ping(FEW, has_halves);
        let input: &mut dyn Read = if let Some(half) = &mut half { half } else { &mut stream };
        read_in_vain(input);
        assert!(link.server().sent.is_empty(), "the client has all of it in memory");
        link.server().is_stuck = false;
        let mut buffer = [0; 64];
        let len = input.read(&mut buffer).expect("what is in memory");
        assert_eq!(&buffer[..len], b"hello", "halves: {has_halves}");
        stream.flush().expect("a server");
        assert_eq!(link.server().received.len(), FEW * PONG, "halves: {has_halves}");
    }
}

#[test]
fn pings_do_not_fill_the_memory() {
    for has_halves in [false, true] {
        let (link, mut stream, mut half) = ping(8_000, has_halves);
        let input: &mut dyn Read = if let Some(half) = &mut half { half } else { &mut stream };
        read_in_vain(input);
        let taken = 8_000 * PING - link.server().sent.len();
        assert!(taken < 100_000, "{taken} bytes wait for 64 KiB of pongs, halves: {has_halves}");
        link.server().is_stuck = false;
        let mut buffer = [0; 64];
        // A read takes 16 KiB.
        let read = |_| input.read(&mut buffer).ok();
        let len = (0..8_000 * PING / (16 << 10) + 2).find_map(read).expect("the frame after all pings");
        assert_eq!(&buffer[..len], b"hello", "halves: {has_halves}");
        stream.flush().expect("a server");
        assert_eq!(link.server().received.len(), 8_000 * PONG, "halves: {has_halves}");
    }
}
