//! All that goes out, in one line: the transmit buffer holds whole encoded packets without gaps, in the order in which they
//! leave.
//!
//! The first byte of each says what it is:
//!
//! | first byte | record |
//! |---|---|
//! | `00` | dead: its room can be reclaimed; the length is intact |
//! | `F0` | the head of a streamed message, whose payload passes through the free room ([`stream`](super::stream)) |
//! | others | the packet itself |
//!
//! ```text
//! 0       head          rec     cur       tail
//! | dead  | answers due | half  | queued  | free |
//! |       |             | sent  |         |      |
//! ```
//!
//! A packet that belongs to a request (its slot in the session says where it is) is kept until it is answered: PUBLISH of QoS
//! 1 and 2, PUBREL, SUBSCRIBE, UNSUBSCRIBE. All others are dead once they have left. An answer is taken only for a packet that
//! has left whole, so nothing dead lies behind `cur`.

use super::LARGE_MESSAGES;
use super::bytes::write;
use super::inner::Inner;
use super::outbound::Outbound;
use super::record::{DEAD, Record};
use super::stream::{Stream, WINDOW};
use crate::PacketId;
use crate::codec::PacketType;
use crate::session::Slot;

/// Room behind the messages that only control packets may take: at least so many bytes.
pub(super) const MIN_RESERVE: usize = 32;
/// An eighth of the transmit buffer, but no more than these.
const MAX_RESERVE: usize = 1_024;

/// Bytes of an answer or a PUBREL.
pub(super) const ACK_LEN: usize = 4;
/// Bytes that only PINGREQ and DISCONNECT may take.
pub(super) const LAST_LEN: usize = 4;

/// Where the records are.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    /// The first record that is not dead.
    pub(super) head: usize,
    /// The record that is being sent, or is sent next.
    pub(super) rec: usize,
    /// The next byte to be sent.
    pub(super) cur: usize,
    /// Behind the last record.
    pub(super) tail: usize,
    /// Bytes that would be left if all dead ones went.
    pub(super) live: usize,
    /// Bytes behind `cur` that the transport was offered, and has not said to have taken.
    pub(super) offered: usize,
    /// Bytes that are kept for control packets.
    pub(super) reserve: usize,
    /// Control packets that have not left.
    pub(super) control: u32,
    /// Streamed messages that have not left whole.
    pub(super) streams: u32,
    /// Streamed messages that are not answered: a lost link makes them stream again.
    kept_streams: u32,
    /// The streamed message whose turn it is.
    pub(super) stream: Stream,
    /// The time-out for the oldest record runs.
    pub(super) is_watched: bool,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Queue {
            head: 0,
            rec: 0,
            cur: 0,
            tail: 0,
            live: 0,
            offered: 0,
            reserve: MIN_RESERVE,
            control: 0,
            streams: 0,
            kept_streams: 0,
            stream: Stream::None,
            is_watched: false,
        }
    }

    /// Free room that streamed messages keep to pass through, or packets behind them could block them for ever.
    pub(super) fn window(&self) -> usize {
        if LARGE_MESSAGES && self.kept_streams > 0 { WINDOW } else { 0 }
    }

    /// A streamed message was taken in.
    pub(super) fn keep_stream(&mut self) {
        self.streams = self.streams.wrapping_add(1);
        self.kept_streams = self.kept_streams.wrapping_add(1);
    }

    /// Whether a packet has left in part.
    pub(super) fn is_inside_packet(&self) -> bool {
        self.cur != self.rec
    }

    /// This record is the next to be sent.
    pub(super) fn jump(&mut self, at: usize) {
        (self.rec, self.cur) = (at, at);
    }

    /// Whether everything has left.
    pub(super) fn is_sent(&self) -> bool {
        self.cur == self.tail
    }

    /// Whether the oldest record has left whole and waits for an answer.
    pub(super) fn is_waiting(&self) -> bool {
        self.head < self.rec
    }

    /// The record here, if there is one.
    pub(super) fn record(&self, bytes: &[u8], at: usize) -> Option<Record> {
        if at < self.tail { Record::read(bytes, at) } else { None }
    }
}

/// Why the queue cannot take a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// Not now.
    Full,
    /// Never: it is larger than the queue.
    TooLarge,
    /// Not while the payload of a streamed message passes through.
    Streaming,
}

impl Inner<[Slot]> {
    /// The request that this record belongs to: the one whose slot says that its packet is here.
    #[inline]
    pub(super) fn owner(&self, tx: &[u8], record: &Record) -> Option<PacketId> {
        record.id(tx).filter(|id| self.session.place(*id) == Some(record.at))
    }
}

