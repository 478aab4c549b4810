//! The only pass that changes all requests: it removes dead records, changes others where necessary, and moves the rest to the front.

use super::super::bytes::{IS_LARGE, move_down};
use super::record::PUBREL;
use super::{Config, Outbox};

/// The purpose of a sweep.
#[derive(Clone, Copy)]
pub(crate) enum Why {
    /// To make room.
    Room,
    /// The connection is gone.
    LinkLost,
    /// The server has no session.
    SessionLost {
        /// Messages that the server may have received end.
        gives_up: bool,
    },
    /// Everything is resent.
    Again {
        /// The connection uses MQTT 3.1.
        mqtt31: bool,
    },
}

impl<C: Config> Outbox<'_, C> {
    /// Returns whether a PUBREL is new, and waits for an image.
    pub(crate) fn sweep(&mut self, why: Why) -> bool {
        let mut has_new = false;
        let inside = self.s.cur.wrapping_sub(self.s.rec);
        let rec = self.s.rec;
        let mut at = self.s.head;
        let mut to = 0;
        if self.config.durable() {
            self.s.safe = self.s.safe.max(at);
            self.s.saved = self.s.saved.max(at);
        }
        while let Some(record) = self.record(at) {
            self.moved(at, to);
            if self.stays(at, record, at < rec, why) {
                if self.config.durable() && record.is_stub() && self.log.get(at) == Some(&PUBREL) {
                    // The message was given up, and this PUBREL is new.
                    self.is_new_from(to);
                    has_new = true;
                }
                let len = record.end().wrapping_sub(at);
                move_down(self.log, at, to, len);
                to = to.wrapping_add(len);
            } else {
                self.count(record, u16::MAX);
            }
            at = record.end();
        }
        self.moved(at, to);
        (self.s.head, self.s.tail, self.s.dead) = (0, to, 0);
        if matches!(why, Why::Again { .. }) {
            self.s.rec = 0;
        }
        self.s.cur = self.s.rec.wrapping_add(inside);
        has_new
    }

    /// Adjusts positions after a move from `at` to `to`.
    fn moved(&mut self, at: usize, to: usize) {
        if self.s.rec == at {
            self.s.rec = to;
        }
        if IS_LARGE && self.s.hint == at {
            self.s.hint = to;
        }
        if self.config.durable() {
            for place in [&mut self.s.safe, &mut self.s.saved] {
                if *place == at {
                    *place = to;
                }
            }
        }
    }
}
