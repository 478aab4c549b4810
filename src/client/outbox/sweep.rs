//! The one walk over all requests: it drops what is dead, changes what has to change, and moves the rest to the front.

use super::super::bytes::move_down;
use super::record::{PUBREL, Record};
use super::{Outbox, losses, redelivery};

/// What a sweep is for.
#[derive(Clone, Copy)]
pub(crate) enum Why {
    /// Room is to be made.
    Room,
    /// The connection is gone.
    LinkLost {
        /// What ends by that is to be told.
        tell: bool,
    },
    /// The server has no session.
    SessionLost {
        /// What it may have seen ends by that.
        gives_up: bool,
        /// What ends by that is to be told.
        tell: bool,
    },
    /// All is sent again.
    Again {
        /// On a connection that speaks MQTT 3.1.
        mqtt31: bool,
    },
}

impl Outbox<'_> {
    pub(crate) fn sweep(&mut self, why: Why) {
        let inside = self.s.cur.wrapping_sub(self.s.rec);
        let rec = self.s.rec;
        let mut at = self.s.head;
        let mut to = 0;
        self.s.safe = self.s.safe.max(at);
        self.s.saved = self.s.saved.max(at);
        (self.s.kept, self.s.exactly_once, self.s.ended, self.s.streams) = (0, 0, 0, 0);
        while let Some(record) = self.record(at) {
            self.moved(at, to);
            if verdict(self.log, at, record, at < rec, why)
                && let Some(kept) = Record::read(self.log, at)
            {
                self.count(at, kept, 1);
                if kept.first() == PUBREL && record.first() != PUBREL {
                    // It was given up, and the server is to forget it.
                    self.is_new_from(to);
                }
                let len = kept.end().wrapping_sub(at);
                move_down(self.log, at, to, len);
                to = to.wrapping_add(len);
            }
            at = record.end();
        }
        self.moved(at, to);
        (self.s.head, self.s.tail, self.s.dead) = (0, to, 0);
        if matches!(why, Why::Again { .. }) {
            self.s.rec = 0;
        }
        self.s.cur = self.s.rec.wrapping_add(inside);
    }

    /// What stood here stands there.
    fn moved(&mut self, at: usize, to: usize) {
        for place in [&mut self.s.rec, &mut self.s.hint, &mut self.s.safe, &mut self.s.saved] {
            if *place == at {
                *place = to;
            }
        }
    }
}

/// Changes what has to change about a record; returns whether it stays.
fn verdict(log: &mut [u8], at: usize, record: Record, has_left: bool, why: Why) -> bool {
    if record.is_dead() {
        return false;
    }
    match why {
        Why::LinkLost { tell } => losses::with_link(log, at, record, tell),
        Why::SessionLost { gives_up, tell } => {
            losses::with_session(log, at, record, gives_up && (has_left || record.has_dup(log, at)), tell)
        }
        Why::Again { mqtt31 } => {
            if has_left {
                redelivery::again(log, at, record, mqtt31);
            }
            true
        }
        Why::Room => true,
    }
}
