//! The only pass that changes all requests: it removes dead records, changes others where necessary, and moves the rest to the front.

use super::record::PUBREL;
use super::{Config, Outbox};
use crate::client::bytes::{IS_LARGE, move_down};

/// The purpose of a sweep.
#[derive(Clone, Copy)]
pub(in crate::client) enum Purpose {
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
    Resend {
        /// The connection uses MQTT 3.1.
        mqtt31: bool,
    },
}

impl<C: Config> Outbox<'_, C> {
    /// Returns whether a PUBREL is new, and waits for an image.
    pub(in crate::client) fn sweep(&mut self, purpose: Purpose) -> bool {
        let mut has_new = false;
        let inside = self.state.cur.wrapping_sub(self.state.rec);
        let rec = self.state.rec;
        let mut at = self.state.head;
        let mut to = 0;
        if self.config.durable() {
            self.state.safe = self.state.safe.max(at);
            self.state.saved = self.state.saved.max(at);
        }
        while let Some(record) = self.record(at) {
            self.moved(at, to);
            if self.update_or_drop(at, record, at < rec, purpose) {
                if self.config.durable() && record.is_stub() && self.log.get(at) == Some(&PUBREL) {
                    // The message was given up, and this PUBREL is new.
                    self.mark_unsaved_from(to);
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
        (self.state.head, self.state.tail, self.state.dead) = (0, to, 0);
        if matches!(purpose, Purpose::Resend { .. }) {
            self.state.rec = 0;
        }
        self.state.cur = self.state.rec.wrapping_add(inside);
        has_new
    }

    /// Adjusts positions after a move from `at` to `to`.
    fn moved(&mut self, at: usize, to: usize) {
        if self.state.rec == at {
            self.state.rec = to;
        }
        if IS_LARGE && self.state.hint == at {
            self.state.hint = to;
        }
        if self.config.durable() {
            for place in [&mut self.state.safe, &mut self.state.saved] {
                if *place == at {
                    *place = to;
                }
            }
        }
    }
}
