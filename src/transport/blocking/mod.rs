//! Blocking, over anything that implements `embedded_io::{Read, ReadReady, Write}`.
//!
//! A blocking read would stop the client from keeping the link alive. Therefore the adapter checks before each read whether it would block
//! (`ReadReady`). If a stream does not implement `ReadReady`, one of these wrappers may help:
//!
//! | the stream | wrapper |
//! |---|---|
//! | consists of two halves, and the input half has `ReadReady` | [`Halves`] |
//! | cannot tell, but something else can: a register, a library | [`WithReady`] |
//! | buffers input (`BufRead`), and the layer beneath can tell: TLS | [`Buffered`] |
//! | has reads that time out without consuming anything | [`TimesOut`] |
//!
//! Other streams cannot be used: while a read waits for a byte, no PINGREQ is sent and nothing is published. If such a stream has halves,
//! the async runner can use it.
//!
//! ```compile_fail,E0599
//! use baremqtt::transport::blocking::Connection;
//! use baremqtt::{Client, Instant};
//!
//! type Mqtt = Client<[u8; 256], [u8; 256]>;
//!
//! fn run<S: embedded_io::Read + embedded_io::Write>(stream: S, client: Mqtt) {
//!     let mut mqtt = Connection::new(stream, client, || Instant::from_millis(0));
//!     mqtt.next_event(None); // "the trait bound `S: ReadReady` is not satisfied"
//! }
//! ```
//!
//! ```
//! use baremqtt::transport::blocking::Connection;
//! use baremqtt::transport::Error;
//! use baremqtt::{Buffers, Client, Connect, Event, Instant, Message, QoS};
//! use embedded_io::{Read, ReadReady, Write};
//!
//! # fn toggle_lamp() {}
//! fn run<S>(uart: S, millis: fn() -> u32) -> Result<(), Error<S::Error>>
//! where
//!     S: Read + ReadReady + Write,
//! {
//!     let client = Client::new(Buffers { rx: [0; 256], tx: [0; 256] });
//!     let mut mqtt = Connection::new(uart, client, || Instant::from_millis(millis()));
//!     mqtt.connect(&Connect::new("lamp").keep_alive(30))?;
//!     loop {
//!         match mqtt.next_event(None)? {
//!             Some(Event::Connected { .. }) => {
//!                 mqtt.subscribe(&[("lamp/toggle", QoS::AtLeastOnce)])?;
//!                 mqtt.publish(&Message::new("lamp/status", b"online").retain())?;
//!             }
//!             Some(Event::Message(_)) => toggle_lamp(),
//!             _ => {}
//!         }
//!     }
//! }
//! ```

mod connection;
mod reconnect;
mod streams;

pub use connection::Connection;
pub use reconnect::Reconnect;
pub use streams::{Buffered, Halves, TimesOut, WithReady};
