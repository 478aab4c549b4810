//! The one walk over all requests: it drops what is dead, changes what has to change, and moves the rest to the front.

use super::super::bytes::{IS_LARGE, move_down, set};
use super::record::{AT_LEAST_ONCE, DUP, End, PUBLISH, PUBREL, Record};
use super::{Config, Outbox};

/// What a sweep is for.
#[derive(Clone, Copy)]
pub(crate) enum Why {
    /// Room is to be made.
    Room,
    /// The connection is gone.
    LinkLost,
    /// The server has no session.
    SessionLost {
        /// What it may have seen ends by that.
        gives_up: bool,
    },
    /// All is sent again.
    Again {
        /// On a connection that speaks MQTT 3.1.
        mqtt31: bool,
    },
}

impl<C: Config> Outbox<'_, C> {
    pub(crate) fn sweep(&mut self, why: Why) {
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
                    // It was given up, and the server is to forget it.
                    self.is_new_from(to);
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
    }

    /// What stood here stands there.
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

    /// Changes what has to change about a record; returns whether it stays.
    fn stays(&mut self, at: usize, record: Record, has_left: bool, why: Why) -> bool {
        if record.is_dead() {
            return false;
        }
        let end = match why {
            Why::Room => return true,
            Why::Again { mqtt31 } => {
                if has_left {
                    self.again(at, record, mqtt31);
                }
                return true;
            }
            // SUBSCRIBE and UNSUBSCRIBE end, and what is sent at QoS 0; nobody waits for the PUBACK of a message any more that
            // was given up.
            Why::LinkLost if !record.keeps_id() => return false,
            Why::LinkLost if record.ends_with_link() || record.first() == AT_LEAST_ONCE => End::Lost,
            // That of QoS 2 is released.
            Why::LinkLost => {
                if record.is_stub() {
                    set(self.log, at, PUBREL);
                }
                return true;
            }
            // What had PUBREC is uncertain.
            Why::SessionLost { .. } if record.first() & 0xF0 == PUBREL & 0xF0 => End::Uncertain,
            Why::SessionLost { gives_up }
                if gives_up && !record.has_ended() && (has_left || record.has_dup()) =>
            {
                End::Lost
            }
            Why::SessionLost { .. } => return true,
        };
        if self.config.reports_loss() {
            self.end(at, record, end);
        }
        self.config.reports_loss()
    }

    /// What is sent again says so: DUP (MQTT-3.3.1-1). In 3.1.1 only PUBLISH has it; in 3.1 PUBREL, SUBSCRIBE and UNSUBSCRIBE
    /// have it too.
    fn again(&mut self, at: usize, record: Record, mqtt31: bool) {
        let first = record.first();
        let has_dup = mqtt31 || first & 0xF0 == PUBLISH;
        set(self.log, record.packet(at), if has_dup { first | DUP } else { first & !DUP });
    }
}
