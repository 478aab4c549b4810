//! The outbound session: requests as they leave, in the bytes that were lent for it.
//!
//! ```text
//! | room | kept, sent | being sent | not sent | free, or a payload that passes through |
//! 0     head         rec   cur              tail                              log.len()
//! ```
//!
//! A request is its packet, from the call that made it to the event that tells its end. Its first byte says what it waits for
//! ([`record`]), its place whether it has left. Records between `head` and `rec` have left (while the gate is shut: may have been
//! seen on an earlier connection), `cur` is the next byte. What is dead between others goes when room is made ([`sweep`]).
//!
//! The gate is shut from the loss of a connection until all that ended with it, or with the session, is told. Opening it is the one
//! moment of rewinding: what is kept is sent again from the front ([`redelivery`]).

mod given_up;
mod image;
mod packet_id;
mod payload;
mod record;
mod room;
mod sweep;

use super::bytes::{IS_LARGE, set, set_u16};
use super::config::Config;
use record::{DEAD, DUP, PUBLISH, PUBREL, SHORT};

pub(super) use given_up::Leaves;
pub(super) use payload::WINDOW;
pub(super) use record::{ENDED, End, Record, STREAMED};
pub(super) use sweep::Why;

/// The places and numbers.
#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct State {
    /// Another request is the oldest one since the last look.
    pub(super) has_new_oldest: bool,
    /// Requests may leave.
    pub(super) is_open: bool,
    pub(super) head: usize,
    pub(super) rec: usize,
    pub(super) cur: usize,
    pub(super) tail: usize,
    /// Bytes of dead records between `head` and `tail`.
    pub(super) dead: usize,
    /// Where the last request was found: the next one is there or right behind it.
    pub(super) hint: usize,
    /// What lies before this is durable, by the last word of the application.
    pub(super) safe: usize,
    /// What lies before this was in the last image.
    pub(super) saved: usize,
    /// The identifier that was given out last, and how many behind it are known to be free.
    pub(super) last_id: u16,
    pub(super) free_ids: u16,
    /// Records with an identifier.
    pub(super) kept: u16,
    /// Those of them that are messages of QoS 2.
    pub(super) exactly_once: u16,
    /// Streamed messages; those of QoS 0 have no limit.
    pub(super) streams: u32,
    /// Those that have ended, which is to be told.
    ended: u16,
    pub(super) payload: payload::Payload,
}

impl State {
    pub(super) const NEW: Self = State {
        head: 0,
        rec: 0,
        cur: 0,
        tail: 0,
        dead: 0,
        hint: 0,
        safe: 0,
        saved: 0,
        payload: payload::Payload::NEW,
        last_id: 0,
        free_ids: 0,
        kept: 0,
        exactly_once: 0,
        streams: 0,
        ended: 0,
        has_new_oldest: false,
        is_open: false,
    };

    /// The record that begins here.
    #[inline]
    fn record(&self, log: &[u8], at: usize, streams: bool) -> Option<Record> {
        if at < self.tail { Record::read(log, at, streams) } else { None }
    }

    /// The records, each with its place.
    pub(super) fn records<'a>(
        &'a self,
        log: &'a [u8],
        streams: bool,
    ) -> impl Iterator<Item = (usize, Record)> + 'a {
        let mut next = self.head;
        core::iter::from_fn(move || {
            let at = next;
            let record = self.record(log, at, streams)?;
            next = record.end();
            Some((at, record))
        })
    }

    /// Requests under way, those included whose end was not told yet.
    pub(super) const fn kept(&self) -> u16 {
        self.kept
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.ended != 0
    }

    /// Whether the record here has left, on this connection or an earlier one.
    pub(super) const fn has_left(&self, at: usize, record: Record) -> bool {
        at < self.rec || record.has_dup()
    }
}

/// The requests in the bytes that were lent for them.
#[derive(Debug)]
pub(super) struct Outbox<'a, C> {
    pub(super) s: &'a mut State,
    pub(super) log: &'a mut [u8],
    pub(super) config: &'a C,
}

/// Whether a request waits for an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// It does.
    Waits,
    /// It is about to be sent again, so that the answer to it is still to be waited for.
    Leaving,
    /// None does: the answer is late, or not ours.
    Unknown,
}

impl<C> Outbox<'_, C> {
    pub(super) const fn exactly_once(&self) -> u16 {
        self.s.exactly_once
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.s.head == self.s.tail
    }

    /// Whether requests may leave.
    pub(super) const fn is_open(&self) -> bool {
        self.s.is_open
    }

    /// Whether all of it has left.
    pub(super) const fn is_sent(&self) -> bool {
        self.s.rec == self.s.tail
    }

    /// Whether a packet has left in part.
    pub(super) const fn is_inside_packet(&self) -> bool {
        self.s.cur > self.s.rec
    }

    /// Whether something that has left waits for its answer.
    pub(super) const fn is_waiting(&self) -> bool {
        self.s.is_open && self.s.head < self.s.rec
    }

    /// Whether another request is the oldest one since this was asked last.
    pub(super) fn take_new_oldest(&mut self) -> bool {
        core::mem::take(&mut self.s.has_new_oldest)
    }
}

