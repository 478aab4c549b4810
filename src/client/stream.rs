//! Messages whose payload the application hands over piece by piece.
//!
//! The head of such a message (fixed header, topic, identifier) waits in the queue like any other packet. When its turn comes,
//! the application is asked for the payload, which passes through the end of the transmit buffer. A lost link puts the
//! message back in its place, and the application is asked again.

use core::ops::Range;

use super::LARGE_MESSAGES;
use super::bytes::{move_up, write};
use super::link::State;
use super::outbound::Outbound;
use super::queue::{ACK_LEN as PUBREL_LEN, Queue};
use super::record::Record;
use crate::PacketId;

/// Bytes of free room that a streamed message is sure of.
pub(super) const WINDOW: usize = 64;

/// How far the streamed message is whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    /// There is none, or the application has not been asked yet.
    None,
    /// The application has been asked for the payload.
    Asked,
    /// It has handed some over, which passes through the end of the transmit buffer.
    Begun {
        /// Bytes that it has still to hand over.
        left: usize,
        /// Where the room begins that the payload passes through.
        base: usize,
        /// The next byte to be sent.
        cur: usize,
        /// Behind the last byte that was handed over.
        fill: usize,
    },
}

impl Queue {
    /// Whether a payload passes through, or is about to: no message is taken in.
    pub(super) fn is_streaming(&self) -> bool {
        LARGE_MESSAGES && matches!(self.stream, Stream::Begun { .. })
    }
}

impl Outbound<'_> {
    /// The first streamed message of which nothing has left; behind the last record if there is none.
    pub(super) fn next_streamed(&self) -> usize {
        let queue = &self.inner.queue;
        if !LARGE_MESSAGES || queue.streams == 0 {
            return queue.tail;
        }
        let mut at = queue.rec;
        let mut begun = queue.is_inside_packet() || (queue.is_streaming() && queue.offered > 0);
        while let Some(record) = self.record(at).filter(|record| begun || !record.is_streamed()) {
            at = record.end;
            begun = false;
        }
        at
    }

    /// The message whose payload passes through, once it is its turn.
    pub(super) fn streaming(&self) -> Option<Record> {
        let queue = &self.inner.queue;
        if queue.is_streaming() { self.record(queue.rec).filter(Record::is_streamed) } else { None }
    }

    /// What is to be sent of it: its head, then the payload.
    pub(super) fn next_of_stream(&self, record: &Record) -> Range<usize> {
        let queue = &self.inner.queue;
        match queue.stream {
            _ if queue.cur < record.end => {
                queue.cur.max(record.publish_at().unwrap_or(record.end))..record.end
            }
            Stream::Begun { cur, fill, .. } => cur..fill,
            _ => 0..0,
        }
    }

    /// So many bytes of it have left; says whether it has left whole.
    pub(super) fn stream_sent(&mut self, record: &Record, len: usize) -> bool {
        let Stream::Begun { left, base, mut cur, mut fill } = self.inner.queue.stream else { return false };
        if self.inner.queue.cur < record.end {
            self.inner.queue.cur = self.next_of_stream(record).start.wrapping_add(len);
        } else {
            cur = cur.wrapping_add(len);
        }
        if cur == fill {
            (cur, fill) = (base, base);
        }
        self.inner.queue.stream = Stream::Begun { left, base, cur, fill };
        let whole = self.inner.queue.cur == record.end && left == 0 && cur == fill;
        if whole {
            self.inner.queue.stream = Stream::None;
            self.inner.queue.streams = self.inner.queue.streams.wrapping_sub(1);
            self.pass();
        }
        whole
    }

    /// Moves what is here, and all behind it, towards the back.
    pub(super) fn open_gap(&mut self, at: usize, len: usize) {
        let behind = self.inner.queue.tail.wrapping_sub(at);
        self.appended(None, len);
        if LARGE_MESSAGES && behind > 0 {
            move_up(self.tx, at, at.wrapping_add(len), behind);
            self.inner.session.shift_places(at, len);
        }
    }

    /// PUBRELs that lie behind a streamed message would wait for its payload, and later ones pass them: they go before it.
    /// What is dead then goes when the payload is begun.
    pub(super) fn pull_releases(&mut self) {
        let mut at = self.next_streamed();
        while let Some(record) = self.record(at).filter(|_| LARGE_MESSAGES) {
            at = record.end;
            if let Some(id) = self.owner(&record).filter(|_| record.is_pubrel()) {
                self.kill(&record);
                self.make_way(PUBREL_LEN);
                let place = self.next_streamed();
                self.open_gap(place, PUBREL_LEN);
                let [high, low] = id.get().to_be_bytes();
                write(self.tx, place, &[record.first, 2, high, low]);
                self.inner.session.set_place(id, place);
                at = self.next_streamed();
            }
        }
    }

    /// The streamed message whose payload the application is to be asked for now.
    pub(super) fn take_stream_ready(&mut self) -> Option<Option<PacketId>> {
        let queue = &self.inner.queue;
        if !LARGE_MESSAGES
            || queue.streams == 0
            || queue.stream != Stream::None
            || self.inner.link.state != State::Connected
        {
            return None;
        }
        let record = self.record(queue.rec).filter(Record::is_streamed)?;
        self.inner.queue.stream = Stream::Asked;
        Some(self.owner(&record))
    }
}
