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

use super::bytes::{move_down, write};
use super::record::{DEAD, DUP, PUBREL_LEN, RELEASED, Record};
use super::stream::{Stream, WINDOW};
use crate::PacketId;
use crate::session::{Session, Slot};

/// Where the records are.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    /// The first record that is not dead.
    head: usize,
    /// The record that is being sent, or is sent next.
    pub(super) rec: usize,
    /// The next byte to be sent.
    pub(super) cur: usize,
    /// Behind the last record.
    pub(super) tail: usize,
    /// Bytes that would be left if all dead ones went.
    live: usize,
    /// No released record lies behind this one.
    last_released: usize,
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

    /// Bytes that compaction would leave.
    #[inline]
    pub(super) fn live(&self) -> usize {
        self.live
    }

    /// Free room that streamed messages keep to pass through, or packets behind them could block them for ever.
    #[inline]
    pub(super) fn window(&self) -> usize {
        if self.kept_streams > 0 { WINDOW } else { 0 }
    }

    /// A streamed message was taken in.
    pub(super) fn keep_stream(&mut self) {
        self.streams = self.streams.saturating_add(1);
        self.kept_streams = self.kept_streams.saturating_add(1);
    }

    /// The record of a streamed message goes, or stands for its PUBREL from now on.
    #[inline]
    fn drop_stream(&mut self, record: &Record) {
        if record.is_streamed() {
            self.kept_streams = self.kept_streams.saturating_sub(1);
        }
    }

    /// Whether a packet has left in part.
    #[inline]
    pub(super) fn is_inside_packet(&self) -> bool {
        self.cur != self.rec
    }

    /// Whether everything has left.
    #[inline]
    pub(super) fn is_sent(&self) -> bool {
        self.cur == self.tail
    }

    /// Whether the oldest record has left whole and waits for an answer.
    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        self.head < self.rec
    }

    /// What is to be sent: all, or only the rest of a packet that has left in part.
    #[inline]
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

    /// Bytes that [`Arena::give_up`] would leave.
    pub(super) fn live_without(&self, bytes: &[u8], what: GiveUp) -> usize {
        let mut live = self.live;
        let mut at = self.head;
        while let Some(record) = self.record(bytes, at) {
            if what.covers(&record, bytes) {
                live = live.saturating_sub(record.live_len());
            }
            at = record.end;
        }
        live
    }

    /// The record here, if the arena has one.
    #[inline]
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

/// What a PUBREC has changed.
pub(super) struct Released {
    /// Its message was the oldest.
    pub(super) oldest: bool,
    /// The message whose PUBREL goes now.
    pub(super) turn: PacketId,
}

/// The arena at work: its marks, its bytes, and where the record of each slot lies.
pub(super) struct Arena<'a> {
    pub(super) marks: &'a mut Marks,
    pub(super) bytes: &'a mut [u8],
    pub(super) positions: &'a mut [u32],
}

impl<'a> Arena<'a> {
    pub(super) fn record(&self, at: usize) -> Option<Record> {
        self.marks.record(self.bytes, at)
    }

    pub(super) fn id(&self, record: &Record) -> Option<PacketId> {
        record.id(self.bytes)
    }

    #[inline]
    fn position(&mut self, id: PacketId) -> Option<&mut u32> {
        let mask = self.positions.len().wrapping_sub(1);
        self.positions.get_mut(usize::from(id.get()) & mask)
    }

    #[inline]
    fn set_position(&mut self, id: PacketId, at: usize) {
        if let Some(position) = self.position(id) {
            *position = at as u32;
        }
    }

    /// The record of a request that is under way.
    #[inline]
    fn record_of(&mut self, id: PacketId) -> Option<Record> {
        let at = *self.position(id)? as usize;
        self.record(at)
    }

