//! From PUBREC to PUBREL: a message gives up its payload and keeps its place.

use super::bytes::write;
use super::outbound::Outbound;
use super::record::{PUBREL_LEN, RELEASED};
use crate::PacketId;

/// What a PUBREC has changed.
pub(super) struct Released {
    /// Its message was the oldest.
    pub(super) oldest: bool,
    /// The message whose PUBREL goes now.
    pub(super) turn: PacketId,
}

impl Outbound<'_> {
    /// Whether a PUBLISH has left at least in part, on this connection or an earlier one.
    pub(super) fn was_attempted(&mut self, id: PacketId) -> bool {
        self.record_of(id)
            .is_some_and(|record| record.was_attempted(self.tx) || record.at < self.inner.marks.cur)
    }

    /// Whether a PUBREL that is sent again has left in part.
    pub(super) fn is_inside_released(&self) -> bool {
        self.inner.marks.is_inside_packet()
            && self.record(self.inner.marks.rec).is_some_and(|record| record.is_released())
    }

    /// PUBREC came for this PUBLISH: the record stands for its PUBREL from now on.
    pub(super) fn released(&mut self, id: PacketId) -> Released {
        let Some(record) = self.record_of(id) else { return Released { oldest: false, turn: id } };
        self.inner.marks.live = self.inner.marks.live.wrapping_sub(record.len().wrapping_sub(PUBREL_LEN));
        self.inner.marks.drop_stream(&record);
        write(self.tx, record.at, &[RELEASED]);
        write(self.tx, record.body, &id.get().to_be_bytes());
        let mut turn = id;
        if record.at < self.inner.marks.last_released {
            turn = self.rotate(record.at, id);
        } else {
            self.inner.marks.last_released = record.at;
        }
        Released { oldest: record.at == self.inner.marks.head, turn }
    }

    /// PUBREL goes out in the order of PUBREC (MQTT-4.6.0-4): the identifier goes to the last released record, and
    /// those from the first to there move one record to the front. Says whose PUBREL goes now: of the one that moves
    /// from what is still to be sent to what was sent, if there is one.
    fn rotate(&mut self, first: usize, id: PacketId) -> PacketId {
        let mut turn = id;
        let mut hole = first;
        let mut at = first;
        while let Some(record) = self.record(at).filter(|record| record.at <= self.inner.marks.last_released)
        {
            if record.is_released() && record.at != first {
                if let Some(moved) = self.id(&record) {
                    self.put_released(hole, moved);
                    if hole < self.inner.marks.rec && record.at >= self.inner.marks.rec {
                        turn = moved;
                    }
                }
                hole = record.at;
            }
            at = record.end;
        }
        self.put_released(hole, id);
        turn
    }

    fn put_released(&mut self, at: usize, id: PacketId) {
        if let Some(record) = self.record(at) {
            write(self.tx, record.body, &id.get().to_be_bytes());
            self.inner.session.set_place(id, at);
        }
    }
}
