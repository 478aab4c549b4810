//! Any bytes from a server, once in chunks as large as the client accepts, and once split anywhere while the transport
//! accepts output in any portions: the same events, the same packets, the same error.
//!
//! Requests are sent before, so that all later output is answers: their order depends on the server alone. PUBREL is
//! queued with the requests, and other answers overtake it; each of the two kinds is in order.

use std::collections::VecDeque;
use std::iter;

use crate::choices::Choices;
use crate::model::Model;
use arbitrary::{Arbitrary, Unstructured};
use baremqtt::codec::{self, Decoded, Packet, Publish};
use baremqtt::{
    Buffers, Client, Connect, Error, Event, Instant, LargeMessages, Message, QoS, Receipt, State, Version,
};

const NOW: Instant = Instant::from_millis(0);

#[derive(Arbitrary, Debug)]
struct Input {
    is_mqtt31: bool,
    clean_session: bool,
    rx: u8,
    pieces: bool,
    /// The application acknowledges manually, and this many messages later.
    ack_delay: Option<u8>,
    requests: Vec<u8>,
    server: Vec<Item>,
    splits: Vec<u8>,
    portions: Vec<u8>,
}

/// What a server sends.
#[derive(Arbitrary, Debug)]
enum Item {
    Packet(Model),
    Raw(Vec<u8>),
    /// An acknowledgement, or PUBREL, for an identifier that is likely to be in use.
    Ack {
        kind: u8,
        id: u8,
    },
    /// A message that is often larger than the receive buffer.
    Publish {
        flags: u8,
        topic: u8,
        id: u8,
        payload: u16,
    },
}

impl Item {
    fn write(&self, version: Version, out: &mut Vec<u8>) {
        match self {
            Item::Raw(bytes) => out.extend(bytes),
            Item::Ack { kind, id } => {
                out.extend([[0x40, 0x50, 0x62, 0x70, 0xB0][usize::from(kind % 5)], 2, 0, *id])
            }
            Item::Packet(model) => {
                let encode = |packet: &Packet<'_>| {
                    let mut bytes = vec![0; packet.encoded_len()];
                    packet.encode(version, &mut bytes).map(|_| bytes)
                };
                if let Ok(Ok(bytes)) = model.with(version, encode) {
                    out.extend(bytes);
                }
            }
            Item::Publish { flags, topic, id, payload } => {
                let mut body = vec![0, *topic];
                body.resize(body.len() + usize::from(*topic), b't');
                if flags & 6 != 0 {
                    body.extend([0, *id]);
                }
                let len = usize::from(payload % 700);
                body.extend((0..len).map(|at| at as u8));
                out.push(0x30 | flags & 0x0F);
                let len = body.len();
                if len < 0x80 {
                    out.push(len as u8)
                } else {
                    out.extend([len as u8 | 0x80, (len >> 7) as u8])
                }
                out.extend(body);
            }
        }
    }
}

pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let version = if input.is_mqtt31 { Version::Mqtt31 } else { Version::Mqtt311 };
    let mut bytes = Vec::new();
    for item in &input.server {
        item.write(version, &mut bytes);
    }
    let mut whole = Endpoint::new(&input, version);
    whole.receive_all(&bytes, iter::repeat(usize::MAX), iter::repeat(usize::MAX));
    let mut split = Endpoint::new(&input, version);
    split.receive_all(&bytes, sizes(&input.splits, 1), sizes(&input.portions, 0));
    let mut bytewise = Endpoint::new(&input, version);
    bytewise.receive_all(&bytes, iter::repeat(1), iter::repeat(1));

    for other in [split, bytewise] {
        assert_eq!(whole.events, other.events);
        assert_eq!(whole.error, other.error);
        let (answers, pubrels) = whole.sent_packets(version);
        let (other_answers, other_pubrels) = other.sent_packets(version);
        for (packets, other) in [(answers, other_answers), (pubrels, other_pubrels)] {
            let common = packets.len().min(other.len());
            assert_eq!(packets[..common], other[..common]);
            // An error occurs before or after the answers to what was received just before it have been sent.
            assert!(whole.error.is_some() || packets.len() == other.len());
        }
    }
}

/// The sizes of chunks, over and over.
fn sizes(sizes: &[u8], least: usize) -> impl Iterator<Item = usize> {
    let sizes = if sizes.is_empty() { &[1] } else { sizes };
    sizes.iter().cycle().map(move |&size| usize::from(size).max(least))
}

/// A client, and everything that it has reported and sent.
struct Endpoint {
    client: Client<Vec<u8>, Vec<u8>, Choices>,
    /// With the pieces of one payload joined.
    events: Vec<Observed>,
    sent: Vec<u8>,
    error: Option<Error>,
    ack_delay: usize,
    receipts: VecDeque<Receipt>,
}

#[derive(Debug, PartialEq)]
enum Observed {
    Event(String),
    Payload(Vec<u8>),
}

