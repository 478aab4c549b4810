//! Messages that the application gives up: gone where nothing of them has left; else a stub keeps the identifier from being
//! given out again, until the server acknowledges it or forgets it.

use super::super::bytes::{set, write};
use super::record::{AT_LEAST_ONCE, DEAD, EXACTLY_ONCE, PUBREL, QOS_BITS, Record};
use super::{Outbox, Why, payload};

/// Bytes of a stub: a PUBLISH without topic and payload.
const STUB_LEN: usize = 6;

/// How far a message is that may be given up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// There is none.
    Unknown,
    /// It has left, or nothing of it has.
    Whole,
    /// It is leaving.
    Now,
    /// It had PUBREC.
    Released,
}

impl Outbox<'_> {
    /// How far the message of this identifier is, while so many bytes are offered.
    pub(crate) fn message(&self, id: u16, offered: usize) -> Leaves {
        let seen = self.s.cur.wrapping_add(offered);
        for (at, record) in self.records().filter(|(at, record)| record.id(self.log, *at) == id) {
            if record.first() & QOS_BITS == PUBREL {
                return Leaves::Released;
            }
            if is_message(self.log, at, record) {
                return if at >= self.s.rec && at < seen { Leaves::Now } else { Leaves::Whole };
            }
        }
        Leaves::Unknown
    }

    /// Gives up the message of this identifier.
    pub(crate) fn give_up(&mut self, id: u16) {
        let message = self
            .records()
            .find(|(at, record)| record.id(self.log, *at) == id && is_message(self.log, *at, *record));
        let Some((at, record)) = message else { return };
        if at < self.s.rec {
            self.write_stub(at, record, id);
        } else {
            if self.s.asked_id(self.log) == id {
                self.s.payload = payload::Payload::NEW;
            }
            set(self.log, at, DEAD);
        }
        self.sweep(Why::Room);
    }

    /// A stub, and what is dead behind it: the rest of the message, if that is long enough for a header.
    fn write_stub(&mut self, at: usize, record: Record, id: u16) {
        let [high, low] = id.to_be_bytes();
        let rest = record.end().wrapping_sub(at).wrapping_sub(STUB_LEN);
        // A payload of one byte does no harm.
        let body = if rest == 1 { 5 } else { 4 };
        write(self.log, at, &[record.request(self.log, at) & QOS_BITS, body, 0, 0, high, low]);
        let at = at.wrapping_add(STUB_LEN);
        match rest {
            0 | 1 => {}
            2..130 => write(self.log, at, &[DEAD, rest.wrapping_sub(2) as u8]),
            _ => {
                // A remaining length of four bytes, however long it is.
                let len = rest.wrapping_sub(5);
                let byte = |shift: u32| (len >> shift) as u8 & 0x7F;
                write(self.log, at, &[DEAD, byte(0) | 0x80, byte(7) | 0x80, byte(14) | 0x80, byte(21)]);
            }
        }
    }
}

/// Whether this is a message of QoS 1 or 2 without PUBREC that was not given up.
fn is_message(log: &[u8], at: usize, record: Record) -> bool {
    let request = record.request(log, at) & QOS_BITS;
    (request == AT_LEAST_ONCE || request == EXACTLY_ONCE) && !record.is_stub(log, at)
}
