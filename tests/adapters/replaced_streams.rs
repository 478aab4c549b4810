//! The stream of a connection: inspected, closed, replaced, and taken out. The session stays.

use std::error::Error as _;
use std::time::Duration;

use baremqtt::QoS::AtLeastOnce;
use baremqtt::transport::{Error, polled};
use baremqtt::{AcknowledgeError, ConnectError, GiveUpError, RestoreError, SaveError, StreamError};
use baremqtt::{Connect, Message};

use crate::adapters::{Adapter as _, Async, Blocking, Net, Polled, client};
use crate::conversation::{async_over, connect, end, events};
use crate::wire::Step::{Block, Fail, Move};
use crate::wire::{Fault, Wire};

const CONNECT: Connect<'static> = Connect::new("c").clean_session(false);

/// A message that was queued while the first stream was open is sent over a second one.
macro_rules! continues_over_another_stream {
    ($adapter:expr, $connection:ident => $reopen:expr, $next:expr) => {{
        let (mut adapter, next) = ($adapter, $next);
        connect(&mut adapter);
        {
            let $connection = &mut adapter;
            assert!($connection.is_open());
            $connection.publish(&Message::new("t", b"kept").qos(AtLeastOnce)).unwrap();
            $reopen;
            assert!(!$connection.is_open());
            $connection.connect(&CONNECT).unwrap();
        }
        assert!(events(&mut adapter, 1)[0].starts_with("Connected"));
        assert!(events(&mut adapter, 2).iter().any(|event| event.starts_with("Published")));
        assert_eq!(next.peer().payloads, [b"kept"]);
        adapter
    }};
}

#[test]
fn blocking() {
    let (io, next) = (Wire::default(), Wire::default());
    let clock = io.clone();
    let mut mqtt = continues_over_another_stream!(
        Blocking::new(io.clone(), client(), || clock.now()),
        mqtt => assert!(std::rc::Rc::ptr_eq(&mqtt.reopen(next.clone()).0, &io.0)),
        next.clone()
    );
    assert!(std::rc::Rc::ptr_eq(&mqtt.stream_mut().0, &next.0));
    mqtt.close();
    assert!(!mqtt.is_open());
    assert!(matches!(mqtt.flush(), Ok(true)), "nothing is left to send");
    let (client, stream) = mqtt.into_parts();
    assert_eq!((client.in_flight(), stream.peer().received.len()), (0, 2), "CONNECT and PUBLISH");
}

#[test]
fn polled() {
    let (io, next) = (Wire::default(), Wire::default());
    let clock = io.clone();
    let connection = polled::Connection::new(io.clone(), client());
    let mut adapter = Polled { connection, clock: || clock.now() };
    connect(&mut adapter);
    let mqtt = &mut adapter.connection;
    assert!(mqtt.is_open());
    mqtt.publish(&Message::new("t", b"kept").qos(AtLeastOnce)).unwrap();
    assert!(std::rc::Rc::ptr_eq(&mqtt.reopen(next.clone()).0, &io.0));
    assert!(!mqtt.is_open());
    mqtt.connect(&CONNECT).unwrap();
    events(&mut adapter, 3);
    assert_eq!(next.peer().payloads, [b"kept"]);
    let mqtt = &mut adapter.connection;
    assert!(std::rc::Rc::ptr_eq(&mqtt.stream_mut().0, &next.0));
    mqtt.close();
    assert!(!mqtt.is_open());
    let (client, stream) = adapter.connection.into_parts();
    assert_eq!((client.in_flight(), stream.peer().received.len()), (0, 2), "CONNECT and PUBLISH");
}

#[test]
fn asynch() {
    let io = Wire::default();
    let Async { connection: mut mqtt, .. } = async_over(&io);
    assert!(!mqtt.is_open());
    mqtt.connect(&CONNECT).unwrap();
    assert!(mqtt.is_open());
    let (input, output) = mqtt.halves_mut();
    assert!(std::rc::Rc::ptr_eq(&input.0, &output.0));
}

#[test]
fn net() {
    // There is no wait for a stream that the server closes too.
    let (io, next) = (Wire::default(), Wire::default());
    let mqtt = continues_over_another_stream!(
        Net::new(io.clone(), client()),
        mqtt => {
            io.0.ended.set(true);
            mqtt.close();
            assert!(mqtt.stream().is_none());
            assert!(matches!(mqtt.flush(), Err(Error::Closed)));
            mqtt.reopen(next.clone());
            assert!(mqtt.stream().is_some());
        },
        next.clone()
    );
    next.0.ended.set(true);
    assert_eq!(mqtt.into_client().in_flight(), 0);
}

/// A stream that reports whether input is waiting, or fails to.
struct WithReadiness(Wire, Option<Fault>);

impl embedded_io::ErrorType for WithReadiness {
    type Error = Fault;
}