    /// Makes room for a packet; it is to be written to the front of what comes back.
    #[inline]
    pub(super) fn reserve(mut self, needed: usize) -> Result<&'a mut [u8], NoRoom> {
        let window = self.marks.window();
        let room = self.bytes.len().saturating_sub(window);
        if needed > room {
            return Err(if window == 0 { NoRoom::TooLarge } else { NoRoom::Full });
        }
        if self.marks.is_streaming() {
            return Err(NoRoom::Streaming);
        }
        if self.marks.live.saturating_add(needed) > room {
            return Err(NoRoom::Full);
        }
        if self.marks.tail.saturating_add(needed) > room {
            self.compact();
        }
        if self.marks.tail.saturating_add(needed) > room {
            return Err(NoRoom::Full);
        }
        self.bytes.get_mut(self.marks.tail..).ok_or(NoRoom::Full)
    }

    /// A packet of this length was written where [`reserve`](Self::reserve) had said.
    #[inline]
    pub(super) fn appended(&mut self, id: Option<PacketId>, len: usize) {
        if let Some(id) = id {
            self.set_position(id, self.marks.tail);
        }
        self.marks.tail = self.marks.tail.saturating_add(len);
        self.marks.live = self.marks.live.saturating_add(len);
    }

    /// So many bytes have left; says whether a whole packet did.
    #[inline]
    pub(super) fn sent(&mut self, session: &mut Session<[Slot]>, len: usize) -> bool {
        if self.marks.is_streaming() {
            return self.stream_sent(session, len);
        }
        self.marks.cur = self.marks.cur.saturating_add(len).min(self.marks.tail);
        let before = self.marks.rec;
        while self.marks.rec < self.marks.cur {
            let Some(record) = self.record(self.marks.rec).filter(|record| record.end <= self.marks.cur)
            else {
                break;
            };
            self.record_sent(session, &record);
        }
        let whole = self.marks.rec != before;
        self.skip_dead();
        whole
    }

    /// A record has left whole.
    #[inline]
    pub(super) fn record_sent(&mut self, session: &mut Session<[Slot]>, record: &Record) {
        self.marks.rec = record.end;
        match self.id(record) {
            Some(id) => session.sent(id),
            None => self.kill(record),
        }
    }

    /// The request is answered to the end; says whether it was the oldest.
    #[inline]
    pub(super) fn answered(&mut self, id: PacketId) -> bool {
        let Some(record) = self.record_of(id) else { return false };
        let oldest = record.at == self.marks.head;
        self.kill(&record);
        self.skip_dead();
        oldest
    }

    /// Whether a PUBLISH has left at least in part, on this connection or an earlier one.
    pub(super) fn was_attempted(&mut self, id: PacketId) -> bool {
        self.record_of(id)
            .is_some_and(|record| record.was_attempted(self.bytes) || record.at < self.marks.cur)
    }

    /// Whether a PUBREL that is sent again has left in part.
    #[inline]
    pub(super) fn is_inside_released(&self) -> bool {
        self.marks.is_inside_packet()
            && self.record(self.marks.rec).is_some_and(|record| record.is_released())
    }

    /// PUBREC came for this PUBLISH: the record stands for its PUBREL from now on.
    #[inline]
    pub(super) fn released(&mut self, id: PacketId) -> Released {
        let Some(record) = self.record_of(id) else { return Released { oldest: false, turn: id } };
        self.marks.live = self.marks.live.saturating_sub(record.len().saturating_sub(PUBREL_LEN));
        self.marks.drop_stream(&record);
        write(self.bytes, record.at, &[RELEASED]);
        write(self.bytes, record.body, &id.get().to_be_bytes());
        let mut turn = id;
        if record.at < self.marks.last_released {
            turn = self.rotate(record.at, id);
        } else {
            self.marks.last_released = record.at;
        }
        Released { oldest: record.at == self.marks.head, turn }
    }

    /// PUBREL goes out in the order of PUBREC (MQTT-4.6.0-4): the identifier goes to the last released record, and
    /// those from the first to there move one record to the front. Says whose PUBREL goes now: of the one that moves
    /// from what is still to be sent to what was sent, if there is one.
    fn rotate(&mut self, first: usize, id: PacketId) -> PacketId {
        let mut turn = id;
        let mut hole = first;
        let mut at = first;
        while let Some(record) = self.record(at).filter(|record| record.at <= self.marks.last_released) {
            if record.is_released() && record.at != first {
                if let Some(moved) = self.id(&record) {
                    self.put_released(hole, moved);
                    if hole < self.marks.rec && record.at >= self.marks.rec {
                        turn = moved;
                    }
                }
                hole = record.at;
            }
            at = record.end;
        }
        self.put_released(hole, id);
        turn
    }

    fn put_released(&mut self, at: usize, id: PacketId) {
        if let Some(record) = self.record(at) {
            write(self.bytes, record.body, &id.get().to_be_bytes());
            self.set_position(id, at);
        }
    }

    /// The link is lost: what the server has not answered is to be sent again from its first byte, with DUP where
    /// the server may have seen it. QoS 0, SUBSCRIBE and UNSUBSCRIBE go.
    pub(super) fn rewind(&mut self) {
        let cur = self.marks.cur;
        self.marks.stream = Stream::None;
        self.marks.streams = 0;
        self.marks.is_watched = false;
        self.for_each(|arena, record| {
            if record.is_released() {
                return;
            }
            if record.publish_at().is_none() || arena.id(record).is_none() {
                return arena.kill(record);
            }
            if record.at < cur {
                arena.set_dup(record);
            }
            arena.marks.streams = arena.marks.streams.saturating_add(u32::from(record.is_streamed()));
        });
        self.restart();
    }

    /// Sends everything again that has left and is not answered. In 3.1, `dup` is set in all of it.
    pub(super) fn retry(&mut self, dup: bool) {
        self.marks.streams = 0;
        self.for_each(|arena, record| {
            if record.publish_at().is_some() || (dup && !record.is_dead()) {
                arena.set_dup(record);
            }
            arena.marks.streams = arena.marks.streams.saturating_add(u32::from(record.is_streamed()));
        });
        self.restart();
    }

    /// Marks a packet as one that the server may have seen.
    pub(super) fn set_dup(&mut self, record: &Record) {
        let at = record.publish_at().unwrap_or(record.at);
        let first = self.bytes.get(at).copied().unwrap_or(DEAD);
        write(self.bytes, at, &[first | DUP]);
    }

    /// Gives records up, and tells the session. Only while nothing has left on this connection.
    pub(super) fn give_up(&mut self, session: &mut Session<[Slot]>, what: GiveUp) {
        self.for_each(|arena, record| {
            if what.covers(record, arena.bytes) {
                if let Some(id) = arena.id(record) {
                    session.abandon(id);
                }
                let streamed = u32::from(record.is_streamed());
                arena.marks.streams = arena.marks.streams.saturating_sub(streamed);
                arena.kill(record);
            }
        });
        self.restart();
    }

    /// A PUBREL that is sent again has DUP set in 3.1; 3.1.1 reserves the bit.
    pub(super) fn mark_released(&mut self, dup: bool) {
        self.for_each(|arena, record| {
            if record.is_released() {
                write(arena.bytes, record.at, &[if dup { RELEASED | DUP } else { RELEASED }]);
            }
        });
    }

    fn for_each(&mut self, mut f: impl FnMut(&mut Self, &Record)) {
        let mut at = self.marks.head;
        while let Some(record) = self.record(at) {
            f(self, &record);
            at = record.end;
        }
    }

    pub(super) fn kill(&mut self, record: &Record) {
        self.marks.live = self.marks.live.saturating_sub(record.live_len());
        self.marks.drop_stream(record);
        write(self.bytes, record.at, &[DEAD]);
    }

    #[inline]
    pub(super) fn skip_dead(&mut self) {
        while self.marks.head < self.marks.rec {
            match self.record(self.marks.head) {
                Some(record) if record.is_dead() => self.marks.head = record.end,
                _ => return,
            }
        }
        if self.marks.head == self.marks.tail {
            *self.marks = Marks::new();
        }
    }

    /// Everything that is left is sent again, from the first byte on.
    fn restart(&mut self) {
        (self.marks.rec, self.marks.cur) = (self.marks.head, self.marks.head);
        self.compact();
    }

    /// Moves what lives to the front, in its order, and shortens released records to a PUBREL.
    pub(super) fn compact(&mut self) {
        let sent_of_rec = self.marks.cur.saturating_sub(self.marks.rec);
        let mut rec = None;
        let mut to = 0;
        let mut at = self.marks.head;
        self.marks.last_released = 0;
        while let Some(record) = self.record(at) {
            if at >= self.marks.rec && rec.is_none() {
                rec = Some(to);
            }
            // What has left in part goes on, even if it has been answered in the meantime.
            let half_sent = at == self.marks.rec && sent_of_rec > 0;
            at = record.end;
            if half_sent || !record.is_dead() {
                to = self.move_record(&record, to);
            }
        }
        self.marks.head = 0;
        self.marks.tail = to;
        self.marks.rec = rec.unwrap_or(to);
        self.marks.cur = self.marks.rec.saturating_add(sent_of_rec);
    }

    /// Moves one record; says where the next one goes.
    fn move_record(&mut self, record: &Record, to: usize) -> usize {
        let id = record.id(self.bytes);
        let len = if record.is_dead() { record.len() } else { record.live_len() };
        if let (true, Some(id)) = (record.is_released(), id) {
            let [high, low] = id.get().to_be_bytes();
            write(self.bytes, to, &[record.first, 2, high, low]);
            self.marks.last_released = to;
        } else {
            move_down(self.bytes, record.at, to, len);
        }
        if let Some(id) = id {
            self.set_position(id, to);
        }
        to.saturating_add(len)
    }
}
