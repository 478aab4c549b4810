//! Room for another request: whether there is some, and how it is made.

use super::super::bytes::{move_down, move_up, write};
use super::{Outbox, Record, WINDOW, Why};
use crate::client::error::Full;

impl Outbox {
    /// Bytes that requests can take: a streamed message is sure of its window.
    fn capacity(&self, log: &[u8]) -> usize {
        let window = if self.streams != 0 { WINDOW } else { 0 };
        log.len().saturating_sub(window)
    }

    /// Whether so many bytes more have room, now or once it is made.
    #[inline]
    pub(crate) fn has_room(&self, log: &[u8], len: usize) -> Result<(), Full> {
        let live = self.tail.wrapping_sub(self.head).wrapping_sub(self.dead);
        if self.payload.is_begun() {
            return Err(Full::Stream);
        }
        if self.capacity(log).saturating_sub(live) < len { Err(Full::Buffer) } else { Ok(()) }
    }

    /// Sees to it that so many bytes, for which there is room, have it behind the last record; returns their place.
    pub(crate) fn make_room(&mut self, log: &mut [u8], len: usize) -> usize {
        if self.tail.wrapping_add(len) > self.capacity(log) {
            self.compact(log);
        }
        self.tail
    }

    /// Moves all to the front.
    fn compact(&mut self, log: &mut [u8]) {
        if self.dead > 0 {
            return self.sweep(log, Why::Room);
        }
        let by = self.head;
        let len = self.tail.wrapping_sub(by);
        move_down(log, by, 0, len);
        for place in [&mut self.head, &mut self.rec, &mut self.cur, &mut self.tail, &mut self.hint] {
            *place = place.wrapping_sub(by);
        }
        self.safe = self.safe.saturating_sub(by);
        self.saved = self.saved.saturating_sub(by);
    }

    /// A request of so many bytes stands behind the last record now.
    pub(crate) fn appended(&mut self, log: &[u8], len: usize) {
        let at = self.tail;
        self.tail = at.wrapping_add(len);
        if let Some(record) = Record::read(log, at) {
            self.count(log, at, record, 1);
        }
    }

    /// Puts a packet behind all that waits, but before a streamed message: that may have to wait for its payload.
    pub(super) fn insert(&mut self, log: &mut [u8], packet: &[u8]) {
        let len = packet.len();
        self.make_room(log, len);
        let at = if self.streams == 0 { self.tail } else { self.first_stream(log) };
        move_up(log, at, at.wrapping_add(len), self.tail.wrapping_sub(at));
        write(log, at, packet);
        self.tail = self.tail.wrapping_add(len);
        // What it was put before is a new state with it.
        self.safe = self.safe.min(at);
        self.saved = self.saved.min(at);
        if let Some(record) = Record::read(log, at) {
            self.count(log, at, record, 1);
        }
    }

    /// The first streamed message of which nothing has left; behind the last record if there is none.
    pub(super) fn first_stream(&self, log: &[u8]) -> usize {
        let mut at = self.rec;
        while let Some(record) = self.record(log, at) {
            if record.is_streamed() && !(at == self.rec && self.is_inside_packet()) {
                break;
            }
            at = record.end;
        }
        at
    }
}
