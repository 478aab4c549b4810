//! A page for each kind of program, and one for users of other libraries.
//!
//! | page | contents |
//! |---|---|
//! | [firmware] | one loop on a microcontroller: configuration and memory, blocking, polling, reconnecting |
//! | [embassy] | async firmware: tasks that share a connection, TCP and TLS |
//! | [server] | several threads, one thread, TLS and WebSocket, tokio, mio |
//! | [recipes] | one-shot programs, request and response, store and forward, sessions that survive a power failure, large payloads |
//! | [codec] | a sniffer and a small server that use only packets |
//! | [testing] | virtual time, brokers, fuzzing |
//! | [comparison] | the ten most common tasks, compared with four other clients |
//! | [migrating] | from phpMQTT, rumqttc, paho embedded or coreMQTT |
//!
//! These pages are also in the folder `docs/`. A test compiles every program in them, and runs those that terminate.

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
