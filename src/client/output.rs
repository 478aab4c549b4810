//! One cursor over all that goes out: which bytes are next, and how many have left.

use super::link::{Link, State};
use super::outbound::{Outbound, Parts, Queues};
use crate::Instant;
use crate::codec::PacketType;

pub(super) const NOTHING: [(Source, usize); 2] = [(Source::None, 0); 2];

const DISCONNECT: [u8; 2] = [PacketType::Disconnect.first_byte(), 0];

/// Where bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    None,
    Control,
    Arena,
    Disconnect,
}

impl<'a> Outbound<'a> {
    /// See [`Client::pending`](crate::Client::pending).
    pub(super) fn pending(self) -> &'a [u8] {
        let source = self.source();
        let tx: &'a [u8] = self.tx;
        let bytes = bytes_of(source, self.link, self.queues, tx);
        self.queues.offered = [(source, bytes.len()), (Source::None, 0)];
        bytes
    }

    /// See [`Client::pending_vectored`](crate::Client::pending_vectored).
    pub(super) fn pending_vectored(self) -> [&'a [u8]; 2] {
        let source = self.source();
        let behind = self.source_behind(source);
        let tx: &'a [u8] = self.tx;
        let first = bytes_of(source, self.link, self.queues, tx);
        let second = bytes_of(behind, self.link, self.queues, tx);
        self.queues.offered = [(source, first.len()), (behind, second.len())];
        [first, second]
    }

    /// Where the next bytes come from. A packet that has left in part goes on; then control packets go before all
    /// others; DISCONNECT is the last.
    pub(super) fn source(&self) -> Source {
        let Queues { marks, control, .. } = &*self.queues;
        let closing = self.link.state == State::Closing;
        if self.link.state == State::Offline {
            Source::None
        } else if marks.is_inside_packet() {
            Source::Arena
        } else if closing && self.link.disconnect_sent > 0 {
            Source::Disconnect
        } else if !control.is_empty() {
            Source::Control
        } else if self.link.accepted && !marks.is_sent() && !marks.waits_for_payload(self.tx) {
            Source::Arena
        } else if closing {
            Source::Disconnect
        } else {
            Source::None
        }
    }

    /// Where bytes come from that can go right behind all of what this source offers.
    fn source_behind(&self, source: Source) -> Source {
        let Queues { marks, control, .. } = &*self.queues;
        let arena_is_next = self.link.accepted && !marks.is_sent() && !marks.waits_for_payload(self.tx);
        match source {
            Source::Control if arena_is_next => Source::Arena,
            Source::Arena if marks.is_inside_packet() && !marks.is_streaming() && !control.is_empty() => {
                Source::Control
            }
            _ => Source::None,
        }
    }

    /// See [`Client::sent`](crate::Client::sent). Says whether that was the last byte of DISCONNECT.
    pub(super) fn sent(&mut self, len: usize, now: Instant) -> bool {
        let [(source, offered), (behind, offered_behind)] = self.queues.offered;
        let first = len.min(offered);
        let second = len.saturating_sub(first).min(offered_behind);
        self.queues.offered =
            [(source, offered.saturating_sub(first)), (behind, offered_behind.saturating_sub(second))];
        let closed = self.sent_from(source, first, now);
        closed || self.sent_from(behind, second, now)
    }

    fn sent_from(&mut self, source: Source, len: usize, now: Instant) -> bool {
        if len == 0 {
            return false;
        }
        match source {
            Source::None => {}
            Source::Arena => self.arena_sent(len, now),
            Source::Control => self.control_sent(len, now),
            Source::Disconnect => {
                self.link.disconnect_sent = self.link.disconnect_sent.saturating_add(len as u8);
                if usize::from(self.link.disconnect_sent) >= DISCONNECT.len() {
                    self.link_lost();
                    return true;
                }
            }
        }
        self.watch_output(now, true);
        false
    }

    fn arena_sent(&mut self, len: usize, now: Instant) {
        let Parts { mut arena, session, .. } = self.parts();
        if arena.sent(session, len) {
            self.link.packet_sent(now);
            self.watch_answers(now, false);
        }
    }

    fn control_sent(&mut self, len: usize, now: Instant) {
        let Parts { control, control_bytes, .. } = self.parts();
        let left = control.sent(control_bytes, len);
        if left.any {
            self.link.packet_sent(now);
        }
        if left.ping {
            self.link.ping_sent(now);
        }
    }
}

/// What this source offers now.
fn bytes_of<'a>(source: Source, link: &Link, queues: &Queues, tx: &'a [u8]) -> &'a [u8] {
    let Queues { marks, control, .. } = queues;
    let (arena_bytes, control_bytes) = tx.split_at_checked(queues.limit(tx)).unwrap_or_default();
    match source {
        Source::None => &[],
        Source::Control => control.pending(control_bytes),
        Source::Arena => marks.pending(arena_bytes, !control.is_empty()),
        Source::Disconnect => DISCONNECT.get(usize::from(link.disconnect_sent)..).unwrap_or_default(),
    }
}
