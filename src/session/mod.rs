//! What is legal next: packet identifiers and the flows of QoS 1 and 2, without bytes, buffers or a clock.
//!
//! A [`Session`] is what both sides keep over the loss of a connection (MQTT 3.1.1, section 4.1). The
//! [`Client`](crate::Client) puts buffers to it; a gateway or a test can drive it alone:
//!
//! ```
//! use baremqtt::session::{PubRec, Request, Session, Slot};
//! use baremqtt::QoS;
//!
//! let mut session = Session::<[Slot; 4]>::new();
//! let id = session.next_id().unwrap();
//! session.open(id, Request::ExactlyOnce);
//! session.sent(id);
//! assert_eq!(session.pubrec(id), PubRec::Release);
//! assert!(session.pubcomp(id));
//! ```

mod inbound;
mod slot;
pub(crate) mod timers;

pub use inbound::{InboundFull, InboundIds};
pub use slot::{Outcome, Request, Slot};

use crate::{PacketId, Violation};
use slot::State;

/// The state of a session: requests under way, and the identifiers of QoS 2 messages that came in.
///
/// `S` is the table of requests, `[Slot; N]` with `N` a power of two; behind a reference it can be `[Slot]`, so
/// that code for several sizes is compiled once.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Session<S: ?Sized> {
    next: PacketId,
    /// Slots that hold an outcome which nobody has taken yet.
    ended: u16,
    /// Slots that hold a message of QoS 2.
    exactly_once: u16,
    /// Identifiers of QoS 2 messages that came and are not released yet.
    pub inbound: InboundIds,
    slots: S,
}

impl<S: Clone> Clone for Session<S> {
    fn clone(&self) -> Self {
        Session { slots: self.slots.clone(), inbound: self.inbound.clone(), ..*self }
    }
}

impl<const N: usize> Session<[Slot; N]> {
    /// An empty session with room for `N` requests under way; `N` is a power of two, which is checked when the
    /// program is compiled.
    pub const fn new() -> Self {
        Self::starting_at(PacketId::FIRST)
    }

    /// An empty session that gives out this packet identifier first.
    pub const fn starting_at(id: PacketId) -> Self {
        const { assert!(N.is_power_of_two() && N <= 0x8000, "the number of slots is a power of two") };
        Session { next: id, ended: 0, exactly_once: 0, inbound: InboundIds::new(), slots: [Slot::FREE; N] }
    }
}

impl<const N: usize> Default for Session<[Slot; N]> {
    fn default() -> Self {
        Self::new()
    }
}

/// What to do about a PUBREC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PubRec {
    /// The first for this message: forget the payload, answer with PUBREL.
    Release,
    /// The message waits to be sent on this connection. If that is a repetition, it asks for PUBREC anew, and
    /// PUBREL must not go before it: the repetition would be a new message then.
    Queued,
    /// Nothing waits for it: answer with PUBREL all the same, or the peer keeps the identifier for ever.
    Unknown,
}

impl<S: AsRef<[Slot]> + AsMut<[Slot]> + ?Sized> Session<S> {
    /// The place of an identifier in the table of slots.
    #[inline]
    pub(crate) fn index(&self, id: PacketId) -> usize {
        usize::from(id.get()) & self.slots.as_ref().len().wrapping_sub(1)
    }

    #[inline]
    fn slot(&mut self, id: PacketId) -> Option<&mut Slot> {
        let index = self.index(id);
        self.slots.as_mut().get_mut(index).filter(|slot| slot.id == Some(id))
    }

    /// Where the packet of a request is kept, as [`set_place`](Self::set_place) has said.
    pub(crate) fn place(&self, id: PacketId) -> Option<usize> {
        let slot = self.slots.as_ref().get(self.index(id))?;
        (slot.id == Some(id)).then_some(slot.place as usize)
    }

    pub(crate) fn set_place(&mut self, id: PacketId, place: usize) {
        if let Some(slot) = self.slot(id) {
            slot.place = place as u32;
        }
    }

    /// What is kept here and behind it has moved by so many bytes.
    pub(crate) fn shift_places(&mut self, from: usize, by: usize) {
        for slot in self.slots.as_mut() {
            if slot.place != Slot::NOWHERE && slot.place as usize >= from {
                slot.place = slot.place.wrapping_add(by as u32);
            }
        }
    }

    /// The identifier to look at first for the next request.
    pub(crate) fn next(&self) -> PacketId {
        self.next
    }

    pub(crate) fn set_next(&mut self, id: PacketId) {
        self.next = id;
    }

    /// Forgets everything, and gives out this identifier first.
    pub(crate) fn clear(&mut self, next: PacketId) {
        self.next = next;
        self.ended = 0;
        self.exactly_once = 0;
        self.inbound.clear();
        self.slots.as_mut().fill(Slot::FREE);
    }

    /// The identifier that the next request gets (MQTT-2.3.1-2); `None` while every slot is taken.
    #[inline]
    pub fn next_id(&self) -> Option<PacketId> {
        let mut id = self.next;
        // Identifier 0 is left out: where the lap goes over it, its slot comes a whole lap later.
        for _ in 0..self.slots.as_ref().len().saturating_mul(2) {
            if self.slots.as_ref().get(self.index(id))?.id.is_none() {
                return Some(id);
            }
            id = id.next();
        }
        None
    }

