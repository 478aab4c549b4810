//! Who waits: adapters that join a [`Client`](crate::Client) to a transport.

#[cfg(feature = "std")]
pub mod std;
