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

mod ends;
mod given_up;
mod image;
mod losses;
mod packet_id;
mod payload;
mod record;
mod redelivery;
mod room;
mod sending;
mod sweep;

use super::bytes::IS_LARGE;
use super::config::Config;
use record::{PUBREL, SHORT, is_exactly_once, keeps_id};

pub(super) use ends::Met;
pub(super) use given_up::Leaves;
pub(super) use payload::WINDOW;
pub(super) use record::{ENDED, End, Record, STREAMED};
pub(super) use sweep::Why;

/// The places and numbers.
#[derive(Clone, Debug, Hash)]
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
    /// Records with an identifier: requests under way, those included whose end was not told yet.
    pub(super) kept: u16,
    /// Those of them that are messages of QoS 2.
    pub(super) exactly_once: u16,
    /// Streamed messages; those of QoS 0 have no limit.
    pub(super) streams: u32,
    /// Those that have ended, which is to be told.
    pub(super) ended: u16,
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

impl<C> Outbox<'_, C> {
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
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))] // a single copy, to save flash
    fn record(&self, at: usize) -> Option<Record> {
        self.s.record(self.log, at, self.config.streams())
    }

    /// The packet identifier of the record here, 0 if it keeps none.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))] // a single copy, to save flash
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

    /// Counts what begins with this byte in, or (`u16::MAX`) out.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn count_kind(&mut self, first: u8, by: u16) {
        if keeps_id(first) {
            self.s.kept = self.s.kept.wrapping_add(by);
        }
        if IS_LARGE && first & 0xF0 == ENDED {
            self.s.ended = self.s.ended.wrapping_add(by);
        }
        if is_exactly_once(first) {
            self.s.exactly_once = self.s.exactly_once.wrapping_add(by);
        }
    }

    /// Counts a record in, or (`u16::MAX`) out.
    fn count(&mut self, record: Record, by: u16) {
        self.count_kind(record.first(), by);
        if self.config.streams() && record.is_streamed() {
            self.s.streams = self.s.streams.wrapping_add_signed((by as i16).into());
        }
    }

    /// The request of this identifier, and its place: there is one at the most.
    #[inline(always)]
    fn find(&self, id: u16) -> Option<(usize, Record)> {
        if !IS_LARGE {
            let at = self.place(id)?;
            return Some((at, self.record(at)?));
        }
        let oldest = self.record(self.s.head)?;
        if self.id(self.s.head, oldest) == id {
            return Some((self.s.head, oldest));
        }
        self.find_between(self.s.hint.max(oldest.end()), self.s.tail, id)
            .or_else(|| self.find_between(self.s.head, self.s.hint, id))
    }

    /// Where it is found: a place fits into registers, where a record beside it would take stack.
    #[inline(never)]
    fn place(&self, id: u16) -> Option<usize> {
        self.find_between(self.s.head, self.s.tail, id).map(|(at, _)| at)
    }

    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn find_between(&self, mut at: usize, end: usize, id: u16) -> Option<(usize, Record)> {
        while at < end {
            let record = self.record(at)?;
            if self.id(at, record) == id {
                return Some((at, record));
            }
            at = record.end();
        }
        None
    }
}
