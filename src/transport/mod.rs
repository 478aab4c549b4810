//! Adapters that connect a [`Client`](crate::Client) to a transport, and do the waiting.
//!
//! - `net` (feature `std`), over `std::io::Read + Write` with timeouts: blocks.
//! - `blocking` (feature `embedded-io-v0.7`), over `embedded_io::{Read, ReadReady, Write}`: polls in a loop.
//! - `asynch` (feature `embedded-io-async-v0.7`), over halves that are `embedded_io_async::{Read, Write}`: awaits.
//! - `polled` (feature `nb`), over functions that return `nb::Result`: never waits.
//!
//! Every adapter has a `Connection`, which holds a client, a stream and a clock. It dereferences to the [`Client`](crate::Client), so that
//! you call everything that needs no stream, from [`connect`](crate::Client::connect) to [`save`](crate::Client::save), on the
//! connection. These calls are documented at the client. They queue their packets; the next wait for events sends them. All results are
//! events too, [`Connected`](crate::Event::Connected) included.
//!
//! `net` and `asynch` also have a `Runner`, which owns the connection and reopens it, and a `Handle` for other threads or tasks. The
//! handle's calls are the same in both: they block in `net`, and are awaited in `asynch`. You give a runner two functions. The first is
//! called for each attempt to connect: it opens a stream, and calls `Link::run` with that stream and a CONNECT. The second, the handler,
//! receives every `Update`, and makes requests through the [`Outbound`](crate::Outbound) half. `blocking` and `polled` have a `Reconnect`
//! instead, which reopens the connection and reports the same updates.
//!
//! # Which one to use
//!
//! - One thread with an operating system: the `Connection` of `net`.
//! - One loop without an operating system: `blocking` or `polled`.
//! - Several threads: the `Runner` of `net`.
//! - Async tasks: the `Runner` of `asynch`; or its `Connection`, if there is only one task, and all operations of the stream are
//!   cancel-safe.
//!
//! Streams of `embedded-io` 0.6 can be wrapped in `FromV06` (features `embedded-io-v0.6`, `embedded-io-async-v0.6`).
//!
//! # What a stream must support
//!
//! Besides reading and writing, there must be a way to wait for input while other things still happen. A stream provides this if it has
//! halves, if it can tell whether a read would block, if its reads time out, or if its reads can be cancelled. Each module says which of
//! these it needs. A stream with none of them cannot keep a link alive, so no adapter accepts it.
//!
//! # What to leave to the adapter
//!
//! Do not call `pending`, `sent`, `received`, `advance` and the other I/O calls through a connection: the adapter makes these calls
//! itself, and would miss what you have done.
//!
//! If writing fails, messages that had already been received are still delivered before the failure is reported.

#[cfg(feature = "embedded-io-async-v0.7")]
pub mod asynch;
#[cfg(any(feature = "embedded-io-v0.7", feature = "nb"))]
mod attempts;
#[cfg(feature = "embedded-io-v0.7")]
pub mod blocking;
#[cfg(any(
    feature = "std",
    feature = "embedded-io-v0.7",
    feature = "embedded-io-async-v0.7",
    feature = "nb"
))]
#[cfg_attr(
    not(any(feature = "std", feature = "embedded-io-async-v0.7")),
    allow(dead_code, reason = "not every adapter uses all of it")
)]
mod driver;
mod error;
#[cfg(feature = "embedded-io-v0.6")]
mod from_v06;
#[cfg(any(
    feature = "std",
    feature = "embedded-io-v0.7",
    feature = "embedded-io-async-v0.7",
    feature = "nb"
))]
mod gave_up;
#[cfg(any(feature = "std", feature = "embedded-io-async-v0.7"))]
mod handle_error;
#[cfg(feature = "std")]
pub mod net;
#[cfg(feature = "nb")]
pub mod polled;
#[cfg(any(
    feature = "std",
    feature = "embedded-io-v0.7",
    feature = "embedded-io-async-v0.7",
    feature = "nb"
))]
mod retry;
#[cfg(any(
    feature = "std",
    feature = "embedded-io-v0.7",
    feature = "embedded-io-async-v0.7",
    feature = "nb"
))]
mod timeout;
#[cfg(any(feature = "std", feature = "embedded-io-v0.7", feature = "nb"))]
mod turn;

pub use error::Error;
#[cfg(feature = "embedded-io-v0.6")]
pub use from_v06::{ErrorV06, FromV06};
#[cfg(any(
    feature = "std",
    feature = "embedded-io-v0.7",
    feature = "embedded-io-async-v0.7",
    feature = "nb"
))]
pub use gave_up::{GaveUp, Update};
#[cfg(any(feature = "std", feature = "embedded-io-async-v0.7"))]
pub use handle_error::{HandleError, WaitError};

