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
mod losses;
mod packet_id;
mod payload;
mod record;
mod redelivery;
mod room;
mod sweep;

use core::ops::Range;

use super::bytes::set;
use record::{DEAD, PUBREL, waits_for};

pub(super) use given_up::Leaves;
pub(super) use payload::WINDOW;
pub(super) use record::{End, Form, Record, STREAMED};
pub(super) use sweep::Why;

/// The places and numbers.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) head: usize,
    pub(super) rec: usize,
    pub(super) cur: usize,
    pub(super) tail: usize,
    /// Bytes of dead records between `head` and `tail`.
    pub(super) dead: usize,
    /// Where the last answer found its request: the next one is there or right behind it.
    pub(super) hint: usize,
    /// What lies before this is durable, by the last word of the application.
    pub(super) safe: usize,
    /// What lies before this was in the last image.
    pub(super) saved: usize,
    pub(super) payload: payload::Payload,
    /// The identifier that was given out last, and how many behind it are known to be free.
    pub(super) last_id: u16,
    pub(super) free_ids: u16,
    /// Records with an identifier.
    pub(super) kept: u16,
    /// Those of them that are messages of QoS 2.
    pub(super) exactly_once: u16,
    /// Streamed messages.
    pub(super) streams: usize,
    /// Those that have ended, which is to be told.
    ended: u16,
    /// Requests may leave.
    pub(super) is_open: bool,
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
        is_open: false,
    };

    /// The record that begins here.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))] // one copy of it, where flash is small
    fn record(&self, log: &[u8], at: usize) -> Option<Record> {
        if at < self.tail { Record::read(log, at) } else { None }
    }

    /// The records, each with its place.
    pub(super) fn records<'a>(&'a self, log: &'a [u8]) -> impl Iterator<Item = (usize, Record)> + 'a {
        let mut next = self.head;
        core::iter::from_fn(move || {
            let at = next;
            let record = self.record(log, at)?;
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
    pub(super) fn has_left(&self, log: &[u8], at: usize, record: Record) -> bool {
        at < self.rec || record.has_dup(log, at)
    }

    /// The identifier and the end of the request whose end is to be told.
    pub(super) fn ended(&self, log: &[u8]) -> Option<(u16, End)> {
        let record = self.record(log, self.hint).filter(|record| record.has_ended())?;
        Some((record.id(log, self.hint), record.outcome()))
    }

    /// The identifier of the message whose payload is asked for; 0 at QoS 0.
    pub(super) fn asked_id(&self, log: &[u8]) -> u16 {
        let stream = self.record(log, self.rec).filter(|record| record.is_streamed() && self.is_open);
        stream.and_then(|record| record.kept_id(log, self.rec)).map_or(0, crate::PacketId::get)
    }
}

/// The requests in the bytes that were lent for them.
#[derive(Debug)]
pub(super) struct Outbox<'a> {
    pub(super) s: &'a mut State,
    pub(super) log: &'a mut [u8],
}

impl Outbox<'_> {
    #[inline]
    fn record(&self, at: usize) -> Option<Record> {
        self.s.record(self.log, at)
    }

    fn records(&self) -> impl Iterator<Item = (usize, Record)> {
        self.s.records(self.log)
    }

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

    /// Whether all of it can be sent again: the answer to what was given up may still come.
    pub(super) fn is_repeatable(&self) -> bool {
        self.is_sent()
            && !self.is_streaming()
            && !self.records().any(|(at, record)| record.is_stub(self.log, at))
    }

    /// Whether something that has left waits for its answer.
    pub(super) const fn is_waiting(&self) -> bool {
        self.s.is_open && self.s.head < self.s.rec
    }

    /// Counts a record in, or (`u16::MAX`) out.
    fn count(&mut self, at: usize, record: Record, by: u16) {
        let request = record.request(self.log, at);
        if request & record::QOS_BITS != record::AT_MOST_ONCE {
            self.s.kept = self.s.kept.wrapping_add(by);
        }
        self.count_exactly_once(request, by);
        if record.has_ended() {
            self.s.ended = self.s.ended.wrapping_add(by);
        }
        if record.is_streamed() {
            self.s.streams = self.s.streams.wrapping_add_signed((by as i16).into());
        }
    }

    fn count_exactly_once(&mut self, request: u8, by: u16) {
        if record::is_exactly_once(request) {
            self.s.exactly_once = self.s.exactly_once.wrapping_add(by);
        }
    }

    /// The request of this identifier, sent and without its end, that waits for this answer.
    pub(super) fn meet(&self, answer: u8, id: u16) -> Option<usize> {
        let oldest = self.s.rec.min(self.s.head.wrapping_add(1));
        // While the gate was shut, an end may have been found behind what has left.
        let hint = self.s.hint.min(self.s.rec);
        meet_between(self.log, self.s.head, oldest, answer, id)
            .or_else(|| meet_between(self.log, hint, self.s.rec, answer, id))
            .or_else(|| meet_between(self.log, self.s.head, hint, answer, id))
    }

    /// Whether a request of this identifier is about to be sent again, so that the answer to it is still to be waited for.
    pub(super) fn is_about_to_leave(&self, id: u16, offered: usize) -> bool {
        let seen = self.s.cur.wrapping_add(offered);
        self.records().any(|(at, record)| {
            let request = record.request(self.log, at);
            let fresh = request & 0xF0 == record::AT_MOST_ONCE && request & record::DUP == 0;
            at >= self.s.rec
                && (at < seen || !fresh)
                && record.kept_id(self.log, at).is_some_and(|kept| kept.get() == id)
        })
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

    /// The request here has its answer; the event that tells it is to come. Returns whether it was the oldest.
    pub(super) fn answered(&mut self, at: usize, end: End) -> bool {
        if let Some(record) = self.record(at) {
            self.count_exactly_once(record.request(self.log, at), u16::MAX);
            self.s.streams = self.s.streams.wrapping_sub(record.is_streamed().into());
            set(self.log, at, record.ended(end));
        }
        self.s.ended = self.s.ended.wrapping_add(1);
        self.s.hint = at;
        at == self.s.head
    }

    /// PUBREC has come for the message here: it goes, and PUBREL follows behind all that waits, so that PUBRELs leave in the
    /// order of the PUBRECs (MQTT-4.6.0-4). Returns whether the message was the oldest request.
    pub(super) fn released(&mut self, at: usize, id: u16) -> bool {
        let oldest = at == self.s.head;
        self.kill(at);
        let [high, low] = id.to_be_bytes();
        self.insert(&[PUBREL, 2, high, low]);
        oldest
    }

    /// A request whose end is to be told, if there is one.
    pub(super) fn find_ended(&mut self) -> bool {
        if self.s.ended == 0 {
            return false;
        }
        if !self.record(self.s.hint).is_some_and(Record::has_ended) {
            let ended = self.records().find(|(_, record)| record.has_ended());
            self.s.hint = ended.map_or(self.s.hint, |(at, _)| at);
        }
        true
    }

    /// That end is told. Returns whether the request was the oldest.
    pub(super) fn ended_is_told(&mut self) -> bool {
        self.kill(self.s.hint)
    }

    /// The record here is not needed any more. Returns whether it was the oldest.
    pub(super) fn kill(&mut self, at: usize) -> bool {
        let Some(record) = self.record(at) else { return false };
        let oldest = at == self.s.head;
        self.count(at, record, u16::MAX);
        if self.s.hint == at {
            self.s.hint = record.end();
        }
        self.s.dead = self.s.dead.wrapping_add(record.end().wrapping_sub(at));
        set(self.log, at, DEAD);
        self.skip_dead();
        oldest
    }

    fn skip_dead(&mut self) {
        while let Some(record) = self.record(self.s.head).filter(|record| record.is_dead()) {
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

    /// The bytes of requests that may leave now, in one piece. Where something `waits` to pass between two packets: only the rest
    /// of the packet that has left in part.
    pub(super) fn sendable(&self, waits: bool, durable: bool) -> Range<usize> {
        let Some(record) = self.record(self.s.rec).filter(|_| self.s.is_open) else { return 0..0 };
        if waits && !self.is_inside_packet() {
            return 0..0;
        }
        let from = self.sending();
        let mut to = if waits { record.end() } else { self.s.tail };
        if self.s.streams != 0 {
            to = to.min(self.before_stream());
        }
        if durable {
            to = to.min(self.held_from());
        }
        if from < to { from..to } else { 0..0 }
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
    pub(super) fn held_from(&self) -> usize {
        let inside = self.record(self.s.rec).filter(|_| self.is_inside_packet());
        let mut at = inside.map_or(self.s.rec, Record::end).max(self.s.safe);
        while let Some(record) = self.record(at) {
            let request = record.request(self.log, at);
            if request & record::QOS_BITS != record::AT_MOST_ONCE && !record.ends_with_link() {
                break;
            }
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
        self.record(self.s.rec).map_or(self.s.cur, |record| self.s.cur.max(record.packet(self.s.rec)))
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
        while let Some(record) = self.record(self.s.rec) {
            if record.end() > self.s.cur || (record.is_streamed() && !self.s.payload.is_done()) {
                break;
            }
            passed = true;
            let at = self.s.rec;
            self.s.rec = record.end();
            if record.is_streamed() {
                self.s.payload = payload::Payload::NEW;
            }
            if record.request(self.log, at) & record::QOS_BITS == record::AT_MOST_ONCE {
                self.kill(at);
            }
        }
        passed
    }

    /// The connection is gone, while so many bytes were offered: what may have been seen is kept as that, what ends with the
    /// connection ends.
    pub(super) fn link_lost(&mut self, offered: usize, tell: bool) {
        let seen = self.s.cur.wrapping_add(offered);
        while let Some(record) = self.record(self.s.rec).filter(|_| self.s.rec < seen) {
            self.s.rec = record.end();
        }
        self.s.cur = self.s.rec;
        self.s.payload = payload::Payload::NEW;
        self.s.is_open = false;
        self.sweep(Why::LinkLost { tell });
    }

    /// Lets requests leave: all that is kept, from the front.
    pub(super) fn open(&mut self, mqtt31: bool) {
        self.sweep(Why::Again { mqtt31 });
        self.s.is_open = true;
    }
}

/// The request of this identifier, between these places, that waits for this answer.
fn meet_between(log: &[u8], mut at: usize, end: usize, answer: u8, id: u16) -> Option<usize> {
    while at < end {
        let record = Record::read(log, at)?;
        if waits_for(record.request(log, at), answer) && record.id(log, at) == id {
            return Some(at);
        }
        at = record.end();
    }
    None
}
