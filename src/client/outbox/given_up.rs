//! Messages that the application gives up. What has not left on this connection is gone. Of what has, a stub (a PUBLISH without topic
//! and payload) keeps the identifier from being given out again until the server acknowledges it; after the loss of the connection
//! PUBREL makes the server forget it.

use super::super::bytes::{set, write};
use super::record::{AT_LEAST_ONCE, DEAD, EXACTLY_ONCE, PUBREL, QOS_BITS, Record};
use super::{Outbox, Why, payload};

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
        let [high, low] = id.to_be_bytes();
        if self.s.is_open && at < self.s.rec {
            let request = record.request(self.log, at) & QOS_BITS;
            self.shorten(at, record, &[request, 4, 0, 0, high, low]);
        } else {
            if self.s.asked_id(self.log) == id {
                self.s.payload = payload::Payload::NEW;
            }
            let is_held = record.has_dup(self.log, at) || at < self.s.rec;
            if is_held && record.request(self.log, at) & QOS_BITS == EXACTLY_ONCE {
                // The server may hold the identifier from an earlier connection.
                self.shorten(at, record, &[PUBREL, 2, high, low]);
                self.is_new_from(at);
            } else {
                set(self.log, at, DEAD);
            }
        }
        self.sweep(Why::Room);
    }

    /// Puts a shorter record in the place of this one; what is left of it is dead, if it is long enough for a header.
    fn shorten(&mut self, at: usize, record: Record, packet: &[u8]) {
        write(self.log, at, packet);
        let behind = at.wrapping_add(packet.len());
        match record.end().wrapping_sub(behind) {
            0 => {}
            // A payload of one byte does no harm.
            1 => set(self.log, at.wrapping_add(1), 5),
            rest @ 2..130 => write(self.log, behind, &[DEAD, rest.wrapping_sub(2) as u8]),
            rest => {
                // A remaining length of four bytes, however long it is.
                let len = rest.wrapping_sub(5);
                let byte = |shift: u32| (len >> shift) as u8 & 0x7F;
                write(self.log, behind, &[DEAD, byte(0) | 0x80, byte(7) | 0x80, byte(14) | 0x80, byte(21)]);
            }
        }
    }
}

/// Whether this is a message of QoS 1 or 2 without PUBREC that was not given up.
fn is_message(log: &[u8], at: usize, record: Record) -> bool {
    let request = record.request(log, at) & QOS_BITS;
    (request == AT_LEAST_ONCE || request == EXACTLY_ONCE) && !record.is_stub(log, at)
}