/// A connection dereferences to the client that it holds.
#[cfg(any(
    feature = "std",
    feature = "embedded-io-v0.7",
    feature = "embedded-io-async-v0.7",
    feature = "nb"
))]
macro_rules! is_a_client {
    ($connection:ident<$($parameter:ident $(: $bound:path)?),*>) => {
        impl<$($parameter $(: $bound)?,)* R, T, C, I> core::ops::Deref for $connection<$($parameter,)* R, T, C, I> {
            type Target = crate::Client<R, T, C, I>;

            fn deref(&self) -> &Self::Target {
                &self.driver.client
            }
        }

        impl<$($parameter $(: $bound)?,)* R, T, C, I> core::ops::DerefMut for $connection<$($parameter,)* R, T, C, I> {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.driver.client
            }
        }

        impl<$($parameter $(: $bound)?,)* R, T, C, I> core::fmt::Debug for $connection<$($parameter,)* R, T, C, I> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.driver.debug(f)
            }
        }
    };
}
#[cfg(any(
    feature = "std",
    feature = "embedded-io-v0.7",
    feature = "embedded-io-async-v0.7",
    feature = "nb"
))]
use is_a_client;

/// The methods of a connection that holds one stream.
#[cfg(any(feature = "embedded-io-v0.7", feature = "nb"))]
macro_rules! has_one_stream {
    ($connection:ident<$($parameter:ident $(: $bound:path)?),*>) => {
        impl<$($parameter $(: $bound)?,)* R, T, C, I> $connection<$($parameter,)* R, T, C, I>
        where
            R: AsRef<[u8]> + AsMut<[u8]>,
            T: AsRef<[u8]> + AsMut<[u8]>,
            C: crate::Config,
            I: AsRef<[u8]> + AsMut<[u8]>,
        {
            /// Whether there is a connection, or one is being established.
            #[must_use]
            pub fn is_open(&self) -> bool {
                self.driver.is_open()
            }

            /// The stream, for instance to close or reopen it. The client does not see bytes that you read or write here.
            #[must_use]
            pub const fn stream_mut(&mut self) -> &mut S {
                &mut self.stream
            }

            /// Continues the session on another stream. Call [`connect`](crate::Client::connect) next.
            /// Returns the old stream.
            pub fn reopen(&mut self, stream: S) -> S {
                self.close();
                core::mem::replace(&mut self.stream, stream)
            }

            /// Ends the connection without DISCONNECT. The stream is kept; once it is open again, call
            /// [`connect`](crate::Client::connect).
            pub fn close(&mut self) {
                self.driver.close();
            }

            /// Returns the client, which is then offline, and the stream.
            #[must_use]
            pub fn into_parts(mut self) -> (crate::Client<R, T, C, I>, S) {
                self.close();
                (self.driver.client, self.stream)
            }
        }
    };
}
#[cfg(any(feature = "embedded-io-v0.7", feature = "nb"))]
use has_one_stream;

/// The methods of an adapter that reconnects. It dereferences to the client, as its connection does.
#[cfg(any(feature = "embedded-io-v0.7", feature = "nb"))]
macro_rules! reconnects {
    ($reconnect:ident<$($parameter:ident $(: $bound:path)?),*>, $connection:ty) => {
        impl<$($parameter $(: $bound)?,)* F, R, T, C, I> $reconnect<$($parameter,)* F, R, T, C, I> {
            /// Opens a connection whenever there is none. If `connection` is already open, it is used first.
            #[must_use]
            pub const fn new(connection: $connection, open: F, backoff: crate::Backoff) -> Self {
                $reconnect { connection, open, attempts: crate::transport::attempts::Attempts::new(backoff) }
            }

            /// Also tries MQTT 3.1 if the server does not accept 3.1.1, that is, if it refuses it in CONNACK or closes the connection
            /// without CONNACK. If 3.1 fails too, 3.1.1 is tried next. Once 3.1.1 has succeeded, only 3.1.1 is used.
            #[must_use]
            pub fn fall_back_to_mqtt31(mut self) -> Self {
                self.attempts.retry.falls_back = true;
                self
            }

            /// Keeps trying after refusals that are unlikely to go away by themselves, such as a wrong password or a client identifier
            /// that is not allowed. By default they end all attempts ([`GaveUp::Refused`]).
            #[must_use]
            pub fn retry_refusals(mut self) -> Self {
                self.attempts.retry.despite_refusals = true;
                self
            }

            /// The stream, for instance to configure it. The client does not see bytes that you read or write here.
            #[must_use]
            pub const fn stream_mut(&mut self) -> &mut S {
                &mut self.connection.stream
            }

            /// Returns the connection as it is, to continue without reconnecting.
            #[must_use]
            pub fn into_connection(self) -> $connection {
                self.connection
            }
        }

        impl<$($parameter $(: $bound)?,)* F, R, T, C, I> core::ops::Deref for $reconnect<$($parameter,)* F, R, T, C, I> {
            type Target = crate::Client<R, T, C, I>;

            fn deref(&self) -> &Self::Target {
                &self.connection
            }
        }

        impl<$($parameter $(: $bound)?,)* F, R, T, C, I> core::ops::DerefMut for $reconnect<$($parameter,)* F, R, T, C, I> {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.connection
            }
        }

        impl<$($parameter $(: $bound)?,)* F, R, T, C, I> core::fmt::Debug for $reconnect<$($parameter,)* F, R, T, C, I> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct("Reconnect").field("connection", &self.connection).finish_non_exhaustive()
            }
        }
    };
}
#[cfg(any(feature = "embedded-io-v0.7", feature = "nb"))]
use reconnects;