impl<C: Config> Outbox<'_, C> {
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))] // one copy of it, where flash is small
    fn record(&self, at: usize) -> Option<Record> {
        self.s.record(self.log, at, self.config.streams())
    }

    /// The packet identifier of the record here, 0 if it keeps none.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))] // one copy of it, where flash is small
    fn id(&self, at: usize, record: Record) -> u16 {
        record.id(self.log, at)
    }

    fn records(&self) -> impl Iterator<Item = (usize, Record)> {
        self.s.records(self.log, self.config.streams())
    }

    /// Whether all of it can be sent again: the answer to what was given up may still come.
    pub(super) fn is_repeatable(&self) -> bool {
        self.is_sent() && !self.is_streaming() && !self.records().any(|(_, record)| record.is_stub())
    }

    /// Counts a record in, or (`u16::MAX`) out.
    fn count(&mut self, record: Record, by: u16) {
        if record.keeps_id() {
            self.s.kept = self.s.kept.wrapping_add(by);
        }
        if IS_LARGE && record.has_ended() {
            self.s.ended = self.s.ended.wrapping_add(by);
        }
        if record.is_exactly_once() {
            self.s.exactly_once = self.s.exactly_once.wrapping_add(by);
        }
        if self.config.streams() && record.is_streamed() {
            self.s.streams = self.s.streams.wrapping_add_signed((by as i16).into());
        }
    }

    /// The request of this identifier: there is one at the most.
    fn find(&self, id: u16) -> Option<usize> {
        if !IS_LARGE {
            return self.find_between(self.s.head, self.s.tail, id);
        }
        self.find_between(self.s.head, self.s.tail.min(self.s.head.wrapping_add(1)), id)
            .or_else(|| self.find_between(self.s.hint, self.s.tail, id))
            .or_else(|| self.find_between(self.s.head, self.s.hint, id))
    }

    fn find_between(&self, mut at: usize, end: usize, id: u16) -> Option<usize> {
        while at < end {
            let record = self.record(at)?;
            if self.id(at, record) == id {
                return Some(at);
            }
            at = record.end();
        }
        None
    }

    /// The place of the request of this identifier, and whether it waits for this answer. So many bytes of those not sent count as
    /// seen by the server.
    pub(super) fn meet(&self, answer: u8, id: u16, offered: usize) -> (usize, Met) {
        let Some((at, record)) = self.find(id).and_then(|at| Some((at, self.record(at)?))) else {
            return (0, Met::Unknown);
        };
        let has_left = at < self.s.rec;
        let is_seen = at < self.s.cur.wrapping_add(offered) || record.first() & (0xF0 | DUP) != PUBLISH;
        let met = match (has_left, is_seen) {
            (true, _) if record.waits_for(answer) => Met::Waits,
            (false, true) => Met::Leaving,
            _ => Met::Unknown,
        };
        (at, met)
    }

    /// The SUBSCRIBE here has so many topic filters.
    pub(super) fn filters(&self, at: usize) -> usize {
        let Some(record) = self.record(at) else { return 0 };
        let mut at = record.body(at).wrapping_add(2);
        let mut filters: usize = 0;
        while at < record.end() {
            // Length, filter, QoS.
            at = at.wrapping_add(usize::from(super::bytes::u16_at(self.log, at))).wrapping_add(3);
            filters = filters.wrapping_add(1);
        }
        filters
    }

    /// The request here has its answer; the event that tells it is to come.
    pub(super) fn answered(&mut self, at: usize, end: End) {
        self.s.hint = at;
        self.s.has_new_oldest |= at == self.s.head;
        if let Some(record) = self.record(at) {
            self.end(at, record, end);
        }
    }

    /// The request has ended: what is left of it is its identifier.
    fn end(&mut self, at: usize, record: Record, end: End) {
        let id = self.id(at, record);
        self.count(record, u16::MAX);
        set(self.log, at, ENDED | end as u8);
        let is_streamed = self.config.streams() && record.is_streamed();
        set_u16(self.log, if is_streamed { record.packet(at) } else { record.body(at) }, id);
        self.s.kept = self.s.kept.wrapping_add(1);
        self.s.ended = self.s.ended.wrapping_add(1);
    }

    /// PUBREC has come for the message here: it goes, and PUBREL follows behind all that waits, so that PUBRELs leave in the
    /// order of the PUBRECs (MQTT-4.6.0-4).
    pub(super) fn released(&mut self, at: usize, id: u16) {
        self.kill(at);
        self.insert_pubrel(id);
    }

    /// The identifier and the end of a request whose end is to be told, if there is one.
    pub(super) fn find_ended(&mut self) -> Option<(u16, End)> {
        if IS_LARGE && !self.s.has_ended() {
            return None;
        }
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
    pub(super) fn end_is_told(&mut self, id: u16) {
        if let Some(at) = self.find(id) {
            self.kill(at);
        }
    }

    /// The record here is not needed any more.
    fn kill(&mut self, at: usize) {
        let Some(record) = self.record(at) else { return };
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
        } else {
            self.s.dead = self.s.dead.wrapping_add(record.end().wrapping_sub(at));
        }
        self.skip_dead();
    }

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

    /// How many bytes of requests may leave now, in one piece. Where something `waits` to pass between two packets: only the rest
    /// of the packet that has left in part.
    pub(super) fn sendable(&self, waits: bool) -> usize {
        let mut to = self.s.tail;
        if waits {
            to = self.record(self.s.rec).filter(|_| self.is_inside_packet()).map_or(0, Record::end);
        }
        if self.config.streams() && self.s.streams != 0 {
            to = to.min(self.before_stream());
        }
        if self.config.durable() {
            to = to.min(self.held_from());
        }
        if self.s.is_open { to.saturating_sub(self.sending()) } else { 0 }
    }

    /// Where the packets end that can leave before the payload of the next streamed message is begun, or with its head.
    fn before_stream(&self) -> usize {
        let at = if self.s.payload.is_begun() { self.s.rec } else { self.first_stream() };
        match self.record(at) {
            Some(record) if self.s.payload.is_begun() => record.end(),
            _ => at,
        }
    }

    /// Where the first request stands that waits for an image to be durable, of which nothing has left.
    fn held_from(&self) -> usize {
        let inside = self.record(self.s.rec).filter(|_| self.is_inside_packet());
        let mut at = inside.map_or(self.s.rec, Record::end).max(self.s.safe);
        while let Some(record) =
            self.record(at).filter(|record| !record.keeps_id() || record.ends_with_link())
        {
            at = record.end();
        }
        at
    }

    /// Whether a request would leave if it were durable.
    pub(super) fn is_held(&self) -> bool {
        self.s.is_open
            && !self.is_inside_packet()
            && self.held_from() == self.s.rec
            && self.s.rec < self.s.tail
    }

    /// An image holds all that is here.
    pub(super) fn note_saved(&mut self) {
        self.s.saved = self.s.tail;
    }

    /// The last image is durable.
    pub(super) fn release_saved(&mut self) {
        self.s.safe = self.s.saved;
    }

    /// Where the bytes are that leave next.
    pub(super) fn sending(&self) -> usize {
        let cur = self.s.cur;
        if !self.config.streams() || (IS_LARGE && self.s.streams == 0) {
            return cur;
        }
        self.record(self.s.rec).map_or(cur, |record| cur.max(record.packet(self.s.rec)))
    }

    /// So many of the bytes have left that were offered. Returns whether the end of a packet was among them.
    pub(super) fn sent(&mut self, len: usize) -> bool {
        self.s.cur = self.sending().wrapping_add(len);
        self.pass()
    }

    /// Records that have left whole are behind `rec` from now on; those that nothing is waited for go. Returns whether there was
    /// one.
    fn pass(&mut self) -> bool {
        let mut passed = false;
        while let Some(record) = self.record(self.s.rec).filter(|record| record.end() <= self.s.cur) {
            if self.config.streams() && record.is_streamed() {
                if !self.s.payload.is_done() {
                    break;
                }
                self.s.payload = payload::Payload::NEW;
            }
            passed = true;
            let at = self.s.rec;
            self.s.rec = record.end();
            if !record.keeps_id() {
                self.kill(at);
            }
        }
        passed
    }

    /// The connection is gone, while so many bytes were offered: what may have been seen is kept as that, what ends with the
    /// connection ends.
    pub(super) fn link_lost(&mut self, offered: usize) {
        let seen = self.s.cur.wrapping_add(offered);
        while let Some(record) = self.record(self.s.rec).filter(|_| self.s.rec < seen) {
            self.s.rec = record.end();
        }
        self.s.cur = self.s.rec;
        if self.config.streams() {
            self.s.payload = payload::Payload::NEW;
        }
        self.s.is_open = false;
        self.sweep(Why::LinkLost);
    }

    /// Lets requests leave: all that is kept, from the front.
    pub(super) fn open(&mut self, mqtt31: bool) {
        self.sweep(Why::Again { mqtt31 });
        self.s.is_open = true;
        self.s.has_new_oldest = true;
    }
}
