//! One request that waits for its answers.

use crate::PacketId;

/// A place for one request under way: its packet identifier and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    pub(super) id: Option<PacketId>,
    pub(super) state: State,
    /// Filters of a SUBSCRIBE, which its SUBACK has to answer one by one.
    pub(super) filters: u8,
    /// Where the owner of the session keeps the packet.
    pub(super) place: u32,
}

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Request {
    /// A PUBLISH of QoS 1.
    AtLeastOnce,
    /// A PUBLISH of QoS 2.
    ExactlyOnce,
    /// A SUBSCRIBE.
    Subscribe {
        /// The number of its filters.
        filters: u8,
    },
    /// An UNSUBSCRIBE.
    Unsubscribe,
}

/// How a request ends that is not answered to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Outcome {
    /// It may or may not have reached the server, and is not sent again.
    Lost,
    /// The server had the message (it sent PUBREC) and has lost the session since: it may or may not have passed
    /// the message on.
    Uncertain,
}

impl core::fmt::Display for Outcome {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Outcome::Lost => "lost",
            Outcome::Uncertain => "uncertain",
        })
    }
}

/// How far a request has come. "Queued" waits to be sent on this connection, "sent" has left it whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    // The first, so that an empty table is nothing but zeros.
    Lost,
    Uncertain,
    AtLeastOnceQueued,
    AtLeastOnceSent,
    ExactlyOnceQueued,
    ExactlyOnceSent,
    /// PUBREC has come, and PUBREL is to be sent again.
    ReleaseQueued,
    /// PUBREC has come, and PUBREL was sent or follows in a moment.
    ReleaseSent,
    SubscribeQueued,
    SubscribeSent,
    UnsubscribeQueued,
    UnsubscribeSent,
}

impl State {
    #[inline]
    pub(super) fn sent(self) -> Self {
        match self {
            State::AtLeastOnceQueued => State::AtLeastOnceSent,
            State::ExactlyOnceQueued => State::ExactlyOnceSent,
            State::ReleaseQueued => State::ReleaseSent,
            State::SubscribeQueued => State::SubscribeSent,
            State::UnsubscribeQueued => State::UnsubscribeSent,
            other => other,
        }
    }

    #[inline]
    pub(super) fn is_exactly_once(self) -> bool {
        matches!(
            self,
            State::ExactlyOnceQueued | State::ExactlyOnceSent | State::ReleaseQueued | State::ReleaseSent
        )
    }

    pub(super) fn send_again(self) -> Self {
        match self {
            State::AtLeastOnceSent => State::AtLeastOnceQueued,
            State::ExactlyOnceSent => State::ExactlyOnceQueued,
            State::ReleaseSent => State::ReleaseQueued,
            State::SubscribeSent => State::SubscribeQueued,
            State::UnsubscribeSent => State::UnsubscribeQueued,
            other => other,
        }
    }

    pub(super) fn link_lost(self) -> Self {
        match self.send_again() {
            State::SubscribeQueued | State::UnsubscribeQueued => State::Lost,
            other => other,
        }
    }
}

impl Slot {
    /// A slot that no request has taken.
    pub const FREE: Slot = Slot { id: None, state: State::Lost, filters: 0, place: 0 };

    #[inline]
    pub(super) fn new(id: PacketId, request: Request) -> Self {
        let (state, filters) = match request {
            Request::AtLeastOnce => (State::AtLeastOnceQueued, 0),
            Request::ExactlyOnce => (State::ExactlyOnceQueued, 0),
            Request::Subscribe { filters } => (State::SubscribeQueued, filters),
            Request::Unsubscribe => (State::UnsubscribeQueued, 0),
        };
        Slot { id: Some(id), state, filters, place: 0 }
    }

    /// The request has ended. Where its packet is can still be asked.
    pub(super) fn free(&mut self) {
        *self = Slot { place: self.place, ..Slot::FREE };
    }

    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.id?;
        match self.state {
            State::Lost => Some(Outcome::Lost),
            State::Uncertain => Some(Outcome::Uncertain),
            _ => None,
        }
    }
}
