//! Messages that are larger than the receive buffer: delivered in pieces, or skipped and acknowledged.

use crate::PacketId;
use crate::Violation;
use crate::client::bytes::u16_at;
use crate::client::config::{Config, LargeMessages};
use crate::client::error::Fault;
use crate::client::inbound_ids;
use crate::client::inbox::{Kind, Large, Phase};
use crate::client::parts::{Parts, Step};
use crate::codec::Publish;

use super::header::{Header, PUBLISH};
use super::messages::EXACTLY_ONCE;

impl<C: Config> Parts<'_, C> {
    /// A packet begins that is larger than the receive buffer.
    pub(super) fn large_packet(&mut self, header: Header, bytes: &[u8], room: usize) -> Result<Step, Fault> {
        let refused = self.config().large_messages() == LargeMessages::Refuse;
        if refused || header.first & 0xF0 != PUBLISH {
            return Err(Fault::ReceiveBufferTooSmall);
        }
        let version = self.version();
        let inbox = &mut self.work.inbox;
        let topic = header.len.wrapping_add(2);
        if bytes.len() < topic {
            return Ok(self.wait_for(topic));
        }
        let topic_len = u16_at(bytes, header.len).into();
        let head_len = id_len(header.first).wrapping_add(topic_len).wrapping_add(2);
        let payload_len = header.remaining_len.checked_sub(head_len).ok_or(Violation::PacketLength)?;
        let (phase, left) = (Phase::Topic, topic_len);
        inbox.large = Large {
            phase,
            first: header.first,
            has_topic: false,
            is_delivered: false,
            id: 0,
            left,
            payload_len,
        };
        let head_end = header.len.wrapping_add(head_len);
        if head_end > room {
            inbox.len = topic;
            return Ok(Step::Done);
        }
        let Some(head) = bytes.get(header.len..head_end) else {
            inbox.large.phase = Phase::None;
            return Ok(self.wait_for(head_end));
        };
        inbox.large.has_topic = true;
        inbox.large.id = Publish::check_body(header.first & 0x0F, head, version)?;
        Ok(self.begin_payload(head_end))
    }

    /// What comes now is payload: told, unless it is the repetition of a message of QoS 2 or will come again.
    fn begin_payload(&mut self, len: usize) -> Step {
        let pieces = self.config().large_messages() == LargeMessages::Pieces;
        let inbox = &mut self.work.inbox;
        let large = &mut inbox.large;
        (large.phase, large.left) = (Phase::Payload, large.payload_len);
        inbox.len = len;
        let repeated = large.first & EXACTLY_ONCE != 0
            && PacketId::new(large.id).is_some_and(|id| inbound_ids::contains(self.ids, id));
        if repeated || inbox.is_refusing {
            return Step::Done;
        }
        large.is_delivered = pieces && large.has_topic;
        inbox.event = if large.is_delivered { Kind::LargeStart } else { Kind::LargeSkipped };
        Step::Event
    }

    /// More of a large message.
    pub(super) fn large_message(&mut self, bytes: &[u8]) -> Result<Step, Fault> {
        let inbox = &mut self.work.inbox;
        let large = &mut inbox.large;
        if large.left == 0 {
            return if large.phase == Phase::Topic {
                self.end_of_topic(bytes)
            } else {
                self.end_of_payload()
            };
        }
        let len = bytes.len().min(large.left);
        if len == 0 {
            return Ok(self.wait_for(0));
        }
        large.left = large.left.wrapping_sub(len);
        inbox.len = len;
        if !large.is_delivered {
            return Ok(Step::Done);
        }
        inbox.event = Kind::LargePiece;
        Ok(Step::Event)
    }

    /// The topic, which does not fit, is passed over: the packet identifier comes next.
    fn end_of_topic(&mut self, bytes: &[u8]) -> Result<Step, Fault> {
        let inbox = &mut self.work.inbox;
        let len = id_len(inbox.large.first);
        if len != 0 {
            if bytes.len() < len {
                return Ok(self.wait_for(len));
            }
            inbox.large.id = u16_at(bytes, 0);
            if inbox.large.id == 0 {
                return Err(Violation::PacketIdZero.into());
            }
        }
        Ok(self.begin_payload(len))
    }

    /// The last byte has come. Only now is the message acknowledged, and an identifier of QoS 2 taken down: had the connection
    /// been lost before, the message would come again from its start.
    fn end_of_payload(&mut self) -> Result<Step, Fault> {
        self.work.inbox.len = 0;
        let Large { first, id, is_delivered, .. } = self.work.inbox.large;
        let step = self.message(Kind::LargeEnd, first, id)?;
        if step == Step::Blocked {
            return Ok(step);
        }
        let inbox = &mut self.work.inbox;
        (inbox.large.phase, inbox.large.is_delivered) = (Phase::None, false);
        if step == Step::Event && !is_delivered && !inbox.has_receipt {
            // There is nothing to tell: what it owes is queued at once.
            super::advance::release(self);
            return Ok(Step::Done);
        }
        Ok(step)
    }
}

/// Bytes of the packet identifier of a PUBLISH with this first byte.
const fn id_len(first: u8) -> usize {
    if first & 6 == 0 { 0 } else { 2 }
}
