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

mod image;
mod losses;
mod packet_id;
mod payload;
mod record;
mod redelivery;
mod room;
mod sweep;

use core::ops::Range;

use super::bytes::write;
use crate::codec::PacketType;
use record::{DEAD, PUBREL, waits_for};

pub(super) use losses::Leaves;
pub(super) use payload::WINDOW;
pub(super) use record::{End, Form, Record, STREAMED, STUB, is_exactly_once};
pub(super) use sweep::Why;

#[derive(Clone, Debug)]
pub(super) struct Outbox {
    pub(super) head: usize,
    pub(super) rec: usize,
    pub(super) cur: usize,
    pub(super) tail: usize,
    /// Bytes of dead records between `head` and `tail`.
    dead: usize,
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
    /// Those of them that have ended, which is to be told.
    pub(super) ended: u16,
    /// Streamed messages.
    pub(super) streams: usize,
    /// A message was given up, so packets may stand behind a header of the log.
    pub(super) has_stubs: bool,
    /// Requests may leave.
    pub(super) is_open: bool,
}

impl Outbox {
    pub(super) const NEW: Self = Outbox {
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
        ended: 0,
        streams: 0,
        has_stubs: false,
        is_open: false,
    };

    /// The record that begins here.
    #[inline]
    fn record(&self, log: &[u8], at: usize) -> Option<Record> {
        if at < self.tail { Record::read(log, at) } else { None }
    }

    /// The records from here on, each with its place.
    pub(super) fn records<'a>(&'a self, log: &'a [u8]) -> impl Iterator<Item = (usize, Record)> + 'a {
        let mut next = self.head;
        core::iter::from_fn(move || {
            let at = next;
            let record = self.record(log, at)?;
            next = record.end;
            Some((at, record))
        })
    }

    /// Requests under way, those included whose end was not told yet.
    pub(super) const fn kept(&self) -> u16 {
        self.kept
    }

    pub(super) const fn exactly_once(&self) -> u16 {
        self.exactly_once
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.ended != 0
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.head == self.tail
    }

    /// Whether all of it has left.
    pub(super) const fn is_sent(&self) -> bool {
        self.rec == self.tail
    }

    /// Whether a packet has left in part.
    pub(super) const fn is_inside_packet(&self) -> bool {
        self.cur > self.rec
    }

    /// Whether something that has left waits for its answer.
    pub(super) const fn is_waiting(&self) -> bool {
        self.is_open && self.head < self.rec
    }

    /// Whether the record here has left, or may have been seen.
    pub(super) const fn has_left(&self, at: usize) -> bool {
        at < self.rec
    }

    /// Counts a record in, or (`u16::MAX`) out.
    fn count(&mut self, log: &[u8], at: usize, record: Record, by: u16) {
        let request = record.request(log, at);
        if request & record::QOS_BITS != record::AT_MOST_ONCE {
            self.kept = self.kept.wrapping_add(by);
        }
        if record::is_exactly_once(request) {
            self.exactly_once = self.exactly_once.wrapping_add(by);
        }
        if record.has_ended() {
            self.ended = self.ended.wrapping_add(by);
        }
        if record.is_streamed() {
            self.streams = self.streams.wrapping_add_signed((by as i16).into());
        }
    }

    /// The request of this identifier, sent and without its end, that waits for this answer.
    pub(super) fn meet(&self, log: &[u8], answer: u8, id: u16) -> Option<usize> {
        let from = if self.is_met(log, self.head, answer, id) { self.head } else { self.hint };
        self.meet_between(log, from..self.rec, answer, id)
            .or_else(|| self.meet_between(log, self.head..self.hint, answer, id))
    }

    fn is_met(&self, log: &[u8], at: usize, answer: u8, id: u16) -> bool {
        at < self.rec
            && Record::read(log, at)
                .is_some_and(|record| waits_for(record.request(log, at), answer) && record.id(log, at) == id)
    }

    fn meet_between(&self, log: &[u8], range: Range<usize>, answer: u8, id: u16) -> Option<usize> {
        let Range { start: mut at, end } = range;
        while at < end {
            let record = Record::read(log, at)?;
            if waits_for(record.request(log, at), answer) && record.id(log, at) == id {
                return Some(at);
            }
            at = record.end;
        }
        None
    }

