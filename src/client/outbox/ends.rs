//! The answers to requests, and their ends, which are reported and then removed.

use super::record::{DEAD, DUP, PUBLISH, PUBREL, Record};
use super::{Config, Outbox, Purpose};
use crate::client::bytes::{IS_LARGE, set, set_u16, u16_at};
use crate::client::end::{ENDED, End};

/// Whether a request waits for an answer.
#[derive(Clone, Copy)]
pub(in crate::client) enum Awaiting {
    /// This one does.
    Request(usize, Record),
    /// The request is about to be resent, so the answer has to wait until then.
    Resent,
    /// None does: the answer is late, or not for this client.
    Nothing,
}

impl<C: Config> Outbox<'_, C> {
    /// Whether the request with this identifier waits for this answer. The next `offered` unsent bytes count as possibly received by the
    /// server.
    pub(in crate::client) fn awaiting(&self, answer: u8, id: u16, offered: usize) -> Awaiting {
        let Some((at, record)) = self.find(id) else { return Awaiting::Nothing };
        let was_sent = at < self.state.rec;
        let is_seen = at < self.state.cur.wrapping_add(offered) || record.first() & (0xF0 | DUP) != PUBLISH;
        match (was_sent, is_seen) {
            (true, _) if record.waits_for(answer) => Awaiting::Request(at, record),
            (false, true) => Awaiting::Resent,
            _ => Awaiting::Nothing,
        }
    }

    /// The number of topic filters of the SUBSCRIBE at `at`.
    pub(in crate::client) fn filters(&self, at: usize, record: Record) -> usize {
        let mut at = record.body(at).wrapping_add(2);
        let mut filters: usize = 0;
        while at < record.end() {
            // Length prefix, filter, QoS.
            at = at.wrapping_add(usize::from(u16_at(self.log, at))).wrapping_add(3);
            filters = filters.wrapping_add(1);
        }
        filters
    }

    /// The request at `at` has been answered; the event that reports this is to follow.
    pub(in crate::client) fn answered(&mut self, at: usize, record: Record, id: u16, end: End) {
        self.state.hint = at;
        self.end(at, record, id, end);
    }

    /// The request has ended: only its identifier is kept.
    pub(super) fn end(&mut self, at: usize, record: Record, id: u16, end: End) {
        self.count(record, u16::MAX);
        self.count_kind(ENDED, 1);
        set(self.log, at, ENDED | end as u8);
        let is_streamed = self.config.streams() && record.is_streamed();
        set_u16(self.log, if is_streamed { record.packet(at) } else { record.body(at) }, id);
    }

    /// The message at `at` has been answered with PUBREC. It is removed, and PUBREL is appended, so that PUBRELs are sent in the
    /// order of the PUBRECs (MQTT-4.6.0-4).
    pub(in crate::client) fn replace_by_pubrel(&mut self, at: usize, record: Record, id: u16) {
        self.discard(at, record);
        self.insert_pubrel(id);
    }

    /// Whether there is a PUBREL that has not been sent.
    pub(in crate::client) fn has_unsent_pubrel(&self) -> bool {
        let mut at = self.state.rec;
        while let Some(record) = self.record(at) {
            if record.first() >> 4 == PUBREL >> 4 {
                return true;
            }
            at = record.end();
        }
        false
    }

    /// The identifier and the end of a request whose end has to be reported, if there is one.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(in crate::client) fn find_ended(&mut self) -> Option<(u16, End)> {
        if IS_LARGE && !self.state.has_ended() {
            return None;
        }
        self.look_for_ended()
    }

    fn look_for_ended(&mut self) -> Option<(u16, End)> {
        let mut at = self.state.head;
        // Usually the request that was answered last is the only one.
        if IS_LARGE && self.record(self.state.hint).is_some_and(Record::has_ended) {
            at = self.state.hint;
        }
        while let Some(record) = self.record(at) {
            if record.has_ended() {
                self.state.hint = at;
                return Some((self.id(at, record), record.outcome()));
            }
            at = record.end();
        }
        None
    }

    /// The end of this request has been reported.
    #[inline(never)]
    pub(in crate::client) fn end_is_reported(&mut self, id: u16) {
        // Usually it is the request that was found last.
        let hint = self.state.hint;
        let hinted = if IS_LARGE { self.record(hint) } else { None };
        let found = match hinted {
            Some(record) if self.id(hint, record) == id => Some((hint, record)),
            _ => self.find(id),
        };
        if let Some((at, record)) = found {
            self.discard(at, record);
        }
    }

    /// The record at `at` is no longer needed.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn discard(&mut self, at: usize, record: Record) {
        self.count(record, u16::MAX);
        set(self.log, at, DEAD);
        self.state.has_new_oldest |= at == self.state.head;
        // If there may be much to move, and while a payload is stored after the requests, they are not moved.
        if !IS_LARGE && !self.is_streaming() {
            self.sweep(Purpose::Room);
            return;
        }
        if self.state.hint == at {
            self.state.hint = record.end();
        }
        if self.state.head == at {
            self.state.head = record.end();
            self.skip_dead();
        } else {
            self.state.dead = self.state.dead.wrapping_add(record.end().wrapping_sub(at));
        }
    }

    /// Ensures that the oldest record is not dead.
    fn skip_dead(&mut self) {
        while self.state.dead != 0
            && let Some(record) = self.record(self.state.head).filter(|record| record.is_dead())
        {
            self.state.dead = self.state.dead.wrapping_sub(record.end().wrapping_sub(self.state.head));
            self.state.head = record.end();
        }
        // While the gate is closed, there can be dead records after `rec` too.
        self.state.rec = self.state.rec.max(self.state.head);
        self.state.cur = self.state.cur.max(self.state.head);
        self.state.hint = self.state.hint.max(self.state.head);
        if self.state.head == self.state.tail {
            (self.state.head, self.state.rec, self.state.cur, self.state.tail, self.state.hint) =
                (0, 0, 0, 0, 0);
            (self.state.safe, self.state.saved) = (0, 0);
        }
    }
}
