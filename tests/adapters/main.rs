//! The adapters: one conversation through all of them, over streams in memory that misbehave and over loopback TCP.

#[path = "../../examples/broker/server/mod.rs"]
mod server;

mod adapters;
mod cancel;
mod clocks;
mod conversation;
mod defmt_lines;
mod faults;
mod hostile;
mod log_lines;
mod nonblocking;
mod peer;
mod reconnecting;
mod replaced_streams;
mod storage;
#[path = "../common/stream.rs"]
mod stream;
mod stream_wrappers;
mod tcp;
mod texts_and_wrappers;
mod versions;
mod wakes;
mod wire;
