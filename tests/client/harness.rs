//! A client in virtual time, with the other end of its transport controlled by the test.
//!
//! ```text
//! let mut rig = Rig::online();
//! rig.publish("a", b"hi", QoS::AtLeastOnce);
//! assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 (2 B) \"hi\""]);
//! rig.receive(Packet::PubAck(id(1)));
//! assert_eq!(rig.events(), ["published 1 qos=1"]);
//! ```

// Several test programs share this file, and none uses all of it.
#![allow(dead_code)]

use std::collections::VecDeque;

use baremqtt::codec::{self, ConnAck, Decoded, Delivery, Packet, Publish, SubAck};
use baremqtt::{
    Buffers, Client, Connect, Error, Event, Instant, LargeMessage, Message, PacketId, QoS, SubAckCode,
    SubAckCodes, TopicName, Version,
};

pub use crate::choices::{Choices, Values};

/// How many bytes the transport accepts and delivers at a time.
#[derive(Clone, Copy, Debug)]
pub struct Chunks {
    pub out: usize,
    pub into: usize,
}

/// All at once, byte by byte, and sizes that cut packets at odd places.
pub const CHUNKINGS: [Chunks; 5] = [
    Chunks { out: usize::MAX, into: usize::MAX },
    Chunks { out: 1, into: 1 },
    Chunks { out: 2, into: 3 },
    Chunks { out: 7, into: 2 },
    Chunks { out: 3, into: 7 },
];

/// What most tests connect with: a session that outlives the connection, and no keep alive.
pub const CONNECT: Connect<'static> = Connect::new("c").clean_session(false).keep_alive(0);

/// A client, its clock, and the far end of its transport. `N` requests can be in flight, 0 for as many as fit.
#[derive(Clone)]
pub struct Rig<const N: usize = 8> {
    pub client: Client<Vec<u8>, Vec<u8>, Choices>,
    pub chunks: Chunks,
    pub version: Version,
    now: u64,
    /// Bytes that the client has sent and that are not decoded yet.
    pub wire: Vec<u8>,
    /// Bytes that wait for room in the receive buffer.
    pub backlog: VecDeque<u8>,
    events: Vec<String>,
    /// The first four bytes of each delivered payload, as a number, for tests that count their messages.
    pub numbers: VecDeque<u32>,
}

impl Rig {
    /// Offline, with buffers of ordinary size.
    pub fn new() -> Self {
        Rig::sized(256, 1024)
    }

    /// Connected; the server has no session.
    pub fn online() -> Self {
        let mut rig = Rig::new();
        rig.go_online(&CONNECT, false);
        rig
    }
}

impl<const N: usize> Rig<N> {
    /// Offline, with receive and transmit buffers of these sizes.
    pub fn sized(rx: usize, tx: usize) -> Self {
        let choices = Choices::new();
        choices.choose(|c| {
            c.max_requests = N as u16;
            c.streams = true;
        });
        Rig {
            client: Client::with_config(Buffers { rx: vec![0; rx], tx: vec![0; tx] }, choices),
            chunks: CHUNKINGS[0],
            version: Version::Mqtt311,
            now: 0,
            wire: Vec::new(),
            backlog: VecDeque::new(),
            events: Vec::new(),
            numbers: VecDeque::new(),
        }
    }

    pub fn chunked(mut self, chunks: Chunks) -> Self {
        self.chunks = chunks;
        self
    }

    pub fn now(&self) -> Instant {
        Instant::from_millis(self.now as u32)
    }

    /// Sets values of the configuration.
    pub fn choose(&self, choose: impl FnOnce(&mut Values)) {
        self.client.config().choose(choose);
    }

    /// Sends CONNECT and answers it; what the client sends next is not checked.
    pub fn go_online(&mut self, connect: &Connect<'_>, session_present: bool) {
        self.connect(connect);
        let before = self.events.len();
        assert_eq!(self.send_all().len(), 1, "CONNECT alone");
        self.receive(Packet::ConnAck(ConnAck::Accepted { session_present }));
        let expected = match self.version {
            Version::Mqtt31 => "connected".into(),
            Version::Mqtt311 => format!("connected present={session_present}"),
        };
        assert_eq!(self.events.remove(before), expected);
    }

