//! The state of a client besides its buffers. Initially all bytes are zero, so that a client in a `static` takes no flash.

use core::fmt;

use super::answers::AnswersState;
use super::inbox::{EventKind, Inbox};
use super::outbox::OutboxState;
use super::timers::{Note, Notes, Timers};
use crate::Instant;

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum State {
    /// There is no connection.
    Offline,
    /// CONNECT is queued or sent, and CONNACK has not been received yet.
    Connecting,
    /// The server has accepted the connection.
    Connected,
    /// DISCONNECT will be sent after everything that is queued or, after [`finish`](crate::Client::finish), once all requests have ended.
    /// Then the transport has to be closed.
    Closing,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Offline => "offline",
            State::Connecting => "connecting",
            State::Connected => "connected",
            State::Closing => "closing",
        })
    }
}

/// Whether the application has requested the end of the connection. This is remembered after the connection, until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Leaving {
    No,
    /// No more requests are accepted; DISCONNECT follows once those under way have ended.
    Finishing,
    /// DISCONNECT follows after everything that is queued.
    Disconnecting,
}

impl Leaving {
    pub(super) const fn is_finishing(self) -> bool {
        matches!(self, Leaving::Finishing)
    }
}

/// The state that outlives a connection.
#[derive(Clone, Debug, Hash)]
pub(super) struct Session {
    /// The last CONNECT used MQTT 3.1.
    pub(super) mqtt31: bool,
    /// The last CONNECT requested a clean session, which has ended with its connection.
    pub(super) clean_session: bool,
    /// The number of the connection, to recognize receipts of other connections.
    pub(super) connection: u16,
    /// Counts the changes that an image of the session has to contain.
    pub(super) revision: u32,
    /// The revision for which `Event::SaveDue` was last reported.
    pub(super) reported_revision: u32,
    /// The revision of the last image.
    pub(super) saved_revision: u32,
    /// The revision of the last durable image.
    pub(super) durable_revision: u32,
    /// The number of acknowledgements that no request was waiting for.
    pub(super) ignored: u32,
}

impl Session {
    const NEW: Self = Session {
        mqtt31: false,
        clean_session: false,
        connection: 0,
        revision: 0,
        reported_revision: 0,
        saved_revision: 0,
        durable_revision: 0,
        ignored: 0,
    };

    /// Whether a durable image contains all changes.
    pub(super) const fn is_durable(&self) -> bool {
        self.revision == self.durable_revision
    }

    /// Notes a change that an image of the session has to contain.
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
    /// CONNACK has been received.
    pub(super) is_accepted: bool,
    /// Nothing can be sent any more, but received bytes can still be read.
    pub(super) is_output_lost: bool,
    /// PINGREQ is to be sent.
    pub(super) is_ping_due: bool,
    /// PINGREQ has been offered, and PINGRESP has not been received yet.
    pub(super) is_ping_awaited: bool,
    /// How many bytes of a PINGREQ or DISCONNECT have been sent.
    pub(super) fixed_sent: u8,
    /// How often requests have been resent on this connection.
    pub(super) retries: u8,
    /// The silence in ms after which PINGREQ is due; 0 without keep alive.
    pub(super) silence_ms: u32,
}

impl Link {
    pub(super) const NEW: Self = Link {
        state: State::Offline,
        is_accepted: false,
        is_output_lost: false,
        is_ping_due: false,
        is_ping_awaited: false,
        fixed_sent: 0,
        retries: 0,
        silence_ms: 0,
    };
}

/// The source of the bytes to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// There are no bytes.
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

/// Bytes that have been offered to the transport.
#[derive(Clone, Copy, Debug, Hash)]
#[repr(C)]
pub(super) struct Offer {
    pub(super) source: Source,
    /// `sent` has been called for this offer. If it is called again, it means the bytes after those.
    pub(super) is_settled: bool,
    pub(super) len: usize,
}

impl Offer {
    pub(super) const NONE: Self = Offer { source: Source::None, is_settled: false, len: 0 };

    /// The number of bytes of requests that count as possibly received by the server until `sent` is called.
    pub(super) fn offered_requests(&self) -> usize {
        if self.is_settled { 0 } else { self.unreported_requests() }
    }

    /// The number of bytes of requests that `sent` can still report.
    pub(super) fn unreported_requests(&self) -> usize {
        if self.source == Source::Requests { self.len } else { 0 }
    }
}

/// The state that belongs neither to the outbox nor to the answers. Small fields come first, where short instructions reach them.
#[derive(Clone, Debug, Hash)]
#[repr(C)]
pub(super) struct Control {
    pub(super) link: Link,
    pub(super) notes: Notes,
    /// Outlives the connection.
    pub(super) leaving: Leaving,
    pub(super) offer: Offer,
    pub(super) inbox: Inbox,
    pub(super) timers: Timers,
    pub(super) session: Session,
}

impl Control {
    /// DISCONNECT follows after what is queued: no answers are awaited any more.
    pub(super) fn is_disconnecting(&self) -> bool {
        self.link.state == State::Closing && !self.leaving.is_finishing()
    }

    /// Accepts no more requests from now on, if the application is finishing. A `finish` from before CONNACK waits until the application has
    /// handled that event, because that is where an application makes its first requests.
    pub(super) fn finish_if_connected(&mut self) {
        if self.link.state == State::Connected && self.leaving.is_finishing() {
            self.link.state = State::Closing;
        }
    }

    /// Lets time pass. Returns whether nothing else has happened and no timer is due, so that there is nothing to do.
    #[inline]
    pub(super) fn is_idle(&mut self, now: Instant) -> bool {
        if self.inbox.event != EventKind::None || self.notes.any() {
            return false;
        }
        if self.timers.elapse(now) {
            self.notes.add(Note::CHANGED);
        }
        !self.notes.any()
    }

    /// Resets everything except the session after a lost connection, perhaps in the middle of a message that is delivered in pieces.
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

/// All of it: positions and counters of what is in the buffers, and everything else.
#[derive(Clone, Debug, Hash)]
#[repr(C)]
pub(super) struct ClientState {
    pub(super) control: Control,
    pub(super) outbox: OutboxState,
    pub(super) answers: AnswersState,
}

impl ClientState {
    pub(super) const NEW: Self = ClientState {
        control: Control {
            link: Link::NEW,
            notes: Notes::NEW,
            leaving: Leaving::No,
            offer: Offer::NONE,
            inbox: Inbox::NEW,
            timers: Timers::NEW,
            session: Session::NEW,
        },
        outbox: OutboxState::NEW,
        answers: AnswersState::NEW,
    };
}
