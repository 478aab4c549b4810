//! Messages whose payload the application hands over piece by piece.
//!
//! The head of such a message (fixed header, topic, identifier) waits in the arena like any other packet. When its
//! turn comes, the application is asked for the payload, which passes through the free room behind the arena. A lost
//! link puts the message back in its place, and the application is asked again.

use super::arena::Marks;
use super::bytes::write;
use super::link::State;
use super::outbound::Outbound;
use super::record::{Record, STREAMED};
use super::{RequestError, StreamError, StreamedMessage};
use crate::codec::{EncodeError, Publish};
use crate::{Instant, PacketId, QoS, TopicName};

/// Bytes of free room that a streamed message is sure of.
pub(super) const WINDOW: usize = 64;

/// How far the streamed message is whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    /// There is none, or the application has not been asked yet.
    None,
    /// The application has been asked for the payload.
    Asked,
    /// It has handed some over.
    Begun {
        /// Bytes that it has still to hand over.
        left: usize,
        /// The next byte to be sent, counted from the arena's tail.
        cur: usize,
        /// Behind the last byte that was handed over, counted likewise.
        fill: usize,
    },
}

impl Marks {
    /// Whether a payload passes through: no other packet can be sent or taken in.
    pub(super) fn is_streaming(&self) -> bool {
        matches!(self.stream, Stream::Begun { .. })
    }

    /// Whether nothing can be sent before the application has been asked for a payload, or has answered.
    pub(super) fn waits_for_payload(&self, bytes: &[u8]) -> bool {
        self.streams > 0
            && !self.is_streaming()
            && !self.is_inside_packet()
            && self.record(bytes, self.rec).is_some_and(|record| record.is_streamed())
    }

    /// What is to be sent while some message is streamed: what stands before it, its head, its payload.
    pub(super) fn pending_of_stream<'a>(&self, bytes: &'a [u8], end: usize) -> &'a [u8] {
        let Some(record) = self.record(bytes, self.rec) else { return &[] };
        let range = match self.stream {
            Stream::Begun { .. } if self.cur < record.end => {
                let head_at = record.publish_at().unwrap_or(record.end);
                self.cur.max(head_at)..record.end
            }
            Stream::Begun { cur, fill, .. } => self.tail.wrapping_add(cur)..self.tail.wrapping_add(fill),
            _ => self.cur..self.next_streamed(bytes).min(end),
        };
        bytes.get(range).unwrap_or_default()
    }

    fn next_streamed(&self, bytes: &[u8]) -> usize {
        let mut at = self.rec;
        while let Some(record) = self.record(bytes, at).filter(|record| !record.is_streamed()) {
            at = record.end;
        }
        at
    }
}