    /// Queues CONNECT.
    pub fn connect(&mut self, connect: &Connect<'_>) {
        self.version = connect.version;
        self.client.connect(connect).unwrap();
    }

    /// Publishes; returns 0 if there is no identifier.
    pub fn publish(&mut self, topic: &str, payload: &[u8], qos: QoS) -> u16 {
        let id = self.client.publish(&Message::new(topic, payload).qos(qos)).unwrap();
        id.map_or(0, PacketId::get)
    }

    pub fn subscribe(&mut self, filters: &[(&str, QoS)]) -> u16 {
        self.client.subscribe(filters).unwrap().get()
    }

    pub fn unsubscribe(&mut self, filters: &[&str]) -> u16 {
        self.client.unsubscribe(filters).unwrap().get()
    }

    pub fn disconnect(&mut self) {
        self.client.disconnect();
    }

    /// The transport accepts everything that the client has for it. Returns the packets, one line each.
    pub fn send_all(&mut self) -> Vec<String> {
        while self.send_bytes(self.chunks.out) > 0 {
            if !self.backlog.is_empty() {
                self.read_backlog();
            }
        }
        self.packets()
    }

    /// The transport accepts at most this many bytes; returns how many.
    pub fn send_bytes(&mut self, most: usize) -> usize {
        let pending = self.client.pending();
        let len = pending.len().min(most);
        self.wire.extend_from_slice(&pending[..len]);
        self.client.sent(len);
        len
    }

    /// The complete packets that were sent and not looked at yet. The client sends valid ones only.
    pub fn packets(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut at = 0;
        while let Decoded::Complete { packet, len } =
            codec::decode(&self.wire[at..], self.version).expect("the client sends a valid packet")
        {
            lines.push(packet.to_string());
            at += len;
        }
        self.wire.drain(..at);
        lines
    }

    /// Receives a packet from the server.
    pub fn receive(&mut self, packet: Packet<'_>) {
        let mut bytes = vec![0; packet.encoded_len()];
        packet.encode(self.version, &mut bytes).expect("a packet that can be sent");
        self.receive_bytes(&bytes);
    }

    /// Receives bytes from the server. Those that the client does not accept now wait until it does.
    pub fn receive_bytes(&mut self, bytes: &[u8]) {
        self.backlog.extend(bytes);
        self.read_backlog();
    }

    fn read_backlog(&mut self) {
        loop {
            let buffer = self.client.receive_buffer();
            let len = buffer.len().min(self.chunks.into).min(self.backlog.len());
            for (to, from) in buffer.iter_mut().zip(self.backlog.drain(..len)) {
                *to = from;
            }
            self.client.received(len);
            self.advance();
            if len == 0 {
                return;
            }
        }
    }

    /// Calls `advance` until nothing happens any more, and records the events.
    pub fn advance(&mut self) {
        let now = self.now();
        loop {
            match self.client.advance(now) {
                Ok(false) => return,
                Ok(true) => {
                    let event = self.client.event().expect("advance returned true");
                    if let Event::Message(Publish { payload: &[a, b, c, d, ..], .. }) = event {
                        self.numbers.push_back(u32::from_be_bytes([a, b, c, d]));
                    }
                    self.events.push(show(event));
                }
                Err(error) => {
                    self.backlog.clear();
                    self.events.push(show_error(error));
                }
            }
        }
    }

    /// What has happened since the last look, one line each.
    pub fn events(&mut self) -> Vec<String> {
        self.advance();
        std::mem::take(&mut self.events)
    }

    /// Time passes, up to this point. Like any caller, this one serves the client first when no time is left.
    pub fn at(&mut self, ms: u64) -> &mut Self {
        self.advance();
        self.now = ms;
        self.advance();
        self
    }

    /// Advances the clock without calling the client.
    pub fn set_clock(&mut self, ms: u64) {
        self.now = ms;
    }

