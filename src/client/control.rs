//! The queue of control packets that the client owes: answers, PUBREL, PINGREQ, and CONNECT before them all.
//!
//! It is the end of the transmit buffer, a plain first-in first-out line of encoded packets. Its last bytes are kept
//! for PINGREQ.

use super::bytes::{move_down, write};
use super::outbound::Outbound;
use super::record::Record;
use crate::PacketId;
use crate::codec::PacketType;

/// Bytes that only PINGREQ may take.
const PINGREQ_LEN: usize = 2;
/// Bytes of an answer or a PUBREL.
const ACK_LEN: usize = 4;

/// The queue has at least so many bytes.
pub(super) const MIN_LEN: usize = 32;

/// It has no more than these for its share of the transmit buffer.
const MAX_SHARE: usize = 1_024;

/// Where the packets are in the transmit buffer.
#[derive(Clone, Debug)]
pub(super) struct Control {
    /// Bytes that the queue has; 0 until a CONNECT has said how many it needs.
    pub(super) len: usize,
    /// The packet that is being sent, or is sent next.
    rec: usize,
    /// The next byte to be sent.
    pub(super) cur: usize,
    /// Behind the last packet.
    pub(super) tail: usize,
}

impl Control {
    pub(super) const fn new() -> Self {
        Control { len: 0, rec: 0, cur: 0, tail: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cur == self.tail
    }

    /// The queue begins here, and with so many bytes in it.
    pub(super) fn begin(&mut self, at: usize, len: usize) {
        (self.rec, self.cur, self.tail) = (at, at, at.wrapping_add(len));
    }
}

/// Bytes of the transmit buffer that the control queue has by default.
pub(super) fn share(tx_len: usize) -> usize {
    (tx_len >> 3).clamp(MIN_LEN, MAX_SHARE).min(tx_len)
}

impl Outbound<'_> {
    /// Where the arena ends and the control queue begins.
    pub(super) fn limit(&self) -> usize {
        let len = if self.inner.control.len == 0 { share(self.tx.len()) } else { self.inner.control.len };
        self.tx.len().wrapping_sub(len)
    }

    /// Whether one more answer has a place.
    pub(super) fn has_room(&self) -> bool {
        let control = &self.inner.control;
        let used = control.tail.wrapping_sub(control.rec);
        used.wrapping_add(ACK_LEN).wrapping_add(PINGREQ_LEN) <= control.len
    }

    /// Queues a packet. Callers have asked [`has_room`](Self::has_room), or it is PINGREQ.
    pub(super) fn push_control(&mut self, packet: &[u8]) {
        let limit = self.limit();
        let control = &mut self.inner.control;
        if control.tail.wrapping_add(packet.len()) > self.tx.len() {
            move_down(self.tx, control.rec, limit, control.tail.wrapping_sub(control.rec));
            let distance = control.rec.wrapping_sub(limit);
            control.cur = control.cur.wrapping_sub(distance);
            control.tail = control.tail.wrapping_sub(distance);
            control.rec = limit;
        }
        write(self.tx, control.tail, packet);
        control.tail = control.tail.wrapping_add(packet.len());
    }

    /// Queues an answer; the caller has asked [`has_room`](Self::has_room).
    pub(super) fn answer(&mut self, packet_type: PacketType, id: PacketId) {
        let [high, low] = id.get().to_be_bytes();
        self.push_control(&[packet_type.first_byte(), 2, high, low]);
    }

    /// So many bytes have left; says whether a whole packet did.
    pub(super) fn control_sent(&mut self, len: usize) -> bool {
        let control = &mut self.inner.control;
        control.cur = control.cur.wrapping_add(len).min(control.tail);
        let mut whole = false;
        while let Some(record) = Record::read(self.tx, self.inner.control.rec)
            .filter(|record| record.end <= self.inner.control.cur)
        {
            self.inner.control.rec = record.end;
            whole = true;
            if record.first == PacketType::PingReq.first_byte() {
                self.inner.ping_sent();
            }
        }
        if self.inner.control.is_empty() {
            let limit = self.limit();
            self.inner.control.begin(limit, 0);
        }
        whole
    }
}
