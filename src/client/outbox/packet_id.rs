//! Which packet identifier the next request gets: the next one in sequence that is not in use (MQTT-2.3.1-2).

use super::{Outbox, State};
use crate::PacketId;

impl State {
    /// Goes on from this identifier.
    pub(crate) fn set_first_id(&mut self, id: PacketId) {
        self.last_id = id.get().wrapping_sub(1);
        self.free_ids = 0;
    }
}

impl Outbox<'_> {
    /// The identifier after `last`.
    fn next(last: u16) -> PacketId {
        PacketId::new(last).map_or(PacketId::FIRST, PacketId::next)
    }

    /// The next identifier; the caller has seen to it that not all are in use.
    pub(crate) fn next_id(&mut self) -> PacketId {
        while self.s.free_ids == 0 {
            self.find_free_ids();
        }
        Self::next(self.s.last_id)
    }

    /// The next identifier is in use from now on.
    pub(crate) fn take_id(&mut self) {
        self.s.last_id = Self::next(self.s.last_id).get();
        self.s.free_ids = self.s.free_ids.wrapping_sub(1);
    }

    /// The identifier to look at first for the next request.
    pub(crate) fn first_id(&self) -> PacketId {
        Self::next(self.s.last_id)
    }

    /// Counts the free identifiers in sequence; passes over the next one if it is in use.
    fn find_free_ids(&mut self) {
        let next = Self::next(self.s.last_id).get();
        let mut free = u16::MAX;
        for (at, record) in self.records() {
            if let Some(id) = record.kept_id(self.log, at) {
                // On the way around 0 is left out.
                let ahead = id.get().wrapping_sub(next);
                free = free.min(ahead.wrapping_sub(u16::from(id.get() < next)));
            }
        }
        if free == 0 {
            self.s.last_id = next;
        }
        self.s.free_ids = free;
    }
}
