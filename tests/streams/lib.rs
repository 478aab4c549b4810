//! The adapters over streams of other libraries, each against the broker of the examples:
//! `cargo test --manifest-path tests/streams/Cargo.toml`.
#![cfg(test)]

#[path = "../../examples/broker/server/mod.rs"]
mod server;

mod nal;
mod peer;
mod slow_stream;
mod smoltcp_polled;
mod timer;
mod tls_async;
mod tls_blocking;
mod tls_server;
mod tokio_threads;