impl Outbound<'_> {
    /// So many bytes of the streamed message have left; says whether it has left whole.
    pub(super) fn stream_sent(&mut self, len: usize) -> bool {
        let Some(record) = self.record(self.inner.marks.rec) else { return false };
        let Stream::Begun { left, mut cur, fill } = self.inner.marks.stream else { return false };
        if self.inner.marks.cur < record.end {
            let head_at = record.publish_at().unwrap_or(record.end);
            self.inner.marks.cur = self.inner.marks.cur.max(head_at).wrapping_add(len).min(record.end);
        } else {
            cur = cur.wrapping_add(len).min(fill);
        }
        self.inner.marks.stream = if cur == fill {
            Stream::Begun { left, cur: 0, fill: 0 }
        } else {
            Stream::Begun { left, cur, fill }
        };
        let whole = self.inner.marks.cur == record.end && left == 0 && cur == fill;
        if whole {
            self.inner.marks.stream = Stream::None;
            self.inner.marks.streams = self.inner.marks.streams.wrapping_sub(1);
            self.record_sent(&record);
            self.skip_dead();
        }
        whole
    }

    /// Takes in more of the payload; says how many bytes.
    fn fill_window(&mut self, payload: &[u8]) -> usize {
        let Stream::Begun { left, cur, fill } = self.inner.marks.stream else { return 0 };
        let at = self.inner.marks.tail.wrapping_add(fill);
        let len = payload.len().min(left).min(self.limit().wrapping_sub(at));
        let Some((window, payload)) = self.tx.get_mut(at..).zip(payload.get(..len)) else { return 0 };
        if let Some(window) = window.get_mut(..len) {
            window.copy_from_slice(payload);
        }
        self.inner.marks.stream =
            Stream::Begun { left: left.wrapping_sub(len), cur, fill: fill.wrapping_add(len) };
        len
    }

    /// Bytes of payload that a streamed message has: what its PUBLISH announces, less the rest of the head.
    fn payload_len(&self, record: &Record) -> Option<usize> {
        let publish = Record::read(self.tx, record.publish_at()?)?;
        Some(publish.end.wrapping_sub(record.end))
    }

    /// See [`Client::publish_streamed`](crate::Client::publish_streamed).
    pub fn publish_streamed(
        &mut self,
        message: &StreamedMessage<'_>,
        now: Instant,
    ) -> Result<Option<PacketId>, RequestError> {
        self.inner.timers.set_now(now);
        let topic = TopicName::new(message.topic)?;
        if message.qos != QoS::AtMostOnce && !message.repeatable {
            return Err(RequestError::NotRepeatable);
        }
        let (delivery, request) = self.begin_publish(message.qos)?;
        let publish = Publish { topic, payload: &[], delivery, retain: message.retain };
        let (version, payload_len) = (self.inner.link.version, message.payload_len);
        let head_len = match publish.encode_head(version, payload_len, &mut []) {
            Err(EncodeError::Forbidden(violation)) => return Err(violation.into()),
            Err(EncodeError::BufferTooSmall { needed }) => needed,
            Ok(len) => len,
        };
        let body_len = head_len.wrapping_add(2);
        let len = crate::codec::packet_len(body_len);
        // Besides the head, some of the payload must have room.
        let room = self.reserve(len.wrapping_add(WINDOW))?;
        crate::codec::write_header(room, STREAMED, body_len);
        let id = delivery.id().map_or(0, PacketId::get);
        let head_at = len.wrapping_sub(head_len);
        write(room, head_at.wrapping_sub(2), &id.to_be_bytes());
        // There is room, so this cannot fail.
        let _ = publish.encode_head(version, payload_len, room.get_mut(head_at..).unwrap_or_default());
        self.inner.marks.keep_stream();
        self.commit(request, len);
        Ok(delivery.id())
    }

    /// The streamed message whose payload the application is to be asked for now.
    pub(super) fn take_stream_ready(&mut self) -> Option<Option<PacketId>> {
        if self.inner.link.state != State::Connected || self.inner.marks.stream != Stream::None {
            return None;
        }
        if !self.inner.marks.waits_for_payload(self.tx) {
            return None;
        }
        let record = self.record(self.inner.marks.rec)?;
        self.inner.marks.stream = Stream::Asked;
        Some(self.id(&record))
    }

    /// See [`Client::write_payload`](crate::Client::write_payload).
    pub fn write_payload(&mut self, payload: &[u8], now: Instant) -> Result<usize, StreamError> {
        self.inner.timers.set_now(now);
        match self.inner.marks.stream {
            Stream::None => return Err(StreamError::NotAsked),
            Stream::Asked => {
                self.compact();
                let record = self.record(self.inner.marks.rec).ok_or(StreamError::NotAsked)?;
                let left = self.payload_len(&record).ok_or(StreamError::NotAsked)?;
                self.inner.marks.stream = Stream::Begun { left, cur: 0, fill: 0 };
            }
            Stream::Begun { .. } => {}
        }
        let len = self.fill_window(payload);
        self.watch_output(false);
        Ok(len)
    }

    /// See [`Client::abandon_payload`](crate::Client::abandon_payload).
    pub fn abandon_payload(&mut self) -> Result<(), StreamError> {
        if self.inner.marks.stream != Stream::Asked {
            return Err(StreamError::NotAsked);
        }
        let record = self.record(self.inner.marks.rec).ok_or(StreamError::NotAsked)?;
        if let Some(id) = self.id(&record) {
            self.inner.session.abandon(id);
        }
        self.kill(&record);
        self.inner.marks.stream = Stream::None;
        self.inner.marks.streams = self.inner.marks.streams.wrapping_sub(1);
        self.compact();
        Ok(())
    }
}
