//! Who waits: adapters that join a [`Client`](crate::Client) to a transport. Each has a `Connection` of its own, which
//! holds a client and an I/O object; what they can do is the same, as far as their ways of waiting allow.
//!
//! | module | feature | I/O object | waits by |
//! |---|---|---|---|
//! | `std` | `std` | anything that is `std::io::Read + Write` | blocking |
//! | `embedded_io` | `embedded-io-v0.7` | `embedded_io::{Read, ReadReady, Write}` | asking again and again |
//! | `embedded_io_async` | `embedded-io-async-v0.7` | halves that are `embedded_io_async::{Read, Write}` | `await` |
//! | `nb` | `nb` | functions that return `nb::Result` | not at all |

#[cfg(feature = "embedded-io-async-v0.7")]
mod any_of;
#[cfg(any(feature = "embedded-io-v0.7", feature = "embedded-io-async-v0.7", feature = "nb"))]
#[cfg_attr(
    not(any(feature = "embedded-io-v0.7", feature = "embedded-io-async-v0.7")),
    allow(dead_code, reason = "nb does not wait for output")
)]
mod driver;
#[cfg(feature = "embedded-io-v0.7")]
pub mod embedded_io;
#[cfg(feature = "embedded-io-async-v0.7")]
pub mod embedded_io_async;
mod error;
#[cfg(feature = "nb")]
pub mod nb;
#[cfg(feature = "std")]
pub mod std;
#[cfg(any(feature = "embedded-io-v0.7", feature = "nb"))]
mod turn;

pub use error::Error;
