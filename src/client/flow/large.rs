//! Messages that are larger than the receive buffer: delivered in pieces, or skipped and acknowledged.

use crate::client::config::{Config, LargeMessages};
use crate::client::error::Error;
use crate::client::inbound_ids;
use crate::client::inbox::{Kind, Large, Phase};
use crate::client::parts::{Step, Whole};
use crate::codec::{Delivery, Publish, delivery};
use crate::{PacketId, Violation};

use super::header::{Header, PUBLISH};

impl<C: Config> Whole<'_, C> {
    /// A packet begins that is larger than the receive buffer.
    pub(super) fn large_packet(&mut self, header: Header) -> Result<Step, Error> {
        let refused = self.out.config.large_messages() == LargeMessages::Refuse;
        if refused || header.first & 0xF0 != PUBLISH {
            return Err(Error::ReceiveBufferTooSmall { needed: header.packet_len() });
        }
        let flags = header.first & 0x0F;
        let bytes = self.out.work.inbox.bytes(self.rx);
        let Some(topic_len) = bytes.get(header.len..).and_then(|body| body.first_chunk()) else {
            return Ok(self.wait_for(Header::MAX_LEN.wrapping_add(2)));
        };
        let topic_len = usize::from(u16::from_be_bytes(*topic_len));
        let id_len = if flags & 0x06 != 0 { 2 } else { 0 };
        let head_len = topic_len.wrapping_add(2).wrapping_add(id_len);
        if head_len > header.remaining_len {
            return Err(Error::Violation(Violation::PacketLength));
        }
        let rest = header.remaining_len.wrapping_sub(head_len);
        let large = Large {
            phase: Phase::Topic,
            flags,
            has_topic: false,
            is_delivered: false,
            id: 0,
            left: topic_len,
            rest,
        };
        let head_end = header.len.wrapping_add(head_len);
        if head_end > self.rx.len() {
            self.out.work.inbox.large = large;
            self.out.work.inbox.len = header.len.wrapping_add(2);
            return Ok(Step::Done);
        }
        let Some(head) = bytes.get(header.len..head_end) else { return Ok(self.wait_for(head_end)) };
        let publish = Publish::decode(flags, head, self.out.work.link.version()).map_err(Error::Violation)?;
        let id = publish.delivery.id().map_or(0, PacketId::get);
        Ok(self.begin_payload(Large { has_topic: true, id, ..large }, head_end))
    }

    /// What comes now is payload: told, unless it is the repetition of a message of QoS 2 or will come again.
    fn begin_payload(&mut self, large: Large, len: usize) -> Step {
        let pieces = self.out.config.large_messages() == LargeMessages::Pieces && large.has_topic;
        let repeated = match delivery(large.flags, large.id) {
            Some(Delivery::ExactlyOnce { id, .. }) => inbound_ids::contains(self.out.ids, id),
            _ => false,
        };
        let passed_over = repeated || self.out.work.inbox.is_refusing;
        let inbox = &mut self.out.work.inbox;
        let (left, is_delivered) = (large.rest, pieces && !passed_over);
        inbox.large = Large { phase: Phase::Payload, left, is_delivered, ..large };
        inbox.len = len;
        if passed_over {
            return Step::Done;
        }
        inbox.event = if is_delivered { Kind::LargeStart } else { Kind::LargeSkipped };
        Step::Event
    }

    /// More of a large message.
    pub(super) fn large_message(&mut self) -> Result<Step, Error> {
        let inbox = &mut self.out.work.inbox;
        let available = inbox.fill.wrapping_sub(inbox.start);
        if inbox.large.left == 0 {
            return if inbox.large.phase == Phase::Topic {
                self.end_of_topic()
            } else {
                self.end_of_payload()
            };
        }
        let len = available.min(inbox.large.left);
        if len == 0 {
            return Ok(Step::Incomplete);
        }
        inbox.large.left = inbox.large.left.wrapping_sub(len);
        inbox.len = len;
        if !inbox.large.is_delivered {
            return Ok(Step::Done);
        }
        inbox.event = Kind::LargePiece;
        Ok(Step::Event)
    }

    /// The topic, which does not fit, is passed over: the packet identifier comes next.
    fn end_of_topic(&mut self) -> Result<Step, Error> {
        let large = self.out.work.inbox.large.clone();
        if large.flags & 0x06 == 0 {
            return Ok(self.begin_payload(large, 0));
        }
        let bytes = self.out.work.inbox.bytes(self.rx);
        let Some(id) = bytes.first_chunk() else { return Ok(self.wait_for(2)) };
        let id = u16::from_be_bytes(*id);
        if id == 0 {
            return Err(Error::Violation(Violation::PacketIdZero));
        }
        Ok(self.begin_payload(Large { id, ..large }, 2))
    }

    /// The last byte has come. Only now is the message acknowledged, and an identifier of QoS 2 taken down: had the connection
    /// been lost before, the message would come again from its start.
    fn end_of_payload(&mut self) -> Result<Step, Error> {
        self.out.work.inbox.len = 0;
        let Large { flags, id, is_delivered, .. } = self.out.work.inbox.large;
        let delivery = delivery(flags, id).ok_or(Error::Violation(Violation::Qos))?;
        let step = self.message(Kind::LargeEnd, delivery)?;
        if step == Step::Blocked {
            return Ok(step);
        }
        let inbox = &mut self.out.work.inbox;
        inbox.large.phase = Phase::None;
        if step == Step::Event && !is_delivered && !inbox.has_receipt {
            // There is nothing to tell: what it owes is queued at once.
            super::advance::release(&mut self.out);
            return Ok(Step::Done);
        }
        Ok(step)
    }
}
