//! Packets that wait to be sent or answered, encoded, in the order of their publication.
//!
//! The arena is the front part of the transmit buffer. It holds whole packets without gaps. The first byte of each
//! says what it is, so nothing else has to be kept but where the packet of an identifier lies:
//!
//! | first byte | record |
//! |---|---|
//! | `00` | dead: its room can be reclaimed; the length is intact |
//! | `3x` | PUBLISH |
//! | `6x` | released: stands for the PUBREL of a PUBLISH that was here, and has its length until it is moved |
//! | `8x`, `Ax` | SUBSCRIBE, UNSUBSCRIBE |
//! | `F0` | the head of a streamed message, whose payload passes through the free room ([`stream`](super::stream)) |
//!
//! ```text
//! 0       head          rec     cur       tail
//! | dead  | answers due | half  | queued  | free |
//! |       |             | sent  |         |      |
//! ```
//!
//! An answer is taken only for a record that has left whole, so nothing dead lies behind `cur`.

use super::bytes::write;
use super::inner::Inner;
use super::outbound::Outbound;
use super::record::{DEAD, Record};
use super::stream::{Stream, WINDOW};
use crate::PacketId;

/// Where the records are.
#[derive(Clone, Debug)]
pub(super) struct Marks {
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
    /// No released record lies behind this one.
    pub(super) last_released: usize,
    /// Streamed messages that have not left whole.
    pub(super) streams: u32,
    /// Those with streamed messages that have left and are not answered: a lost link makes them stream again.
    kept_streams: u32,
    /// The streamed message whose turn it is.
    pub(super) stream: Stream,
    /// The time-out for the oldest record runs.
    pub(super) is_watched: bool,
}

impl Marks {
    pub(super) const fn new() -> Self {
        Marks {
            head: 0,
            rec: 0,
            cur: 0,
            tail: 0,
            live: 0,
            last_released: 0,
            streams: 0,
            kept_streams: 0,
            stream: Stream::None,
            is_watched: false,
        }
    }

    /// Free room that streamed messages keep to pass through, or packets behind them could block them for ever.
    pub(super) fn window(&self) -> usize {
        if self.kept_streams > 0 { WINDOW } else { 0 }
    }

    /// A streamed message was taken in.
    pub(super) fn keep_stream(&mut self) {
        self.streams = self.streams.wrapping_add(1);
        self.kept_streams = self.kept_streams.wrapping_add(1);
    }

    /// The record of a streamed message goes, or stands for its PUBREL from now on.
    pub(super) fn drop_stream(&mut self, record: &Record) {
        if record.is_streamed() {
            self.kept_streams = self.kept_streams.wrapping_sub(1);
        }
    }

    /// Whether a packet has left in part.
    pub(super) fn is_inside_packet(&self) -> bool {
        self.cur != self.rec
    }

    /// Whether everything has left.
    pub(super) fn is_sent(&self) -> bool {
        self.cur == self.tail
    }

    /// Whether the oldest record has left whole and waits for an answer.
    pub(super) fn is_waiting(&self) -> bool {
        self.head < self.rec
    }

    /// What is to be sent: all, or only the rest of a packet that has left in part.
    pub(super) fn pending<'a>(&self, bytes: &'a [u8], only_begun: bool) -> &'a [u8] {
        let end = if only_begun && self.is_inside_packet() {
            Record::read(bytes, self.rec).map_or(self.tail, |record| record.end)
        } else {
            self.tail
        };
        if self.streams > 0 {
            return self.pending_of_stream(bytes, end);
        }
        bytes.get(self.cur..end).unwrap_or_default()
    }

    /// The record here, if the arena has one.
    pub(super) fn record(&self, bytes: &[u8], at: usize) -> Option<Record> {
        if at < self.tail { Record::read(bytes, at) } else { None }
    }
}

/// Why the arena cannot take a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// Not now.
    Full,
    /// Never: it is larger than the arena.
    TooLarge,
    /// Not while the payload of a streamed message passes through.
    Streaming,
}

impl Outbound<'_> {
    /// The record here, if the arena has one.
    pub(super) fn record(&self, at: usize) -> Option<Record> {
        self.inner.marks.record(self.tx, at)
    }

    pub(super) fn id(&self, record: &Record) -> Option<PacketId> {
        record.id(self.tx)
    }

    /// The record of a request that is under way.
    pub(super) fn record_of(&self, id: PacketId) -> Option<Record> {
        self.record(self.inner.session.place(id))
    }

    /// Makes room for a packet behind the last one.
    pub(super) fn make_room(&mut self, needed: usize) -> Result<(), NoRoom> {
        let window = self.inner.marks.window();
        let room = self.limit().wrapping_sub(window);
        if needed > room {
            return Err(if window == 0 { NoRoom::TooLarge } else { NoRoom::Full });
        }
        if self.inner.marks.is_streaming() {
            return Err(NoRoom::Streaming);
        }
        if self.inner.marks.live.wrapping_add(needed) > room {
            return Err(NoRoom::Full);
        }
        if self.inner.marks.tail.wrapping_add(needed) > room {
            self.compact();
        }
        if self.inner.marks.tail.wrapping_add(needed) > room { Err(NoRoom::Full) } else { Ok(()) }
    }

    /// A packet of this length was written behind the last one.
    pub(super) fn appended(&mut self, id: Option<PacketId>, len: usize) {
        let Inner { marks, session, .. } = &mut *self.inner;
        if let Some(id) = id {
            session.set_place(id, marks.tail);
        }
        marks.tail = marks.tail.wrapping_add(len);
        marks.live = marks.live.wrapping_add(len);
    }

    /// So many bytes have left; says whether a whole packet did.
    pub(super) fn arena_sent(&mut self, len: usize) -> bool {
        if self.inner.marks.is_streaming() {
            return self.stream_sent(len);
        }
        let marks = &mut self.inner.marks;
        marks.cur = marks.cur.wrapping_add(len).min(marks.tail);
        let (before, cur) = (marks.rec, marks.cur);
        while let Some(record) = self.record(self.inner.marks.rec).filter(|record| record.end <= cur) {
            self.record_sent(&record);
        }
        let whole = self.inner.marks.rec != before;
        self.skip_dead();
        whole
    }

    /// A record has left whole.
    pub(super) fn record_sent(&mut self, record: &Record) {
        self.inner.marks.rec = record.end;
        match self.id(record) {
            Some(id) => self.inner.session.sent(id),
            None => self.kill(record),
        }
    }

    /// The request is answered to the end.
    pub(super) fn answered(&mut self, id: PacketId) {
        let Some(record) = self.record_of(id) else { return };
        let oldest = record.at == self.inner.marks.head;
        self.kill(&record);
        self.skip_dead();
        self.watch_answers(oldest);
    }

    pub(super) fn kill(&mut self, record: &Record) {
        let marks = &mut self.inner.marks;
        marks.live = marks.live.wrapping_sub(record.live_len());
        marks.drop_stream(record);
        write(self.tx, record.at, &[DEAD]);
    }

    pub(super) fn skip_dead(&mut self) {
        while self.inner.marks.head < self.inner.marks.rec {
            match self.record(self.inner.marks.head) {
                Some(record) if record.is_dead() => self.inner.marks.head = record.end,
                _ => return,
            }
        }
        if self.inner.marks.head == self.inner.marks.tail {
            self.inner.marks = Marks::new();
        }
    }
}
