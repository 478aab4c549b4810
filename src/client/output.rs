//! One cursor over all that goes out: which bytes are next, and how many have left.

use super::inner::Inner;
use super::link::State;
use super::outbound::Outbound;
use crate::codec::PacketType;
use crate::session::Slot;

const DISCONNECT: [u8; 2] = [PacketType::Disconnect.first_byte(), 0];

/// Where bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    None,
    Control,
    Arena,
    Disconnect,
}

/// What [`Outbound::pending`] has offered last, one behind the other, so that [`Outbound::sent`] counts it there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offered {
    sources: [Source; 2],
    lens: [usize; 2],
}

impl Offered {
    pub(super) const NOTHING: Offered = Offered { sources: [Source::None; 2], lens: [0; 2] };
}

impl<'a> Outbound<'a> {
    /// See [`Client::pending`](crate::Client::pending).
    pub(super) fn pending(self) -> &'a [u8] {
        let source = self.source();
        let Outbound { inner, tx, .. } = self;
        let bytes = inner.bytes_of(source, tx);
        inner.offered = Offered { sources: [source, Source::None], lens: [bytes.len(), 0] };
        bytes
    }

    /// See [`Client::pending_vectored`](crate::Client::pending_vectored).
    pub(super) fn pending_vectored(self) -> [&'a [u8]; 2] {
        let source = self.source();
        let behind = self.source_behind(source);
        let Outbound { inner, tx, .. } = self;
        let (first, second) = (inner.bytes_of(source, tx), inner.bytes_of(behind, tx));
        inner.offered = Offered { sources: [source, behind], lens: [first.len(), second.len()] };
        [first, second]
    }

    /// Where the next bytes come from. A packet that has left in part goes on; then control packets go before all
    /// others; DISCONNECT is the last.
    pub(super) fn source(&self) -> Source {
        let Inner { link, marks, control, .. } = &*self.inner;
        let closing = link.state == State::Closing;
        if link.state == State::Offline {
            Source::None
        } else if marks.is_inside_packet() {
            Source::Arena
        } else if closing && link.disconnect_sent > 0 {
            Source::Disconnect
        } else if !control.is_empty() {
            Source::Control
        } else if self.arena_is_next() {
            Source::Arena
        } else if closing {
            Source::Disconnect
        } else {
            Source::None
        }
    }

    /// Whether the arena has something to send, as far as it alone is asked.
    fn arena_is_next(&self) -> bool {
        let Inner { link, marks, .. } = &*self.inner;
        link.accepted && !marks.is_sent() && !marks.waits_for_payload(self.tx)
    }

    /// Where bytes come from that can go right behind all of what this source offers.
    fn source_behind(&self, source: Source) -> Source {
        let Inner { marks, control, .. } = &*self.inner;
        match source {
            Source::Control if self.arena_is_next() => Source::Arena,
            Source::Arena if marks.is_inside_packet() && !marks.is_streaming() && !control.is_empty() => {
                Source::Control
            }
            _ => Source::None,
        }
    }

    /// See [`Client::sent`](crate::Client::sent).
    pub(super) fn sent(&mut self, len: usize) {
        let Offered { sources: [first, second], lens: [of_first, of_second] } = self.inner.offered;
        let from_first = len.min(of_first);
        let from_second = len.wrapping_sub(from_first).min(of_second);
        self.inner.offered.lens = [of_first.wrapping_sub(from_first), of_second.wrapping_sub(from_second)];
        self.sent_from(first, from_first);
        self.sent_from(second, from_second);
    }

    fn sent_from(&mut self, source: Source, len: usize) {
        if len == 0 {
            return;
        }
        let whole = match source {
            Source::None => false,
            Source::Arena => {
                let whole = self.arena_sent(len);
                if whole {
                    self.watch_answers(false);
                }
                whole
            }
            Source::Control => self.control_sent(len),
            Source::Disconnect => {
                let link = &mut self.inner.link;
                link.disconnect_sent = link.disconnect_sent.wrapping_add(len as u8);
                if usize::from(link.disconnect_sent) >= DISCONNECT.len() {
                    return self.link_lost();
                }
                false
            }
        };
        if whole {
            self.inner.packet_sent();
        }
        self.watch_output(true);
    }
}

impl Inner<[Slot]> {
    /// What this source offers now.
    fn bytes_of<'a>(&self, source: Source, tx: &'a [u8]) -> &'a [u8] {
        match source {
            Source::None => &[],
            Source::Control => tx.get(self.control.cur..self.control.tail).unwrap_or_default(),
            Source::Arena => self.marks.pending(tx, !self.control.is_empty()),
            Source::Disconnect => {
                DISCONNECT.get(usize::from(self.link.disconnect_sent)..).unwrap_or_default()
            }
        }
    }
}
