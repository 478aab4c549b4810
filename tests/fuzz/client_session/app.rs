//! The application: what it has requested, what was reported to it, and whether that is correct.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use baremqtt::Outcome;
use baremqtt::{Event, PacketId, QoS, Receipt};

use super::broker::{self, Broker};

/// A request, with the number that also names the message.
#[derive(Clone, Copy)]
pub struct Request {
    pub kind: Kind,
    pub len: usize,
    /// The session was lost during the request, or it was given up: how it ends is unknown.
    pub tainted: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Publish(QoS),
    Subscribe(usize),
    Unsubscribe,
}

/// What survives a reboot with the image of the session.
#[derive(Clone, Default)]
pub struct App {
    requests: BTreeMap<u32, Request>,
    /// The requests that have not ended.
    pub in_use: BTreeMap<PacketId, u32>,
    /// Streamed messages of QoS 0, in order.
    pub streams: VecDeque<u32>,
    /// The streamed message whose payload is requested, and how much of it was handed over.
    pub stream: Option<(u32, usize)>,
    /// The message that arrives in pieces, unless it is a forged one, and how much of it has arrived.
    large: Option<(Option<u32>, usize)>,
    /// Messages that are not acknowledged yet.
    pub receipts: VecDeque<(Receipt, Option<u32>)>,
    /// Those of them that have arrived on this connection.
    pending: BTreeSet<u32>,
    /// How often each message arrived.
    pub received: BTreeMap<u32, u32>,
    /// Messages that were too large.
    pub skipped: Vec<u32>,
    /// The server's answer to CONNECT was reported on this connection.
    pub is_connected: bool,
    is_rebooted: bool,
}

impl App {
    /// A request was accepted.
    pub fn requested(&mut self, number: u32, id: Option<PacketId>, request: Request) {
        assert_eq!(id.is_none(), request.kind == Kind::Publish(QoS::AtMostOnce));
        self.requests.insert(number, request);
        if let Some(before) = id.and_then(|id| self.in_use.insert(id, number)) {
            assert!(self.requests[&before].tainted, "an identifier in use is given out");
        }
    }

    pub fn len_of(&self, number: u32) -> usize {
        self.requests[&number].len
    }

    /// The session is lost, with everything in flight.
    pub fn taint(&mut self) {
        for number in self.in_use.values() {
            self.requests.get_mut(number).unwrap().tainted = true;
        }
    }

    pub fn taint_stream(&mut self) {
        if let Some((number, _)) = self.stream.take() {
            self.requests.get_mut(&number).unwrap().tainted = true;
            self.streams.retain(|stream| *stream != number);
        }
    }

    /// A message is given up. If part of it was sent it may still end; otherwise it is gone.
    pub fn give_up(&mut self, id: PacketId, is_gone: bool) {
        let number = self.in_use[&id];
        self.requests.get_mut(&number).unwrap().tainted = true;
        self.stream.take_if(|(stream, _)| *stream == number);
        if is_gone {
            self.in_use.remove(&id);
        }
    }

    pub fn link_lost(&mut self) {
        self.streams.clear();
        self.stream = None;
        self.pending.clear();
        self.is_connected = false;
    }

    /// The client has restarted, with only the image.
    pub fn rebooted(&mut self) {
        self.link_lost();
        self.large = None;
        self.receipts.clear();
        self.is_rebooted = true;
    }

