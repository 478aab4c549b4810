//! Moving what lives to the front of the queue, so that there is room behind it.

use super::bytes::move_down;
use super::outbound::Outbound;

impl Outbound<'_> {
    /// Moves what lives to the front, in its order. A packet that has left in part is carried along.
    pub(super) fn compact(&mut self) {
        let inside = self.inner.queue.cur.wrapping_sub(self.inner.queue.rec);
        let mut at = self.inner.queue.head;
        let mut to = 0;
        let mut rec = None;
        while let Some(record) = self.record(at) {
            if at == self.inner.queue.rec {
                rec = Some(to);
            }
            at = record.end;
            if record.is_dead() {
                continue;
            }
            let owner = self.owner(&record);
            move_down(self.tx, record.at, to, record.len());
            if let Some(id) = owner {
                self.inner.session.set_place(id, to);
            }
            to = to.wrapping_add(record.len());
        }
        let queue = &mut self.inner.queue;
        queue.head = 0;
        queue.rec = rec.unwrap_or(to);
        queue.cur = queue.rec.wrapping_add(inside);
        queue.tail = to;
    }
}
