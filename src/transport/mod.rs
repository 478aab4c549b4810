//! Adapters that connect a [`Client`](crate::Client) to a transport, and do the waiting.
//!
//! - [`net`] (feature `std`), over `std::io::Read + Write` with timeouts: blocks.
//! - [`blocking`] (feature `embedded-io-v0.7`), over `embedded_io::{Read, ReadReady, Write}`: polls in a loop.
//! - [`asynch`] (feature `embedded-io-async-v0.7`), over halves that are `embedded_io_async::{Read, Write}`: awaits.
//! - [`polled`] (feature `nb`), over functions that return `nb::Result`: never waits.
//!
//! Every adapter has a `Connection`, which holds a client and a stream (and a clock, if it waits). It dereferences to the [`Client`](crate::Client), so that
//! you call everything that needs no stream, from [`connect`](crate::Client::connect) to [`save`](crate::Client::save), on the
//! connection. These calls are documented at the client. They queue their packets; the next wait for events sends them. All results are
//! events too, [`Connected`](crate::Event::Connected) included.
//!
//! `net` and `asynch` also have a `Runner`, which owns the connection and reopens it, and a `Handle` for other threads or tasks. The
//! handle's calls have the same names in both: they block in `net`, and are awaited in `asynch`. You give a runner two functions. The first is
//! called for each attempt to connect: it opens a stream, and calls `Link::run` with that stream and a CONNECT. The second, the handler,
//! receives every `Update`, and makes requests through the [`Outbound`](crate::Outbound) half. `blocking` and `polled` have a `Reconnect`
//! instead, which reopens the connection and reports events and lost links in the same way.
//!
//! # Which one to use
//!
//! - One thread with an operating system: the `Connection` of [`net`].
//! - One loop without an operating system: [`blocking`] or [`polled`].
//! - Several threads: the `Runner` of [`net`].
//! - Async tasks: the `Runner` of [`asynch`]; or its `Connection`, if there is only one task, and all operations of the stream are
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
//!
// Links to modules that need a feature; without it, to the list of features.
#![cfg_attr(feature = "std", doc = "[`net`]: net")]
#![cfg_attr(not(feature = "std"), doc = "[`net`]: crate#features")]
#![cfg_attr(feature = "embedded-io-v0.7", doc = "[`blocking`]: blocking")]
#![cfg_attr(not(feature = "embedded-io-v0.7"), doc = "[`blocking`]: crate#features")]
#![cfg_attr(feature = "embedded-io-async-v0.7", doc = "[`asynch`]: asynch")]
#![cfg_attr(not(feature = "embedded-io-async-v0.7"), doc = "[`asynch`]: crate#features")]
#![cfg_attr(feature = "nb", doc = "[`polled`]: polled")]
#![cfg_attr(not(feature = "nb"), doc = "[`polled`]: crate#features")]

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
mod common;
mod error;
#[cfg(feature = "embedded-io-v0.6")]
mod from_v06;
#[cfg(any(feature = "std", feature = "embedded-io-async-v0.7"))]
mod handle_error;
#[cfg(feature = "std")]
pub mod net;
#[cfg(any(feature = "embedded-io-v0.7", feature = "nb"))]
mod one_stream;
#[cfg(feature = "nb")]
pub mod polled;
#[cfg(any(feature = "std", feature = "embedded-io-v0.7", feature = "nb"))]
mod turn;

#[cfg(any(
    feature = "std",
    feature = "embedded-io-v0.7",
    feature = "embedded-io-async-v0.7",
    feature = "nb"
))]
pub use common::{GaveUp, Update};
pub use error::Error;
#[cfg(feature = "embedded-io-v0.6")]
pub use from_v06::{ErrorV06, FromV06};
#[cfg(any(feature = "std", feature = "embedded-io-async-v0.7"))]
pub use handle_error::{HandleError, WaitError};
