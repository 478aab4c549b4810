//! The payload of a streamed message, which passes through the free end of the log.
//!
//! ```text
//! | requests | supplied, sent | supplied | free |
//!          tail              cur       fill     log.len()
//! ```
//!
//! The head waits among the requests until it is its turn. Then the application is asked for the payload. From the first byte of the
//! payload to its last, no requests are accepted, so this window does not move.

use super::record::{DEAD, Record, SHORT};
use super::{Config, Outbox, OutboxState, Purpose};
use crate::client::bytes::set;
use crate::client::end::{ENDED, End};

/// The number of bytes that are guaranteed to a streamed payload.
pub(in crate::client) const WINDOW: usize = 64;

#[derive(Clone, Debug, Hash)]
pub(in crate::client) struct Payload {
    pub(in crate::client) is_asked: bool,
    pub(in crate::client) is_begun: bool,
    /// The number of bytes that are still to be supplied.
    pub(in crate::client) left: usize,
    /// The next byte to send, relative to `tail`.
    pub(in crate::client) cur: usize,
    /// The end of the supplied bytes, relative to `tail`.
    pub(in crate::client) fill: usize,
}

impl Payload {
    pub(super) const NEW: Self = Payload { is_asked: false, is_begun: false, left: 0, cur: 0, fill: 0 };

    pub(super) const fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// Whether all of it has been sent.
    pub(super) const fn is_done(&self) -> bool {
        self.is_begun && self.left == 0 && self.cur == self.fill
    }
}

impl OutboxState {
    /// Whether a streamed message waits for more of its payload.
    pub(in crate::client) fn waits_for_payload(&self) -> bool {
        (self.payload.is_asked && !self.payload.is_begun) || self.payload.left > 0
    }
}

impl<C: Config> Outbox<'_, C> {
    /// The streamed message whose turn it is, if there is one.
    pub(super) fn stream(&self) -> Option<Record> {
        self.record(self.state.rec).filter(|record| record.is_streamed() && self.state.is_open)
    }

    pub(in crate::client) fn is_streaming(&self) -> bool {
        self.config.streams() && self.state.payload.is_begun
    }

    /// If the application has to be asked for a payload, marks it as asked for, and returns the identifier of the message (0 at QoS 0).
    pub(in crate::client) fn ask_for_payload(&mut self) -> Option<u16> {
        if self.state.streams == 0 || self.state.payload.is_asked {
            return None;
        }
        let stream = self.stream()?;
        self.state.payload.is_asked = true;
        Some(stream.id(self.log, self.state.rec))
    }

    /// Whether the application can supply a payload or abandon it.
    pub(in crate::client) const fn is_payload_asked(&self) -> bool {
        self.state.payload.is_asked
    }

    /// Accepts more of the payload; returns how many bytes.
    pub(in crate::client) fn take_payload(&mut self, bytes: &[u8]) -> usize {
        if !self.state.payload.is_begun {
            self.sweep(Purpose::Room);
            self.state.payload.left = self.payload_len();
            self.state.payload.is_begun = true;
        }
        let window =
            self.log.get_mut(self.state.tail.wrapping_add(self.state.payload.fill)..).unwrap_or_default();
        let len = bytes.len().min(self.state.payload.left).min(window.len());
        if let Some((window, bytes)) = window.get_mut(..len).zip(bytes.get(..len)) {
            window.copy_from_slice(bytes);
        }
        self.state.payload.fill = self.state.payload.fill.wrapping_add(len);
        self.state.payload.left = self.state.payload.left.wrapping_sub(len);
        len
    }

    /// The length of the payload that the PUBLISH announces: the length in its fixed header minus the rest of the head.
    fn payload_len(&self) -> usize {
        // PUBRELs may have been inserted before it since it was asked for.
        let at = self.first_stream();
        let Some(record) = self.record(at) else {
            return 0;
        };
        let packet = Record::read(self.log, record.packet(at), false);
        packet.map_or(0, |packet| packet.end().wrapping_sub(record.end()))
    }

    /// How many bytes of the payload can be sent now, which is possible once everything before them has been sent.
    pub(in crate::client) fn sendable_payload(&self) -> usize {
        if !self.state.payload.is_begun || self.stream().is_none_or(|record| self.state.cur < record.end()) {
            return 0;
        }
        self.state.payload.fill.wrapping_sub(self.state.payload.cur)
    }

    /// The position of the next bytes of the payload to send.
    pub(in crate::client) const fn sending_payload(&self) -> usize {
        self.state.tail.wrapping_add(self.state.payload.cur)
    }

    /// Notes that `len` bytes of the payload have been sent. Returns whether the packet is complete.
    pub(in crate::client) fn payload_sent(&mut self, len: usize) -> bool {
        self.state.payload.cur = self.state.payload.cur.wrapping_add(len);
        if self.state.payload.cur == self.state.payload.fill {
            (self.state.payload.cur, self.state.payload.fill) = (0, 0);
        }
        self.pass_sent()
    }

    /// Drops the message whose payload has been asked for but not started. At QoS 1 and 2 it is lost, which has to be reported.
    pub(in crate::client) fn abandon_payload(&mut self) {
        // PUBRELs may have been inserted before it since it was asked for.
        let at = self.first_stream();
        let Some(record) = self.record(at) else {
            return;
        };
        let id = record.id(self.log, at);
        self.state.payload = Payload::NEW;
        self.count(record, u16::MAX);
        set(self.log, at, DEAD);
        self.sweep(Purpose::Room);
        if self.config.reports_loss() && id != 0 {
            self.insert_ended(id);
        }
    }

    /// Inserts the end of a request that has not been sent, before the requests that are to be sent.
    fn insert_ended(&mut self, id: u16) {
        let at = self.state.rec;
        self.insert_short(at, ENDED | End::Lost as u8, id);
        self.state.rec = at.wrapping_add(SHORT);
        self.state.cur = self.state.cur.wrapping_add(SHORT);
        self.state.hint = at;
    }
}
