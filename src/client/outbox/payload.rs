//! The payload of a streamed message, which passes through the free end of the log.
//!
//! ```text
//! | requests | handed over, sent | handed over | free |
//!          tail                 cur          fill      log.len()
//! ```
//!
//! Its head waits among the requests until it is its turn. Then the application is asked for the payload; from its first byte
//! to its last nothing else is taken in, so the window does not move.

use core::ops::Range;

use super::record::Record;
use super::{Outbox, Why};

/// Bytes of the log that a streamed message is sure of.
pub(crate) const WINDOW: usize = 64;

#[derive(Clone, Debug)]
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

impl Outbox {
    /// The streamed message whose turn it is.
    fn stream(&self, log: &[u8]) -> Option<Record> {
        self.record(log, self.rec).filter(|record| record.is_streamed() && self.is_open)
    }

    pub(crate) const fn is_streaming(&self) -> bool {
        self.payload.is_begun
    }

    /// Whether a streamed message waits for more of its payload.
    pub(crate) fn waits_for_payload(&self) -> bool {
        (self.payload.is_asked && !self.payload.is_begun) || self.payload.left > 0
    }

    /// Whether the application is to be asked for a payload; it is from now on.
    pub(crate) fn ask_for_payload(&mut self, log: &[u8]) -> bool {
        if self.streams == 0 || self.payload.is_asked || self.stream(log).is_none() {
            return false;
        }
        self.payload.is_asked = true;
        true
    }

    /// The identifier of the message whose payload is asked for; 0 at QoS 0.
    pub(crate) fn asked_id(&self, log: &[u8]) -> u16 {
        let id = self.stream(log).and_then(|record| record.kept_id(log, self.rec));
        id.map_or(0, crate::PacketId::get)
    }

    /// Whether the application may hand over a payload, or abandon it.
    pub(crate) const fn is_payload_asked(&self) -> bool {
        self.payload.is_asked
    }

    /// Takes in more of the payload; returns how many bytes.
    pub(crate) fn take_payload(&mut self, log: &mut [u8], bytes: &[u8]) -> usize {
        if !self.payload.is_begun {
            self.sweep(log, Why::Room);
            self.payload.left = self.payload_len(log);
            self.payload.is_begun = true;
        }
        let window = log.get_mut(self.tail.wrapping_add(self.payload.fill)..).unwrap_or_default();
        let len = bytes.len().min(self.payload.left).min(window.len());
        if let Some((window, bytes)) = window.get_mut(..len).zip(bytes.get(..len)) {
            window.copy_from_slice(bytes);
        }
        self.payload.fill = self.payload.fill.wrapping_add(len);
        self.payload.left = self.payload.left.wrapping_sub(len);
        len
    }

    /// Bytes of payload that the PUBLISH announces: what its fixed header says, less the rest of the head.
    fn payload_len(&self, log: &[u8]) -> usize {
        let Some(record) = self.stream(log) else { return 0 };
        let packet = Record::read(log, record.body(self.rec));
        packet.map_or(0, |packet| packet.end.wrapping_sub(record.end))
    }

    /// The bytes of payload that may leave now: all before them has.
    pub(crate) fn sendable_payload(&self, log: &[u8]) -> Range<usize> {
        if !self.payload.is_begun || self.stream(log).is_none_or(|record| self.cur < record.end) {
            return 0..0;
        }
        self.sending_payload()..self.tail.wrapping_add(self.payload.fill)
    }

    /// Where the bytes of the payload are that leave next.
    pub(crate) const fn sending_payload(&self) -> usize {
        self.tail.wrapping_add(self.payload.cur)
    }

    /// So many bytes of the payload have left. Returns whether the end of the packet was among them.
    pub(crate) fn payload_sent(&mut self, log: &mut [u8], len: usize) -> bool {
        self.payload.cur = self.payload.cur.wrapping_add(len);
        if self.payload.cur == self.payload.fill {
            (self.payload.cur, self.payload.fill) = (0, 0);
        }
        self.pass(log)
    }

    /// Drops the message whose payload is asked for and was not begun; at QoS 1 and 2 it is lost, and that is to be told.
    pub(crate) fn abandon_payload(&mut self, log: &mut [u8], tell: bool) {
        let Some(record) = self.stream(log) else { return };
        self.payload = Payload::NEW;
        let id = record.kept_id(log, self.rec);
        let at = self.rec;
        if tell && id.is_some() {
            self.rec = record.end;
            self.cur = self.rec;
            self.answered(log, at, super::End::Lost);
        } else {
            self.kill(log, at);
            self.sweep(log, Why::Room);
        }
    }
}
