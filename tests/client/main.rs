//! The client in virtual time, against a server that the test plays: one file for each kind of behaviour.

mod brokers;
mod bursts;
mod connecting;
mod cursor;
mod cuts;
mod disconnecting;
mod harness;
mod identifiers;
mod keep_alive;
mod large;
mod model;
mod mqtt31;
mod pitfalls;
mod publishing;
mod receiving;
mod reconnecting;
mod refusals;
mod release_order;
mod session_loss;
mod soak;
mod storage;
mod subscribing;
mod timeouts;
mod vectored;
