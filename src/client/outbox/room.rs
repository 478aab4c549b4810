//! Room for another request: whether there is any, and how it is made.

use super::{Config, Outbox, PUBREL, Purpose, SHORT, WINDOW};
use crate::client::bytes::{IS_LARGE, move_down, move_up, write_short};
use crate::client::error::Full;

impl<C: Config> Outbox<'_, C> {
    /// How many bytes requests can take, without the window that is guaranteed to a streamed message.
    fn capacity(&self) -> usize {
        let window = if self.config.streams() && self.state.streams != 0 { WINDOW } else { 0 };
        self.log.len().saturating_sub(window)
    }

    /// Whether there is, or can be made, room for `len` more bytes.
    #[inline]
    pub(in crate::client) fn has_room(&self, len: usize) -> Result<(), Full> {
        let live = self.state.tail.wrapping_sub(self.state.head).wrapping_sub(self.state.dead);
        if self.is_streaming() {
            return Err(Full::Stream);
        }
        if self.capacity().saturating_sub(live) < len { Err(Full::Buffer) } else { Ok(()) }
    }

    /// Makes room for `len` bytes after the last record, which must be possible; returns their position.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(in crate::client) fn make_room(&mut self, len: usize) -> usize {
        if self.state.tail.wrapping_add(len) > self.capacity() {
            self.compact();
        }
        self.state.tail
    }

    /// Moves all records to the front.
    fn compact(&mut self) {
        if !IS_LARGE || self.state.dead > 0 {
            self.sweep(Purpose::Room);
            return;
        }
        // There may be thousands of records, so they are moved as a whole.
        let by = self.state.head;
        let len = self.state.tail.wrapping_sub(by);
        move_down(self.log, by, 0, len);
        for place in [
            &mut self.state.head,
            &mut self.state.rec,
            &mut self.state.cur,
            &mut self.state.tail,
            &mut self.state.hint,
        ] {
            *place = place.wrapping_sub(by);
        }
        self.state.safe = self.state.safe.saturating_sub(by);
        self.state.saved = self.state.saved.saturating_sub(by);
    }

    /// A request that begins with this byte has been appended.
    pub(in crate::client) fn appended(&mut self, first: u8, len: usize) {
        self.state.tail = self.state.tail.wrapping_add(len);
        self.count_kind(first, 1);
    }

    /// Inserts a PUBREL after all waiting requests, but before a streamed message, which may have to wait for its payload.
    pub(super) fn insert_pubrel(&mut self, id: u16) {
        let mut at = self.make_room(SHORT);
        if self.config.streams() && self.state.streams != 0 {
            at = self.place_for_pubrel();
        }
        self.insert_short(at, PUBREL, id);
    }

    /// Before the first streamed message, but after every waiting PUBREL: they are sent in the order of the PUBRECs.
    fn place_for_pubrel(&self) -> usize {
        let mut at = self.first_stream();
        let mut place = at;
        while let Some(record) = self.record(at) {
            at = record.end();
            if record.first() >> 4 == PUBREL >> 4 {
                place = at;
            }
        }
        place
    }

    /// Inserts a short record between others, or (without streams) after them. There must be room.
    pub(super) fn insert_short(&mut self, at: usize, first: u8, id: u16) {
        if self.config.streams() {
            move_up(self.log, at, at.wrapping_add(SHORT), self.state.tail.wrapping_sub(at));
            if self.state.hint > at {
                self.state.hint = self.state.hint.wrapping_add(SHORT);
            }
            self.mark_unsaved_from(at);
        }
        write_short(self.log, at, first, id);
        self.state.tail = self.state.tail.wrapping_add(SHORT);
        self.count_kind(first, 1);
    }

    /// Records from `at` on reveal a new state, which is in no image.
    pub(super) fn mark_unsaved_from(&mut self, at: usize) {
        if self.config.durable() {
            self.state.safe = self.state.safe.min(at);
            self.state.saved = self.state.saved.min(at);
        }
    }

    /// The position of the first streamed message of which nothing has been sent, or the end of the last record if there is none.
    pub(super) fn first_stream(&self) -> usize {
        let mut at = self.state.rec;
        while let Some(record) = self.record(at) {
            if record.is_streamed() && !(at == self.state.rec && self.is_inside_packet()) {
                break;
            }
            at = record.end();
        }
        at
    }
}
