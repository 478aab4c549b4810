//! Sending: how far it has got, what has to wait, and what happens when the connection is lost.

use super::record::Record;
use super::{Config, Outbox, Purpose, payload};
use crate::client::bytes::IS_LARGE;

impl<C: Config> Outbox<'_, C> {
    /// How many bytes of requests can be sent now, in one piece. If something else `waits` to be sent between two packets, only the rest
    /// of a partly sent packet.
    pub(in crate::client) fn sendable(&self, waits: bool) -> usize {
        let mut to = self.state.tail;
        if waits {
            to = self.record(self.state.rec).filter(|_| self.is_inside_packet()).map_or(0, Record::end);
        }
        if self.config.streams() && self.state.streams != 0 {
            to = to.min(self.before_stream());
        }
        if self.config.durable() {
            to = to.min(self.held_from());
        }
        if self.state.is_open { to.saturating_sub(self.sending()) } else { 0 }
    }

    /// The end of the packets that can be sent before the next streamed message or, once its payload has been started, with its head.
    fn before_stream(&self) -> usize {
        let at = if self.state.payload.is_begun() { self.state.rec } else { self.first_stream() };
        match self.record(at) {
            Some(record) if self.state.payload.is_begun() => record.end(),
            _ => at,
        }
    }

    /// The position of the first request that waits for a durable image, and has not been partly sent.
    fn held_from(&self) -> usize {
        let inside = self.record(self.state.rec).filter(|_| self.is_inside_packet());
        let mut at = inside.map_or(self.state.rec, Record::end).max(self.state.safe);
        while let Some(record) =
            self.record(at).filter(|record| !record.keeps_id() || record.ends_with_link())
        {
            at = record.end();
        }
        at
    }

    /// Whether a request is held back only because it is not durable.
    pub(in crate::client) fn is_held(&self) -> bool {
        self.state.is_open
            && !self.is_inside_packet()
            && self.held_from() == self.state.rec
            && self.state.rec < self.state.tail
    }

    /// The last image contains all records.
    pub(in crate::client) fn note_saved(&mut self) {
        self.state.saved = self.state.tail;
    }

    /// The last image is durable.
    pub(in crate::client) fn release_saved(&mut self) {
        self.state.safe = self.state.saved;
    }

    /// The position of the next bytes to send.
    pub(in crate::client) fn sending(&self) -> usize {
        let cur = self.state.cur;
        if !self.config.streams() || (IS_LARGE && self.state.streams == 0) {
            return cur;
        }
        self.record(self.state.rec).map_or(cur, |record| cur.max(record.packet(self.state.rec)))
    }

    /// Notes that `len` of the offered bytes have been sent. Returns whether a packet is complete.
    pub(in crate::client) fn sent(&mut self, len: usize) -> bool {
        self.state.cur = self.sending().wrapping_add(len);
        self.pass_sent()
    }

    /// Moves `rec` past the records that have been sent completely, and removes those that need no answer. Returns whether there was
    /// one.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn pass_sent(&mut self) -> bool {
        let mut passed = false;
        while let Some(record) = self.record(self.state.rec).filter(|record| record.end() <= self.state.cur) {
            if self.config.streams() && record.is_streamed() {
                if !self.state.payload.is_done() {
                    break;
                }
                self.state.payload = payload::Payload::NEW;
            }
            passed = true;
            let at = self.state.rec;
            self.state.rec = record.end();
            if !record.keeps_id() {
                self.discard(at, record);
            }
        }
        passed
    }

    /// The connection was lost while `offered` bytes were offered. Requests that the server may have received are marked as such, and
    /// requests that end with the connection end. Returns whether a PUBREL is new, and waits for an image.
    pub(in crate::client) fn link_lost(&mut self, offered: usize) -> bool {
        let seen = self.state.cur.wrapping_add(offered);
        while let Some(record) = self.record(self.state.rec).filter(|_| self.state.rec < seen) {
            self.state.rec = record.end();
        }
        self.state.cur = self.state.rec;
        if self.config.streams() {
            self.state.payload = payload::Payload::NEW;
        }
        self.state.is_open = false;
        self.sweep(Purpose::LinkLost)
    }

    /// Opens the gate: all kept requests are sent from the front.
    pub(in crate::client) fn open(&mut self, mqtt31: bool) {
        self.sweep(Purpose::Resend { mqtt31 });
        self.state.is_open = true;
        self.state.has_new_oldest = true;
    }
}
