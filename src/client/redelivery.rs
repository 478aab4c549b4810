//! Sending again: after a lost link, on a timed retry, and what is given up instead because the server has no session.

use super::arena::Marks;
use super::bytes::write;
use super::outbound::Outbound;
use super::record::{DEAD, DUP, RELEASED, Record};
use super::stream::Stream;

/// Which records are given up because the server has no session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum GiveUp {
    /// All that the server may have seen.
    Attempted,
    /// What the server has answered with PUBREC: the payload is no longer here.
    Released,
}

impl GiveUp {
    fn covers(self, record: &Record, bytes: &[u8]) -> bool {
        record.is_released() || (self == GiveUp::Attempted && record.was_attempted(bytes))
    }
}

impl Marks {
    /// Bytes that giving up would leave.
    pub(super) fn live_without(&self, bytes: &[u8], what: GiveUp) -> usize {
        let mut live = self.live;
        let mut at = self.head;
        while let Some(record) = self.record(bytes, at) {
            if what.covers(&record, bytes) {
                live = live.wrapping_sub(record.live_len());
            }
            at = record.end;
        }
        live
    }
}

/// Why everything is sent again from its first byte.
#[derive(Clone, Copy)]
pub(super) enum Restart {
    /// The link is lost. PUBLISH gets DUP where the server may have seen it; QoS 0, SUBSCRIBE and UNSUBSCRIBE go.
    LinkLost,
    /// No answer came, on a link that lives. In 3.1, DUP is set in all of it.
    NoAnswer { mqtt31: bool },
    /// The server has no session: these are given up, and the session is told. Nothing has left on this connection.
    SessionLost(GiveUp),
    /// A connection begins. A PUBREL that is sent again has DUP set in 3.1; 3.1.1 reserves the bit.
    Connect { mqtt31: bool },
}

impl Outbound<'_> {
    /// Sends what is kept again.
    pub(super) fn restart(&mut self, why: Restart) {
        let sent = self.inner.marks.cur;
        let mut streams = 0_u32;
        let mut at = self.inner.marks.head;
        while let Some(record) = self.record(at) {
            at = record.end;
            match why {
                Restart::LinkLost => self.link_lost_within(&record, sent),
                Restart::NoAnswer { mqtt31 }
                    if record.publish_at().is_some() || (mqtt31 && !record.is_dead()) =>
                {
                    self.set_dup(&record);
                }
                Restart::SessionLost(what) if what.covers(&record, self.tx) => {
                    if let Some(id) = self.id(&record) {
                        self.inner.session.abandon(id);
                    }
                    self.kill(&record);
                }
                Restart::Connect { mqtt31 } if record.is_released() => {
                    write(self.tx, record.at, &[if mqtt31 { RELEASED | DUP } else { RELEASED }]);
                }
                _ => {}
            }
            // As it is now: it may have been killed.
            let streamed = self.record(record.at).is_some_and(|record| record.is_streamed());
            streams = streams.wrapping_add(u32::from(streamed));
        }
        let marks = &mut self.inner.marks;
        (marks.rec, marks.cur) = (marks.head, marks.head);
        marks.streams = streams;
        self.compact();
    }

    fn link_lost_within(&mut self, record: &Record, sent: usize) {
        if record.is_released() {
            return;
        }
        if record.publish_at().is_none() || self.id(record).is_none() {
            return self.kill(record);
        }
        if record.at < sent {
            self.set_dup(record);
        }
    }

    /// The link is lost: see [`Restart::LinkLost`].
    pub(super) fn rewind(&mut self) {
        self.inner.marks.stream = Stream::None;
        self.inner.marks.is_watched = false;
        self.restart(Restart::LinkLost);
    }

    /// Marks a packet as one that the server may have seen.
    pub(super) fn set_dup(&mut self, record: &Record) {
        let at = record.publish_at().unwrap_or(record.at);
        let first = self.tx.get(at).copied().unwrap_or(DEAD);
        write(self.tx, at, &[first | DUP]);
    }
}
