//! Small parts of the adapters: the texts of ends and refusals, the output of `Debug`, helpers that join or wrap streams.

use std::error::Error as StdError;
use std::pin::pin;
use std::sync::Arc;

use baremqtt::QoS::AtLeastOnce;
use baremqtt::transport::asynch::MailboxFull;
use baremqtt::transport::asynch::{self, Duplex, Threads, Timer};
use baremqtt::transport::blocking::{Buffered, WithReady};
use baremqtt::transport::{Error, GaveUp, HandleError, WaitError, blocking, net, polled};
use baremqtt::{AcknowledgeError, Connect, GiveUpError, Message, RestoreError, SaveError, StreamError};
use baremqtt::{Backoff, ConnectError, InboundIds, Instant, Outcome, PacketId, RefusalCode, RequestError};

use crate::adapters::{Choices, block_on, client, poll};
use crate::conversation::exchange_messages;
use crate::wire::{Fault, Wire};

const BACKOFF: Backoff = Backoff::new(1, 5);

fn assert_text(error: impl StdError, text: &str) {
    assert_eq!(error.to_string(), text);
}

#[test]
fn texts_of_the_errors_of_handles() {
    let request = RequestError::NotConnected;
    assert_text(HandleError::Refused(request), "not connected, or closing; wait for Event::Connected");
    assert_text(
        HandleError::<RequestError>::WouldDeadlock,
        "the call would wait for itself; in a handler, use the outbound half",
    );
    assert_text(HandleError::<RequestError>::Stopped, "the runner has stopped");
    let text = "more tasks wait than the handle has places; enlarge N";
    assert_text(HandleError::<RequestError>::TooManyWaiters, text);
    assert_text(MailboxFull, "the mailbox has no room for a message; enlarge N, or take messages faster");
    assert_eq!(HandleError::from(request), HandleError::Refused(request));
    assert_text(WaitError::Request(request), "not connected, or closing; wait for Event::Connected");
    assert_text(WaitError::TimedOut { id: PacketId::FIRST }, "message 1 has not ended in time");
    assert_text(WaitError::Ended(Outcome::Lost), "the message is lost");
    assert_text(WaitError::GivenUp, "the message was given up");
}

#[test]
fn texts_of_the_reasons_to_give_up() {
    let ends: [(GaveUp<Fault>, &str, Option<&str>); 7] = [
        (
            GaveUp::Limit(Error::Io(Fault::Broken)),
            "no connection within the allowed number of attempts: Broken",
            None,
        ),
        (
            GaveUp::Refused(RefusalCode::NOT_AUTHORIZED),
            "the server refused the connection: not authorized (5)",
            None,
        ),
        (GaveUp::Connect(ConnectError::AlreadyConnected), "already connected; disconnect first", None),
        (
            GaveUp::from(RequestError::NotConnected),
            "not connected, or closing; wait for Event::Connected",
            None,
        ),
        (GaveUp::Handler("the disk is full".into()), "the disk is full", None),
        (GaveUp::AlreadyRunning, "the handle already has a runner", None),
        (GaveUp::Disconnected, "disconnected", None),
    ];
    for (end, text, source) in ends {
        assert_eq!(end.to_string(), text);
        assert_eq!(end.source().map(ToString::to_string).as_deref(), source);
    }
}

/// None of them shows the contents of buffers.
#[test]
fn the_output_of_debug() {
    let runner = net::Runner::new(client(), BACKOFF).fall_back_to_mqtt31().retry_refusals();
    assert!(format!("{runner:?}").starts_with("Runner { "));
    let handle = runner.handle();
    assert_eq!(format!("{handle:?}"), "Handle { is_stopped: false, .. }");
    handle.stop();
    assert_eq!(format!("{:?}", handle.clone()), "Handle { is_stopped: true, .. }");

    let handle = asynch::Handle::<_, _, Choices>::new(client());
    assert_eq!(format!("{handle:?}"), "Handle { state: Some(Offline), .. }");
    let runner = asynch::Runner::new(&handle, Wire::default(), [0; 64], BACKOFF);
    let runner = runner.fall_back_to_mqtt31().retry_refusals();
    assert_eq!(format!("{runner:?}"), "Runner { handle: Handle { state: Some(Offline), .. }, .. }");

    let mailbox = asynch::Mailbox::<64>::default();
    assert!(format!("{mailbox:?}").starts_with("Mailbox { used: "));

    let io = Wire::default();
    let clock = io.clone();
    let connection = blocking::Connection::new(io.clone(), client(), || clock.now());
    let open = |_: &mut Wire| Ok::<(), Fault>(());
    let mut mqtt = blocking::Reconnect::new(connection, open, BACKOFF).fall_back_to_mqtt31().retry_refusals();
    let shown = "Reconnect { connection: Connection { state: Offline, in_flight: 1, .. }, .. }";
    mqtt.publish(&Message::new("t", b"").qos(AtLeastOnce)).unwrap();
    assert_eq!(format!("{mqtt:?}"), shown);
    assert_eq!((mqtt.in_flight(), mqtt.into_connection().in_flight()), (1, 1));

    let connection = polled::Connection::new(io.clone(), client());
    let mut mqtt = polled::Reconnect::new(connection, open, BACKOFF).fall_back_to_mqtt31().retry_refusals();
    mqtt.publish(&Message::new("t", b"").qos(AtLeastOnce)).unwrap();
    assert_eq!(format!("{mqtt:?}"), shown);
    assert_eq!((mqtt.in_flight(), mqtt.into_connection().in_flight()), (1, 1));
}

