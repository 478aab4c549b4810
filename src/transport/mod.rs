//! Who waits: adapters that join a [`Client`](crate::Client) to a transport.
//!
//! | module | feature | stream | waits by |
//! |---|---|---|---|
//! | net | std | `std::io::Read + Write`, with timeouts | blocking |
//! | blocking | embedded-io-v0.7 | `embedded_io::{Read, ReadReady, Write}` | asking again and again |
//! | asynch | embedded-io-async-v0.7 | halves that are `embedded_io_async::{Read, Write}` | `await` |
//! | polled | nb | functions that return `nb::Result` | not at all |
//!
//! Each has a `Connection`, which holds a client, a stream and a clock. It dereferences to the [`Client`](crate::Client): all that
//! needs no stream, from [`connect`](crate::Client::connect) to [`save`](crate::Client::save), is called on it as it is on the
//! client, and is documented there. What a call queues leaves with the next wait for events, and every event comes that way,
//! [`Connected`](crate::Event::Connected) too.
//!
//! `net` and `asynch` also have a `Runner`, which owns the connection and opens it again, and a `Handle` for other threads or tasks: the
//! same calls, which block in the one and are awaited in the other. A runner is given two functions. One makes a link, each time anew: it
//! opens a stream, and runs the link over it (`Link::run`) with a CONNECT. The other is told of every `Update`, and makes requests by the
//! [`Outbound`](crate::Outbound) half. `blocking` and `polled` have a `Reconnect`, which opens the connection again, with the same updates.
//!
//! # Which one
//!
//! One program, one loop: `net` with an operating system, `blocking` or `polled` without. Many threads: the runner of `net`. Tasks of an
//! executor: the runner of `asynch`; its `Connection` where there is one task, and the stream survives the drop of an operation. Streams
//! of `embedded-io` 0.6 come as `FromV06` (features `embedded-io-v0.6`, `embedded-io-async-v0.6`).
//!
//! What a stream has to be able to do, beyond reading and writing: it must be possible to wait for it without being deaf to all else. So
//! it has halves, or can be asked whether a read would wait, or has reads that end in time or may be dropped; each module says which of
//! these it takes. A stream that can do none of that cannot keep a link alive, and no adapter takes it.
//!
//! `pending`, `sent`, `received`, `advance` and the like are the adapter's own: do not call them through a connection, for the
//! stream is not told.
//!
//! After a failure of the output, what had come is still delivered, and the failure reported then.

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
    allow(dead_code, reason = "not everybody waits")
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

/// The calls of the client are those of the connection that holds it.
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

/// What a connection has that holds one stream.
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
            /// Whether there is a connection, or one on its way.
            #[must_use]
            pub fn is_open(&self) -> bool {
                self.driver.is_open()
            }

            /// The stream: to close it, or to open it anew. Bytes that are read from it or written to it are missed by the client.
            #[must_use]
            pub const fn stream_mut(&mut self) -> &mut S {
                &mut self.stream
            }

            /// Continues with another stream: the session stays, the link is a new one. [`connect`](crate::Client::connect) is next.
            /// Returns the old stream.
            pub fn reopen(&mut self, stream: S) -> S {
                self.close();
                core::mem::replace(&mut self.stream, stream)
            }

            /// Gives the connection up, without DISCONNECT. The stream stays; once it is open again,
            /// [`connect`](crate::Client::connect) is next.
            pub fn close(&mut self) {
                self.driver.close();
            }

            /// The client and the stream apart. The client is offline.
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

/// What comes back by itself is made, and is a client, like what it keeps open.
#[cfg(any(feature = "embedded-io-v0.7", feature = "nb"))]
macro_rules! reconnects {
    ($reconnect:ident<$($parameter:ident $(: $bound:path)?),*>, $connection:ty) => {
        impl<$($parameter $(: $bound)?,)* F, R, T, C, I> $reconnect<$($parameter,)* F, R, T, C, I> {
            /// Opens a connection whenever there is none. The one that is given is the first where it is open.
            #[must_use]
            pub const fn new(connection: $connection, open: F, backoff: crate::Backoff) -> Self {
                $reconnect { connection, open, attempts: crate::transport::attempts::Attempts::new(backoff) }
            }

            /// With attempts in MQTT 3.1 too, where the server does not take 3.1.1: it says so by CONNACK, or closes the connection
            /// without one. Where 3.1 does not work either, 3.1.1 is next; once 3.1.1 has worked, it stays with that.
            #[must_use]
            pub fn fall_back_to_mqtt31(mut self) -> Self {
                self.attempts.retry.falls_back = true;
                self
            }

            /// With further attempts after refusals that do not mend themselves: a wrong password, a client identifier that is not
            /// allowed. Without this they are the end ([`GaveUp::Refused`]).
            #[must_use]
            pub fn retry_refusals(mut self) -> Self {
                self.attempts.retry.despite_refusals = true;
                self
            }

            /// The stream: to look after it. Bytes that are read from it or written to it are missed by the client.
            #[must_use]
            pub const fn stream_mut(&mut self) -> &mut S {
                &mut self.connection.stream
            }

            /// The connection as it is, to go on without this helper.
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
