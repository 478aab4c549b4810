//! The queue of control packets that the client owes: answers, PUBREL, PINGREQ, and CONNECT before them all.
//!
//! It is the end of the transmit buffer, a plain first-in first-out line of encoded packets. Its last bytes are kept
//! for PINGREQ.

use super::bytes::{move_down, write};
use super::record::Record;
use crate::codec::PacketType;

/// Bytes that only PINGREQ may take.
const PINGREQ_LEN: usize = 2;
/// Bytes of an answer or a PUBREL.
pub(super) const ACK_LEN: usize = 4;

#[derive(Clone, Debug)]
pub(super) struct Control {
    /// The packet that is being sent, or is sent next.
    rec: usize,
    /// The next byte to be sent.
    cur: usize,
    /// Behind the last packet.
    tail: usize,
}

/// What has left whole.
#[derive(Clone, Copy, Default)]
pub(super) struct Left {
    /// At least one packet.
    pub(super) any: bool,
    /// PINGREQ.
    pub(super) ping: bool,
}

impl Control {
    pub(super) const fn new() -> Self {
        Control { rec: 0, cur: 0, tail: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cur == self.tail
    }

    pub(super) fn pending<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.cur..self.tail).unwrap_or_default()
    }

    /// Whether one more answer has a place.
    pub(super) fn has_room(&self, bytes: &[u8]) -> bool {
        let used = self.tail.saturating_sub(self.rec);
        used.saturating_add(ACK_LEN).saturating_add(PINGREQ_LEN) <= bytes.len()
    }

    /// CONNECT has been written to the front.
    pub(super) fn begin(&mut self, len: usize) {
        *self = Control { rec: 0, cur: 0, tail: len };
    }

    /// Queues a packet. Callers have asked [`has_room`](Self::has_room), or it is PINGREQ.
    pub(super) fn push(&mut self, bytes: &mut [u8], packet: &[u8]) {
        if self.tail.saturating_add(packet.len()) > bytes.len() {
            move_down(bytes, self.rec, 0, self.tail.saturating_sub(self.rec));
            self.cur = self.cur.saturating_sub(self.rec);
            self.tail = self.tail.saturating_sub(self.rec);
            self.rec = 0;
        }
        write(bytes, self.tail, packet);
        self.tail = self.tail.saturating_add(packet.len());
    }

    /// So many bytes have left.
    pub(super) fn sent(&mut self, bytes: &[u8], len: usize) -> Left {
        self.cur = self.cur.saturating_add(len).min(self.tail);
        let mut left = Left::default();
        while self.rec < self.cur {
            let Some(record) = Record::read(bytes, self.rec).filter(|record| record.end <= self.cur) else {
                break;
            };
            self.rec = record.end;
            left.any = true;
            left.ping |= record.first == PacketType::PingReq.first_byte();
        }
        if self.rec == self.tail {
            *self = Control::new();
        }
        left
    }
}