impl Outbound<'_> {
    /// The record here, if there is one.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))] // one copy of it, where flash is small
    pub(super) fn record(&self, at: usize) -> Option<Record> {
        self.inner.queue.record(self.tx, at)
    }

    /// The request that this record belongs to.
    pub(super) fn owner(&self, record: &Record) -> Option<PacketId> {
        self.inner.owner(self.tx, record)
    }

    /// Where the packet of a request is, if it has left whole: else nothing answers it.
    pub(super) fn sent_place(&self, id: PacketId) -> Option<usize> {
        self.inner.session.place(id).filter(|at| *at < self.inner.queue.rec)
    }

    /// Whether the packet of a request may have left, though the transport has not said so yet.
    pub(super) fn is_offered(&self, id: PacketId) -> bool {
        let queue = &self.inner.queue;
        let offered = queue.rec..queue.cur.wrapping_add(queue.offered);
        queue.offered > 0 && self.inner.session.place(id).is_some_and(|at| offered.contains(&at))
    }

    /// Whether a PUBLISH is being sent again. What answers its first sending has to wait until it has left, or PUBREL
    /// would pass it.
    pub(super) fn is_repeated(&self, id: PacketId) -> bool {
        let record = self.inner.session.place(id).and_then(|at| self.record(at));
        record.is_some_and(|record| record.was_attempted(self.tx))
    }

    /// Bytes that messages can have.
    pub(super) fn limit(&self) -> usize {
        self.tx.len().saturating_sub(self.inner.queue.reserve)
    }

    /// Bytes that messages and control packets can have.
    fn room(&self) -> usize {
        match self.inner.queue.stream {
            Stream::Begun { base, .. } if LARGE_MESSAGES => base,
            _ => self.tx.len(),
        }
    }

    /// Sets aside room for control packets, of which this is the largest.
    pub(super) fn set_reserve(&mut self, largest: usize) {
        self.inner.queue.reserve = (self.tx.len() >> 3).clamp(MIN_RESERVE, MAX_RESERVE).max(largest);
    }

    /// Makes room for a message behind the last record.
    pub(super) fn make_room(&mut self, needed: usize) -> Result<(), NoRoom> {
        let window = self.inner.queue.window();
        let room = self.limit().saturating_sub(window);
        if needed > room {
            return Err(if window == 0 { NoRoom::TooLarge } else { NoRoom::Full });
        }
        if self.inner.queue.is_streaming() {
            return Err(NoRoom::Streaming);
        }
        if self.inner.queue.live.wrapping_add(needed) > room {
            return Err(NoRoom::Full);
        }
        if self.inner.queue.tail.wrapping_add(needed) > room {
            self.compact();
        }
        Ok(())
    }

    /// A packet of this length was written behind the last one.
    pub(super) fn appended(&mut self, id: Option<PacketId>, len: usize) {
        let Inner { queue, session, .. } = &mut *self.inner;
        if let Some(id) = id {
            session.set_place(id, queue.tail);
        }
        queue.tail = queue.tail.wrapping_add(len);
        queue.live = queue.live.wrapping_add(len);
    }

    /// Whether one more answer has a place.
    pub(super) fn has_room(&self) -> bool {
        self.inner.queue.live.wrapping_add(ACK_LEN).wrapping_add(LAST_LEN) <= self.room()
    }

    /// Queues a control packet; says where it is. Callers have asked [`has_room`](Self::has_room), or it is PINGREQ or
    /// DISCONNECT.
    pub(super) fn push_control(&mut self, packet: &[u8]) -> usize {
        let at = self.control_place(packet.len());
        write(self.tx, at, packet);
        at
    }

    /// Queues an answer; says where it is. The caller has asked [`has_room`](Self::has_room).
    pub(super) fn answer(&mut self, packet_type: PacketType, id: PacketId) -> usize {
        let [high, low] = id.get().to_be_bytes();
        self.push_control(&[packet_type.first_byte(), 2, high, low])
    }

    /// Makes a place for a control packet that is known to fit: behind all else, but before streamed messages of which nothing
    /// has left.
    pub(super) fn control_place(&mut self, len: usize) -> usize {
        self.make_way(len);
        self.inner.queue.control = self.inner.queue.control.wrapping_add(1);
        let at = self.next_streamed();
        self.open_gap(at, len);
        at
    }

    /// Sees to it that so many bytes, which are known to be free, are so behind the last record.
    pub(super) fn make_way(&mut self, len: usize) {
        if self.inner.queue.tail.wrapping_add(len) > self.room() {
            self.compact();
        }
    }

    /// All records that end before `cur` have left; says whether one has.
    pub(super) fn pass(&mut self) -> bool {
        let mut passed = false;
        while let Some(record) = self.record(self.inner.queue.rec) {
            if record.end > self.inner.queue.cur {
                break;
            }
            self.record_sent(&record);
            passed = true;
        }
        self.skip_dead();
        passed
    }

    /// A record has left whole.
    pub(super) fn record_sent(&mut self, record: &Record) {
        self.inner.queue.rec = record.end;
        let owner = self.owner(record);
        if record.is_control() {
            self.inner.queue.control = self.inner.queue.control.wrapping_sub(1);
        }
        match owner {
            Some(id) => self.inner.session.sent(id),
            None => self.kill(record),
        }
        if record.first == PacketType::PingReq.first_byte() {
            self.inner.ping_sent();
        }
    }

    /// The record is not needed any more.
    pub(super) fn kill(&mut self, record: &Record) {
        let queue = &mut self.inner.queue;
        queue.live = queue.live.wrapping_sub(record.len());
        if record.is_streamed() {
            queue.kept_streams = queue.kept_streams.wrapping_sub(1);
        }
        write(self.tx, record.at, &[DEAD]);
    }

    /// The record here is answered.
    pub(super) fn answered(&mut self, at: usize) {
        let oldest = at == self.inner.queue.head;
        if let Some(record) = self.record(at) {
            self.kill(&record);
        }
        self.skip_dead();
        self.watch_answers(oldest);
    }

    fn skip_dead(&mut self) {
        while self.inner.queue.head < self.inner.queue.rec {
            match self.record(self.inner.queue.head) {
                Some(record) if record.is_dead() => self.inner.queue.head = record.end,
                _ => return,
            }
        }
        if self.inner.queue.head == self.inner.queue.tail {
            self.compact();
        }
    }
}
