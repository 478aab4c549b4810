//! Received answers: PUBACK, PUBREC, PUBCOMP, SUBACK, UNSUBACK; and PUBREL, which requires one.

use crate::client::answers::{PUBCOMP, PUBREC, PUBREL};
use crate::client::config::Config;
use crate::client::end::End;
use crate::client::error::Fault;
use crate::client::inbound_ids;
use crate::client::inbox::EventKind;
use crate::client::outbox::{Awaiting, Record};
use crate::client::parts::Parts;
use crate::codec::PacketType;
use crate::{PacketId, Violation};

use super::step::Step;

pub(super) const SUBACK: u8 = PacketType::SubAck.first_byte();
pub(super) const UNSUBACK: u8 = PacketType::UnsubAck.first_byte();

impl<C: Config> Parts<'_, C> {
    /// Processes PUBACK, PUBREC, PUBCOMP, SUBACK (with this many codes) or UNSUBACK.
    pub(super) fn answer_received(&mut self, answer: u8, id: PacketId, codes: usize) -> Result<Step, Fault> {
        match self.outbox.awaiting(answer, id.get(), self.control.offer.offered_requests()) {
            Awaiting::Request(at, record) => self.request_answered(answer, id, (at, record), codes),
            Awaiting::Resent if !self.control.link.is_output_lost => Ok(Step::Blocked),
            // No sent request waits for this. At QoS 2 the server keeps the identifier until it is released.
            _ if answer == PUBREC => Ok(self.release_unknown(id)),
            _ => Ok(self.ignored()),
        }
    }

    /// The PUBREL for an unknown PUBREC is queued as an answer, and answers are sent before requests. It must not be sent before the
    /// PUBRELs for earlier PUBRECs, though (MQTT-4.6.0-4).
    fn release_unknown(&mut self, id: PacketId) -> Step {
        let comes_later = self.outbox.has_unsent_pubrel() && !self.control.link.is_output_lost;
        if comes_later || !self.can_answer() {
            return Step::Blocked;
        }
        self.answer(PUBREL, id.get());
        self.ignored()
    }

    fn ignored(&mut self) -> Step {
        self.control.session.ignored = self.control.session.ignored.wrapping_add(1);
        Step::Done
    }

    /// The request at `at` has received this answer.
    fn request_answered(
        &mut self,
        answer: u8,
        id: PacketId,
        (at, record): (usize, Record),
        codes: usize,
    ) -> Result<Step, Fault> {
        let (event, end) = match answer {
            PUBREC if self.outbox.is_streaming() => return Ok(Step::Blocked),
            // The message is no longer kept, and PUBREL follows.
            PUBREC => {
                self.outbox.replace_by_pubrel(at, record, id.get());
                self.control.session.changed();
                return Ok(Step::Done);
            }
            // SUBACK has a code for each filter of its SUBSCRIBE (MQTT-3.8.4-5).
            SUBACK if self.outbox.filters(at, record) != codes => return Err(Violation::SubAckCount.into()),
            SUBACK => (EventKind::Subscribed, End::Lost),
            UNSUBACK => (EventKind::Unsubscribed, End::Lost),
            PUBCOMP => (EventKind::Ended, End::PublishedExactlyOnce),
            _ => (EventKind::Ended, End::PublishedAtLeastOnce),
        };
        if event == EventKind::Ended {
            self.outbox.answered(at, record, id.get(), end);
        }
        // All requests that had ended before have been reported, so this is the next one.
        self.control.inbox.report_end(event, id.get(), end);
        Ok(Step::Event)
    }

    /// Processes PUBREL. It is answered even if the identifier is unknown, or the server would keep it forever.
    pub(super) fn pubrel(&mut self, id: PacketId) -> Step {
        if !self.can_answer() {
            return Step::Blocked;
        }
        if self.config().receives_exactly_once() {
            if self.config().manual_acknowledgement() && self.reserves_entries() {
                return Step::Blocked;
            }
            match inbound_ids::remove(self.ids, id) {
                Ok(true) => self.control.session.changed(),
                Ok(false) => {}
                Err(inbound_ids::NoEntry) => return self.refuse(),
            }
        }
        self.answer(PUBCOMP, id.get());
        Step::Done
    }
}
