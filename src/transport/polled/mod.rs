//! For loops that poll, over functions that return `nb::Result`.
//!
//! Nothing here blocks. When the stream returns [`WouldBlock`](nb::Error::WouldBlock), the next [`poll`](Connection::poll) continues the
//! work.
//!
//! ```
//! use baremqtt::transport::polled::{Connection, Serial};
//! use baremqtt::{Buffers, Client, Connect, Event, Instant, Message, QoS};
//!
//! # let mut connack = [0x20, 2, 0, 0].into_iter();
//! # let mut rx_ready = || connack.next().ok_or(nb::Error::<()>::WouldBlock);
//! # let mut tx_ready = |_: u8| nb::Result::<(), ()>::Ok(());
//! # let mut ticks = 0;
//! # let mut millis = || { ticks += 1; ticks };
//! // Byte by byte. With `embedded_hal_nb::serial`: `|| rx.read()` and `|byte| tx.write(byte)`.
//! let uart = Serial { read: || rx_ready(), write: |byte| tx_ready(byte) };
//! let client = Client::new(Buffers { rx: [0; 256], tx: [0; 256] });
//! let mut mqtt = Connection::new(uart, client);
//! mqtt.connect(&Connect::new("lamp").keep_alive(30))?;
//! loop {
//!     match mqtt.poll(Instant::from_millis(millis())) {
//!         Ok(Event::Connected { .. }) => {
//!             mqtt.subscribe(&[("lamp/toggle", QoS::AtLeastOnce)])?;
//!             mqtt.publish(&Message::new("lamp/status", b"online"))?;
//! #           return Ok(());
//!         }
//!         Ok(_) => {}
//!         Err(nb::Error::WouldBlock) => {} // other work
//!         Err(nb::Error::Other(_)) => break, // the connection has ended
//!     }
//! }
//! # panic!("not connected");
//! # #[allow(unreachable_code)]
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connection;
mod reconnect;
mod stream;

pub use connection::Connection;
pub use reconnect::Reconnect;
pub use stream::{Serial, Stream};
