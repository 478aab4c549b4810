//! How connections end: earlier input is still delivered, a reset discards nothing, and no wait is a busy loop or endless.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::QoS::AtLeastOnce;
use baremqtt::transport::net::{Connection, Error};
use baremqtt::{Event, Message, StreamedMessage};

use crate::{CONNACK, CONNECT, Choices, SHORT, Stream, client_with_buffers, connect, online, online_with};

/// A message of QoS 1 with this identifier, 11 bytes.
fn publish(id: u8) -> [u8; 11] {
    [0x32, 9, 0, 1, b't', 0, id, b'f', b'o', b'u', b'r']
}

#[test]
fn received_messages_are_delivered_after_a_failed_write() {
    for at_the_end in [None, Some(ErrorKind::ConnectionReset)] {
        let (stream, mut mqtt) = online(&CONNECT);
        stream.server_sends(&[publish(1), publish(2), publish(3)].concat());
        stream.server_sends(&[publish(4), publish(5)].concat());
        match at_the_end {
            None => stream.server_sends(b""),
            Some(kind) => stream.read_fails(kind),
        }
        stream.0.writes.borrow_mut().push_back(Err(ErrorKind::BrokenPipe.into()));
        mqtt.publish(&Message::new("a", b"").qos(AtLeastOnce)).unwrap();
        for id in 1..=5 {
            match mqtt.next_event(None).unwrap() {
                Some(Event::Message(message)) => assert_eq!(message.delivery.id().unwrap().get(), id),
                other => panic!("{other:?}"),
            }
        }
        let error = mqtt.next_event(None).unwrap_err();
        assert!(matches!(&error, Error::Io(error) if error.kind() == ErrorKind::BrokenPipe), "{error}");
        assert!(stream.sent().is_empty(), "nothing was acknowledged");
        assert_eq!(mqtt.in_flight(), 1, "and nothing lost");
    }
}

#[test]
fn after_a_failed_write_reading_ends_eventually() {
    let (stream, mut mqtt) = online(&CONNECT);
    stream.0.writes.borrow_mut().push_back(Err(ErrorKind::BrokenPipe.into()));
    mqtt.publish(&Message::new("a", b"").qos(AtLeastOnce)).unwrap();
    assert!(matches!(mqtt.flush(), Err(Error::Closed)), "the reason follows");
    assert!(matches!(mqtt.next_event(None), Err(Error::Io(_))));
    assert!(stream.0.is_finished.get());
}

/// A server that violates the protocol, with more input after it than the client reads: the client's last bytes still reach it.
#[test]
fn a_reset_does_not_destroy_sent_bytes() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut received = vec![0; 15];
        socket.read_exact(&mut received).unwrap();
        socket.write_all(&CONNACK).unwrap();
        // The message, which is acknowledged, and a packet that no server may send, with much after it.
        socket.write_all(&publish(9)).unwrap();
        // PUBACK has arrived, and is not read.
        while socket.peek(&mut [0; 4]).unwrap() < 4 {}
        socket.write_all(&[0xC0, 0]).unwrap();
        socket.write_all(&[0; 100_000]).unwrap();
        received.clear();
        socket.read_to_end(&mut received).map(|_| received)
    });
    let mut mqtt = Connection::tcp(address, Duration::from_secs(5), client_with_buffers(64, 256)).unwrap();
    connect(&mut mqtt, &CONNECT).unwrap();
    assert!(matches!(mqtt.next_event(None), Ok(Some(Event::Message(_)))));
    assert!(matches!(mqtt.next_event(None), Err(Error::Client(baremqtt::Error::Violation(_)))));
    assert_eq!(server.join().unwrap().unwrap(), [0x40, 2, 0, 9], "PUBACK, and the end in good order");
}

#[test]
fn a_nonblocking_stream_is_polled_at_intervals() {
    let (stream, mut mqtt) = online(&CONNECT);
    stream.0.reads_return_at_once.set(true);
    stream.0.reads.set(0);
    let started = Instant::now();
    assert!(mqtt.next_event(Some(Duration::from_millis(300))).unwrap().is_none());
    let most = started.elapsed().as_millis() / 5 + 5;
    assert!(u128::from(stream.0.reads.get()) <= most, "{} reads", stream.0.reads.get());

    for _ in 0..10_000 {
        stream.0.writes.borrow_mut().push_back(Err(ErrorKind::WouldBlock.into()));
    }
    mqtt.publish(&Message::new("a", b"")).unwrap();
    let started = Instant::now();
    assert!(mqtt.next_event(Some(Duration::from_millis(300))).unwrap().is_none());
    let writes = 10_000 - stream.0.writes.borrow().len() as u128;
    assert!(writes <= started.elapsed().as_millis() / 5 + 10, "{writes} writes");
}

