//! A page for each kind of program, and for those who come from another library.
//!
//! | page | what |
//! |---|---|
//! | [firmware] | one loop on a microcontroller: choices and memory, blocking, never waiting, reconnecting |
//! | [embassy] | async firmware: tasks that share a connection, TCP and TLS |
//! | [server] | a thread for the connection and handles for others; one thread; TLS and WebSocket; tokio; mio |
//! | [recipes] | one shot, request and response, store and forward, sessions that outlive the power, large payloads |
//! | [codec] | a sniffer and a small server, on packets alone |
//! | [testing] | virtual time, brokers, fuzzing |
//! | [comparison] | the ten commonest tasks, beside four other clients |
//! | [migrating] | from phpMQTT, rumqttc, paho embedded, coreMQTT |
//!
//! These pages are the files of `docs/`; each program in them is compiled and, where it ends, run by a test.

#[doc = include_str!("../docs/codec.md")]
pub mod codec {}
#[doc = include_str!("../docs/comparison.md")]
pub mod comparison {}
#[doc = include_str!("../docs/embassy.md")]
pub mod embassy {}
#[doc = include_str!("../docs/firmware.md")]
pub mod firmware {}
#[doc = include_str!("../docs/migrating.md")]
pub mod migrating {}
#[doc = include_str!("../docs/recipes.md")]
pub mod recipes {}
#[doc = include_str!("../docs/server.md")]
pub mod server {}
#[doc = include_str!("../docs/testing.md")]
pub mod testing {}
