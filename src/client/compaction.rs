//! Moving what lives to the front of the arena, so that there is room behind it.

use super::arena::Arena;
use super::bytes::{move_down, write};
use super::record::Record;

impl Arena<'_> {
    /// Moves what lives to the front, in its order, and shortens released records to a PUBREL.
    pub(super) fn compact(&mut self) {
        let sent_of_rec = self.marks.cur.saturating_sub(self.marks.rec);
        let mut rec = None;
        let mut to = 0;
        let mut at = self.marks.head;
        self.marks.last_released = 0;
        while let Some(record) = self.record(at) {
            if at >= self.marks.rec && rec.is_none() {
                rec = Some(to);
            }
            at = record.end;
            if !record.is_dead() {
                to = self.move_record(&record, to);
            }
        }
        self.marks.head = 0;
        self.marks.tail = to;
        self.marks.rec = rec.unwrap_or(to);
        self.marks.cur = self.marks.rec.saturating_add(sent_of_rec);
    }

    /// Moves one record; says where the next one goes.
    fn move_record(&mut self, record: &Record, to: usize) -> usize {
        let id = record.id(self.bytes);
        let len = record.live_len();
        if let (true, Some(id)) = (record.is_released(), id) {
            let [high, low] = id.get().to_be_bytes();
            write(self.bytes, to, &[record.first, 2, high, low]);
            self.marks.last_released = to;
        } else {
            move_down(self.bytes, record.at, to, len);
        }
        if let Some(id) = id {
            self.set_position(id, to);
        }
        to.saturating_add(len)
    }
}