    pub fn event(&mut self, event: Event<'_>, receipt: Option<Receipt>, broker: &Broker) {
        match event {
            Event::Connected { .. } => self.is_connected = true,
            Event::Message(message) => {
                assert!(self.large.is_none(), "a message within another");
                let number = self.number_in(message.topic.as_str(), broker);
                if let Some(number) = number {
                    assert!(message.payload == broker::payload(number, message.payload.len()));
                }
                self.message_arrived(number, receipt);
            }
            Event::MessageStart(message) => {
                let topic = message.topic.expect("pieces have a topic");
                let number = self.number_in(topic.as_str(), broker);
                assert!(self.large.replace((number, 0)).is_none(), "a message within another");
            }
            Event::MessagePiece(piece) => {
                assert!(!piece.is_empty());
                let (number, at) = self.large.as_mut().expect("a message in pieces");
                if let Some(number) = number {
                    assert!(piece == &broker::payload(*number, *at + piece.len())[*at..]);
                }
                *at += piece.len();
            }
            Event::MessageEnd => {
                let large = self.large.take();
                // A skipped message only ends like this if the application has to acknowledge it.
                assert!(large.is_some() || receipt.is_some(), "there was no message in pieces");
                self.message_arrived(large.and_then(|(number, _)| number), receipt);
            }
            Event::MessageAborted => assert!(self.large.take().is_some(), "there was no message in pieces"),
            Event::MessageSkipped(message) => {
                let topic = message.topic.map(|topic| topic.as_str());
                self.skipped.extend(topic.and_then(|topic| self.number_in(topic, broker)));
            }
            Event::StreamReady { id } => {
                assert!(self.stream.is_none());
                let number = id.map_or_else(|| self.streams.pop_front(), |id| self.in_use.get(&id).copied());
                self.stream = Some((number.expect("a message to be streamed"), 0));
            }
            Event::Published { id, qos } => {
                let (number, request) = self.ended(id);
                assert!(request.kind == Kind::Publish(qos) || broker.hostile);
                assert!(broker.may_have(number), "acknowledged, and lost");
            }
            Event::Subscribed { id, codes } => {
                let (_, request) = self.ended(id);
                assert!(request.kind == Kind::Subscribe(codes.len()));
            }
            Event::Unsubscribed { id } => {
                assert!(self.ended(id).1.kind == Kind::Unsubscribe);
            }
            Event::Ended { id, outcome } => {
                let (number, request) = self.ended(id);
                let is_message = matches!(request.kind, Kind::Publish(_));
                assert!(request.tainted || !is_message || broker.hostile, "given up without need");
                assert!(outcome != Outcome::Uncertain || broker.may_have(number));
            }
            event => panic!("{event:?}"),
        }
    }

    /// A request ends, once.
    fn ended(&mut self, id: PacketId) -> (u32, Request) {
        let number = self.in_use.remove(&id).expect("a request that is under way");
        (number, self.requests[&number])
    }

    /// The number of a message from the server, unless it is a forged one.
    fn number_in(&self, topic: &str, broker: &Broker) -> Option<u32> {
        if broker.hostile && !topic.starts_with("m/") { None } else { Some(broker::number(topic)) }
    }

    /// A message is complete: it counts when it is acknowledged.
    fn message_arrived(&mut self, number: Option<u32>, receipt: Option<Receipt>) {
        match (receipt, number) {
            (Some(receipt), number) => {
                let is_new = number.is_none_or(|number| self.pending.insert(number));
                assert!(is_new, "delivered again before it was acknowledged");
                self.receipts.push_back((receipt, number));
            }
            (None, Some(number)) => *self.received.entry(number).or_default() += 1,
            (None, None) => {}
        }
    }

    /// The message was acknowledged.
    pub fn acknowledged(&mut self, index: usize) {
        if let Some((_, Some(number))) = self.receipts.remove(index) {
            self.pending.remove(&number);
            *self.received.entry(number).or_default() += 1;
        }
    }

    /// Everything has ended, except for what was about to be reported when the client restarted.
    pub fn check_ends(&self) {
        let is_forgotten = |number| self.is_rebooted && self.requests[number].tainted;
        assert!(self.in_use.values().all(is_forgotten), "requests without an end");
    }

    /// The promises about messages are kept.
    pub fn check_messages(&self, broker: &Broker) {
        for (number, request) in &self.requests {
            let Kind::Publish(qos) = request.kind else { continue };
            let count = broker.delivered.get(number).copied().unwrap_or(0);
            match qos {
                _ if request.tainted => {}
                QoS::AtMostOnce => assert!(count <= 1),
                QoS::AtLeastOnce => assert!(count >= 1, "message {number} is lost"),
                QoS::ExactlyOnce => assert_eq!(count, 1, "message {number}"),
            }
        }
    }
}