    /// When the client has to be called, if nothing else happens.
    pub fn deadline(&mut self) -> Option<u64> {
        self.advance();
        self.client.time_left().map(|left| self.now + u64::from(left))
    }

    /// The transport is lost, with everything in transit.
    pub fn lose_link(&mut self) {
        self.client.link_lost();
        self.wire.clear();
        self.backlog.clear();
        self.advance();
    }

    /// A CONNACK that accepts.
    pub fn receive_connack(&mut self, session_present: bool) {
        self.receive(Packet::ConnAck(ConnAck::Accepted { session_present }));
    }

    /// SUBACK.
    pub fn receive_suback(&mut self, number: u16, codes: &[SubAckCode]) {
        let codes = SubAckCodes::new(codes).unwrap();
        self.receive(Packet::SubAck(SubAck { id: id(number), codes }));
    }

    /// PUBLISH from the server; the identifier does not matter at QoS 0.
    pub fn receive_publish(&mut self, topic: &str, payload: &[u8], qos: QoS, number: u16) {
        self.receive(publish(topic, payload, qos, number, false));
    }
}

/// Runs a scenario once for each way of splitting the streams.
pub fn in_all_chunkings(scenario: impl Fn(Chunks)) {
    for chunks in CHUNKINGS {
        println!("{chunks:?}");
        scenario(chunks);
    }
}

pub fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("an identifier is not 0")
}

pub fn publish<'a>(topic: &'a str, payload: &'a [u8], qos: QoS, number: u16, dup: bool) -> Packet<'a> {
    let delivery = match qos {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce { id: id(number), dup },
        QoS::ExactlyOnce => Delivery::ExactlyOnce { id: id(number), dup },
    };
    Packet::Publish(Publish { topic: TopicName::new(topic).unwrap(), payload, delivery, retain: false })
}

pub fn pubrel(number: u16) -> Packet<'static> {
    Packet::PubRel { id: id(number), dup: false }
}

/// An event in one line.
pub fn show(event: Event<'_>) -> String {
    match event {
        Event::Connected { session_present: Some(present) } => format!("connected present={present}"),
        Event::Connected { session_present: None } => "connected".into(),
        Event::Message(publish) => format!("message{}", publish.to_string().trim_start_matches("PUBLISH")),
        Event::MessageStart(large) => format!("start {}", show_large(large)),
        Event::MessagePiece(piece) => format!("piece {}", String::from_utf8_lossy(piece)),
        Event::MessageEnd => "end".into(),
        Event::MessageAborted => "aborted".into(),
        Event::MessageSkipped(large) => format!("skipped {}", show_large(large)),
        Event::Published { id, qos } => format!("published {id} qos={qos}"),
        Event::Subscribed { id, codes } => format!("subscribed {id} {}", show_codes(codes)),
        Event::Unsubscribed { id } => format!("unsubscribed {id}"),
        Event::Ended { id, outcome } => format!("ended {id} {outcome:?}"),
        Event::StreamReady { id: Some(id) } => format!("ready {id}"),
        Event::StreamReady { id: None } => "ready -".into(),
        other => format!("{other:?}"),
    }
}

fn show_large(large: LargeMessage<'_>) -> String {
    let topic = large.topic.map_or("?", |topic| topic.as_str());
    let retain = if large.retain { " retain" } else { "" };
    format!("{topic} qos={}{retain} ({} B)", large.delivery.qos(), large.payload_len)
}

fn show_codes(codes: SubAckCodes<'_>) -> String {
    let codes: Vec<String> = codes
        .iter()
        .map(|code| match code {
            SubAckCode::Granted(qos) => qos.to_string(),
            SubAckCode::Failure => "failure".into(),
        })
        .collect();
    codes.join(" ")
}

/// An error in one line: its kind, and the clause of a violation.
pub fn show_error(error: Error) -> String {
    match error {
        Error::Violation(violation) => format!("error {}", violation.clause()),
        other => format!("error {other:?}"),
    }
}
