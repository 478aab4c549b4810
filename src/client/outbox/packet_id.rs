//! The packet identifier of the next request: the next one in sequence that is not in use (MQTT-2.3.1-2).

use super::{Config, Outbox, OutboxState};
use crate::PacketId;
use crate::client::bytes::IS_LARGE;

impl OutboxState {
    /// Sets the identifier of the next request.
    pub(in crate::client) fn set_first_id(&mut self, id: PacketId) {
        self.last_id = id.get().wrapping_sub(1);
        self.free_ids = 0;
    }

    /// The identifier to try first for the next request.
    pub(in crate::client) fn first_id(&self) -> PacketId {
        PacketId::new(self.last_id).map_or(PacketId::FIRST, PacketId::next)
    }
}

impl<C: Config> Outbox<'_, C> {
    /// The next identifier. The caller ensures that not all are in use.
    pub(in crate::client) fn next_id(&mut self) -> PacketId {
        loop {
            let next = self.state.first_id();
            let free =
                if IS_LARGE { self.has_free_ids(next.get()) } else { self.place(next.get()).is_none() };
            if free {
                return next;
            }
            self.state.last_id = next.get();
        }
    }

    /// Marks the next identifier as used.
    pub(in crate::client) fn take_id(&mut self) {
        self.state.last_id = self.state.first_id().get();
        self.state.free_ids = self.state.free_ids.wrapping_sub(1);
    }

    /// Whether the next identifier is free. The number of free identifiers after it is remembered, so that thousands of requests are
    /// not searched each time.
    fn has_free_ids(&mut self, next: u16) -> bool {
        if self.state.free_ids == 0 {
            let mut free = u16::MAX;
            for (at, record) in self.records().filter(|(_, record)| record.keeps_id()) {
                let id = record.id(self.log, at);
                // Skip 0 when wrapping around.
                free = free.min(id.wrapping_sub(next).wrapping_sub(u16::from(id < next)));
            }
            self.state.free_ids = free;
        }
        self.state.free_ids != 0
    }
}
