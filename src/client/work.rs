//! All that a client keeps besides what it was lent. In the beginning nothing but zeros, so that a client in a `static` takes no
//! flash.

use super::inbox::{Inbox, Kind};
use super::timers::{Note, Notes, Timers};
use super::{answers, outbox};
use crate::Instant;

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum State {
    /// There is none.
    Offline,
    /// CONNECT is on its way, CONNACK has not come.
    Connecting,
    /// The server has accepted the connection.
    Connected,
    /// DISCONNECT follows what is queued, or (after [`finish`](crate::Client::finish)) the end of all that is under way; then
    /// the transport has to be closed.
    Closing,
}

/// What outlives a connection.
#[derive(Clone, Debug, Hash)]
pub(super) struct Session {
    /// The last CONNECT speaks MQTT 3.1.
    pub(super) mqtt31: bool,
    /// Of the last CONNECT: the session that it began has ended with its connection.
    pub(super) clean_session: bool,
    /// Of receipts, to tell those of other connections from.
    pub(super) connection: u16,
    /// Changes that an image of the session has to hold.
    pub(super) revision: u32,
    /// The revision for which Event::SaveDue was told last.
    pub(super) told_revision: u32,
    /// The revision of the last image.
    pub(super) saved_revision: u32,
    /// The revision of the last image that is durable.
    pub(super) durable_revision: u32,
    /// Acknowledgements that nothing waited for.
    pub(super) ignored: u32,
}

impl Session {
    const NEW: Self = Session {
        mqtt31: false,
        clean_session: false,
        connection: 0,
        revision: 0,
        told_revision: 0,
        saved_revision: 0,
        durable_revision: 0,
        ignored: 0,
    };

    /// Whether a durable image has all that was changed.
    pub(super) const fn is_durable(&self) -> bool {
        self.revision == self.durable_revision
    }

    /// Something has changed that an image of the session has to hold.
    #[inline]
    pub(super) fn changed(&mut self) {
        self.revision = self.revision.wrapping_add(1);
    }
}

/// A connection.
#[derive(Clone, Debug, Hash)]
#[repr(C)]
pub(super) struct Link {
    pub(super) state: State,
    /// CONNACK has come.
    pub(super) is_accepted: bool,
    /// No more requests are taken; DISCONNECT follows the end of those under way.
    pub(super) is_finishing: bool,
    /// Nothing can be sent any more, but what has come can still be read.
    pub(super) is_output_lost: bool,
    /// PINGREQ waits to be sent.
    pub(super) is_ping_due: bool,
    /// PINGREQ was offered, PINGRESP has not come.
    pub(super) is_ping_awaited: bool,
    /// Bytes that have left of a PINGREQ or DISCONNECT.
    pub(super) fixed_sent: u8,
    /// How often requests were sent again on this connection.
    pub(super) retries: u8,
    /// After how many ms of silence PINGREQ is due; 0 without keep alive.
    pub(super) silence: u32,
}

impl Link {
    pub(super) const NEW: Self = Link {
        state: State::Offline,
        is_accepted: false,
        is_finishing: false,
        is_output_lost: false,
        is_ping_due: false,
        is_ping_awaited: false,
        fixed_sent: 0,
        retries: 0,
        silence: 0,
    };
}

/// Where the bytes come from that are to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// There are none.
    None,
    /// CONNECT, in the receive buffer.
    Connect,
    PingReq,
    Disconnect,
    Answers,
    Requests,
    /// The payload of a streamed message.
    Payload,
}

/// Bytes that the transport was offered.
#[derive(Clone, Copy, Debug, Hash)]
#[repr(C)]
pub(super) struct Offer {
    pub(super) source: Source,
    /// The transport has said how many it took; should it tell of more, those are the next.
    pub(super) is_told: bool,
    pub(super) len: usize,
}

impl Offer {
    pub(super) const NONE: Self = Offer { source: Source::None, is_told: false, len: 0 };

    /// Bytes of requests that count as seen by the server until the transport says how many it took.
    pub(super) fn seen_of_requests(&self) -> usize {
        if self.source == Source::Requests && !self.is_told { self.len } else { 0 }
    }
}

/// What is neither of the outbox nor of the answers. Bytes come first, where short instructions reach them.
#[derive(Clone, Debug, Hash)]
#[repr(C)]
pub(super) struct Work {
    pub(super) link: Link,
    pub(super) notes: Notes,
    pub(super) offer: Offer,
    pub(super) inbox: Inbox,
    pub(super) timers: Timers,
    pub(super) session: Session,
}

impl Work {
    /// Time has passed; whether that is all that has happened, and nothing is due by it.
    #[inline]
    pub(super) fn is_idle(&mut self, now: Instant) -> bool {
        if self.inbox.event != Kind::None || self.notes.any() {
            return false;
        }
        if self.timers.pass(now) {
            self.notes.add(Note::CHANGED);
        }
        !self.notes.any()
    }

    /// The connection is gone, perhaps within a message that is delivered in pieces; what is of the session stays.
    pub(super) fn link_lost(&mut self, is_aborted: bool) {
        self.link = Link::NEW;
        self.notes = Notes::NEW;
        self.offer = Offer::NONE;
        self.inbox = Inbox::NEW;
        self.timers = Timers::NEW;
        self.inbox.is_aborted = is_aborted;
        self.notes.add(Note::CHANGED);
        self.session.connection = self.session.connection.wrapping_add(1);
    }
}

#[derive(Clone, Debug, Hash)]
#[repr(C)]
pub(super) struct All {
    pub(super) work: Work,
    pub(super) outbox: outbox::State,
    pub(super) answers: answers::State,
}

/// Whether there is nothing to be sent, as a quick look tells: where it says no, there may be nothing all the same.
#[inline]
pub(super) fn is_all_sent(work: &Work, outbox: &outbox::State, answers: &answers::State) -> bool {
    let Work { link, offer, .. } = work;
    link.state == State::Connected
        && !link.is_ping_due
        && (offer.is_told || offer.len == 0)
        && answers.cur == answers.end
        && outbox.cur == outbox.tail
        && outbox.streams == 0
}

impl All {
    pub(super) const NEW: Self = All {
        work: Work {
            link: Link::NEW,
            notes: Notes::NEW,
            offer: Offer::NONE,
            inbox: Inbox::NEW,
            timers: Timers::NEW,
            session: Session::NEW,
        },
        outbox: outbox::State::NEW,
        answers: answers::State::NEW,
    };
}
