//! Why a connection has ended, or a call was refused.

use core::fmt;

use crate::{
    AcknowledgeError, ConnectError, GiveUpError, RefusalCode, RequestError, RestoreError, SaveError,
    StreamError, client,
};

/// Why a connection has ended, or why a call was refused.
///
/// A connection ends with [`Io`](Self::Io), [`Closed`](Self::Closed), [`Disconnected`](Self::Disconnected) or
/// [`Client`](Self::Client). Its transport is then of no further use, and the session continues on the next one.
///
/// The other variants are never returned by a wait for events. They are refusals of calls, which change nothing, and errors of the
/// application itself. They are part of this type so that a single `?` is enough for everything that can go wrong in a program with a
/// connection.
///
/// `E` is the error of the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error<E> {
    /// The transport has failed.
    Io(E),
    /// The stream has ended. Or there is no connection yet: no stream was opened, or `connect` was not called.
    Closed,
    /// DISCONNECT has been sent, as requested by the application ([`disconnect`](crate::Client::disconnect),
    /// [`finish`](crate::Client::finish)).
    Disconnected,
    /// The client has ended the connection.
    Client(client::Error),
    /// CONNECT was not queued.
    Connect(ConnectError),
    /// A PUBLISH, SUBSCRIBE or UNSUBSCRIBE was not queued.
    Request(RequestError),
    /// No payload was accepted.
    Payload(StreamError),
    /// A message was not acknowledged.
    Acknowledge(AcknowledgeError),
    /// A message was not given up.
    GiveUp(GiveUpError),
    /// The session was not saved.
    Save(SaveError),
    /// The session was not restored.
    Restore(RestoreError),
    /// The application gives up, for this reason: returned by the handler of a runner.
    Application(&'static str),
}

impl<E> Error<E> {
    /// The reason, if the server has refused the connection.
    #[must_use]
    pub const fn refusal(&self) -> Option<RefusalCode> {
        match self {
            Error::Client(client::Error::Refused(code)) => Some(*code),
            _ => None,
        }
    }

    /// Whether this is the end of a connection, as opposed to a refused call or an error of the application.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(self, Error::Io(_) | Error::Closed | Error::Disconnected | Error::Client(_))
    }
}

/// Wrapped errors are displayed as they are, and have their own source.
impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(error) => error.fmt(f),
            Error::Closed => f.write_str("the connection is closed"),
            Error::Disconnected => f.write_str("disconnected"),
            Error::Client(error) => error.fmt(f),
            Error::Connect(error) => error.fmt(f),
            Error::Request(error) => error.fmt(f),
            Error::Payload(error) => error.fmt(f),
            Error::Acknowledge(error) => error.fmt(f),
            Error::GiveUp(error) => error.fmt(f),
            Error::Save(error) => error.fmt(f),
            Error::Restore(error) => error.fmt(f),
            Error::Application(reason) => f.write_str(reason),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Error::Io(error) => error.source(),
            _ => None,
        }
    }
}

#[cfg(feature = "embedded-io-async-v0.7")]
impl Error<()> {
    /// The same error, with the error of the transport.
    pub(super) fn with_failure<E>(self, failure: Option<E>) -> Error<E> {
        match self {
            Error::Io(()) => failure.map_or(Error::Closed, Error::Io),
            Error::Closed => Error::Closed,
            Error::Disconnected => Error::Disconnected,
            Error::Client(error) => Error::Client(error),
            Error::Connect(error) => Error::Connect(error),
            Error::Request(error) => Error::Request(error),
            Error::Payload(error) => Error::Payload(error),
            Error::Acknowledge(error) => Error::Acknowledge(error),
            Error::GiveUp(error) => Error::GiveUp(error),
            Error::Save(error) => Error::Save(error),
            Error::Restore(error) => Error::Restore(error),
            Error::Application(reason) => Error::Application(reason),
        }
    }
}

macro_rules! from {
    ($($inner:ty => $variant:ident)*) => {$(
        impl<E> From<$inner> for Error<E> {
            fn from(error: $inner) -> Self {
                Error::$variant(error)
            }
        }
    )*};
}

from! {
    client::Error => Client
    ConnectError => Connect
    RequestError => Request
    StreamError => Payload
    AcknowledgeError => Acknowledge
    GiveUpError => GiveUp
    SaveError => Save
    RestoreError => Restore
    &'static str => Application
}

/// Any I/O error of std, for instance from a file.
#[cfg(feature = "std")]
impl From<std::io::Error> for Error<std::io::Error> {
    fn from(error: std::io::Error) -> Self {
        Error::Io(error)
    }
}