    /// Whether a request of this identifier is about to be sent again, so that the answer to it is still to be waited for.
    pub(super) fn is_about_to_leave(&self, log: &[u8], id: u16, offered: usize) -> bool {
        let seen = self.cur.wrapping_add(offered);
        self.records(log).any(|(at, record)| {
            let request = record.request(log, at);
            let fresh = request & 0xF0 == record::AT_MOST_ONCE && request & record::DUP == 0;
            at >= self.rec
                && (at < seen || !fresh)
                && record.kept_id(log, at).is_some_and(|kept| kept.get() == id)
        })
    }

    /// The SUBSCRIBE here has so many topic filters.
    pub(super) fn filters(&self, log: &[u8], at: usize) -> usize {
        let Some(record) = self.record(log, at) else { return 0 };
        let mut at = record.body(at).wrapping_add(2);
        let mut filters: usize = 0;
        while at < record.end {
            // Length, filter, QoS.
            at = at.wrapping_add(usize::from(super::bytes::u16_at(log, at))).wrapping_add(3);
            filters = filters.wrapping_add(1);
        }
        filters
    }

    /// How the request here ends with PUBACK or PUBCOMP. A stub that was released without PUBREC may never have been seen.
    pub(super) fn end_by(&self, log: &[u8], at: usize, answer: u8) -> End {
        match self.record(log, at) {
            _ if answer >> 4 == PacketType::PubAck as u8 => End::PublishedAtLeastOnce,
            Some(record) if record.first == STUB => End::Uncertain,
            _ => End::PublishedExactlyOnce,
        }
    }

    /// The request here has its answer; the event that tells it is to come. Returns whether it was the oldest.
    pub(super) fn answered(&mut self, log: &mut [u8], at: usize, end: End) -> bool {
        if let Some(record) = self.record(log, at) {
            self.count(log, at, record, u16::MAX);
            write(log, at, &[record.ended(end)]);
            let ended = Record { first: record.ended(end), ..record };
            self.count(log, at, ended, 1);
        }
        self.hint = at;
        at == self.head
    }

    /// PUBREC has come for the message here: it goes, and PUBREL follows behind all that waits, so that PUBRELs leave in the
    /// order of the PUBRECs (MQTT-4.6.0-4). Returns whether the message was the oldest request.
    pub(super) fn released(&mut self, log: &mut [u8], at: usize, id: u16) -> bool {
        let oldest = at == self.head;
        self.kill(log, at);
        let [high, low] = id.to_be_bytes();
        self.insert(log, &[PUBREL, 2, high, low]);
        oldest
    }

    /// A request whose end is to be told: its identifier, and how it has ended.
    pub(super) fn next_ended(&self, log: &[u8]) -> Option<(usize, u16, End)> {
        if self.ended == 0 {
            return None;
        }
        let at_hint = self.record(log, self.hint).filter(|record| record.has_ended());
        let (at, record) = match at_hint {
            Some(record) => (self.hint, record),
            None => self.records(log).find(|(_, record)| record.has_ended())?,
        };
        Some((at, record.id(log, at), record.end()))
    }

    /// The record here is not needed any more. Returns whether it was the oldest.
    pub(super) fn kill(&mut self, log: &mut [u8], at: usize) -> bool {
        let Some(record) = self.record(log, at) else { return false };
        let oldest = at == self.head;
        self.count(log, at, record, u16::MAX);
        if self.hint == at {
            self.hint = record.end;
        }
        self.dead = self.dead.wrapping_add(record.end.wrapping_sub(at));
        write(log, at, &[DEAD]);
        self.skip_dead(log);
        oldest
    }

    fn skip_dead(&mut self, log: &[u8]) {
        while let Some(record) = self.record(log, self.head).filter(|record| record.is_dead()) {
            self.dead = self.dead.wrapping_sub(record.end.wrapping_sub(self.head));
            self.head = record.end;
        }
        // While the gate is shut, dead records can lie behind `rec` too.
        self.rec = self.rec.max(self.head);
        self.cur = self.cur.max(self.head);
        self.hint = self.hint.max(self.head);
        if self.head == self.tail {
            (self.head, self.rec, self.cur, self.tail, self.hint) = (0, 0, 0, 0, 0);
            (self.safe, self.saved) = (0, 0);
            self.has_stubs = false;
        }
    }

