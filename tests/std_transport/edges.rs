//! Edge cases of streams: the cost of closing, errors of streams, boxed streams; and the text after the last attempt.

use std::error::Error as _;
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use baremqtt::transport::net::{self, Connection, Error, GaveUp};
use baremqtt::{ConnectError, RefusalCode};

use crate::{CONNACK, CONNECT, Stream, client_with_buffers, connect};

/// A stream that fails, or delivers endless input, as a test requires.
#[derive(Default)]
struct FaultyStream {
    stream: Stream,
    limits_fail: bool,
    finish_fails: bool,
    endless: bool,
    drained: usize,
}

impl Read for FaultyStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.endless {
            self.drained += buffer.len();
            return Ok(buffer.len());
        }
        self.stream.read(buffer)
    }
}

impl Write for FaultyStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl net::Stream for &mut FaultyStream {
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()> {
        if self.limits_fail { Err(ErrorKind::NotConnected.into()) } else { self.stream.limit_read(timeout) }
    }

    fn limit_write(&mut self, timeout: Duration) -> io::Result<()> {
        self.stream.limit_write(timeout)
    }

    fn finish_output(&mut self) -> io::Result<()> {
        if self.finish_fails { Err(ErrorKind::NotConnected.into()) } else { self.stream.finish_output() }
    }
}

#[test]
fn a_failed_read_timeout_ends_the_connection() {
    let mut faulty = FaultyStream { limits_fail: true, ..FaultyStream::default() };
    faulty.stream.server_sends(&CONNACK);
    let mut mqtt = Connection::new(&mut faulty, client_with_buffers(64, 256));
    mqtt.connect(&CONNECT).unwrap();
    assert!(
        matches!(mqtt.next_event(None), Err(Error::Io(error)) if error.kind() == ErrorKind::NotConnected)
    );
    assert!(!mqtt.is_open());
}

/// If the output cannot be shut down, the rest of the input is not drained.
#[test]
fn a_failed_stream_is_dropped_at_once() {
    let mut faulty = FaultyStream { finish_fails: true, ..FaultyStream::default() };
    let mut mqtt = Connection::new(&mut faulty, client_with_buffers(64, 256));
    mqtt.close();
    assert!(mqtt.stream().is_none());
    assert_eq!(faulty.stream.0.reads.get(), 0);
}

/// A server that keeps sending after the end.
#[test]
fn closing_drains_a_mebibyte_and_no_more() {
    let mut faulty = FaultyStream { endless: true, ..FaultyStream::default() };
    let mut mqtt = Connection::new(&mut faulty, client_with_buffers(64, 256));
    mqtt.close();
    assert!((1 << 20..(1 << 20) + 4096).contains(&faulty.drained), "{}", faulty.drained);
}

/// One type for plain streams and TLS.
#[test]
fn boxed_streams() {
    let stream = Stream::default();
    stream.server_sends(&CONNACK);
    let boxed: Box<dyn net::Stream> = Box::new(stream.clone());
    let mut mqtt = Connection::new(boxed, client_with_buffers(64, 256));
    assert_eq!(connect(&mut mqtt, &CONNECT).unwrap(), Some(false));
    stream.server_sends(b"");
    mqtt.disconnect().unwrap();
    assert!(stream.0.is_finished.get() && stream.0.timeout.get() > Duration::ZERO);
    assert_eq!(stream.sent().len(), 2, "CONNECT and DISCONNECT");
}

#[test]
fn without_a_stream() {
    let mut mqtt = Connection::<Stream, _, _>::offline(baremqtt::Client::new(baremqtt::Buffers {
        rx: [0; 64],
        tx: [0; 256],
    }));
    // It waits no longer than the timeout.
    let started = Instant::now();
    assert!(matches!(mqtt.next_event(Some(Duration::from_millis(20))), Err(Error::Closed)));
    assert!(started.elapsed() < Duration::from_secs(30));
    assert!(matches!(mqtt.flush(), Err(Error::Closed)));
    assert!(mqtt.stream().is_none() && !mqtt.is_open());
    let shown = format!("{mqtt:?}");
    assert!(shown.starts_with("Connection { state: Offline"), "{shown}");
}

#[test]
fn texts_of_the_reasons_to_give_up() {
    let refused: io::Error = ErrorKind::ConnectionRefused.into();
    let limit = GaveUp::Limit(Error::Io(refused));
    assert_eq!(limit.to_string(), "no connection within the allowed number of attempts: connection refused");
    let others = [
        (
            GaveUp::Refused(RefusalCode::NOT_AUTHORIZED),
            "the server refused the connection: not authorized (5)",
        ),
        (GaveUp::Connect(ConnectError::AlreadyConnected), "already connected; disconnect first"),
        (GaveUp::Handler("the disk is full".into()), "the disk is full"),
    ];
    for (end, text) in others {
        assert_eq!(end.to_string(), text);
        assert!(end.source().is_none());
    }
}

/// A box behaves like its contents: halves, limits, and the end.
#[test]
fn a_boxed_tcp_stream() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = net::open_tcp(listener.local_addr().unwrap(), Duration::from_secs(5)).unwrap();
    let mut boxed: Box<dyn net::Stream> = Box::new(stream);
    let mut peer = listener.accept().unwrap().0;
    boxed.limit_write(Duration::from_millis(50)).unwrap();
    let mut reader = net::Stream::reader(&mut boxed).unwrap().expect("TCP has halves");
    peer.write_all(b"hello").unwrap();
    let mut buffer = [0; 5];
    reader.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"hello");
    net::Stream::close(&mut boxed);
    assert_eq!(reader.read(&mut buffer).unwrap(), 0, "a reader sees the end");
}
