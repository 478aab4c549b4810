//! Messages that the application gives up: gone where nothing of them has left; else a stub keeps the identifier from being
//! given out again, until the server acknowledges it or forgets it.

use super::super::bytes::write;
use super::record::{AT_LEAST_ONCE, DEAD, EXACTLY_ONCE, PUBREL, QOS_BITS, Record, SHORT};
use super::{Config, Outbox, Why, payload};

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

impl<C: Config> Outbox<'_, C> {
    /// How far the message of this identifier is, while so many bytes are offered.
    pub(crate) fn message(&self, id: u16, offered: usize) -> Leaves {
        let seen = self.s.cur.wrapping_add(offered);
        let Some((at, record)) = self.find(id).and_then(|at| Some((at, self.record(at)?))) else {
            return Leaves::Unknown;
        };
        match record.first() & QOS_BITS {
            _ if record.first() & 0xF0 == PUBREL & 0xF0 => Leaves::Released,
            AT_LEAST_ONCE | EXACTLY_ONCE if !record.is_stub() => {
                if at >= self.s.rec && at < seen {
                    Leaves::Now
                } else {
                    Leaves::Whole
                }
            }
            _ => Leaves::Unknown,
        }
    }

    /// Gives up the message of this identifier, which is [whole](Leaves::Whole).
    pub(crate) fn give_up(&mut self, id: u16) {
        let Some((at, record)) = self.find(id).and_then(|at| Some((at, self.record(at)?))) else { return };
        self.count(record, u16::MAX);
        if at < self.s.rec {
            self.write_stub(at, record, id);
        } else {
            if self.stream().is_some() && at == self.s.rec {
                self.s.payload = payload::Payload::NEW;
            }
            super::set(self.log, at, DEAD);
        }
        self.count_in(at);
        self.sweep(Why::Room);
    }

    /// A stub, and behind it what is dead: the rest of the message, which is long enough for a header.
    fn write_stub(&mut self, at: usize, record: Record, id: u16) {
        let [high, low] = id.to_be_bytes();
        write(self.log, at, &[record.first() & QOS_BITS, 2, high, low]);
        let at = at.wrapping_add(SHORT);
        let rest = record.end().wrapping_sub(at);
        if rest < 130 {
            return write(self.log, at, &[DEAD, rest.wrapping_sub(2) as u8]);
        }
        // A remaining length of four bytes, however long it is.
        let len = rest.wrapping_sub(5);
        let byte = |shift: u32| (len >> shift) as u8 & 0x7F;
        write(self.log, at, &[DEAD, byte(0) | 0x80, byte(7) | 0x80, byte(14) | 0x80, byte(21)]);
    }
}
