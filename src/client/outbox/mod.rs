//! The outbound session: encoded requests in a part of the transmit buffer, called the log.
//!
//! ```text
//! | free | sent, unanswered | being sent | not sent | free, or part of a streamed payload |
//! 0     head               rec   cur              tail                           log.len()
//! ```
//!
//! A request is stored as its packet, from the call that makes it to the event that reports its end. Its first byte says what it waits
//! for ([`record`]), and its position whether it has been sent. Records between `head` and `rec` have been sent (while the gate is closed:
//! may have been received on an earlier connection), and `cur` is the next byte to send. Dead records between others are removed when
//! room is needed ([`sweep`]).
//!
//! The gate is closed when a connection is lost, and opens once every request that ended with the connection, or with the session, has been
//! reported. Only opening it rewinds the log: kept requests are then resent from the front ([`redelivery`]).

mod ends;
mod given_up;
mod losses;
mod packet_id;
mod payload;
mod record;
mod redelivery;
mod request_image;
mod room;
mod sending;
mod sweep;

use crate::client::bytes::IS_LARGE;
use crate::client::config::Config;
use crate::client::end::ENDED;
use record::{PUBREL, SHORT, is_exactly_once, keeps_id};

pub(super) use ends::Awaiting;
pub(super) use given_up::SendProgress;
pub(super) use payload::WINDOW;
pub(super) use record::{Record, STREAMED};
pub(super) use request_image::has_streamed;
pub(super) use sweep::Purpose;

/// Positions and counters.
#[derive(Clone, Debug, Hash)]
#[repr(C)]
pub(super) struct OutboxState {
    /// The oldest request has changed since this was last checked.
    pub(super) has_new_oldest: bool,
    /// The gate is open: requests can be sent.
    pub(super) is_open: bool,
    pub(super) head: usize,
    pub(super) rec: usize,
    pub(super) cur: usize,
    pub(super) tail: usize,
    /// Total length of dead records between `head` and `tail`.
    pub(super) dead: usize,
    /// Where the last request was found. The next one is probably there or right after it.
    pub(super) hint: usize,
    /// Records before this position are durable, as last confirmed by the application.
    pub(super) safe: usize,
    /// Records before this position are in the last image.
    pub(super) saved: usize,
    /// The identifier that was used last, and how many after it are known to be free.
    pub(super) last_id: u16,
    pub(super) free_ids: u16,
    /// The number of records with an identifier: requests under way, including those whose end has not been reported yet.
    pub(super) kept: u16,
    /// How many of them are QoS 2 messages.
    pub(super) exactly_once: u16,
    /// The number of streamed messages, which is not limited at QoS 0.
    pub(super) streams: u32,
    /// The number of requests whose end has to be reported.
    pub(super) ended: u16,
    pub(super) payload: payload::Payload,
}

impl OutboxState {
    pub(super) const NEW: Self = OutboxState {
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

    /// The record that begins at `at`.
    #[inline]
    fn record(&self, log: &[u8], at: usize, streams: bool) -> Option<Record> {
        if at < self.tail { Record::read(log, at, streams) } else { None }
    }

    /// The records, each with its position.
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

    pub(super) const fn is_empty(&self) -> bool {
        self.head == self.tail
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.ended != 0
    }

    /// Whether the record at `at` has been sent, on this connection or an earlier one.
    pub(super) const fn was_sent(&self, at: usize, record: Record) -> bool {
        at < self.rec || record.has_dup()
    }
}

/// The requests, in the log.
#[derive(Debug)]
pub(super) struct Outbox<'a, C> {
    pub(super) state: &'a mut OutboxState,
    pub(super) log: &'a mut [u8],
    pub(super) config: &'a C,
}

impl<C> Outbox<'_, C> {
    pub(super) const fn is_empty(&self) -> bool {
        self.state.is_empty()
    }

    /// Whether requests can be sent.
    pub(super) const fn is_open(&self) -> bool {
        self.state.is_open
    }

    /// Whether all requests have been sent.
    pub(super) const fn is_all_sent(&self) -> bool {
        self.state.rec == self.state.tail
    }

    /// Whether a packet has been partly sent.
    pub(super) const fn is_inside_packet(&self) -> bool {
        self.state.cur > self.state.rec
    }

    /// Whether a sent request waits for its answer.
    pub(super) const fn is_waiting(&self) -> bool {
        self.state.is_open && self.state.head < self.state.rec
    }

    /// Whether the oldest request has changed since this was last called.
    pub(super) fn take_new_oldest(&mut self) -> bool {
        core::mem::take(&mut self.state.has_new_oldest)
    }
}

impl<C: Config> Outbox<'_, C> {
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))] // a single copy, to save flash
    fn record(&self, at: usize) -> Option<Record> {
        self.state.record(self.log, at, self.config.streams())
    }

    /// The packet identifier of the record at `at`, 0 if it has none.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))] // a single copy, to save flash
    fn id(&self, at: usize, record: Record) -> u16 {
        record.id(self.log, at)
    }

    fn records(&self) -> impl Iterator<Item = (usize, Record)> {
        self.state.records(self.log, self.config.streams())
    }

    /// Whether everything can be resent. Not if a message was given up, because its answer may still arrive.
    pub(super) fn is_repeatable(&self) -> bool {
        self.is_all_sent() && !self.is_streaming() && !self.records().any(|(_, record)| record.is_stub())
    }

    /// Adds a record that begins with this byte to the counters (`by` is 1), or removes it (`u16::MAX`).
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn count_kind(&mut self, first: u8, by: u16) {
        if keeps_id(first) {
            self.state.kept = self.state.kept.wrapping_add(by);
        }
        if IS_LARGE && first & 0xF0 == ENDED {
            self.state.ended = self.state.ended.wrapping_add(by);
        }
        if is_exactly_once(first) {
            self.state.exactly_once = self.state.exactly_once.wrapping_add(by);
        }
    }

    /// Adds a record to the counters (`by` is 1), or removes it (`u16::MAX`).
    fn count(&mut self, record: Record, by: u16) {
        self.count_kind(record.first(), by);
        if self.config.streams() && record.is_streamed() {
            self.state.streams = self.state.streams.wrapping_add_signed((by as i16).into());
        }
    }

    /// The request with this identifier, of which there is at most one, and its position.
    #[inline(always)]
    fn find(&self, id: u16) -> Option<(usize, Record)> {
        if !IS_LARGE {
            let at = self.place(id)?;
            return Some((at, self.record(at)?));
        }
        let oldest = self.record(self.state.head)?;
        if self.id(self.state.head, oldest) == id {
            return Some((self.state.head, oldest));
        }
        self.find_between(self.state.hint.max(oldest.end()), self.state.tail, id)
            .or_else(|| self.find_between(self.state.head, self.state.hint, id))
    }

    /// The position of the request with this identifier. A position fits into registers; a record too would need stack.
    #[inline(never)]
    fn place(&self, id: u16) -> Option<usize> {
        self.find_between(self.state.head, self.state.tail, id).map(|(at, _)| at)
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
