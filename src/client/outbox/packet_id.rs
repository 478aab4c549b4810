//! Which packet identifier the next request gets: the next one in sequence that is not in use (MQTT-2.3.1-2).

use super::super::bytes::IS_LARGE;
use super::{Config, Outbox, State};
use crate::PacketId;

impl State {
    /// Goes on from this identifier.
    pub(crate) fn set_first_id(&mut self, id: PacketId) {
        self.last_id = id.get().wrapping_sub(1);
        self.free_ids = 0;
    }

    /// The identifier to look at first for the next request.
    pub(crate) fn first_id(&self) -> PacketId {
        PacketId::new(self.last_id).map_or(PacketId::FIRST, PacketId::next)
    }
}

impl<C: Config> Outbox<'_, C> {
    /// The next identifier; the caller has seen to it that not all are in use.
    pub(crate) fn next_id(&mut self) -> PacketId {
        loop {
            let next = self.s.first_id();
            let free =
                if IS_LARGE { self.has_free_ids(next.get()) } else { self.place(next.get()).is_none() };
            if free {
                return next;
            }
            self.s.last_id = next.get();
        }
    }

    /// The next identifier is in use from now on.
    pub(crate) fn take_id(&mut self) {
        self.s.last_id = self.s.first_id().get();
        self.s.free_ids = self.s.free_ids.wrapping_sub(1);
    }

    /// Whether the next identifier is free. Where there are thousands of requests, those that are free behind it are counted, so
    /// that the requests are not looked at each time.
    fn has_free_ids(&mut self, next: u16) -> bool {
        if self.s.free_ids == 0 {
            let mut free = u16::MAX;
            for (at, record) in self.records().filter(|(_, record)| record.keeps_id()) {
                let id = record.id(self.log, at);
                // On the way around 0 is left out.
                free = free.min(id.wrapping_sub(next).wrapping_sub(u16::from(id < next)));
            }
            self.s.free_ids = free;
        }
        self.s.free_ids != 0
    }
}