#[test]
fn a_nonblocking_socket_works() {
    let (done, wait) = mpsc::channel::<()>();
    let (address, server) = crate::serve(move |mut socket| {
        socket.write_all(b"\x30\x03\x00\x01a").unwrap();
        let _ = wait.recv();
    });
    let tcp = TcpStream::connect(address).unwrap();
    tcp.set_nonblocking(true).unwrap();
    let mut mqtt = Connection::new(tcp, client_with_buffers(64, 256));
    connect(&mut mqtt, &CONNECT).unwrap();
    assert!(matches!(mqtt.next_event(None), Ok(Some(Event::Message(_)))));
    done.send(()).unwrap();
    assert!(mqtt.next_event(None).is_err());
    server.join().unwrap();
}

fn streaming() -> Choices {
    Choices::with(|values| values.streams = true)
}

/// The receive buffer is full, and nothing is pending: it is the application's turn, which is not an error.
#[test]
fn messages_that_wait_for_a_payload_are_not_an_error() {
    let stream = Stream::default();
    let mut mqtt = Connection::new(stream.clone(), crate::client_with(200, 200, streaming()));
    stream.server_sends(&CONNACK);
    connect(&mut mqtt, &CONNECT).unwrap();
    let payload = [7; 3_000];
    let message = StreamedMessage::new("s", payload.len());
    mqtt.publish_streamed(&message).unwrap();
    assert!(matches!(mqtt.next_event(None), Ok(Some(Event::StreamReady { .. }))));
    let mut rest = &payload[mqtt.write_payload(&payload[..50]).unwrap()..];
    for id in 1..=100 {
        stream.server_sends(&publish(id));
    }
    let mut delivered = 0;
    let mut seen = |mqtt: &mut Connection<_, _, _, _>, timeout| {
        let event = mqtt.next_event(timeout).unwrap();
        let is_message = matches!(event, Some(Event::Message(_)));
        assert!(is_message || event.is_none(), "{event:?}");
        delivered += u8::from(is_message);
        is_message
    };
    while seen(&mut mqtt, SHORT) {}
    // Without a timeout it returns as well: the application has something to do.
    while seen(&mut mqtt, None) {}
    while !rest.is_empty() {
        rest = &rest[mqtt.write_payload(rest).unwrap()..];
        seen(&mut mqtt, None);
    }
    while seen(&mut mqtt, SHORT) {}
    assert_eq!(delivered, 100);
    let sent = stream.sent();
    assert_eq!(sent.iter().filter(|packet| packet.starts_with("PUBACK")).count(), 100);
    assert_eq!(sent.iter().filter(|packet| packet.starts_with("PUBLISH")).count(), 1);
}

/// Within a payload nothing can be sent, not even DISCONNECT: waiting would not help.
#[test]
fn disconnect_within_a_payload_ends_the_connection_at_once() {
    let (stream, mut mqtt) = online_with(&CONNECT, streaming());
    mqtt.publish_streamed(&StreamedMessage::new("s", 3_000)).unwrap();
    assert!(matches!(mqtt.next_event(None), Ok(Some(Event::StreamReady { .. }))));
    mqtt.write_payload(b"begun").unwrap();
    assert!(matches!(mqtt.disconnect(), Err(Error::Closed)));
    assert!(!mqtt.is_open() && mqtt.stream().is_none());
    assert!(!stream.sent_bytes().ends_with(&[0xE0, 0]));
}

/// The end of everything in flight is reported, and after that the disconnect is complete.
#[test]
fn finish_reports_the_end_of_each_request() {
    let (stream, mut mqtt) = online(&CONNECT);
    mqtt.publish(&Message::new("a", b"").qos(AtLeastOnce)).unwrap();
    mqtt.finish();
    assert!(mqtt.publish(&Message::new("b", b"")).is_err(), "no more requests are accepted");
    assert!(mqtt.next_event(SHORT).unwrap().is_none());
    stream.server_sends(&[0x40, 2, 0, 1]);
    assert!(matches!(mqtt.next_event(None), Ok(Some(Event::Published { .. }))));
    assert!(matches!(mqtt.next_event(None), Err(Error::Disconnected)));
    assert_eq!(stream.sent(), ["PUBLISH a qos=1 id=1 (0 B)", "DISCONNECT"]);
    assert!(stream.0.is_finished.get() && !mqtt.is_open());
}
