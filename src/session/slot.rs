//! One request that waits for its answers.

use core::fmt;

use crate::PacketId;

/// A place for one request under way: its packet identifier and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
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

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Lost => "lost",
            Outcome::Uncertain => "uncertain",
        })
    }
}

/// How far a request has come: what it waits for, and whether its packet has left whole on this connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct State(u8);

impl State {
    const SENT: u8 = 1;

    /// It has ended, and nobody has heard of it yet. (Nothing but zeros, so that an empty table is that.)
    pub(super) const LOST: State = State(0);
    pub(super) const UNCERTAIN: State = State(2);
    /// A PUBLISH of QoS 1 waits for PUBACK.
    pub(super) const AT_LEAST_ONCE: State = State(4);
    /// A PUBLISH of QoS 2 waits for PUBREC.
    pub(super) const EXACTLY_ONCE: State = State(6);
    /// PUBREC has come: PUBREL waits for PUBCOMP.
    pub(super) const RELEASE: State = State(8);
    pub(super) const SUBSCRIBE: State = State(10);
    pub(super) const UNSUBSCRIBE: State = State(12);

    pub(super) const fn sent(self) -> Self {
        State(self.0 | Self::SENT)
    }

    pub(super) const fn is_sent(self) -> bool {
        self.0 & Self::SENT != 0
    }

    /// The same, sent or not.
    pub(super) const fn unsent(self) -> Self {
        State(self.0 & !Self::SENT)
    }

    pub(super) fn is_exactly_once(self) -> bool {
        let state = self.unsent();
        state == Self::EXACTLY_ONCE || state == Self::RELEASE
    }

    pub(super) const fn has_ended(self) -> bool {
        self.0 < Self::AT_LEAST_ONCE.0
    }

    /// SUBSCRIBE and UNSUBSCRIBE end with their connection.
    pub(super) const fn ends_with_link(self) -> bool {
        self.0 >= Self::SUBSCRIBE.0
    }
}

impl State {
    const fn name(self) -> &'static str {
        match self.unsent() {
            Self::LOST => "Lost",
            Self::UNCERTAIN => "Uncertain",
            Self::AT_LEAST_ONCE => "AtLeastOnce",
            Self::EXACTLY_ONCE => "ExactlyOnce",
            Self::RELEASE => "Release",
            Self::SUBSCRIBE => "Subscribe",
            _ => "Unsubscribe",
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        f.write_str(if self.is_sent() { " (sent)" } else { "" })
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for State {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}{=str}", self.name(), if self.is_sent() { " (sent)" } else { "" });
    }
}

impl Slot {
    /// A slot that no request has taken.
    pub const FREE: Slot = Slot { id: None, state: State::LOST, filters: 0, place: 0 };

    /// The place of a packet that is not kept.
    pub(super) const NOWHERE: u32 = u32::MAX;

    #[inline]
    pub(super) fn new(id: PacketId, request: Request) -> Self {
        let (state, filters) = match request {
            Request::AtLeastOnce => (State::AT_LEAST_ONCE, 0),
            Request::ExactlyOnce => (State::EXACTLY_ONCE, 0),
            Request::Subscribe { filters } => (State::SUBSCRIBE, filters),
            Request::Unsubscribe => (State::UNSUBSCRIBE, 0),
        };
        Slot { id: Some(id), state, filters, place: Slot::NOWHERE }
    }

    /// The request has ended.
    pub(super) fn free(&mut self) {
        *self = Slot::FREE;
    }

    /// The request has ended without an answer. Its packet is not kept any more.
    pub(super) fn end(&mut self, state: State) {
        self.state = state;
        self.place = Slot::NOWHERE;
    }

    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.id?;
        match self.state {
            State::LOST => Some(Outcome::Lost),
            State::UNCERTAIN => Some(Outcome::Uncertain),
            _ => None,
        }
    }
}
