//! The errors of a handle.

use core::fmt;

use crate::{Outcome, PacketId, RequestError};

/// Why a call of a handle was refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum HandleError<E = RequestError> {
    /// The client refused the call for this reason.
    Refused(E),
    /// The call was made where it would wait for itself: on the runner's thread, in its handler or its `connect` function (there, use the
    /// outbound half); or from within `with`.
    WouldDeadlock,
    /// The runner has been stopped, or has ended.
    Stopped,
    /// There is no room now, and the maximum number of tasks is already waiting for it (`N` of the handle of `transport::asynch`).
    TooManyWaiters,
}

/// Why waiting for an acknowledgement failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WaitError {
    /// The message was not queued.
    Request(RequestError),
    /// The message was queued, but was not acknowledged within the given time. It stays under way, unless it is given up.
    TimedOut {
        /// Its packet identifier.
        id: PacketId,
    },
    /// The message has ended without an acknowledgement.
    Ended(Outcome),
    /// The message was given up before it was sent; or it was lost, and the client does not report losses
    /// ([`reports_loss`](crate::Config::reports_loss)).
    GivenUp,
}

impl<E> From<E> for HandleError<E> {
    fn from(error: E) -> Self {
        HandleError::Refused(error)
    }
}

impl<E> HandleError<E> {
    /// Converts the error of the call.
    pub(super) fn map<F>(self, f: impl FnOnce(E) -> F) -> HandleError<F> {
        match self {
            HandleError::Refused(error) => HandleError::Refused(f(error)),
            HandleError::WouldDeadlock => HandleError::WouldDeadlock,
            HandleError::Stopped => HandleError::Stopped,
            HandleError::TooManyWaiters => HandleError::TooManyWaiters,
        }
    }
}

impl<E: fmt::Display> fmt::Display for HandleError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandleError::Refused(error) => error.fmt(f),
            HandleError::WouldDeadlock => {
                f.write_str("the call would wait for itself; in a handler, use the outbound half")
            }
            HandleError::Stopped => f.write_str("the runner has stopped"),
            HandleError::TooManyWaiters => {
                f.write_str("more tasks wait than the handle has places; enlarge N")
            }
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
