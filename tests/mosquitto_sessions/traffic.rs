//! Numbered messages: sent one after the other, and counted on arrival.

use std::collections::HashMap;
use std::time::Duration;

use baremqtt::codec::Publish;
use baremqtt::{Event, Message, QoS, RequestError};

use crate::peer::Peer;

const WAIT: Duration = Duration::from_millis(100);
/// A wait after the last message: a duplicate would have arrived by then.
const QUIET: Duration = Duration::from_millis(300);

/// A payload that contains its number, with one of many lengths.
pub fn payload(number: usize) -> Vec<u8> {
    let mut payload = format!("{number:06}").into_bytes();
    payload.resize(6 + number % 41, b'.');
    payload
}

/// The number that a payload contains.
pub fn number(payload: &[u8]) -> usize {
    let number = std::str::from_utf8(&payload[..6]).unwrap().parse().unwrap();
    assert_eq!(payload, self::payload(number), "a message arrives as it was sent");
    number
}

/// What has arrived.
#[derive(Debug, Default)]
pub struct Tally {
    /// Distinct messages: they arrived in order without a gap.
    pub arrived: usize,
    /// Messages that arrived again.
    pub duplicates: usize,
}

impl Tally {
    pub fn take(&mut self, message: &Publish<'_>) {
        let number = number(message.payload);
        assert!(number <= self.arrived, "{number} arrives after {}", self.arrived.wrapping_sub(1));
        if number == self.arrived {
            self.arrived += 1;
        } else {
            self.duplicates += 1;
        }
    }
}

/// Publishes messages 0 to `count - 1`. Each accepted message ends with exactly one event, which is passed to `done`.
/// `may_send` returns whether a number may be sent yet.
pub fn send(
    peer: &mut Peer,
    topic: &str,
    qos: QoS,
    count: usize,
    may_send: impl Fn(usize) -> bool,
    mut done: impl FnMut(),
) {
    let mut open = HashMap::new();
    let mut next = 0;
    while next < count || !open.is_empty() {
        while next < count && may_send(next) {
            match peer.mqtt.publish(&Message::new(topic, &payload(next)).qos(qos)) {
                Ok(id) => assert_eq!(open.insert(id.expect("an identifier"), next), None),
                Err(RequestError::Full(_)) => break,
                Err(other) => panic!("{other}"),
            }
            next += 1;
        }
        let wait = if open.is_empty() { Duration::from_millis(1) } else { WAIT };
        peer.handle_event(wait, |event| match event {
            Event::Published { id, qos: reached } => {
                assert_eq!(reached, qos);
                assert!(open.remove(&id).is_some(), "{id} has ended before");
                done();
            }
            other => panic!("{other:?}"),
        });
    }
    // There are no surplus events.
    peer.handle_event(QUIET, |event| panic!("{event:?}"));
    assert_eq!(peer.mqtt.in_flight(), 0);
}

/// Receives until `count` different messages have arrived; `progress` is passed their number.
pub fn receive(peer: &mut Peer, qos: QoS, count: usize, mut progress: impl FnMut(usize)) -> Tally {
    let mut tally = Tally::default();
    let mut handler = |event: Event<'_>| {
        match event {
            Event::Message(message) => {
                assert_eq!(message.delivery.qos(), qos);
                tally.take(&message);
            }
            other => panic!("{other:?}"),
        }
        tally.arrived
    };
    let mut arrived = 0;
    while arrived < count {
        peer.handle_event(WAIT, |event| arrived = handler(event));
        progress(arrived);
    }
    while peer.handle_event(QUIET, |event| _ = handler(event)) {}
    tally
}