    /// Begins a request under an identifier that [`next_id`](Self::next_id) has just named.
    ///
    /// Does nothing, and says `false`, where the slot is taken.
    #[inline]
    pub fn open(&mut self, id: PacketId, request: Request) -> bool {
        let index = self.index(id);
        match self.slots.as_mut().get_mut(index) {
            Some(slot) if slot.id.is_none() => {
                *slot = Slot::new(id, request);
                self.next = id.next();
                self.exactly_once =
                    self.exactly_once.wrapping_add(u16::from(request == Request::ExactlyOnce));
                true
            }
            _ => false,
        }
    }

    /// The last byte of the request (or of a PUBREL that was sent again) has left.
    #[inline]
    pub fn sent(&mut self, id: PacketId) {
        if let Some(slot) = self.slot(id) {
            slot.state = slot.state.sent();
        }
    }

    /// Whether the last byte of the request has left, on this connection.
    pub(crate) fn is_sent(&mut self, id: PacketId) -> bool {
        self.slot(id).is_some_and(|slot| slot.state.is_sent())
    }

    /// PUBACK came: whether a message waited for it, which is done at QoS 1 then.
    ///
    /// That can be a message of QoS 2: a server that knows no QoS 2 answers it with PUBACK.
    #[inline]
    pub fn puback(&mut self, id: PacketId) -> bool {
        self.end(id, State::AT_LEAST_ONCE) || self.end(id, State::EXACTLY_ONCE)
    }

    /// PUBREC came.
    #[inline]
    pub fn pubrec(&mut self, id: PacketId) -> PubRec {
        match self.slot(id) {
            Some(slot) if slot.state == State::EXACTLY_ONCE.sent() => {
                // PUBREL was sent, or follows in a moment.
                slot.state = State::RELEASE.sent();
                slot.place = Slot::NOWHERE;
                PubRec::Release
            }
            Some(slot) if slot.state == State::EXACTLY_ONCE => PubRec::Queued,
            _ => PubRec::Unknown,
        }
    }

    /// PUBCOMP came: whether it ends a flow.
    #[inline]
    pub fn pubcomp(&mut self, id: PacketId) -> bool {
        self.end(id, State::RELEASE)
    }

    /// SUBACK came with so many codes: whether a SUBSCRIBE waited for it.
    ///
    /// # Errors
    /// [`SubAckCount`](Violation::SubAckCount) where the SUBSCRIBE has more or fewer filters; it waits still.
    #[inline]
    pub fn suback(&mut self, id: PacketId, codes: usize) -> Result<bool, Violation> {
        match self.slot(id) {
            Some(slot) if slot.state == State::SUBSCRIBE.sent() => {
                if usize::from(slot.filters) != codes {
                    return Err(Violation::SubAckCount);
                }
                slot.free();
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// UNSUBACK came: whether an UNSUBSCRIBE waited for it.
    #[inline]
    pub fn unsuback(&mut self, id: PacketId) -> bool {
        self.end(id, State::UNSUBSCRIBE)
    }

    /// Frees the slot if it waits for this, and was sent.
    fn end(&mut self, id: PacketId, state: State) -> bool {
        match self.slot(id) {
            Some(slot) if slot.state == state.sent() => {
                slot.free();
                self.exactly_once = self.exactly_once.wrapping_sub(u16::from(state.is_exactly_once()));
                true
            }
            _ => false,
        }
    }

    /// The connection is gone: what was sent waits to be sent again; SUBSCRIBE and UNSUBSCRIBE are lost.
    pub fn link_lost(&mut self) {
        for slot in self.slots.as_mut() {
            slot.state = slot.state.unsent();
            if slot.state.ends_with_link() {
                slot.end(State::LOST);
                self.ended = self.ended.wrapping_add(1);
            }
        }
    }

    /// Ends a request without an answer; [`take_ended`](Self::take_ended) reports it.
    ///
    /// It is [`Uncertain`](Outcome::Uncertain) where the server had answered with PUBREC, else
    /// [`Lost`](Outcome::Lost).
    pub fn abandon(&mut self, id: PacketId) {
        let Some(slot) = self.slot(id).filter(|slot| !slot.state.has_ended()) else { return };
        let exactly_once = slot.state.is_exactly_once();
        slot.end(if slot.state.unsent() == State::RELEASE { State::UNCERTAIN } else { State::LOST });
        self.exactly_once = self.exactly_once.wrapping_sub(u16::from(exactly_once));
        self.ended = self.ended.wrapping_add(1);
    }

    /// A request that ended without an answer; its identifier is free from now on.
    pub fn take_ended(&mut self) -> Option<(PacketId, Outcome)> {
        if self.ended == 0 {
            return None;
        }
        let slot = self.slots.as_mut().iter_mut().find(|slot| slot.outcome().is_some())?;
        let ended = slot.id.zip(slot.outcome());
        slot.free();
        self.ended = self.ended.wrapping_sub(1);
        ended
    }

    /// Messages of QoS 2 under way.
    #[inline]
    pub fn exactly_once(&self) -> usize {
        usize::from(self.exactly_once)
    }

    /// Requests under way, with those whose end [`take_ended`](Self::take_ended) has not reported.
    pub fn in_flight(&self) -> usize {
        self.slots.as_ref().iter().filter(|slot| slot.id.is_some()).count()
    }
}
