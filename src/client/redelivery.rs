//! Sending again: after a lost link, on a timed retry, and what is given up instead because the server has no session.

use super::arena::{Arena, Marks};
use super::bytes::write;
use super::record::{DEAD, DUP, RELEASED, Record};
use super::stream::Stream;
use crate::session::{Session, Slot};

/// Which records are given up because the server has no session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum GiveUp {
    /// All that the server may have seen.
    Attempted,
    /// What the server has answered with PUBREC: the payload is no longer here.
    Released,
}

impl GiveUp {
    fn covers(self, record: &Record, bytes: &[u8]) -> bool {
        record.is_released() || (self == GiveUp::Attempted && record.was_attempted(bytes))
    }
}

impl Marks {
    /// Bytes that [`Arena::give_up`] would leave.
    pub(super) fn live_without(&self, bytes: &[u8], what: GiveUp) -> usize {
        let mut live = self.live;
        let mut at = self.head;
        while let Some(record) = self.record(bytes, at) {
            if what.covers(&record, bytes) {
                live = live.saturating_sub(record.live_len());
            }
            at = record.end;
        }
        live
    }
}

impl Arena<'_> {
    /// The link is lost: what the server has not answered is to be sent again from its first byte, with DUP where
    /// the server may have seen it. QoS 0, SUBSCRIBE and UNSUBSCRIBE go.
    pub(super) fn rewind(&mut self) {
        let cur = self.marks.cur;
        self.marks.stream = Stream::None;
        self.marks.streams = 0;
        self.marks.is_watched = false;
        self.for_each(|arena, record| {
            if record.is_released() {
                return;
            }
            if record.publish_at().is_none() || arena.id(record).is_none() {
                return arena.kill(record);
            }
            if record.at < cur {
                arena.set_dup(record);
            }
            arena.marks.streams = arena.marks.streams.saturating_add(u32::from(record.is_streamed()));
        });
        self.restart();
    }

    /// Sends everything again that has left and is not answered. In 3.1, `dup` is set in all of it.
    pub(super) fn retry(&mut self, dup: bool) {
        self.marks.streams = 0;
        self.for_each(|arena, record| {
            if record.publish_at().is_some() || (dup && !record.is_dead()) {
                arena.set_dup(record);
            }
            arena.marks.streams = arena.marks.streams.saturating_add(u32::from(record.is_streamed()));
        });
        self.restart();
    }

    /// Marks a packet as one that the server may have seen.
    pub(super) fn set_dup(&mut self, record: &Record) {
        let at = record.publish_at().unwrap_or(record.at);
        let first = self.bytes.get(at).copied().unwrap_or(DEAD);
        write(self.bytes, at, &[first | DUP]);
    }

    /// Gives records up, and tells the session. Only while nothing has left on this connection.
    pub(super) fn give_up(&mut self, session: &mut Session<[Slot]>, what: GiveUp) {
        self.for_each(|arena, record| {
            if what.covers(record, arena.bytes) {
                if let Some(id) = arena.id(record) {
                    session.abandon(id);
                }
                let streamed = u32::from(record.is_streamed());
                arena.marks.streams = arena.marks.streams.saturating_sub(streamed);
                arena.kill(record);
            }
        });
        self.restart();
    }

    /// A PUBREL that is sent again has DUP set in 3.1; 3.1.1 reserves the bit.
    pub(super) fn mark_released(&mut self, dup: bool) {
        self.for_each(|arena, record| {
            if record.is_released() {
                write(arena.bytes, record.at, &[if dup { RELEASED | DUP } else { RELEASED }]);
            }
        });
    }

    /// Everything that is left is sent again, from the first byte on.
    fn restart(&mut self) {
        (self.marks.rec, self.marks.cur) = (self.marks.head, self.marks.head);
        self.compact();
    }
}
