//! The inbound half: bytes come in, and an event is read out of them.
//!
//! ```text
//! 0      start       fill
//! | done | received  | free |
//! ```

use super::bytes::move_down;
use super::{Event, LargeMessage, Receipt};
use crate::codec::{Delivery, PacketType, Publish};
use crate::session::Outcome;
use crate::{PacketId, QoS, SubAckCodes, TopicName, Version};

/// Bytes somewhere in the receive buffer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    at: usize,
    len: usize,
}

impl Span {
    pub(super) fn new(at: usize, len: usize) -> Self {
        Span { at, len }
    }

    pub(super) fn is_empty(self) -> bool {
        self.len == 0
    }

    fn of(self, rx: &[u8]) -> &[u8] {
        rx.get(self.at..).and_then(|bytes| bytes.get(..self.len)).unwrap_or_default()
    }
}

/// An event, with places in the receive buffer instead of borrows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Held {
    None,
    Connected { session_present: Option<bool> },
    Message { topic: Span, payload: Span, delivery: Delivery, retain: bool },
    Start(Large),
    Piece(Span),
    End,
    Aborted,
    Skipped(Large),
    Published { id: PacketId, qos: QoS },
    StreamReady { id: Option<PacketId> },
    Subscribed { id: PacketId, codes: Span },
    Unsubscribed { id: PacketId },
    Ended { id: PacketId, outcome: Outcome },
}

/// The head of a large message; an empty topic stands for one that did not fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Large {
    pub(super) topic: Span,
    pub(super) delivery: Delivery,
    pub(super) retain: bool,
    pub(super) payload_len: usize,
}

/// How far a message is that is larger than the receive buffer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Progress {
    /// There is none under way.
    None,
    /// The topic is skipped, because not even that fits.
    Topic { left: usize, flags: u8, remaining: usize },
    /// The payload is on its way, so many bytes of it.
    Payload { left: usize, delivery: Delivery, deliver: bool },
}

#[derive(Clone, Debug)]
pub(super) struct Inbound {
    pub(super) start: usize,
    pub(super) fill: usize,
    pub(super) held: Held,
    /// Bytes that the event occupies: they go when it is released.
    pub(super) occupied: usize,
    /// The answer that is owed once the event is released.
    pub(super) answer: Option<(PacketType, PacketId)>,
    /// What the application acknowledges the event's message by, if it does that itself.
    pub(super) receipt: Option<Receipt>,
    /// A message is here that has to wait until another one is acknowledged.
    pub(super) waits_for_receipt: bool,
    pub(super) large: Progress,
    /// Bytes have come since the last look.
    pub(super) fresh: bool,
    /// A message was cut off, and this is not reported yet.
    pub(super) aborted: bool,
}

impl Inbound {
    pub(super) const NEW: Self = Inbound {
        start: 0,
        fill: 0,
        held: Held::None,
        occupied: 0,
        answer: None,
        receipt: None,
        waits_for_receipt: false,
        large: Progress::None,
        fresh: false,
        aborted: false,
    };

    /// The link is lost: what has come and was not looked at will come again, or never mattered.
    pub(super) fn link_lost(&mut self) {
        self.aborted |= matches!(self.large, Progress::Payload { deliver: true, .. });
        self.large = Progress::None;
        (self.start, self.fill, self.occupied) = (0, 0, 0);
        self.fresh = false;
        self.held = Held::None;
        self.answer = None;
        self.receipt = None;
        self.waits_for_receipt = false;
    }

    /// What has come and was not consumed.
    pub(super) fn bytes<'a>(&self, rx: &'a [u8]) -> &'a [u8] {
        rx.get(self.start..self.fill).unwrap_or_default()
    }

    /// Gives up bytes at the front.
    pub(super) fn consume(&mut self, len: usize) {
        self.start = self.start.wrapping_add(len).min(self.fill);
        if self.start == self.fill {
            (self.start, self.fill) = (0, 0);
        }
    }

    /// Sees to it that a packet of this length fits behind its beginning.
    pub(super) fn make_room(&mut self, rx: &mut [u8], wanted: usize) {
        if self.start > 0 && self.start.wrapping_add(wanted) > rx.len() {
            let len = self.fill.wrapping_sub(self.start);
            move_down(rx, self.start, 0, len);
            (self.start, self.fill) = (0, len);
        }
    }

    /// The event with its borrows.
    pub(super) fn event<'a>(&self, rx: &'a [u8], version: Version) -> Option<Event<'a>> {
        Some(match self.held {
            Held::None => return None,
            Held::Connected { session_present } => Event::Connected { session_present },
            Held::Message { topic, payload, delivery, retain } => Event::Message(Publish {
                topic: TopicName::checked_before(topic.of(rx)),
                payload: payload.of(rx),
                delivery,
                retain,
            }),
            Held::Start(large) => Event::MessageStart(large.of(rx)),
            Held::Piece(piece) => Event::MessagePiece(piece.of(rx)),
            Held::End => Event::MessageEnd,
            Held::Aborted => Event::MessageAborted,
            Held::Skipped(large) => Event::MessageSkipped(large.of(rx)),
            Held::Published { id, qos } => Event::Published { id, qos },
            Held::StreamReady { id } => Event::StreamReady { id },
            Held::Subscribed { id, codes } => {
                Event::Subscribed { id, codes: SubAckCodes::checked_before(codes.of(rx), version) }
            }
            Held::Unsubscribed { id } => Event::Unsubscribed { id },
            Held::Ended { id, outcome } => Event::Ended { id, outcome },
        })
    }
}

impl Large {
    fn of(self, rx: &[u8]) -> LargeMessage<'_> {
        let topic = self.topic.of(rx);
        LargeMessage {
            topic: if topic.is_empty() { None } else { Some(TopicName::checked_before(topic)) },
            delivery: self.delivery,
            retain: self.retain,
            payload_len: self.payload_len,
        }
    }
}
