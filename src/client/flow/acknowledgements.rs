//! An answer has come: PUBACK, PUBREC, PUBCOMP, SUBACK, UNSUBACK; or PUBREL, which asks for one.

use crate::client::answers::{PUBCOMP, PUBREC, PUBREL};
use crate::client::config::Config;
use crate::client::error::Fault;
use crate::client::inbound_ids;
use crate::client::inbox::Kind;
use crate::client::outbox::{End, Unmet};
use crate::client::parts::{Step, Whole};
use crate::codec::PacketType;
use crate::{PacketId, Violation};

const SUBACK: u8 = PacketType::SubAck.first_byte();
const UNSUBACK: u8 = PacketType::UnsubAck.first_byte();

impl<C: Config> Whole<'_, C> {
    /// The request that waits for this. Where nothing does that has left, the answer is late, or not ours; it has to wait itself
    /// where the request is about to leave.
    fn meet(&self, answer: u8, id: PacketId) -> Result<usize, Step> {
        let work = &*self.out.work;
        self.out.outbox.meet(answer, id.get(), work.offer.seen_of_requests()).map_err(|unmet| match unmet {
            Unmet::Leaving if !work.link.is_output_lost => Step::Blocked,
            _ => Step::Done,
        })
    }

    /// Nothing waits for this answer.
    fn ignore(&mut self, step: Step) -> Step {
        if step == Step::Done {
            self.out.work.session.ignored = self.out.work.session.ignored.saturating_add(1);
        }
        step
    }

    /// PUBACK or PUBCOMP: the message is delivered.
    pub(super) fn published(&mut self, answer: u8, id: PacketId) -> Step {
        let at = match self.meet(answer, id) {
            Ok(at) => at,
            Err(step) => return self.ignore(step),
        };
        let end = if answer == PUBCOMP { End::PublishedExactlyOnce } else { End::PublishedAtLeastOnce };
        self.out.outbox.answered(at, end);
        Step::Done
    }

    /// PUBREC: the message is not kept any more, and PUBREL follows.
    pub(super) fn pubrec(&mut self, id: PacketId) -> Step {
        match self.meet(PUBREC, id) {
            Ok(_) if self.out.outbox.is_streaming() => Step::Blocked,
            Ok(at) => {
                self.out.outbox.released(at, id.get());
                self.out.work.session.changed();
                Step::Done
            }
            Err(Step::Done) if self.has_place() => {
                // The server keeps the identifier until it is released.
                self.answer(PUBREL, id);
                self.ignore(Step::Done)
            }
            Err(_) => Step::Blocked,
        }
    }

    /// Answered whether the identifier is known or not, or the server keeps it for ever.
    pub(super) fn pubrel(&mut self, id: PacketId) -> Step {
        if !self.has_place() {
            return Step::Blocked;
        }
        if self.out.config.receives_exactly_once() {
            match inbound_ids::remove(self.out.ids, id) {
                Ok(true) => self.out.work.session.changed(),
                Ok(false) => {}
                Err(inbound_ids::NoEntry) => return self.refuse(),
            }
        }
        self.answer(PUBCOMP, id);
        Step::Done
    }

    /// SUBACK has a code for each filter of its SUBSCRIBE (MQTT-3.8.4-5).
    pub(super) fn suback(&mut self, id: PacketId, codes: usize) -> Result<Step, Fault> {
        match self.meet(SUBACK, id) {
            Ok(at) if self.out.outbox.filters(at) == codes => Ok(self.hold(Kind::Subscribed, id)),
            Ok(_) => Err(Violation::SubAckCount.into()),
            Err(step) => Ok(self.ignore(step)),
        }
    }

    pub(super) fn unsuback(&mut self, id: PacketId) -> Step {
        match self.meet(UNSUBACK, id) {
            Ok(_) => self.hold(Kind::Unsubscribed, id),
            Err(step) => self.ignore(step),
        }
    }

    fn hold(&mut self, event: Kind, id: PacketId) -> Step {
        let inbox = &mut self.out.work.inbox;
        (inbox.event, inbox.id) = (event, id.get());
        Step::Event
    }
}
