//! The client in virtual time, against a server that the test plays: one file for each kind of behaviour.

mod brokers;
mod bursts;
mod connecting;
mod cursor;
mod cuts;
mod disconnecting;
mod harness;
mod identifiers;
#[cfg(not(feature = "large-messages"))]
#[path = "../common/image.rs"]
mod image;
mod keep_alive;
#[cfg(feature = "large-messages")]
mod large;
mod manual;
mod model;
mod mqtt31;
mod pitfalls;
mod publishing;
mod receiving;
mod reconnecting;
mod refusals;
mod release_order;
mod routing;
mod saving;
mod session_loss;
mod soak;
mod storage;
#[cfg(feature = "large-messages")]
mod streaming;
mod subscribing;
mod timeouts;
#[cfg(not(feature = "large-messages"))]
mod without_large_messages;
