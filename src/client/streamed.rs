//! Messages whose payload the application hands over piece by piece: what it asks for. How they leave is in
//! [`stream`](super::stream).

use super::bytes::write;
use super::outbound::Outbound;
use super::queue::{ACK_LEN, LAST_LEN};
use super::record::{Record, STREAMED};
use super::stream::{Stream, WINDOW};
use super::{RequestError, StreamError, StreamedMessage};
use crate::codec::{self, EncodeError, Publish};
use crate::{Instant, PacketId, QoS, TopicName};

impl Outbound<'_> {
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
        let len = codec::packet_len(body_len);
        // Besides the head, some of the payload must have room.
        let room = self.reserve(len.wrapping_add(WINDOW))?;
        codec::write_header(room, STREAMED, body_len);
        let id = delivery.id().map_or(0, PacketId::get);
        let head_at = len.wrapping_sub(head_len);
        write(room, head_at.wrapping_sub(2), &id.to_be_bytes());
        // There is room, so this cannot fail.
        let _ = publish.encode_head(version, payload_len, room.get_mut(head_at..).unwrap_or_default());
        self.inner.queue.keep_stream();
        self.commit(request, len);
        Ok(delivery.id())
    }

    /// See [`Client::write_payload`](crate::Client::write_payload).
    pub fn write_payload(&mut self, payload: &[u8], now: Instant) -> Result<usize, StreamError> {
        self.inner.timers.set_now(now);
        match self.inner.queue.stream {
            Stream::None => return Err(StreamError::NotAsked),
            Stream::Asked => {
                let left = self.payload_len().ok_or(StreamError::NotAsked)?;
                self.inner.queue.stream = Stream::Begun { left, base: 0, cur: 0, fill: 0 };
            }
            Stream::Begun { .. } => {}
        }
        let len = self.fill_window(payload);
        self.watch_output(false);
        Ok(len)
    }

    /// See [`Client::abandon_payload`](crate::Client::abandon_payload).
    pub fn abandon_payload(&mut self) -> Result<(), StreamError> {
        if self.inner.queue.stream != Stream::Asked {
            return Err(StreamError::NotAsked);
        }
        let record = self.record(self.next_streamed()).ok_or(StreamError::NotAsked)?;
        if let Some(id) = self.owner(&record) {
            self.inner.session.abandon(id);
        }
        self.kill(&record);
        self.inner.queue.stream = Stream::None;
        self.inner.queue.streams = self.inner.queue.streams.wrapping_sub(1);
        self.compact();
        Ok(())
    }

    /// Takes in more of the payload; says how many bytes.
    fn fill_window(&mut self, payload: &[u8]) -> usize {
        self.place_window();
        let Stream::Begun { left, base, cur, fill } = self.inner.queue.stream else { return 0 };
        let window = self.tx.get_mut(fill..).unwrap_or_default();
        let len = payload.len().min(left).min(window.len());
        if let Some((window, payload)) = window.get_mut(..len).zip(payload.get(..len)) {
            window.copy_from_slice(payload);
        }
        let (left, fill) = (left.wrapping_sub(len), fill.wrapping_add(len));
        self.inner.queue.stream = Stream::Begun { left, base, cur, fill };
        len
    }

    /// While nothing of the payload is here: sets aside the end of the buffer for it, with room for answers before.
    fn place_window(&mut self) {
        let Stream::Begun { left, cur, fill, .. } = self.inner.queue.stream else { return };
        if cur != fill {
            return;
        }
        self.compact();
        let queue = &mut self.inner.queue;
        let most = self.tx.len().saturating_sub(WINDOW);
        // At the least, the answer that is owed for the event has a place, and PINGREQ.
        let least = queue.tail.wrapping_add(ACK_LEN).wrapping_add(LAST_LEN);
        let base = queue.tail.wrapping_add(queue.reserve).min(most).max(least).min(self.tx.len());
        queue.stream = Stream::Begun { left, base, cur: base, fill: base };
    }

    /// Bytes of payload of the message whose turn it is: what its PUBLISH announces, less the rest of the head.
    fn payload_len(&self) -> Option<usize> {
        let record = self.record(self.next_streamed())?;
        let publish = Record::read(self.tx, record.publish_at()?)?;
        Some(publish.end.wrapping_sub(record.end))
    }
}
