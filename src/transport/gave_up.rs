//! What happens on a link that is opened again whenever it is lost, and the end of all attempts.

use core::fmt;
use core::time::Duration;

use super::Error;
use crate::{ConnectError, Event, RefusalCode, RequestError};

/// What happens on a link that is opened again whenever it is lost.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Update<'a, E> {
    /// An event of the client.
    Event(Event<'a>),
    /// From a runner: all that was queued has left. There is room for what was refused as [`Full`](RequestError::Full), and for more
    /// of a payload ([`write_payload`](crate::Outbound::write_payload)).
    AllSent,
    /// From a runner: its handle has asked for this call (`Handle::wake`).
    Woken,
    /// The link is lost, or an attempt to make one has failed. The next attempt follows; where none does, [`GaveUp`] says why.
    LinkLost {
        /// Why.
        error: Error<E>,
        /// The delay before the next attempt.
        retry_in: Duration,
    },
}

/// Why no further attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum GaveUp<E> {
    /// The limit of the [`Backoff`](crate::Backoff) is reached; this is what the last attempt came to.
    Limit(Error<E>),
    /// The server refuses the connection, and will not change its mind by itself.
    Refused(RefusalCode),
    /// CONNECT cannot be sent as it is.
    Connect(ConnectError),
    /// The handler of a runner has failed, or a request of a loop's.
    Handler(Error<E>),
    /// The application has disconnected. (A runner returns `Ok` instead.)
    Disconnected,
}

#[cfg(any(feature = "std", feature = "embedded-io-async-v0.7"))]
impl<E> GaveUp<E> {
    /// A call was refused.
    pub(super) fn refused(error: Error<E>) -> Self {
        match error {
            Error::Connect(error) => GaveUp::Connect(error),
            error => GaveUp::Handler(error),
        }
    }
}

/// So that `?` carries it out of a loop.
impl<E> From<RequestError> for GaveUp<E> {
    fn from(error: RequestError) -> Self {
        GaveUp::Handler(Error::Request(error))
    }
}

impl<E: fmt::Display> fmt::Display for GaveUp<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GaveUp::Limit(_) => f.write_str("no connection after so many attempts"),
            GaveUp::Refused(code) => write!(f, "the server refused the connection: {code}"),
            GaveUp::Connect(error) => error.fmt(f),
            GaveUp::Handler(error) => error.fmt(f),
            GaveUp::Disconnected => f.write_str("disconnected"),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for GaveUp<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            GaveUp::Limit(error) => Some(error),
            GaveUp::Handler(error) => error.source(),
            GaveUp::Refused(_) | GaveUp::Connect(_) | GaveUp::Disconnected => None,
        }
    }
}
