//! What answers a request, and how it ends: it is told, and then it goes.

use super::super::bytes::{IS_LARGE, set, set_u16, u16_at};
use super::record::{DEAD, DUP, ENDED, End, PUBLISH, PUBREL, Record};
use super::{Config, Outbox, Why};

/// Whether a request waits for an answer.
#[derive(Clone, Copy)]
pub(crate) enum Met {
    /// The one here does.
    Waits(usize, Record),
    /// It is about to be sent again, so that the answer to it is still to be waited for.
    Leaving,
    /// None does: the answer is late, or not ours.
    Unknown,
}

impl<C: Config> Outbox<'_, C> {
    /// Whether the request of this identifier waits for this answer. So many bytes of those not sent count as seen by the server.
    pub(crate) fn meet(&self, answer: u8, id: u16, offered: usize) -> Met {
        let Some((at, record)) = self.find(id) else { return Met::Unknown };
        let has_left = at < self.s.rec;
        let is_seen = at < self.s.cur.wrapping_add(offered) || record.first() & (0xF0 | DUP) != PUBLISH;
        match (has_left, is_seen) {
            (true, _) if record.waits_for(answer) => Met::Waits(at, record),
            (false, true) => Met::Leaving,
            _ => Met::Unknown,
        }
    }

    /// The SUBSCRIBE here has so many topic filters.
    pub(crate) fn filters(&self, at: usize, record: Record) -> usize {
        let mut at = record.body(at).wrapping_add(2);
        let mut filters: usize = 0;
        while at < record.end() {
            // Length, filter, QoS.
            at = at.wrapping_add(usize::from(u16_at(self.log, at))).wrapping_add(3);
            filters = filters.wrapping_add(1);
        }
        filters
    }

    /// The request here has its answer; the event that tells it is to come.
    pub(crate) fn answered(&mut self, at: usize, record: Record, id: u16, end: End) {
        self.s.hint = at;
        self.end(at, record, id, end);
    }

    /// The request has ended: what is left of it is its identifier.
    pub(super) fn end(&mut self, at: usize, record: Record, id: u16, end: End) {
        self.count(record, u16::MAX);
        self.count_kind(ENDED, 1);
        set(self.log, at, ENDED | end as u8);
        let is_streamed = self.config.streams() && record.is_streamed();
        set_u16(self.log, if is_streamed { record.packet(at) } else { record.body(at) }, id);
    }

    /// PUBREC has come for the message here: it goes, and PUBREL follows behind all that waits, so that PUBRELs leave in the
    /// order of the PUBRECs (MQTT-4.6.0-4).
    pub(crate) fn released(&mut self, at: usize, record: Record, id: u16) {
        self.kill(at, record);
        self.insert_pubrel(id);
    }

    /// Whether a PUBREL has not left.
    pub(crate) fn releases(&self) -> bool {
        let mut at = self.s.rec;
        while let Some(record) = self.record(at) {
            if record.first() >> 4 == PUBREL >> 4 {
                return true;
            }
            at = record.end();
        }
        false
    }

    /// The identifier and the end of a request whose end is to be told, if there is one.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(crate) fn find_ended(&mut self) -> Option<(u16, End)> {
        if IS_LARGE && !self.s.has_ended() {
            return None;
        }
        self.look_for_ended()
    }

    fn look_for_ended(&mut self) -> Option<(u16, End)> {
        let mut at = self.s.head;
        // The last one that was answered is the only one, more often than not.
        if IS_LARGE && self.record(self.s.hint).is_some_and(Record::has_ended) {
            at = self.s.hint;
        }
        while let Some(record) = self.record(at) {
            if record.has_ended() {
                self.s.hint = at;
                return Some((self.id(at, record), record.outcome()));
            }
            at = record.end();
        }
        None
    }

    /// The end of this request is told.
    #[inline(never)]
    pub(crate) fn end_is_told(&mut self, id: u16) {
        // It was the last one that was looked for, more often than not.
        let hint = self.s.hint;
        let hinted = if IS_LARGE { self.record(hint) } else { None };
        let found = match hinted {
            Some(record) if self.id(hint, record) == id => Some((hint, record)),
            _ => self.find(id),
        };
        if let Some((at, record)) = found {
            self.kill(at, record);
        }
    }

    /// The record here is not needed any more.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn kill(&mut self, at: usize, record: Record) {
        self.count(record, u16::MAX);
        set(self.log, at, DEAD);
        self.s.has_new_oldest |= at == self.s.head;
        // Where there is much to move, and while a payload stands behind the requests, they stay where they are.
        if !IS_LARGE && !self.is_streaming() {
            return self.sweep(Why::Room);
        }
        if self.s.hint == at {
            self.s.hint = record.end();
        }
        if self.s.head == at {
            self.s.head = record.end();
            self.skip_dead();
        } else {
            self.s.dead = self.s.dead.wrapping_add(record.end().wrapping_sub(at));
        }
    }

    /// The oldest one is never dead.
    fn skip_dead(&mut self) {
        while self.s.dead != 0
            && let Some(record) = self.record(self.s.head).filter(|record| record.is_dead())
        {
            self.s.dead = self.s.dead.wrapping_sub(record.end().wrapping_sub(self.s.head));
            self.s.head = record.end();
        }
        // While the gate is shut, dead records can lie behind `rec` too.
        self.s.rec = self.s.rec.max(self.s.head);
        self.s.cur = self.s.cur.max(self.s.head);
        self.s.hint = self.s.hint.max(self.s.head);
        if self.s.head == self.s.tail {
            (self.s.head, self.s.rec, self.s.cur, self.s.tail, self.s.hint) = (0, 0, 0, 0, 0);
            (self.s.safe, self.s.saved) = (0, 0);
        }
    }
}