impl Endpoint {
    /// A client that is connected, and has sent its requests.
    fn new(input: &Input, version: Version) -> Self {
        let choices = Choices::new();
        choices.choose(|c| {
            c.manual_acknowledgement = input.ack_delay.is_some();
            c.large_messages = if input.pieces { LargeMessages::Pieces } else { LargeMessages::Skip };
        });
        let buffers = Buffers { rx: vec![0; 20 + usize::from(input.rx)], tx: vec![0; 512] };
        let mut endpoint = Endpoint {
            client: Client::with_config(buffers, choices),
            events: Vec::new(),
            sent: Vec::new(),
            error: None,
            ack_delay: usize::from(input.ack_delay.unwrap_or(0) % 8),
            receipts: VecDeque::new(),
        };
        let connect = Connect::new("c").version(version).clean_session(input.clean_session);
        endpoint.client.connect(&connect).unwrap();
        endpoint.send(usize::MAX);
        endpoint.receive(&[0x20, 2, 0, 0], &mut iter::repeat(usize::MAX), &mut iter::repeat(usize::MAX));
        let client = &mut endpoint.client;
        for request in &input.requests {
            // Surplus requests are refused.
            let _ = match request % 5 {
                0 => client.subscribe(&[("a", QoS::AtMostOnce), ("b/#", QoS::ExactlyOnce)]).map(Some),
                1 => client.unsubscribe(&["a"]).map(Some),
                2 => client.publish(&Message::new("t", b"0")),
                3 => client.publish(&Message::new("t", b"1").qos(QoS::AtLeastOnce)),
                _ => client.publish(&Message::new("t", b"2").qos(QoS::ExactlyOnce)),
            };
        }
        endpoint.send(usize::MAX);
        assert!(endpoint.client.pending().is_empty());
        endpoint
    }

    /// Receives all these bytes; then the link is lost.
    fn receive_all(
        &mut self,
        bytes: &[u8],
        mut splits: impl Iterator<Item = usize>,
        mut portions: impl Iterator<Item = usize>,
    ) {
        self.receive(bytes, &mut splits, &mut portions);
        self.client.link_lost();
        self.advance();
        assert!(self.client.pending().is_empty());
        assert_eq!((self.client.state(), self.client.time_left()), (State::Offline, None));
    }

    fn receive(
        &mut self,
        mut bytes: &[u8],
        splits: &mut impl Iterator<Item = usize>,
        portions: &mut impl Iterator<Item = usize>,
    ) {
        while self.error.is_none() {
            let room = self.client.receive_buffer();
            let len = splits.next().unwrap_or(1).min(room.len()).min(bytes.len());
            let (chunk, rest) = bytes.split_at(len);
            room[..len].copy_from_slice(chunk);
            self.client.received(len);
            bytes = rest;
            self.advance();
            let portion = portions.next().unwrap_or(1);
            // If nothing is received, something has to be sent: this is the end, or the client waits for that.
            let sent = self.send(if len == 0 { portion.max(1) } else { portion });
            if len == 0 && sent == 0 {
                if bytes.is_empty() || self.error.is_some() {
                    break;
                }
                // What had to be sent first has been sent, and the input that waited for that is processed.
                assert!(!self.client.receive_buffer().is_empty(), "deadlock: it neither reads nor writes");
            }
        }
    }

    fn send(&mut self, portion: usize) -> usize {
        let pending = self.client.pending();
        let len = pending.len().min(portion);
        self.sent.extend(&pending[..len]);
        self.client.sent(len);
        len
    }

    fn advance(&mut self) {
        loop {
            match self.client.advance(NOW) {
                Ok(true) => self.record_event(),
                Ok(false) => break,
                Err(error) => {
                    assert_eq!(self.client.state(), State::Offline);
                    assert!(self.error.replace(error).is_none());
                }
            }
        }
    }

    fn record_event(&mut self) {
        match (self.client.event().unwrap(), self.events.last_mut()) {
            (Event::MessagePiece(piece), last) => {
                assert!(!piece.is_empty());
                match last {
                    Some(Observed::Payload(payload)) => payload.extend(piece),
                    _ => self.events.push(Observed::Payload(piece.to_vec())),
                }
            }
            (Event::Message(message), _) => {
                let head = Publish { payload: &[], ..message };
                self.events.push(Observed::Event(format!("{head:?}")));
                self.events.push(Observed::Payload(message.payload.to_vec()));
            }
            (event, _) => self.events.push(Observed::Event(format!("{event:?}"))),
        }
        self.receipts.extend(self.client.receipt());
        while self.receipts.len() > self.ack_delay {
            let _ = self.client.acknowledge(self.receipts[0]);
            self.receipts.pop_front();
        }
    }

    /// The complete packets that were sent, each in its only valid encoding; PUBRELs separately.
    fn sent_packets(&self, version: Version) -> (Vec<&[u8]>, Vec<&[u8]>) {
        let (mut packets, mut bytes) = (Vec::new(), &self.sent[..]);
        while !bytes.is_empty() {
            match codec::decode(bytes, version) {
                Ok(Decoded::Complete { packet, len }) => {
                    let mut again = vec![0; len];
                    assert_eq!(packet.encode(version, &mut again), Ok(len));
                    assert_eq!(again, bytes[..len]);
                    packets.push(&bytes[..len]);
                    bytes = &bytes[len..];
                }
                Ok(Decoded::Incomplete { .. }) => {
                    assert!(self.error.is_some(), "the last packet is incomplete");
                    break;
                }
                Err(violation) => panic!("{violation}: {bytes:02x?}"),
            }
        }
        packets.into_iter().partition(|packet| packet[0] >> 4 != 6)
    }
}