/// Requests that are not stored are refused while there is no connection, through handles too.
#[test]
fn requests_through_handles_while_offline() {
    let handle = asynch::Handle::<_, _, Choices, InboundIds, Threads>::for_threads(client());
    let handle = Arc::new(handle);
    assert_eq!(block_on(handle.unsubscribe(&["a"])), Err(RequestError::NotConnected.into()));
    assert_eq!(block_on(handle.subscribe(&[("a", AtLeastOnce)])), Err(RequestError::NotConnected.into()));
    assert_eq!(block_on(handle.publish(&Message::new("t", b"").at_least_once())), Ok(PacketId::new(1)));
    assert_eq!(handle.try_publish(&Message::new("t", b"").at_least_once()), Ok(PacketId::new(2)));
    assert_eq!(handle.try_publish(&Message::new("t", b"")), Err(RequestError::NotConnected.into()));
    let message = Message::new("t", b"").at_least_once();
    let mut waits = pin!(handle.publish_and_wait(&message));
    assert!(poll(waits.as_mut()).is_pending(), "for a connection");
    handle.stop();
}

/// A timer and both halves by reference, and the two halves joined into one stream.
#[test]
fn a_conversation_through_a_duplex() {
    let io = Wire::default();
    let duplex = Duplex::new(io.clone(), io.clone());
    let timer: &Wire = &io;
    assert!(timer.now().since(Instant::from_millis(0)) > 0);
    let connection = crate::adapters::AsyncConnection::new(&duplex, &duplex, client(), timer);
    exchange_messages(&mut crate::adapters::Async::new(connection));
    let (input, output) = duplex.into_halves();
    assert!(std::rc::Rc::ptr_eq(&input.0, &output.0));
    assert_eq!(io.peer().payloads.len(), 10);
    block_on(Timer::sleep(&timer, 3));
}

/// A stream that reads records, and keeps the rest of one for the next read.
struct RecordReader(Wire, Vec<u8>);

impl embedded_io::ErrorType for RecordReader {
    type Error = Fault;
}

impl embedded_io::Read for RecordReader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        let len = self.fill()?.min(buffer.len());
        buffer[..len].copy_from_slice(&self.1[..len]);
        self.1.drain(..len);
        Ok(len)
    }
}

impl RecordReader {
    fn fill(&mut self) -> Result<usize, Fault> {
        if self.1.is_empty() {
            let mut record = [0; 40];
            let len = embedded_io::Read::read(&mut self.0, &mut record)?;
            self.1.extend(&record[..len]);
        }
        Ok(self.1.len())
    }
}

impl embedded_io::BufRead for RecordReader {
    fn fill_buf(&mut self) -> Result<&[u8], Fault> {
        self.fill()?;
        Ok(&self.1)
    }

    fn consume(&mut self, amount: usize) {
        self.1.drain(..amount);
    }
}

impl embedded_io::Write for RecordReader {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        embedded_io::Write::write(&mut self.0, bytes)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        embedded_io::Write::flush(&mut self.0)
    }
}

#[test]
fn a_conversation_through_wrapped_streams() {
    let beneath = |stream: &mut RecordReader| embedded_io::ReadReady::read_ready(&mut stream.0);
    let io = Wire::default();
    let clock = io.clone();
    let stream = Buffered::new(RecordReader(io.clone(), Vec::new()), beneath);
    let mut mqtt = crate::adapters::Blocking::new(stream, client(), || clock.now());
    exchange_messages(&mut mqtt);
    assert!(mqtt.into_parts().1.into_inner().1.is_empty(), "nothing is held back");
    assert_eq!(io.peer().payloads.len(), 10);

    let is_ready = |stream: &mut RecordReader| {
        Ok(!stream.1.is_empty() || embedded_io::ReadReady::read_ready(&mut stream.0)?)
    };
    let io = Wire::default();
    let clock = io.clone();
    let stream = WithReady::new(RecordReader(io.clone(), Vec::new()), is_ready);
    let mut mqtt = crate::adapters::Blocking::new(stream, client(), || clock.now());
    exchange_messages(&mut mqtt);
    assert!(mqtt.into_parts().1.into_inner().1.is_empty());
    assert_eq!(io.peer().payloads.len(), 10);
}

/// An error from a handler ends the runner, and is returned unchanged.
#[test]
fn an_error_of_a_handler_is_returned_unchanged() {
    for inside in [
        Error::Request(RequestError::NotConnected),
        Error::Payload(StreamError::NotAsked),
        Error::Acknowledge(AcknowledgeError::Stale),
        Error::GiveUp(GiveUpError::Unknown),
        Error::Save(SaveError::BufferTooSmall { needed: 9 }),
        Error::Restore(RestoreError::Corrupt),
    ] {
        let io = Wire::default();
        let handle = asynch::Handle::<_, _, Choices>::new(client());
        let mut runner = asynch::Runner::new(&handle, io.clone(), [0; 64], BACKOFF);
        let ended = block_on(runner.run(
            async |link| {
                assert!(format!("{link:?}").starts_with("Link { handle: Handle"));
                link.run(io.clone(), io.clone(), &Connect::new("c")).await
            },
            |_, _| Err(inside),
        ));
        assert_eq!(ended, Err(GaveUp::Handler(inside)));
    }
}
