//! Blocking, over anything that is `embedded_io::{Read, ReadReady, Write}`.
//!
//! A read that blocks could not keep the link alive. So the stream is asked before each read whether it would wait (`ReadReady`);
//! where a stream does not know, the module has what makes one that does:
//!
//! | the stream | becomes |
//! |---|---|
//! | is two halves, one of which can be asked | [`Halves`] |
//! | cannot be asked, but something else can: a register, a library | [`WithReady`] |
//! | holds back what it has read (`BufRead`), and the layer beneath can be asked: TLS | [`Buffered`] |
//! | has reads that end in time and have consumed nothing then | [`TimesOut`] |
//!
//! A stream with none of these cannot be used: while it waits for a byte, no PINGREQ leaves and nothing is published. The async
//! runner can take it if it has halves.
//!
//! ```compile_fail,E0599
//! use baremqtt::transport::blocking::Connection;
//! use baremqtt::{Client, Instant};
//!
//! fn run<S: embedded_io::Read + embedded_io::Write>(stream: S, client: Client<[u8; 256], [u8; 256]>) {
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
//! fn run<S: Read + ReadReady + Write>(uart: S, millis: fn() -> u32) -> Result<(), Error<S::Error>> {
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
