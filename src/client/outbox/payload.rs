//! The payload of a streamed message, which passes through the free end of the log.
//!
//! ```text
//! | requests | handed over, sent | handed over | free |
//!          tail                 cur          fill      log.len()
//! ```
//!
//! Its head waits among the requests until it is its turn. Then the application is asked for the payload; from its first byte
//! to its last nothing else is taken in, so the window does not move.

use super::super::bytes::set;
use super::record::{DEAD, ENDED, End, Record, SHORT};
use super::{Config, Outbox, State, Why};

/// Bytes of the log that a streamed message is sure of.
pub(crate) const WINDOW: usize = 64;

#[derive(Clone, Debug, Hash)]
pub(crate) struct Payload {
    pub(crate) is_asked: bool,
    pub(crate) is_begun: bool,
    /// Bytes that are still to be handed over.
    pub(crate) left: usize,
    /// The next byte to be sent, from `tail` on.
    pub(crate) cur: usize,
    /// Behind the last byte that was handed over, from `tail` on.
    pub(crate) fill: usize,
}

impl Payload {
    pub(super) const NEW: Self = Payload { is_asked: false, is_begun: false, left: 0, cur: 0, fill: 0 };

    pub(super) const fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// Whether all of it has left.
    pub(super) const fn is_done(&self) -> bool {
        self.is_begun && self.left == 0 && self.cur == self.fill
    }
}

impl State {
    /// Whether a streamed message waits for more of its payload.
    pub(crate) fn waits_for_payload(&self) -> bool {
        (self.payload.is_asked && !self.payload.is_begun) || self.payload.left > 0
    }
}

impl<C: Config> Outbox<'_, C> {
    /// The streamed message whose turn it is.
    pub(super) fn stream(&self) -> Option<Record> {
        self.record(self.s.rec).filter(|record| record.is_streamed() && self.s.is_open)
    }

    pub(crate) fn is_streaming(&self) -> bool {
        self.config.streams() && self.s.payload.is_begun
    }

    /// The identifier of the message for whose payload the application is to be asked, if there is one (0 at QoS 0); it is from now
    /// on.
    pub(crate) fn ask_for_payload(&mut self) -> Option<u16> {
        if self.s.streams == 0 || self.s.payload.is_asked {
            return None;
        }
        let stream = self.stream()?;
        self.s.payload.is_asked = true;
        Some(stream.id(self.log, self.s.rec))
    }

    /// Whether the application may hand over a payload, or abandon it.
    pub(crate) const fn is_payload_asked(&self) -> bool {
        self.s.payload.is_asked
    }

    /// Takes in more of the payload; returns how many bytes.
    pub(crate) fn take_payload(&mut self, bytes: &[u8]) -> usize {
        if !self.s.payload.is_begun {
            self.sweep(Why::Room);
            self.s.payload.left = self.payload_len();
            self.s.payload.is_begun = true;
        }
        let window = self.log.get_mut(self.s.tail.wrapping_add(self.s.payload.fill)..).unwrap_or_default();
        let len = bytes.len().min(self.s.payload.left).min(window.len());
        if let Some((window, bytes)) = window.get_mut(..len).zip(bytes.get(..len)) {
            window.copy_from_slice(bytes);
        }
        self.s.payload.fill = self.s.payload.fill.wrapping_add(len);
        self.s.payload.left = self.s.payload.left.wrapping_sub(len);
        len
    }

    /// Bytes of payload that the PUBLISH announces: what its fixed header says, less the rest of the head.
    fn payload_len(&self) -> usize {
        // PUBRELs may have come before it since it was asked for.
        let at = self.first_stream();
        let Some(record) = self.record(at) else {
            return 0;
        };
        let packet = Record::read(self.log, record.packet(at), false);
        packet.map_or(0, |packet| packet.end().wrapping_sub(record.end()))
    }

    /// How many bytes of payload may leave now: all before them has.
    pub(crate) fn sendable_payload(&self) -> usize {
        if !self.s.payload.is_begun || self.stream().is_none_or(|record| self.s.cur < record.end()) {
            return 0;
        }
        self.s.payload.fill.wrapping_sub(self.s.payload.cur)
    }

    /// Where the bytes of the payload are that leave next.
    pub(crate) const fn sending_payload(&self) -> usize {
        self.s.tail.wrapping_add(self.s.payload.cur)
    }

    /// So many bytes of the payload have left. Returns whether the end of the packet was among them.
    pub(crate) fn payload_sent(&mut self, len: usize) -> bool {
        self.s.payload.cur = self.s.payload.cur.wrapping_add(len);
        if self.s.payload.cur == self.s.payload.fill {
            (self.s.payload.cur, self.s.payload.fill) = (0, 0);
        }
        self.pass()
    }

    /// Drops the message whose payload is asked for and was not begun; at QoS 1 and 2 it is lost, and that is to be told.
    pub(crate) fn abandon_payload(&mut self) {
        // PUBRELs may have come before it since it was asked for.
        let at = self.first_stream();
        let Some(record) = self.record(at) else {
            return;
        };
        let id = record.id(self.log, at);
        self.s.payload = Payload::NEW;
        self.count(record, u16::MAX);
        set(self.log, at, DEAD);
        self.sweep(Why::Room);
        if self.config.reports_loss() && id != 0 {
            self.insert_ended(id);
        }
    }

    /// The end of a request that has not left, to be told: before those that leave.
    fn insert_ended(&mut self, id: u16) {
        let at = self.s.rec;
        self.insert_short(at, ENDED | End::Lost as u8, id);
        self.s.rec = at.wrapping_add(SHORT);
        self.s.cur = self.s.cur.wrapping_add(SHORT);
        self.s.hint = at;
    }
}