    /// The bytes of requests that may leave now, in one piece. Where something `waits` to pass between two packets: only the rest
    /// of the packet that has left in part.
    pub(super) fn sendable(&self, log: &[u8], waits: bool, durable: bool) -> Range<usize> {
        let Some(record) = self.record(log, self.rec).filter(|_| self.is_open) else { return 0..0 };
        if waits && !self.is_inside_packet() {
            return 0..0;
        }
        let from = self.sending(log);
        let mut to = if waits { record.end } else { self.tail };
        if self.streams != 0 || self.has_stubs {
            to = to.min(self.end_of_plain(log));
        }
        if durable && !self.is_inside_packet() {
            to = to.min(self.held_from(log));
        }
        if from < to { from..to } else { 0..0 }
    }

    /// Where the packets end that follow each other without a header of the log between them. A streamed message whose payload
    /// was not begun is not to be sent.
    fn end_of_plain(&self, log: &[u8]) -> usize {
        let mut at = self.rec;
        while let Some(record) = self.record(log, at) {
            if record.is_wrapped() {
                let leaves = at == self.rec && (!record.is_streamed() || self.payload.is_begun());
                return if leaves { record.end } else { at };
            }
            at = record.end;
        }
        at
    }

    /// Where the first request stands that waits for an image to be durable.
    pub(super) fn held_from(&self, log: &[u8]) -> usize {
        let mut at = self.rec.max(self.safe);
        while let Some(record) = self.record(log, at) {
            let request = record.request(log, at);
            if request & record::QOS_BITS != record::AT_MOST_ONCE && !record.ends_with_link() {
                break;
            }
            at = record.end;
        }
        at
    }

    /// Whether a request would leave if it were durable.
    pub(super) fn is_held(&self, log: &[u8]) -> bool {
        self.is_open && !self.is_inside_packet() && self.held_from(log) == self.rec && self.rec < self.tail
    }

    /// An image holds all that is here.
    pub(super) fn note_saved(&mut self) {
        self.saved = self.tail;
    }

    /// The last image is durable.
    pub(super) fn release_saved(&mut self) {
        self.safe = self.saved;
    }

    /// Where the bytes are that leave next.
    pub(super) fn sending(&self, log: &[u8]) -> usize {
        self.record(log, self.rec).map_or(self.cur, |record| self.cur.max(record.packet(self.rec)))
    }

    /// So many of the bytes have left that were offered. Returns whether the end of a packet was among them.
    pub(super) fn sent(&mut self, log: &mut [u8], len: usize) -> bool {
        self.cur = self.sending(log).wrapping_add(len);
        self.pass(log)
    }

    /// Records that have left whole are behind `rec` from now on; those that nothing is waited for go. Returns whether there was
    /// one.
    fn pass(&mut self, log: &mut [u8]) -> bool {
        let mut passed = false;
        while let Some(record) = self.record(log, self.rec) {
            if record.end > self.cur || (record.is_streamed() && !self.payload.is_done()) {
                break;
            }
            passed = true;
            let at = self.rec;
            self.rec = record.end;
            if record.is_streamed() {
                self.payload = payload::Payload::NEW;
            }
            if record.request(log, at) & record::QOS_BITS == record::AT_MOST_ONCE {
                self.kill(log, at);
            }
        }
        passed
    }

    /// The connection is gone, while so many bytes were offered: what may have been seen is kept as that, what ends with the
    /// connection ends.
    pub(super) fn link_lost(&mut self, log: &mut [u8], offered: usize, tell: bool) {
        let seen = self.cur.wrapping_add(offered);
        while let Some(record) = self.record(log, self.rec).filter(|_| self.rec < seen) {
            self.rec = record.end;
        }
        self.cur = self.rec;
        self.payload = payload::Payload::NEW;
        self.is_open = false;
        self.sweep(log, Why::LinkLost { tell });
    }

    /// Lets requests leave: all that is kept, from the front.
    pub(super) fn open(&mut self, log: &mut [u8], mqtt31: bool) {
        self.sweep(log, Why::Again { mqtt31 });
        self.is_open = true;
    }
}