impl embedded_io::ReadReady for WithReadiness {
    fn read_ready(&mut self) -> Result<bool, Fault> {
        self.1.map_or_else(|| self.0.read_ready(), Err)
    }
}

impl embedded_io::Read for WithReadiness {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        embedded_io::Read::read(&mut self.0, buffer)
    }
}

impl embedded_io::Write for WithReadiness {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        embedded_io::Write::write(&mut self.0, bytes)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        embedded_io::Write::flush(&mut self.0)
    }
}

/// An error of `ReadReady` is treated like an error of a read.
#[test]
fn a_failed_readiness_check_is_treated_like_a_failed_read() {
    for (fault, ends) in [(Fault::Broken, true), (Fault::Interrupted, false), (Fault::TimedOut, false)] {
        let io = Wire::default();
        let clock = io.clone();
        let mut mqtt = Blocking::new(WithReadiness(io.clone(), None), client(), || clock.now());
        connect(&mut mqtt);
        mqtt.stream_mut().1 = Some(fault);
        let ended = mqtt.next_event(Some(Duration::from_millis(50)));
        assert_eq!(ended.is_err(), ends, "{fault}");
        assert_eq!(mqtt.is_open(), !ends);
    }
}

/// A failed flush ends the connection. One that was given up inside `flush` has its reason reported by the next wait.
#[test]
fn a_flush_that_fails() {
    let io = Wire::with_steps(&[Move(9)], &[Move(9)], &[Move(9)]);
    let mut adapter = async_over(&io);
    connect(&mut adapter);
    io.0.flushes.set(&[Fail(Fault::Broken)]);
    let mqtt = &mut adapter.connection;
    mqtt.publish(&Message::new("t", b"").qos(AtLeastOnce)).unwrap();
    assert_eq!(crate::adapters::block_on(mqtt.flush()), Err(Error::Closed));
    assert_eq!(end(&mut adapter), "Broken");
    assert_eq!(adapter.connection.in_flight(), 1);

    let io = Wire::default();
    let mut adapter = async_over(&io);
    connect(&mut adapter);
    io.0.writes.set(&[Block]);
    let mqtt = &mut adapter.connection;
    mqtt.publish(&Message::new("t", b"").qos(AtLeastOnce)).unwrap();
    let stall = Error::Client(baremqtt::Error::TimedOut(baremqtt::Timeout::Stall));
    assert_eq!(crate::adapters::block_on(mqtt.flush()), Err(stall));
}

/// Even if nothing has been sent for a month.
#[test]
fn a_flush_that_stalls_after_a_month_of_silence() {
    let io = Wire::default();
    let mut adapter = async_over(&io);
    adapter.connection.connect(&Connect::new("c").keep_alive(0)).unwrap();
    assert!(events(&mut adapter, 1)[0].starts_with("Connected"));
    for _ in 0..30 {
        io.pass(86_400_000);
        assert_eq!(adapter.step(), Ok(None));
    }
    io.0.writes.set(&[Block]);
    let mqtt = &mut adapter.connection;
    mqtt.publish(&Message::new("t", b"")).unwrap();
    let began = io.now();
    let stall = Error::Client(baremqtt::Error::TimedOut(baremqtt::Timeout::Stall));
    assert_eq!(crate::adapters::block_on(mqtt.flush()), Err(stall));
    assert!(io.now().since(began) <= 60_000, "{} ms", io.now().since(began));
}

/// One error type carries every refusal, with the text and the source of the refusal inside it.
#[test]
fn every_error_displays_its_cause() {
    fn assert_text<E: std::fmt::Display + Copy>(inside: E)
    where
        Error<Fault>: From<E>,
    {
        let error = Error::from(inside);
        assert_eq!(error.to_string(), inside.to_string());
        assert!(error.source().is_none() && error.refusal().is_none());
        assert_eq!(error.is_end(), matches!(error, Error::Client(_)));
    }
    assert_text(baremqtt::Error::InboundFull);
    assert_text(ConnectError::AlreadyConnected);
    assert_text(baremqtt::RequestError::NotConnected);
    assert_text(StreamError::NotAsked);
    assert_text(AcknowledgeError::Stale);
    assert_text(GiveUpError::BeingSent);
    assert_text(SaveError::BufferTooSmall { needed: 9 });
    assert_text(RestoreError::Corrupt);
    assert_eq!(Error::<Fault>::Closed.to_string(), "the connection is closed");
    assert_eq!(Error::<Fault>::Disconnected.to_string(), "disconnected");

    #[derive(Debug)]
    struct Outer(Fault);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the line is dead")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let error = Error::Io(Outer(Fault::Broken));
    assert_eq!(error.to_string(), "the line is dead");
    assert_eq!(error.source().unwrap().to_string(), "Broken", "displayed once, not twice");
}
