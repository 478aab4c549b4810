//! Messages that are larger than the receive buffer: delivered in pieces, or skipped and acknowledged.

use core::ops::ControlFlow;

use crate::client::answers::{PUBACK, PUBREC};
use crate::client::bytes::u16_at;
use crate::client::config::{Config, LargeMessages};
use crate::client::error::Fault;
use crate::client::inbound_ids;
use crate::client::inbox::{EventKind, Large, Phase};
use crate::client::parts::Parts;
use crate::{PacketId, Violation};

use super::header::{Header, PUBLISH};
use super::messages::EXACTLY_ONCE;
use super::step::Step;

impl<C: Config> Parts<'_, C> {
    /// The start of a packet that is larger than the receive buffer. Returns where its head ends; if not even that fits, the
    /// step, which is to skip the topic.
    pub(super) fn large_head(
        &mut self,
        header: Header,
        bytes: &[u8],
        room: usize,
    ) -> Result<ControlFlow<Step, usize>, Fault> {
        let refused = self.config().large_messages() == LargeMessages::Refuse;
        if refused || header.first & 0xF0 != PUBLISH {
            return Err(Fault::ReceiveBufferTooSmall);
        }
        let topic = header.len.wrapping_add(2);
        if bytes.len() < topic {
            return Ok(ControlFlow::Break(self.wait_for(topic)));
        }
        let topic_len = usize::from(u16_at(bytes, header.len));
        let head_end = id_len(header.first).wrapping_add(topic).wrapping_add(topic_len);
        let inbox = &mut self.control.inbox;
        let payload_len = inbox.len.checked_sub(head_end).ok_or(Violation::PacketLength)?;
        let (phase, left) = (Phase::None, topic_len);
        inbox.large = Large {
            phase,
            first: header.first,
            has_topic: true,
            is_delivered: false,
            id: 0,
            left,
            payload_len,
        };
        if head_end <= room {
            return Ok(ControlFlow::Continue(head_end));
        }
        (inbox.large.phase, inbox.large.has_topic) = (Phase::Topic, false);
        inbox.len = topic;
        Ok(ControlFlow::Break(Step::Done))
    }

    /// The payload follows. The message is reported, unless it is known already, or will be sent again.
    pub(super) fn begin_payload(&mut self, id: u16) -> Step {
        let pieces = self.config().large_messages() == LargeMessages::Pieces;
        let manual = self.config().manual_acknowledgement();
        let inbox = &mut self.control.inbox;
        let large = &mut inbox.large;
        (large.phase, large.left, large.id) = (Phase::Payload, large.payload_len, id);
        let answer = if large.first & EXACTLY_ONCE != 0 { PUBREC } else { PUBACK };
        let repeated = answer == PUBREC
            && PacketId::new(id).is_some_and(|id| inbound_ids::contains(self.ids, id))
            || manual && self.answers.is_withheld(answer, id);
        if repeated || inbox.is_refusing {
            return Step::Done;
        }
        large.is_delivered = pieces && large.has_topic;
        inbox.event = if large.is_delivered { EventKind::LargeStart } else { EventKind::LargeSkipped };
        Step::Event
    }

    /// Processes more bytes of a large message.
    pub(super) fn large_message(&mut self, bytes: &[u8]) -> Result<Step, Fault> {
        let inbox = &mut self.control.inbox;
        let large = &mut inbox.large;
        if large.left != 0 {
            let len = bytes.len().min(large.left);
            large.left = large.left.wrapping_sub(len);
            inbox.len = len;
            if len == 0 {
                return Ok(Step::Incomplete);
            }
            if !large.is_delivered {
                return Ok(Step::Done);
            }
            inbox.event = EventKind::LargePiece;
            return Ok(Step::Event);
        }
        inbox.len = 0;
        if large.phase == Phase::Payload {
            return self.end_of_payload();
        }
        // The topic, which does not fit, has been skipped; the packet identifier follows.
        let len = id_len(large.first);
        inbox.len = len;
        if bytes.len() < len {
            return Ok(Step::Incomplete);
        }
        let id = if len == 0 { 0 } else { u16_at(bytes, 0) };
        if id == 0 && len != 0 {
            return Err(Violation::PacketIdZero.into());
        }
        Ok(self.begin_payload(id))
    }

    /// The last byte has been received. Only now is the message acknowledged, and a QoS 2 identifier stored: if the connection
    /// had been lost earlier, the message would be sent again from its start.
    fn end_of_payload(&mut self) -> Result<Step, Fault> {
        let Large { first, id, is_delivered, .. } = self.control.inbox.large;
        let step = self.message_received(EventKind::LargeEnd, first, id)?;
        if step == Step::Blocked {
            return Ok(step);
        }
        let pieces = self.config().large_messages() == LargeMessages::Pieces;
        let inbox = &mut self.control.inbox;
        (inbox.large.phase, inbox.large.is_delivered) = (Phase::None, false);
        if pieces && is_delivered && step == Step::Done {
            // All of it was delivered, but it is not accepted.
            inbox.event = EventKind::LargeAborted;
            return Ok(Step::Event);
        }
        if is_delivered || inbox.has_receipt {
            return Ok(step);
        }
        // There is nothing to report: the answer is queued at once.
        inbox.event = EventKind::None;
        Ok(Step::Done)
    }
}

/// Length of the packet identifier of a PUBLISH with this first byte.
const fn id_len(first: u8) -> usize {
    if first & 6 == 0 { 0 } else { 2 }
}
