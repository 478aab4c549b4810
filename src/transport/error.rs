//! Why a connection has ended.

use core::fmt;

use crate::{ConnectError, RefusalCode, client};

/// Why a connection has ended. `E` is what the transport fails with.
///
/// The transport is of no use any more, the session goes on with the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error<E> {
    /// The transport has failed.
    Io(E),
    /// The stream has ended, or the application has disconnected.
    Closed,
    /// The client has given the connection up.
    Client(client::Error),
    /// CONNECT was not sent.
    Connect(ConnectError),
}

impl<E> Error<E> {
    /// Why the server refuses the connection, if that is what it does.
    pub const fn refusal(&self) -> Option<RefusalCode> {
        match self {
            Error::Client(client::Error::Refused(code)) => Some(*code),
            _ => None,
        }
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(error) => error.fmt(f),
            Error::Closed => f.write_str("the connection is closed"),
            Error::Client(error) => error.fmt(f),
            Error::Connect(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Error::Io(error) => Some(error),
            Error::Closed => None,
            Error::Client(error) => Some(error),
            Error::Connect(error) => Some(error),
        }
    }
}
