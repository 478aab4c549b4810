//! The adapters over other people's streams, each against the broker of the examples:
//! `cargo test --manifest-path tests/streams/Cargo.toml`.
#![cfg(test)]

#[path = "../../examples/broker/server/mod.rs"]
mod server;

mod nal;
mod peer;
mod slow;
mod smol;
mod threads;
mod timer;
mod tls;
mod tls_blocking;
mod tls_server;
