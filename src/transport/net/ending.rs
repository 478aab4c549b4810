//! How a runner ends.

use core::fmt;
use std::boxed::Box;
use std::io;

use super::Error;
use crate::{ConnectError, RefusalCode};

/// What a handler fails with: any error.
pub type BoxError = Box<dyn core::error::Error + Send + Sync>;

/// Why a [`Runner`](super::Runner) has ended that was not asked to.
#[derive(Debug)]
#[non_exhaustive]
pub enum GaveUp {
    /// The limit of the [`Backoff`](crate::Backoff) is reached; this is what the last attempt came to.
    Limit(Error),
    /// The server refuses the connection, and will not change its mind by itself.
    Refused(RefusalCode),
    /// CONNECT cannot be sent as it is.
    Connect(ConnectError),
    /// The handler has failed.
    Handler(BoxError),
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GaveUp::Limit(_) => f.write_str("no connection after so many attempts"),
            GaveUp::Refused(code) => write!(f, "the server refused the connection: {code}"),
            GaveUp::Connect(error) => error.fmt(f),
            GaveUp::Handler(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for GaveUp {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            GaveUp::Limit(error) => Some(error),
            GaveUp::Handler(error) => error.source(),
            GaveUp::Refused(_) | GaveUp::Connect(_) => None,
        }
    }
}

/// How one connection ends.
pub(super) enum Ending {
    /// It was asked to.
    Done,
    Lost(Error),
    /// There was no stream for it.
    NotOpened(io::Error),
    /// The handler has failed.
    Failed(BoxError),
}

impl From<Error> for Ending {
    fn from(error: Error) -> Self {
        match error {
            Error::Disconnected => Ending::Done,
            error => Ending::Lost(error),
        }
    }
}
