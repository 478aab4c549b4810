//! An answer has come: PUBACK, PUBREC, PUBCOMP, SUBACK, UNSUBACK; or PUBREL, which asks for one.

use crate::client::answers::{PUBCOMP, PUBREC, PUBREL};
use crate::client::config::Config;
use crate::client::error::Error;
use crate::client::inbound_ids;
use crate::client::inbox::Kind;
use crate::client::outbox::End;
use crate::client::parts::{Step, Whole};
use crate::client::timers::Note;
use crate::codec::PacketType;
use crate::{PacketId, Violation};

const SUBACK: u8 = PacketType::SubAck.first_byte();
const UNSUBACK: u8 = PacketType::UnsubAck.first_byte();

impl<C: Config> Whole<'_, C> {
    fn meet(&self, answer: u8, id: PacketId) -> Option<usize> {
        self.out.outbox.meet(answer, id.get())
    }

    /// PUBACK or PUBCOMP: the message is delivered.
    pub(super) fn published(&mut self, answer: u8, id: PacketId) -> Step {
        let Some(at) = self.meet(answer, id) else { return self.unmet(id) };
        let work = &mut *self.out.work;
        let end = if answer == PUBCOMP { End::PublishedExactlyOnce } else { End::PublishedAtLeastOnce };
        if self.out.outbox.answered(at, end) {
            work.timers.note(Note::OLDEST);
        }
        Step::Done
    }

    /// PUBREC: the message is not kept any more, and PUBREL follows.
    pub(super) fn pubrec(&mut self, id: PacketId) -> Step {
        let Some(at) = self.meet(PUBREC, id) else {
            if self.is_about_to_leave(id) || !self.has_place() {
                return Step::Blocked;
            }
            // The server keeps the identifier until it is released.
            let step = self.unmet(id);
            self.answer(PUBREL, id);
            return step;
        };
        let work = &mut *self.out.work;
        if self.out.outbox.is_streaming() {
            return Step::Blocked;
        }
        if self.out.outbox.released(at, id.get()) {
            work.timers.note(Note::OLDEST);
        }
        work.timers.note(Note::CHANGED);
        work.link.changed();
        Step::Done
    }

    /// Answered whether the identifier is known or not, or the server keeps it for ever.
    pub(super) fn pubrel(&mut self, id: PacketId) -> Step {
        if !self.has_place() {
            return Step::Blocked;
        }
        if self.out.config.receives_exactly_once() {
            match inbound_ids::remove(self.out.ids, id) {
                Ok(true) => self.out.work.link.changed(),
                Ok(false) => {}
                Err(inbound_ids::NoEntry) => return self.refuse(),
            }
        }
        self.answer(PUBCOMP, id);
        Step::Done
    }

    /// SUBACK has a code for each filter of its SUBSCRIBE (MQTT-3.8.4-5).
    pub(super) fn suback(&mut self, id: PacketId, codes: usize) -> Result<Step, Error> {
        let Some(at) = self.meet(SUBACK, id) else { return Ok(self.unmet(id)) };
        if self.out.outbox.filters(at) != codes {
            return Err(Error::Violation(Violation::SubAckCount));
        }
        Ok(self.hold(Kind::Subscribed, id))
    }

    pub(super) fn unsuback(&mut self, id: PacketId) -> Step {
        if self.meet(UNSUBACK, id).is_none() {
            return self.unmet(id);
        }
        self.hold(Kind::Unsubscribed, id)
    }

    fn hold(&mut self, event: Kind, id: PacketId) -> Step {
        let inbox = &mut self.out.work.inbox;
        (inbox.event, inbox.id) = (event, id.get());
        Step::Event
    }

    /// Nothing that has left waits for this: it is late, or not ours. It has to wait itself where the request is about to leave.
    fn unmet(&mut self, id: PacketId) -> Step {
        if self.is_about_to_leave(id) {
            return Step::Blocked;
        }
        let link = &mut self.out.work.link;
        link.ignored = link.ignored.saturating_add(1);
        Step::Done
    }

    fn is_about_to_leave(&self, id: PacketId) -> bool {
        let work = &*self.out.work;
        let offered = work.offer.seen_of_requests();
        !work.link.is_output_lost && self.out.outbox.is_about_to_leave(id.get(), offered)
    }
}
