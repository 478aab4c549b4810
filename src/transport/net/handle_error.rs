//! Why a call of a handle came to nothing.

use core::fmt;

use crate::{Outcome, PacketId, RequestError};

/// Why a call of a [`Handle`](super::Handle) was refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandleError<E = RequestError> {
    /// The same call of a client is refused for this reason.
    Refused(E),
    /// The call was made on the thread of the runner, by a handler.
    OnRunner,
    /// The runner has been stopped, or has ended.
    Stopped,
}

/// Why a message that was waited for was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitError {
    /// The message was not queued.
    Request(RequestError),
    /// The message is queued, and has not ended within this time. It stays under way, unless it is [given up](super::Handle::give_up).
    TimedOut {
        /// Its packet identifier.
        id: PacketId,
    },
    /// The message has ended without its acknowledgement.
    Ended(Outcome),
    /// The message was given up before it had left.
    GivenUp,
}

impl<E> From<E> for HandleError<E> {
    fn from(error: E) -> Self {
        HandleError::Refused(error)
    }
}

impl<E: fmt::Display> fmt::Display for HandleError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandleError::Refused(error) => error.fmt(f),
            HandleError::OnRunner => {
                f.write_str("a handler cannot wait for its own thread; use its outbound half")
            }
            HandleError::Stopped => f.write_str("the runner has stopped"),
        }
    }
}

impl<E: core::error::Error> core::error::Error for HandleError<E> {}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitError::Request(error) => error.fmt(f),
            WaitError::TimedOut { id } => write!(f, "message {id} has not ended in time"),
            WaitError::Ended(outcome) => write!(f, "the message is {outcome}"),
            WaitError::GivenUp => f.write_str("the message was given up"),
        }
    }
}

impl core::error::Error for WaitError {}
