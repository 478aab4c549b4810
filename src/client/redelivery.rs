//! Sending again: after a lost link, on a timed retry, and what is given up instead because the server has no session.

use super::bytes::write;
use super::outbound::Outbound;
use super::record::{DEAD, DUP, Record};
use super::stream::Stream;
use crate::PacketId;
use crate::codec::{PacketType, Version};

/// Which requests are given up because the server has no session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum GiveUp {
    /// All that the server may have seen.
    Attempted,
    /// What the server has answered with PUBREC: the payload is no longer here.
    Released,
}

impl GiveUp {
    fn covers(self, record: &Record, bytes: &[u8]) -> bool {
        record.is_pubrel() || (self == GiveUp::Attempted && record.was_attempted(bytes))
    }
}

/// Why everything is sent again from its first byte.
#[derive(Clone, Copy)]
pub(super) enum Restart {
    /// The link is lost. PUBLISH gets DUP where the server may have seen it; only PUBLISH of QoS 1 and 2 and PUBREL stay.
    LinkLost,
    /// No answer came, on a link that lives. In 3.1, DUP is set in all of it.
    NoAnswer,
    /// A connection begins. Where the server has no session, some is given up, and the session is told. A PUBREL that is sent
    /// again has DUP set in 3.1; 3.1.1 reserves the bit.
    Connection { gives_up: Option<GiveUp> },
}

impl Outbound<'_> {
    /// Sends what is kept again. On this connection, nothing may have left in part.
    pub(super) fn restart(&mut self, why: Restart) {
        let mut at = self.inner.queue.head;
        self.inner.queue.streams = 0;
        self.inner.queue.control = 0;
        while let Some(record) = self.record(at) {
            at = record.end;
            if record.is_dead() {
                continue;
            }
            match self.owner(&record) {
                Some(id) if self.is_kept(&record, id, why) => {
                    let queue = &mut self.inner.queue;
                    queue.streams = queue.streams.wrapping_add(u32::from(record.is_streamed()));
                    queue.control = queue.control.wrapping_add(u32::from(record.is_control()));
                }
                _ => self.kill(&record),
            }
        }
        let queue = &mut self.inner.queue;
        queue.jump(queue.head);
        self.compact();
        self.pull_releases();
    }

    /// Bytes that giving up would leave, off line.
    pub(super) fn live_without(&self, what: GiveUp) -> usize {
        let mut live = self.inner.queue.live;
        let mut at = self.inner.queue.head;
        while let Some(record) = self.record(at) {
            at = record.end;
            if what.covers(&record, self.tx) {
                live = live.wrapping_sub(record.len());
            }
        }
        live
    }

    /// Whether a record is to be sent again; marks it if so, and tells the session if not.
    fn is_kept(&mut self, record: &Record, id: PacketId, why: Restart) -> bool {
        let mqtt31 = self.inner.link.version == Version::Mqtt31;
        let publish_at = record.publish_at();
        let dup = match why {
            Restart::LinkLost if publish_at.is_some() => {
                let begun = self.inner.queue.rec == record.at && self.inner.queue.is_inside_packet();
                begun || self.inner.session.is_sent(id)
            }
            Restart::LinkLost => return record.is_pubrel(),
            Restart::NoAnswer => mqtt31 || publish_at.is_some(),
            Restart::Connection { gives_up } => {
                if gives_up.is_some_and(|what| what.covers(record, self.tx)) {
                    self.inner.session.abandon(id);
                    return false;
                }
                if record.is_pubrel() {
                    write(self.tx, record.at, &[PacketType::PubRel.first_byte()]);
                }
                mqtt31 && record.is_pubrel()
            }
        };
        if dup {
            self.set_dup(publish_at.unwrap_or(record.at));
        }
        true
    }

    /// Sets DUP in the packet that begins here.
    pub(super) fn set_dup(&mut self, at: usize) {
        let first = self.tx.get(at).copied().unwrap_or(DEAD);
        write(self.tx, at, &[first | DUP]);
    }

    /// The link is lost: see [`Restart::LinkLost`].
    pub(super) fn rewind(&mut self) {
        self.inner.queue.stream = Stream::None;
        self.inner.queue.is_watched = false;
        self.restart(Restart::LinkLost);
    }
}
