//! Messages that the application gives up. A message that has not been sent on this connection is removed. For one that has, a stub keeps
//! the identifier from being reused until the server acknowledges it; if the connection is lost, PUBREL makes the server release it.

use super::record::{AT_LEAST_ONCE, DEAD, EXACTLY_ONCE, PUBREL, QOS_BITS, Record, SHORT};
use super::{Config, Outbox, Purpose, payload};
use crate::client::bytes::{set, write, write_short};

/// How far a message has been sent that is to be given up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::client) enum SendProgress {
    /// There is no such message.
    Unknown,
    /// All or nothing of it has been sent.
    NoneOrAll,
    /// It is being sent.
    BeingSent,
    /// It has been answered with PUBREC.
    Released,
}

impl<C: Config> Outbox<'_, C> {
    /// How far the message with this identifier has been sent, while `offered` bytes are offered.
    pub(in crate::client) fn send_progress(
        &self,
        id: u16,
        offered: usize,
        is_repeated: bool,
    ) -> SendProgress {
        let seen = self.state.cur.wrapping_add(offered);
        let Some((at, record)) = self.find(id) else {
            return SendProgress::Unknown;
        };
        match record.first() & QOS_BITS {
            _ if record.first() & 0xF0 == PUBREL & 0xF0 => SendProgress::Released,
            AT_LEAST_ONCE | EXACTLY_ONCE if !record.is_stub() => {
                // If it has already been sent once on this connection, its answer may still arrive.
                if at >= self.state.rec && (at < seen || (is_repeated && record.has_dup())) {
                    SendProgress::BeingSent
                } else {
                    SendProgress::NoneOrAll
                }
            }
            _ => SendProgress::Unknown,
        }
    }

    /// Gives up the message with this identifier, which must not be [being sent](SendProgress::BeingSent).
    pub(in crate::client) fn give_up(&mut self, id: u16) {
        let Some((at, record)) = self.find(id) else {
            return;
        };
        self.count(record, u16::MAX);
        let request = record.first() & QOS_BITS;
        if self.state.is_open && at < self.state.rec {
            self.shorten(at, record, request, id);
        } else {
            if self.state.payload.is_asked && at == self.first_stream() {
                self.state.payload = payload::Payload::NEW;
            }
            if self.state.was_sent(at, record) && request == EXACTLY_ONCE {
                // The server may hold the identifier from an earlier connection.
                self.shorten(at, record, PUBREL, id);
                self.mark_unsaved_from(at);
            } else {
                set(self.log, at, DEAD);
            }
        }
        if let Some(record) = self.record(at) {
            self.count(record, 1);
        }
        self.sweep(Purpose::Room);
    }

    /// Replaces this message by a stub or PUBREL. The rest becomes a dead record; it is long enough for a header.
    fn shorten(&mut self, at: usize, record: Record, first: u8, id: u16) {
        write_short(self.log, at, first, id);
        let at = at.wrapping_add(SHORT);
        let rest = record.end().wrapping_sub(at);
        if rest < 130 {
            return write(self.log, at, &[DEAD, rest.wrapping_sub(2) as u8]);
        }
        // A remaining length encoded in four bytes, whatever its value.
        let len = rest.wrapping_sub(5);
        let byte = |shift: u32| (len >> shift) as u8 & 0x7F;
        write(self.log, at, &[DEAD, byte(0) | 0x80, byte(7) | 0x80, byte(14) | 0x80, byte(21)]);
    }
}
