//! Received messages: whether they are delivered, and their answers.

use crate::client::answers::{PUBACK, PUBREC};
use crate::client::config::Config;
use crate::client::error::Fault;
use crate::client::inbound_ids;
use crate::client::inbox::EventKind;
use crate::client::parts::Parts;
use crate::{PacketId, Violation};

use super::step::Step;

/// The flag of a QoS 2 PUBLISH.
pub(super) const EXACTLY_ONCE: u8 = 4;

/// See `Client::event_failed`. A QoS 2 message with a receipt has not been stored yet.
#[cfg(any(feature = "std", feature = "embedded-io-async-v0.7"))]
pub(in crate::client) fn event_failed<C: Config>(parts: &mut Parts<'_, C>) {
    let inbox = &mut parts.control.inbox;
    if inbox.owed == PUBREC && !inbox.has_receipt {
        inbox.owed = 0;
        // This does not fail: an insertion can be undone.
        let _ = PacketId::new(inbox.id).map(|id| inbound_ids::remove(parts.ids, id));
        parts.control.session.changed();
    }
}

impl<C: Config> Parts<'_, C> {
    /// A message with this first byte is complete, and is delivered as this event. At QoS 0 `id` is 0.
    pub(super) fn message_received(&mut self, event: EventKind, first: u8, id: u16) -> Result<Step, Fault> {
        let Some(id) = PacketId::new(id) else { return Ok(self.deliver(event, 0, 0)) };
        let answer = if first & EXACTLY_ONCE != 0 { PUBREC } else { PUBACK };
        if answer == PUBREC && !self.config().receives_exactly_once() {
            return Err(Violation::UnexpectedPacket.into());
        }
        if !self.can_answer() {
            return Ok(Step::Blocked);
        }
        if answer == PUBREC && inbound_ids::contains(self.ids, id) {
            // A repetition (MQTT-4.3.3-2).
            self.answer(PUBREC, id.get());
            return Ok(Step::Done);
        }
        // Messages that are not answered will be sent again on the next connection.
        if self.control.inbox.is_refusing {
            return Ok(Step::Done);
        }
        if self.config().manual_acknowledgement() {
            return Ok(self.message_on_receipt(event, answer, id));
        }
        if answer == PUBREC {
            if inbound_ids::insert(self.ids, id).is_err() {
                return Ok(self.refuse());
            }
            self.control.session.changed();
        }
        Ok(self.deliver(event, answer, id.get()))
    }

    fn deliver(&mut self, event: EventKind, owed: u8, id: u16) -> Step {
        let inbox = &mut self.control.inbox;
        (inbox.event, inbox.owed, inbox.id) = (event, owed, id);
        Step::Event
    }

    /// The application will acknowledge the message. Until then, repetitions of it are dropped.
    fn message_on_receipt(&mut self, event: EventKind, answer: u8, id: PacketId) -> Step {
        let control = &mut *self.control;
        control.inbox.waits_for_receipt = false;
        // Without output it can no longer be acknowledged.
        if control.link.is_output_lost || self.answers.is_withheld(answer, id.get()) {
            return Step::Done;
        }
        if answer == PUBREC {
            if self.reserves_entries() {
                return Step::Blocked;
            }
            // The identifier is stored when the message is acknowledged, which must then be possible.
            if inbound_ids::insert(self.ids, id).and_then(|()| inbound_ids::remove(self.ids, id)).is_err() {
                return self.refuse();
            }
        }
        self.answers.withhold(answer, id);
        self.control.inbox.has_receipt = true;
        self.deliver(event, answer, id.get())
    }

    /// Whether the free entries are reserved for messages that the application has not acknowledged yet: one for each, and two because
    /// releasing another identifier can take as many. Notes that a receipt is waited for.
    pub(super) fn reserves_entries(&mut self) -> bool {
        let withheld = self.answers.withheld();
        let needed = withheld.saturating_add(2);
        self.control.inbox.waits_for_receipt = withheld > 0 && inbound_ids::free_entries(self.ids) <= needed;
        self.control.inbox.waits_for_receipt
    }

    /// There is no entry for an identifier: no more messages are accepted on this connection.
    pub(super) fn refuse(&mut self) -> Step {
        self.control.inbox.is_refusing = true;
        Step::Done
    }

    /// Whether an answer can be queued: there is room, and it will be sent before DISCONNECT. Notes whether only a receipt makes room.
    pub(super) fn can_answer(&mut self) -> bool {
        let control = &mut *self.control;
        if control.link.is_output_lost {
            return true;
        }
        let has_room = self.answers.has_room();
        control.inbox.waits_for_receipt = !has_room && self.answers.is_empty();
        has_room && !control.is_disconnecting()
    }

    /// Queues an answer, for which there must be room, unless nothing can be sent any more.
    pub(super) fn answer(&mut self, first: u8, id: u16) {
        let control = &*self.control;
        if !control.link.is_output_lost {
            let is_durable = self.config().durable() && control.session.is_durable();
            self.answers.push(first, id, is_durable);
        }
    }
}
