//! Moving what lives to the front of the arena, so that there is room behind it.

use super::bytes::{move_down, write};
use super::outbound::Outbound;
use super::record::Record;

impl Outbound<'_> {
    /// Moves what lives to the front, in its order, and shortens released records to a PUBREL.
    pub(super) fn compact(&mut self) {
        let mut to = 0;
        let mut at = self.inner.marks.head;
        // How far what comes before the record that is being sent has moved.
        let mut distance = at;
        self.inner.marks.last_released = 0;
        while let Some(record) = self.record(at) {
            if at <= self.inner.marks.rec {
                distance = at.wrapping_sub(to);
            }
            at = record.end;
            if !record.is_dead() {
                to = self.move_record(&record, to);
            }
        }
        let marks = &mut self.inner.marks;
        if at <= marks.rec {
            distance = at.wrapping_sub(to);
        }
        marks.rec = marks.rec.wrapping_sub(distance);
        marks.cur = marks.cur.wrapping_sub(distance);
        marks.head = 0;
        marks.tail = to;
    }

    /// Moves one record; says where the next one goes.
    fn move_record(&mut self, record: &Record, to: usize) -> usize {
        let id = record.id(self.tx);
        let len = record.live_len();
        if let (true, Some(id)) = (record.is_released(), id) {
            let [high, low] = id.get().to_be_bytes();
            write(self.tx, to, &[record.first, 2, high, low]);
            self.inner.marks.last_released = to;
        } else {
            move_down(self.tx, record.at, to, len);
        }
        if let Some(id) = id {
            self.inner.session.set_place(id, to);
        }
        to.wrapping_add(len)
    }
}
