//! Who waits: adapters that join a [`Client`](crate::Client) to a transport.
//!
//! | module | feature | stream | waits by |
//! |---|---|---|---|
//! | `net` | `std` | `std::io::Read + Write`, with timeouts | blocking |
//! | `blocking` | `embedded-io-v0.7` | `embedded_io::{Read, ReadReady, Write}` | asking again and again |
//! | `asynch` | `embedded-io-async-v0.7` | halves that are `embedded_io_async::{Read, Write}` | `await` |
//! | `polled` | `nb` | functions that return `nb::Result` | not at all |
//!
//! Each has a `Connection`, which holds a client, a stream and a clock. It dereferences to the [`Client`](crate::Client): all that
//! needs no stream, from [`connect`](crate::Client::connect) to [`save`](crate::Client::save), is called on it as it is on the
//! client, and is documented there. What a call queues leaves with the next wait for events, and every event comes that way,
//! [`Connected`](crate::Event::Connected) too.
//!
//! `net` also has a `Runner`, which owns the connection and opens it again, and `Handle`s for other threads.
//!
//! `pending`, `sent`, `received`, `advance` and the like are the adapter's own: do not call them through a connection, for the
//! stream is not told.
//!
//! After a failure of the output, what had come is still delivered, and the failure reported then.

#[cfg(feature = "embedded-io-async-v0.7")]
pub mod asynch;
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
#[cfg(feature = "embedded-io-async-v0.7")]
mod gave_up;
#[cfg(feature = "std")]
pub mod net;
#[cfg(feature = "nb")]
pub mod polled;
#[cfg(any(feature = "std", feature = "embedded-io-async-v0.7"))]
mod retry;
#[cfg(any(feature = "std", feature = "embedded-io-v0.7", feature = "embedded-io-async-v0.7"))]
mod timeout;
#[cfg(any(feature = "std", feature = "embedded-io-v0.7", feature = "nb"))]
mod turn;

pub use error::Error;
#[cfg(feature = "embedded-io-async-v0.7")]
pub use gave_up::GaveUp;

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
