//! The blocking adapter: over streams in memory that misbehave as a test requires, and over loopback TCP.

#[path = "../common/choices.rs"]
mod choices;
mod durable;
mod edges;
mod end_of_connection;
mod gathering;
mod waiting_messages;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::QoS::{AtLeastOnce, AtMostOnce};
use baremqtt::codec::{self, Decoded, Packet};
use baremqtt::transport::net::{self, Connection, Error};
use baremqtt::{Buffers, Client, Connect, Event, Message, Timeout, Version};
use choices::Choices;

const CONNACK: [u8; 4] = [0x20, 2, 0, 0];
const CONNECT: Connect<'static> = Connect::new("c").clean_session(false).keep_alive(0);

type Buffered<S> = Connection<S, Vec<u8>, Vec<u8>, Choices>;
type Vectors = Client<Vec<u8>, Vec<u8>, Choices>;

/// The test's view of a stream.
#[derive(Default)]
struct Shared {
    /// What the server sends, piece by piece; an error, or an empty `Ok` for the end of the stream.
    input: RefCell<VecDeque<io::Result<Vec<u8>>>>,
    output: RefCell<Vec<u8>>,
    /// How many bytes each write takes, or an error; when it is empty, everything.
    writes: RefCell<VecDeque<io::Result<usize>>>,
    /// Lengths of the writes that the adapter made.
    offered: RefCell<Vec<usize>>,
    flushes: RefCell<VecDeque<ErrorKind>>,
    reads: Cell<u32>,
    timeout: Cell<Duration>,
    /// The client has shut down its output.
    is_finished: Cell<bool>,
    /// Reads return at once if there is no input.
    reads_return_at_once: Cell<bool>,
}

#[derive(Clone, Default)]
struct Stream(Rc<Shared>);

impl Stream {
    fn server_sends(&self, bytes: &[u8]) {
        self.0.input.borrow_mut().push_back(Ok(bytes.to_vec()));
    }

    fn read_fails(&self, kind: ErrorKind) {
        self.0.input.borrow_mut().push_back(Err(kind.into()));
    }

    fn sent(&self) -> Vec<String> {
        packets(&self.0.output.borrow())
    }

    fn sent_bytes(&self) -> Vec<u8> {
        self.0.output.borrow().clone()
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!buffer.is_empty(), "reading nothing looks like the end of the stream");
        self.0.reads.set(self.0.reads.get() + 1);
        let mut input = self.0.input.borrow_mut();
        match input.pop_front() {
            Some(Ok(mut bytes)) => {
                let len = bytes.len().min(buffer.len());
                buffer[..len].copy_from_slice(&bytes[..len]);
                let rest = bytes.split_off(len);
                if !rest.is_empty() {
                    input.push_front(Ok(rest));
                }
                Ok(len)
            }
            Some(Err(error)) => Err(error),
            None => {
                if !self.0.reads_return_at_once.get() {
                    thread::sleep(self.0.timeout.get());
                }
                Err(ErrorKind::WouldBlock.into())
            }
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.0.writes.borrow_mut().pop_front().unwrap_or(Ok(usize::MAX))?.min(bytes.len());
        self.0.offered.borrow_mut().push(bytes.len());
        self.0.output.borrow_mut().extend(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flushes.borrow_mut().pop_front().map_or(Ok(()), |kind| Err(kind.into()))
    }
}

fn packets(mut bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    while let Decoded::Complete { packet, len } = codec::decode(bytes, Version::Mqtt311).unwrap() {
        lines.push(packet.to_string());
        bytes = &bytes[len..];
    }
    assert!(bytes.is_empty(), "whole packets only");
    lines
}

impl net::Stream for Stream {
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()> {
        assert!(timeout > Duration::ZERO, "0 means no timeout, or an error");
        self.0.timeout.set(timeout);
        Ok(())
    }

