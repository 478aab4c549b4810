//! Messages that are larger than the receive buffer: delivered in pieces, or skipped and acknowledged.

use super::advance::{Machine, Step};
use super::inbound::{Held, Inbound, Large, Progress, Span};
use super::{Error, LargeMessages};
use crate::codec::{Delivery, FixedHeader, PacketType, Publish};
use crate::{PacketId, QoS, Violation};

impl Inbound {
    pub(super) fn is_inside_large(&self) -> bool {
        !matches!(self.large, Progress::None)
    }
}

impl Machine<'_> {
    /// A packet begins that is larger than the receive buffer.
    pub(super) fn large_packet(&mut self, header: &FixedHeader) -> Result<Step, Error> {
        if header.packet_type != PacketType::Publish {
            return Err(Error::ReceiveBufferTooSmall { needed: header.packet_len() });
        }
        let bytes = self.inbound.bytes(self.rx);
        let Some(topic_len) = bytes.get(header.header_len..).and_then(|body| body.first_chunk()) else {
            return Ok(self.wait_for(FixedHeader::MAX_LEN.saturating_add(2)));
        };
        let topic_len = usize::from(u16::from_be_bytes(*topic_len));
        let has_id = header.flags & 0x06 != 0;
        let head_len = topic_len.saturating_add(if has_id { 4 } else { 2 });
        if head_len > header.remaining_len {
            return Err(Error::Violation(Violation::PacketLength));
        }
        if header.header_len.saturating_add(head_len) > self.rx.len() {
            let remaining = header.remaining_len.saturating_sub(2).saturating_sub(topic_len);
            self.inbound.large = Progress::Topic { left: topic_len, flags: header.flags, remaining };
            return Ok(Step::Done(header.header_len.saturating_add(2)));
        }
        if bytes.len() < header.header_len.saturating_add(head_len) {
            return Ok(self.wait_for(header.header_len.saturating_add(head_len)));
        }
        self.large_head(header, head_len)
    }

    /// Topic and packet identifier are here.
    fn large_head(&mut self, header: &FixedHeader, head_len: usize) -> Result<Step, Error> {
        let bytes = self.inbound.bytes(self.rx);
        let head = bytes.get(header.header_len..).and_then(|body| body.get(..head_len)).unwrap_or_default();
        let Publish { topic, delivery, retain, .. } =
            Publish::decode(header.flags, head, self.out.link.version)?;
        let topic_at = self.inbound.start.saturating_add(header.header_len).saturating_add(2);
        let payload_len = header.remaining_len.saturating_sub(head_len);
        let topic = Span::new(topic_at, topic.as_bytes().len());
        let large = Large { topic, delivery, retain, payload_len };
        Ok(self.begin_payload(large, header.header_len.saturating_add(head_len)))
    }

    /// What comes now is payload: reported, unless it is the repetition of a QoS 2 message.
    fn begin_payload(&mut self, large: Large, occupied: usize) -> Step {
        let fits = !large.topic.is_empty();
        let pieces = self.out.link.options.large_messages == LargeMessages::Pieces && fits;
        let repeated = match large.delivery {
            Delivery::ExactlyOnce { id, .. } => self.out.session.inbound.contains(id),
            _ => false,
        };
        let deliver = pieces && !repeated;
        self.inbound.large = Progress::Payload { left: large.payload_len, delivery: large.delivery, deliver };
        match (repeated, deliver) {
            (true, _) => Step::Done(occupied),
            (false, true) => Step::Event(Held::Start(large), occupied),
            (false, false) => Step::Event(Held::Skipped(large), occupied),
        }
    }

    /// More of a large message.
    pub(super) fn large_message(&mut self) -> Result<Step, Error> {
        let available = self.inbound.fill.saturating_sub(self.inbound.start);
        match self.inbound.large {
            Progress::None => Ok(Step::Wait),
            Progress::Topic { left, flags, remaining } => self.skip_topic(left, flags, remaining),
            Progress::Payload { left: 0, delivery, deliver } => self.end_of_payload(delivery, deliver),
            Progress::Payload { left, delivery, deliver } => {
                let len = available.min(left);
                if len == 0 {
                    return Ok(self.wait_for(1));
                }
                let left = left.saturating_sub(len);
                self.inbound.large = Progress::Payload { left, delivery, deliver };
                let piece = Span::new(self.inbound.start, len);
                Ok(if deliver { Step::Event(Held::Piece(piece), len) } else { Step::Done(len) })
            }
        }
    }

    /// The topic does not fit: it is passed over, up to the packet identifier.
    fn skip_topic(&mut self, left: usize, flags: u8, remaining: usize) -> Result<Step, Error> {
        let bytes = self.inbound.bytes(self.rx);
        if left > 0 {
            let len = bytes.len().min(left);
            if len == 0 {
                return Ok(self.wait_for(1));
            }
            self.inbound.large = Progress::Topic { left: left.saturating_sub(len), flags, remaining };
            return Ok(Step::Done(len));
        }
        let qos = QoS::from_bits((flags >> 1) & 3).ok_or(Violation::Qos)?;
        let dup = flags & 0x08 != 0;
        let (delivery, id_len) = if qos == QoS::AtMostOnce {
            (Delivery::AtMostOnce, 0)
        } else {
            let Some(id) = bytes.first_chunk() else { return Ok(self.wait_for(2)) };
            let id = PacketId::new(u16::from_be_bytes(*id)).ok_or(Violation::PacketIdZero)?;
            match qos {
                QoS::ExactlyOnce => (Delivery::ExactlyOnce { id, dup }, 2),
                _ => (Delivery::AtLeastOnce { id, dup }, 2),
            }
        };
        let payload_len = remaining.saturating_sub(id_len);
        let large = Large { topic: Span::default(), delivery, retain: flags & 1 != 0, payload_len };
        Ok(self.begin_payload(large, id_len))
    }

    /// The last byte has come. Only now is the message acknowledged, and a QoS 2 identifier taken down: had the link
    /// been lost before, the message would come again from the start.
    fn end_of_payload(&mut self, delivery: Delivery, deliver: bool) -> Result<Step, Error> {
        let step = self.message(Held::End, delivery, 0)?;
        if matches!(step, Step::Wait) {
            return Ok(step);
        }
        self.inbound.large = Progress::None;
        if deliver || self.inbound.receipt.is_some() {
            return Ok(step);
        }
        if let Some((packet_type, id)) = self.inbound.answer.take() {
            self.out.answer(packet_type, id);
        }
        Ok(Step::Done(0))
    }
}
