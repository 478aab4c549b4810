//! Any server behind any stream, through each adapter that needs no operating system: bytes in any portions, operations that are
//! not ready, fail or end, futures that are dropped between any two polls.
//!
//! Whatever happens, the packets sent are complete and valid, what the server has sent is delivered in order up to the point
//! where the connection ends, no failed stream is used again, and no adapter runs in a busy loop.

mod implementations;
mod reference;
mod scripted_stream;
#[path = "../../common/stream.rs"]
mod stream;

use arbitrary::{Arbitrary, Unstructured};
use baremqtt::codec::{self, Decoded};
use baremqtt::transport::{Error, asynch, blocking, polled};
use baremqtt::{Buffers, Client, Connect, Message, QoS, State, Version};
use implementations::{Async, Polled};
use scripted_stream::ScriptedStream;
use stream::Fault;

#[derive(Arbitrary, Debug)]
struct Input {
    rx: u8,
    /// What the stream does: reads, writes, flushes.
    steps: [Vec<u8>; 3],
    /// The server closes the connection after its last byte.
    ends: bool,
    /// Milliseconds that pass each time the clock is read.
    pace: u8,
    /// How often a future is polled before it is dropped.
    polls: Vec<u8>,
    /// What the application does between the steps.
    requests: Vec<u8>,
    server: Vec<Item>,
}

/// What a server sends.
#[derive(Arbitrary, Debug)]
enum Item {
    Raw(Vec<u8>),
    Ack { kind: u8, id: u8 },
    Publish { qos: u8, id: u8, payload: u8 },
}

impl Item {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Item::Raw(bytes) => out.extend(bytes),
            Item::Ack { kind, id } => {
                out.extend([[0x40, 0x50, 0x62, 0x70, 0xB0][usize::from(kind % 5)], 2, 0, *id]);
            }
            Item::Publish { qos, id, payload } => {
                let len = payload % 100;
                let id = if qos % 3 == 0 { vec![] } else { vec![0, *id] };
                out.extend([0x30 | (qos % 3) << 1, 3 + id.len() as u8 + len, 0, 1, b't']);
                out.extend(id);
                out.extend((0..len).map(|at| at ^ *qos));
            }
        }
    }
}

pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let mut bytes = vec![0x20, 2, 0, 0];
    input.server.iter().for_each(|item| item.write(&mut bytes));
    let expected = reference::messages(client(&input), &bytes);

    let stream = ScriptedStream::new(&input.steps, &bytes, input.ends, input.pace);
    let clock = stream.clone();
    drive(
        &input,
        &stream,
        &expected,
        &mut blocking::Connection::new(stream.clone(), client(&input), || clock.now()),
    );

    let stream = ScriptedStream::new(&input.steps, &bytes, input.ends, input.pace);
    let connection = polled::Connection::new(stream.clone(), client(&input));
    drive(&input, &stream, &expected, &mut Polled { connection, stream: stream.clone() });

    let stream = ScriptedStream::new(&input.steps, &bytes, input.ends, input.pace);
    let connection = asynch::Connection::new(stream.clone(), stream.clone(), client(&input), stream.clone());
    drive(
        &input,
        &stream,
        &expected,
        &mut Async { connection, polls: input.polls.iter().copied().collect() },
    );
}

type Buffered = Client<Vec<u8>, Vec<u8>>;

fn client(input: &Input) -> Buffered {
    Client::new(Buffers { rx: vec![0; 32 + usize::from(input.rx)], tx: vec![0; 256] })
}

trait Adapter {
    /// The next event, if there is one.
    fn step(&mut self) -> Result<Option<String>, Error<Fault>>;
    /// Whether everything has been sent; an error is returned by the next step.
    fn flush(&mut self) -> bool;
    /// The result once DISCONNECT has been sent; `None` before that.
    fn disconnect(&mut self) -> Option<Result<(), Error<Fault>>>;
    fn drain(&mut self);
    fn is_open(&self) -> bool;
    fn close(&mut self);
    fn client(&mut self) -> &mut Buffered;
}

