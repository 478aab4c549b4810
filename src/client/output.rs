//! One cursor over all that goes out: which bytes are next, and how many have left.

use core::ops::Range;

use super::link::State;
use super::outbound::Outbound;
use crate::codec::PacketType;

const DISCONNECT: [u8; 2] = [PacketType::Disconnect.first_byte(), 0];

impl<'a> Outbound<'a> {
    /// See [`Client::pending`](crate::Client::pending).
    pub(super) fn pending(mut self) -> &'a [u8] {
        self.disconnect_if_idle();
        let next = self.next_bytes();
        self.inner.queue.offered = next.len();
        self.tx.get(next).unwrap_or_default()
    }

    /// Where the next bytes are. Before CONNACK that is CONNECT alone, and DISCONNECT in any case.
    fn next_bytes(&self) -> Range<usize> {
        let cur = self.inner.queue.cur;
        let link = &self.inner.link;
        if let Some(record) = self.streaming() {
            return self.next_of_stream(&record);
        }
        let end = match link.state {
            State::Offline => cur,
            _ if link.accepted && !link.disconnect_queued => self.next_streamed(),
            _ => match self.record(self.inner.queue.rec) {
                Some(record) if record.is_connect_or_disconnect() => record.end,
                _ => cur,
            },
        };
        cur..end
    }

    /// Whether there are no bytes to be sent now.
    pub(super) fn is_idle(&self) -> bool {
        self.next_bytes().is_empty()
    }

    /// Whether output is waited for.
    pub(super) fn has_output(&self) -> bool {
        let closing = self.inner.link.state == State::Closing;
        closing || self.inner.queue.is_inside_packet() || !self.is_idle()
    }

    /// DISCONNECT follows what is queued: it is the next once nothing else is.
    fn disconnect_if_idle(&mut self) {
        let idle = !self.inner.queue.is_inside_packet() && self.is_idle();
        if idle && self.inner.link.state == State::Closing && !self.inner.link.disconnect_queued {
            let at = self.push_control(&DISCONNECT);
            self.inner.queue.jump(at);
            self.inner.link.disconnect_queued = true;
        }
    }

    /// See [`Client::sent`](crate::Client::sent).
    pub(super) fn sent(&mut self, len: usize) {
        let len = len.min(self.inner.queue.offered);
        if len == 0 {
            return;
        }
        self.inner.queue.offered = self.inner.queue.offered.wrapping_sub(len);
        let whole = match self.streaming() {
            Some(record) => self.stream_sent(&record, len),
            None => {
                self.inner.queue.cur = self.inner.queue.cur.wrapping_add(len);
                self.pass()
            }
        };
        if whole {
            if self.inner.link.disconnect_queued {
                return self.link_lost();
            }
            self.inner.packet_sent();
            self.watch_answers(false);
        }
        self.watch_output(true);
    }
}