    fn limit_write(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn finish_output(&mut self) -> io::Result<()> {
        self.0.is_finished.set(true);
        Ok(())
    }
}

fn client_with_buffers(rx: usize, tx: usize) -> Vectors {
    client_with(rx, tx, Choices::new())
}

fn client_with(rx: usize, tx: usize, choices: Choices) -> Vectors {
    Client::with_config(Buffers { rx: vec![0; rx], tx: vec![0; tx] }, choices)
}

fn over(stream: &Stream, client: Vectors) -> Buffered<Stream> {
    Connection::new(stream.clone(), client)
}

/// Queues CONNECT, and waits for the answer.
fn connect<S: net::Stream>(mqtt: &mut Buffered<S>, connect: &Connect<'_>) -> Result<Option<bool>, Error> {
    mqtt.connect(connect)?;
    match mqtt.next_event(None)? {
        Some(Event::Connected { session_present }) => Ok(session_present),
        other => panic!("{other:?}"),
    }
}

/// Connected, and the event was reported: requests may be sent from now on.
fn connect_and_wait(mqtt: &mut Buffered<Stream>, connect: &Connect<'_>) -> Option<bool> {
    let session_present = self::connect(mqtt, connect).unwrap();
    assert_eq!(mqtt.next_event(Some(Duration::ZERO)).unwrap(), None);
    session_present
}

/// Connected; CONNECT is no longer in the output.
fn online(connect: &Connect<'_>) -> (Stream, Buffered<Stream>) {
    online_with(connect, Choices::new())
}

fn online_with(connect: &Connect<'_>, choices: Choices) -> (Stream, Buffered<Stream>) {
    let stream = Stream::default();
    let mut mqtt = over(&stream, client_with(256, 1024, choices));
    stream.server_sends(&CONNACK);
    assert_eq!(connect_and_wait(&mut mqtt, connect), Some(false));
    assert_eq!(stream.sent().len(), 1);
    stream.0.output.borrow_mut().clear();
    stream.0.offered.borrow_mut().clear();
    (stream, mqtt)
}

const SHORT: Option<Duration> = Some(Duration::from_millis(5));

#[test]
fn a_packet_is_sent_in_one_write() {
    let (stream, mut mqtt) = online(&CONNECT);
    mqtt.publish(&Message::new("a", &[0; 200])).unwrap();
    assert!(mqtt.flush().unwrap());
    assert_eq!(*stream.0.offered.borrow(), [206], "header, topic and payload together");
    mqtt.publish(&Message::new("a", b"")).unwrap();
    mqtt.publish(&Message::new("b", b"")).unwrap();
    assert!(mqtt.flush().unwrap());
    assert_eq!(*stream.0.offered.borrow(), [206, 10], "and many packets too");
}

#[test]
fn eight_mebibytes_are_sent_in_partial_writes() {
    let stream = Stream::default();
    let mut mqtt = over(&stream, client_with_buffers(256, 9 << 20));
    stream.server_sends(&CONNACK);
    connect_and_wait(&mut mqtt, &CONNECT);
    stream.0.output.borrow_mut().clear();
    let payload: Vec<u8> = (0..8 << 20).map(|n: u32| (n ^ (n >> 8)) as u8).collect();
    mqtt.publish(&Message::new("large", &payload).qos(AtLeastOnce)).unwrap();
    for round in 0..400 {
        stream.0.writes.borrow_mut().push_back(match round % 5 {
            0 => Ok(1),
            1 => Ok(65_537),
            2 => Err(ErrorKind::WouldBlock.into()),
            3 => Err(ErrorKind::Interrupted.into()),
            _ => Err(ErrorKind::TimedOut.into()),
        });
    }
    while !mqtt.flush().unwrap() {}
    let output = stream.0.output.borrow();
    let Decoded::Complete { packet: Packet::Publish(publish), len } =
        codec::decode(&output, Version::Mqtt311).unwrap()
    else {
        panic!()
    };
    assert_eq!(len, output.len());
    assert!(publish.payload == payload);
}

#[test]
fn would_block_is_not_an_error() {
    let (stream, mut mqtt) = online(&CONNECT);
    for kind in [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::Interrupted] {
        stream.read_fails(kind);
        stream.0.writes.borrow_mut().push_back(Err(kind.into()));
        stream.0.flushes.borrow_mut().push_back(kind);
        mqtt.publish(&Message::new("a", b"")).unwrap();
        assert!(mqtt.next_event(SHORT).unwrap().is_none());
    }
    assert!(mqtt.flush().unwrap());
    assert_eq!(stream.sent().len(), 3);
}

#[test]
fn other_errors_end_the_connection() {
    let (stream, mut mqtt) = online(&CONNECT);
    stream.read_fails(ErrorKind::ConnectionReset);
    assert!(matches!(mqtt.next_event(None), Err(Error::Io(_))));
    assert!(!mqtt.is_open());
    assert!(matches!(mqtt.next_event(None), Err(Error::Closed)), "and it stays closed");

    let (stream, mut mqtt) = online(&CONNECT);
    stream.0.writes.borrow_mut().push_back(Ok(0));
    mqtt.publish(&Message::new("a", b"")).unwrap();
    assert!(matches!(mqtt.flush(), Err(Error::Closed)));
}

#[test]
fn flush_is_repeated_until_it_succeeds() {
    let (stream, mut mqtt) = online(&CONNECT);
    stream.0.flushes.borrow_mut().extend([ErrorKind::WouldBlock, ErrorKind::WouldBlock]);
    mqtt.publish(&Message::new("a", b"")).unwrap();
    assert!(!mqtt.flush().unwrap());
    assert!(!mqtt.flush().unwrap());
    assert!(mqtt.flush().unwrap());
    assert_eq!(stream.sent().len(), 1);
}

/// Waiting takes one blocking read up to the deadline, or a few, but never a loop.
#[test]
fn waiting_is_not_a_busy_loop() {
    let (stream, mut mqtt) = online(&CONNECT.keep_alive(1));
    stream.0.reads.set(0);
    let started = Instant::now();
    assert!(mqtt.next_event(Some(Duration::from_millis(1_300))).unwrap().is_none());
    assert!(started.elapsed() >= Duration::from_millis(1_290));
    assert_eq!(stream.sent(), ["PINGREQ"], "the keep alive is met meanwhile");
    assert!(stream.0.reads.get() < 12, "{} reads", stream.0.reads.get());
}

#[test]
fn a_timeout_of_zero_reads_once() {
    let (stream, mut mqtt) = online(&CONNECT);
    stream.server_sends(b"\x30\x03\x00\x01a");
    assert!(mqtt.next_event(Some(Duration::ZERO)).unwrap().is_some());
    assert!(mqtt.next_event(Some(Duration::ZERO)).unwrap().is_none());
}

/// A burst fills the receive buffer and the queue of answers at the same time.
#[test]
fn a_burst_larger_than_both_buffers_is_received() {
    let stream = Stream::default();
    let mut mqtt = over(&stream, client_with_buffers(64, 160));
    stream.server_sends(&CONNACK);
    connect(&mut mqtt, &CONNECT).unwrap();
    let burst: Vec<u8> = (1..=200_u8).flat_map(|id| [0x32, 5, 0, 1, b'a', 0, id]).collect();
    stream.server_sends(&burst);
    for id in 1..=200 {
        match mqtt.next_event(Some(Duration::from_secs(1))).unwrap() {
            Some(Event::Message(message)) => assert_eq!(message.delivery.id().unwrap().get(), id),
            other => panic!("{other:?}"),
        }
    }
    assert!(mqtt.next_event(SHORT).unwrap().is_none());
    assert_eq!(stream.sent().len(), 201);
}

#[test]
fn a_server_that_neither_reads_nor_writes_times_out() {
    let (stream, mut mqtt) = online_with(&CONNECT, Choices::with(|values| values.stall_timeout_ms = 100));
    for _ in 0..10_000 {
        stream.0.writes.borrow_mut().push_back(Err(ErrorKind::WouldBlock.into()));
    }
    mqtt.publish(&Message::new("a", b"")).unwrap();
    stream.0.reads.set(0);
    let stalled = mqtt.next_event(None);
    assert!(matches!(stalled, Err(Error::Client(baremqtt::Error::TimedOut(Timeout::Stall)))));
    assert!(stream.0.reads.get() < 20, "{} reads", stream.0.reads.get());
}

#[test]
fn disconnect_times_out_if_the_server_neither_reads_nor_writes() {
    let (stream, mut mqtt) = online_with(&CONNECT, Choices::with(|values| values.stall_timeout_ms = 100));
    for _ in 0..10_000 {
        stream.0.writes.borrow_mut().push_back(Err(ErrorKind::WouldBlock.into()));
    }
    let result = mqtt.disconnect();
    assert!(matches!(result, Err(Error::Client(baremqtt::Error::TimedOut(Timeout::Stall)))));
}

/// An application that does not call for a long time is not mistaken for a silent server.
#[test]
fn a_slow_application_causes_no_timeout() {
    let (stream, mut mqtt) = online_with(&CONNECT, Choices::with(|values| values.ack_timeout_ms = 50));
    mqtt.publish(&Message::new("a", b"").qos(AtLeastOnce)).unwrap();
    mqtt.flush().unwrap();
    stream.server_sends(b"\x40\x02\x00\x01");
    thread::sleep(Duration::from_millis(100));
    assert!(matches!(mqtt.next_event(None), Ok(Some(Event::Published { .. }))));
}

#[test]
fn disconnect_is_the_last_packet() {
    let (stream, mut mqtt) = online(&CONNECT);
    mqtt.publish(&Message::new("a", b"")).unwrap();
    stream.server_sends(b"");
    mqtt.disconnect().unwrap();
    assert_eq!(stream.sent(), ["PUBLISH a qos=0 (0 B)", "DISCONNECT"]);
}

#[test]
fn the_session_continues_after_the_end_of_the_stream() {
    let (stream, mut mqtt) = online(&CONNECT);
    mqtt.publish(&Message::new("a", b"hi").qos(AtLeastOnce)).unwrap();
    mqtt.flush().unwrap();
    stream.server_sends(b"");
    assert!(matches!(mqtt.next_event(None), Err(Error::Closed)));

    let next = Stream::default();
    next.server_sends(&[0x20, 2, 1, 0]);
    mqtt.reopen(next.clone());
    assert_eq!(connect_and_wait(&mut mqtt, &CONNECT), Some(true));
    mqtt.flush().unwrap();
    assert_eq!(next.sent()[1..], ["PUBLISH a qos=1 id=1 dup (2 B) \"hi\""]);
}

#[test]
fn a_refusal_differs_from_a_close_without_connack() {
    let stream = Stream::default();
    stream.server_sends(&[0x20, 2, 0, 5]);
    let refused = connect(&mut over(&stream, client_with_buffers(64, 256)), &CONNECT);
    assert!(matches!(refused, Err(Error::Client(baremqtt::Error::Refused(_)))));
    let stream = Stream::default();
    stream.server_sends(b"");
    assert!(matches!(
        connect(&mut over(&stream, client_with_buffers(64, 256)), &CONNECT),
        Err(Error::Closed)
    ));
}

/// A server on loopback that accepts, answers CONNECT, and hands the socket to the test.
fn serve(then: impl FnOnce(TcpStream) + Send + 'static) -> (std::net::SocketAddr, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connect = [0; 15];
        socket.read_exact(&mut connect).unwrap();
        socket.write_all(&CONNACK).unwrap();
        then(socket);
    });
    (address, server)
}

