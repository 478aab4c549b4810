//! Messages that are larger than the receive buffer: delivered in pieces, or skipped and acknowledged.

use super::advance::{Machine, Step};
use super::error::Fault;
use super::inbound::{Held, Inbound, Large, Progress, Span};
use super::{LARGE_MESSAGES, LargeMessages};
use crate::codec::{Delivery, FixedHeader, PacketType, Publish};
use crate::{PacketId, QoS, Violation};

impl Inbound {
    pub(super) fn is_inside_large(&self) -> bool {
        LARGE_MESSAGES && !matches!(self.large, Progress::None)
    }
}

impl Machine<'_> {
    /// A packet begins that is larger than the receive buffer.
    pub(super) fn large_packet(&mut self, header: &FixedHeader) -> Result<Step, Fault> {
        if !LARGE_MESSAGES || header.packet_type != PacketType::Publish {
            return Err(Fault::ReceiveBufferTooSmall);
        }
        let bytes = self.out.inner.inbound.bytes(self.rx);
        let Some(topic_len) = bytes.get(header.header_len..).and_then(|body| body.first_chunk()) else {
            return Ok(self.wait_for(FixedHeader::MAX_LEN.wrapping_add(2)));
        };
        let topic_len = usize::from(u16::from_be_bytes(*topic_len));
        let has_id = header.flags & 0x06 != 0;
        let head_len = topic_len.wrapping_add(if has_id { 4 } else { 2 });
        if head_len > header.remaining_len {
            return Err(Violation::PacketLength.into());
        }
        let head_end = header.header_len.wrapping_add(head_len);
        if head_end > self.rx.len() {
            let remaining = header.remaining_len.wrapping_sub(2).wrapping_sub(topic_len);
            self.out.inner.inbound.large =
                Progress::Topic { left: topic_len, flags: header.flags, remaining };
            self.len = header.header_len.wrapping_add(2);
            return Ok(Step::Done);
        }
        let Some(head) = bytes.get(header.header_len..head_end) else { return Ok(self.wait_for(head_end)) };
        let Publish { topic, delivery, retain, .. } =
            Publish::decode(header.flags, head, self.out.inner.link.version)?;
        let topic_at = self.out.inner.inbound.start.wrapping_add(header.header_len).wrapping_add(2);
        let payload_len = header.remaining_len.wrapping_sub(head_len);
        let topic = Span::new(topic_at, topic.as_bytes().len());
        Ok(self.begin_payload(Large { topic, delivery, retain, payload_len }, head_end))
    }

    /// What comes now is payload: reported, unless it is the repetition of a QoS 2 message.
    fn begin_payload(&mut self, large: Large, occupied: usize) -> Step {
        let inner = &mut *self.out.inner;
        let fits = !large.topic.is_empty();
        let pieces = inner.options.large_messages == LargeMessages::Pieces && fits;
        let repeated = match large.delivery {
            Delivery::ExactlyOnce { id, .. } => inner.session.inbound.contains(id),
            _ => false,
        };
        let deliver = pieces && !repeated;
        inner.inbound.large =
            Progress::Payload { left: large.payload_len, delivery: large.delivery, deliver };
        self.len = occupied;
        if repeated {
            return Step::Done;
        }
        self.hold(if deliver { Held::Start(large) } else { Held::Skipped(large) })
    }

    /// More of a large message.
    pub(super) fn large_message(&mut self) -> Result<Step, Fault> {
        let inbound = &mut self.out.inner.inbound;
        let available = inbound.fill.wrapping_sub(inbound.start);
        match &mut inbound.large {
            Progress::None => Ok(Step::Wait),
            Progress::Topic { left: 0, flags, remaining } => {
                let (flags, remaining) = (*flags, *remaining);
                self.end_of_topic(flags, remaining)
            }
            Progress::Payload { left: 0, delivery, deliver } => {
                let (delivery, deliver) = (*delivery, *deliver);
                self.end_of_payload(delivery, deliver)
            }
            Progress::Topic { left, .. } | Progress::Payload { left, .. } => {
                let len = available.min(*left);
                if len == 0 {
                    return Ok(self.wait_for(1));
                }
                *left = left.wrapping_sub(len);
                self.len = len;
                if !matches!(inbound.large, Progress::Payload { deliver: true, .. }) {
                    return Ok(Step::Done);
                }
                let piece = Span::new(inbound.start, len);
                Ok(self.hold(Held::Piece(piece)))
            }
        }
    }

    /// The topic, which does not fit, is passed over: the packet identifier comes next.
    fn end_of_topic(&mut self, flags: u8, remaining: usize) -> Result<Step, Fault> {
        let qos = QoS::from_bits((flags >> 1) & 3).ok_or(Violation::Qos)?;
        let dup = flags & 0x08 != 0;
        let (delivery, id_len) = if qos == QoS::AtMostOnce {
            (Delivery::AtMostOnce, 0)
        } else {
            let bytes = self.out.inner.inbound.bytes(self.rx);
            let Some(id) = bytes.first_chunk() else { return Ok(self.wait_for(2)) };
            let id = PacketId::new(u16::from_be_bytes(*id)).ok_or(Violation::PacketIdZero)?;
            match qos {
                QoS::ExactlyOnce => (Delivery::ExactlyOnce { id, dup }, 2),
                _ => (Delivery::AtLeastOnce { id, dup }, 2),
            }
        };
        let payload_len = remaining.wrapping_sub(id_len);
        let large = Large { topic: Span::default(), delivery, retain: flags & 1 != 0, payload_len };
        Ok(self.begin_payload(large, id_len))
    }

    /// The last byte has come. Only now is the message acknowledged, and a QoS 2 identifier taken down: had the link
    /// been lost before, the message would come again from the start.
    fn end_of_payload(&mut self, delivery: Delivery, deliver: bool) -> Result<Step, Fault> {
        self.len = 0;
        let step = self.message(Held::End, delivery)?;
        if step == Step::Wait {
            return Ok(step);
        }
        let inbound = &mut self.out.inner.inbound;
        inbound.large = Progress::None;
        if deliver || inbound.receipt.is_some() {
            return Ok(step);
        }
        inbound.held = Held::None;
        self.out.answer_event();
        Ok(Step::Done)
    }
}