/// Steps until the connection ends, or for as long as that can take.
fn drive(input: &Input, stream: &ScriptedStream, expected: &[String], adapter: &mut dyn Adapter) {
    adapter.client().connect(&Connect::new("c").keep_alive(30)).unwrap();
    let mut messages = Vec::new();
    let mut requests = input.requests.iter();
    let mut error = None;
    for _ in 0..400 {
        let code = requests.next().copied().unwrap_or(NO_REQUEST);
        // Disconnecting waits for the stream, also through temporary failures, which would never end if the clock stood still.
        if code >= DISCONNECT && input.pace > 0 {
            error = disconnect(stream, adapter);
            break;
        }
        request(adapter.client(), code);
        stream.begin_step();
        if (FLUSH..NO_REQUEST).contains(&code) && adapter.flush() {
            assert!(adapter.client().pending().is_empty());
        }
        match adapter.step() {
            Ok(event) => messages.extend(event.filter(|event| reference::is_caused_by_server(event))),
            Err(end) => {
                error = Some(end);
                break;
            }
        }
    }
    let count = messages.len();
    assert_eq!(messages, expected[..count.min(expected.len())], "{error:?}");
    check_output(&stream.written(), error.is_some());
    match &error {
        Some(error) => assert!(error.is_end() && !error.to_string().is_empty()),
        None => adapter.close(),
    }
    assert!(!adapter.is_open() && adapter.client().state() == State::Offline);
    let again = loop {
        match adapter.step() {
            Ok(event) => assert!(
                event.is_some_and(|event| event.starts_with("Ended")),
                "only requests that end with the connection are still reported"
            ),
            Err(error) => break error,
        }
    };
    assert!(matches!(again, Error::Closed | Error::Disconnected), "{again}");
    assert!(adapter.client().pending().is_empty() && adapter.client().time_left().is_none());
}

/// Events are skipped meanwhile, and the messages in them are lost.
fn disconnect(stream: &ScriptedStream, adapter: &mut dyn Adapter) -> Option<Error<Fault>> {
    stream.may_wait();
    match adapter.disconnect() {
        None => {}
        Some(Err(error)) => return Some(error),
        Some(Ok(())) => adapter.drain(),
    }
    None
}

/// The codes that are not requests to the client start here.
const FLUSH: u8 = 188;
const NO_REQUEST: u8 = 200;
const DISCONNECT: u8 = 250;

/// Makes the request with this code. A request that is refused changes nothing.
fn request(client: &mut Buffered, code: u8) {
    let _ = match code {
        0..50 => client.publish(&Message::new("out", b"0")).err(),
        50..100 => client.publish(&Message::new("out", b"1").at_least_once()).err(),
        100..150 => client.publish(&Message::new("out", b"2").exactly_once()).err(),
        150..170 => client.subscribe(&[("a", QoS::ExactlyOnce), ("b/#", QoS::AtMostOnce)]).err(),
        170..180 => client.unsubscribe(&["a"]).err(),
        180..184 => {
            client.disconnect();
            None
        }
        184..188 => {
            client.finish();
            None
        }
        _ => None,
    };
}

/// Complete packets, each in its only valid encoding; if the connection has ended, the last one may be cut off.
fn check_output(mut bytes: &[u8], has_ended: bool) {
    while !bytes.is_empty() {
        match codec::decode(bytes, Version::Mqtt311) {
            Ok(Decoded::Complete { packet, len }) => {
                let mut again = vec![0; len];
                assert_eq!(packet.encode(Version::Mqtt311, &mut again), Ok(len));
                assert_eq!(again, bytes[..len]);
                bytes = &bytes[len..];
            }
            // Or it is still being sent.
            Ok(Decoded::Incomplete { .. }) => return,
            Err(violation) => panic!("{violation} (ended: {has_ended}): {bytes:02x?}"),
        }
    }
}