#[test]
fn over_tcp_in_both_directions() {
    let (address, server) = serve(|mut socket| {
        // Byte by byte, with pauses now and then.
        for (n, byte) in b"\x32\x07\x00\x01a\x00\x09hi".iter().enumerate() {
            socket.write_all(&[*byte]).unwrap();
            if n % 4 == 0 {
                thread::sleep(Duration::from_millis(5));
            }
        }
        let mut rest = vec![0; 4 + 5 + 2];
        socket.read_exact(&mut rest).unwrap();
        assert_eq!(packets(&rest), ["PUBACK id=9", "PUBLISH b qos=0 (0 B)", "DISCONNECT"]);
    });
    let mut mqtt = Connection::tcp(address, Duration::from_secs(5), client_with_buffers(64, 256)).unwrap();
    connect(&mut mqtt, &CONNECT).unwrap();
    assert!(matches!(mqtt.next_event(None), Ok(Some(Event::Message(message))) if message.payload == b"hi"));
    mqtt.next_event(SHORT).unwrap();
    mqtt.publish(&Message::new("b", b"")).unwrap();
    mqtt.disconnect().unwrap();
    server.join().unwrap();
}

/// The server sends continuously and does not read: the client's output blocks, and its input must continue all the same.
#[test]
fn over_tcp_a_full_pipe_does_not_stop_reading() {
    let (address, server) = serve(|mut socket| {
        for _ in 0..500 {
            socket.write_all(b"\x30\x03\x00\x01a").unwrap();
        }
        thread::sleep(Duration::from_millis(300));
        let mut rest = vec![0; (16 << 20) + 12 + 2];
        socket.read_exact(&mut rest).unwrap();
        assert_eq!(rest[rest.len() - 2..], [0xE0, 0]);
    });
    let mut mqtt =
        Connection::tcp(address, Duration::from_secs(5), client_with_buffers(256, 17 << 20)).unwrap();
    connect(&mut mqtt, &CONNECT).unwrap();
    mqtt.publish(&Message::new("large", &vec![0; 16 << 20]).qos(AtMostOnce)).unwrap();
    for _ in 0..500 {
        assert!(matches!(mqtt.next_event(None), Ok(Some(Event::Message(_)))));
    }
    mqtt.disconnect().unwrap();
    server.join().unwrap();
}
