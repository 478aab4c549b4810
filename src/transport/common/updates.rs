//! The updates of a link that is reopened whenever it is lost, and the reasons to stop trying.

use core::fmt;
use core::time::Duration;

use crate::transport::Error;
use crate::{
    AcknowledgeError, ConnectError, Event, GiveUpError, RefusalCode, RequestError, RestoreError, SaveError,
    StreamError,
};

/// Something that has happened on a link that is reopened whenever it is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Update<'a, E> {
    /// An event of the client.
    Event(Event<'a>),
    /// From a runner: everything that was queued has been sent. There may now be room for a request that was refused as
    /// [`Full`](RequestError::Full), and for more of a payload ([`write_payload`](crate::Outbound::write_payload)).
    AllSent,
    /// From a runner: requested by a handle (`Handle::wake`).
    Woken,
    /// The link has been lost, or an attempt to connect has failed, and another attempt will follow. (If none will, the reason is
    /// returned as [`GaveUp`].)
    LinkLost {
        /// The reason.
        error: Error<E>,
        /// The delay before the next attempt.
        retry_in: Duration,
    },
}

/// Why no further attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum GaveUp<E> {
    /// The limit of the [`Backoff`](crate::Backoff) has been reached. This is the error of the last attempt.
    Limit(Error<E>),
    /// The server refuses the connection, for a reason that is unlikely to go away by itself.
    Refused(RefusalCode),
    /// The CONNECT is not valid.
    Connect(ConnectError),
    /// The handler of a runner has failed; or, in a loop with a `Reconnect`, a request was refused.
    Handler(Error<E>),
    /// The handle already has a runner.
    AlreadyRunning,
    /// The application has disconnected. The next call of a `Reconnect` connects again. (A runner returns `Ok` instead.)
    Disconnected,
}

#[cfg(any(feature = "std", feature = "embedded-io-async-v0.7"))]
impl<E> GaveUp<E> {
    /// A call of the application was refused.
    pub(crate) fn refused(error: Error<E>) -> Self {
        match error {
            Error::Connect(error) => GaveUp::Connect(error),
            error => GaveUp::Handler(error),
        }
    }
}

/// So that a loop with a `Reconnect` can use `?` on every call.
macro_rules! from {
    ($($inner:ty)*) => {$(
        impl<E> From<$inner> for GaveUp<E> {
            fn from(error: $inner) -> Self {
                GaveUp::Handler(Error::from(error))
            }
        }
    )*};
}

from! { RequestError StreamError AcknowledgeError GiveUpError SaveError RestoreError &'static str }

impl<E: fmt::Display> fmt::Display for GaveUp<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GaveUp::Limit(error) => write!(f, "no connection within the allowed number of attempts: {error}"),
            GaveUp::Refused(code) => write!(f, "the server refused the connection: {code}"),
            GaveUp::Connect(error) => error.fmt(f),
            GaveUp::Handler(error) => error.fmt(f),
            GaveUp::AlreadyRunning => f.write_str("the handle already has a runner"),
            GaveUp::Disconnected => f.write_str("disconnected"),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for GaveUp<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            GaveUp::Limit(error) | GaveUp::Handler(error) => error.source(),
            GaveUp::Refused(_) | GaveUp::Connect(_) | GaveUp::AlreadyRunning | GaveUp::Disconnected => None,
        }
    }
}
