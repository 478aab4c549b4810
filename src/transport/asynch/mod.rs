//! Async, over a read half and a write half that implement `embedded_io_async::{Read, Write}`.
//!
//! | | for | streams |
//! |---|---|---|
//! | [`Runner`] and [`Handle`] | many tasks, with reconnecting | any stream with two halves, including TLS |
//! | [`Connection`] | one task | those whose `read`, `write` and `flush` can be dropped at any time |
//!
//! The runner is one future that owns the stream. It never drops an I/O operation before it completes, and passes every event to a
//! handler. Meanwhile, tasks publish and subscribe through a [`Handle`], and can wait for room or for an acknowledgement. The handler
//! can pass messages to a task through a [`Mailbox`]. Any executor will do, because the application supplies the [`Timer`].
//!
//! ```
//! # mod embassy_time {
//! #     pub struct Instant(u64);
//! #     impl Instant {
//! #         pub fn now() -> Self { Instant(0) }
//! #         pub fn as_millis(&self) -> u64 { self.0 }
//! #     }
//! #     pub struct Timer;
//! #     impl Timer { pub async fn after_millis(_: u64) {} }
//! # }
//! # mod board {
//! #     pub struct Socket;
//! #     impl Socket {
//! #         pub async fn connect(&mut self) -> Result<(), ()> { Err(()) }
//! #         pub fn split(&mut self) -> (&'static [u8], Sink) { (&[], Sink) }
//! #     }
//! #     pub struct Sink;
//! #     impl embedded_io_async::ErrorType for Sink { type Error = core::convert::Infallible; }
//! #     impl embedded_io_async::Write for Sink {
//! #         async fn write(&mut self, b: &[u8]) -> Result<usize, Self::Error> { Ok(b.len()) }
//! #         async fn flush(&mut self) -> Result<(), Self::Error> { Ok(()) }
//! #     }
//! #     pub fn toggle_lamp() {}
//! #     pub async fn pressed() {}
//! # }
//! use baremqtt::transport::asynch::{Handle, Runner, Timer};
//! use baremqtt::transport::{Error, HandleError, Update};
//! use baremqtt::{
//!     Backoff, Buffers, Client, Connect, Event, Instant, Message, QoS, Routes, Subscription,
//! };
//!
//! struct Embassy;
//!
//! impl Timer for Embassy {
//!     fn now(&self) -> Instant {
//!         // The low 32 bits are enough.
//!         Instant::from_millis(embassy_time::Instant::now().as_millis() as u32)
//!     }
//!
//!     async fn sleep(&self, ms: u32) {
//!         embassy_time::Timer::after_millis(ms.into()).await;
//!     }
//! }
//!
//! type Mqtt = Handle<[u8; 256], [u8; 512]>;
//!
//! /// One task: the link.
//! async fn network(mqtt: &Mqtt, mut socket: board::Socket) {
//!     let mut routes = Routes::<_, fn(), 1>::new();
//!     let toggle: fn() = board::toggle_lamp;
//!     routes.add("lamp/toggle", QoS::AtLeastOnce, toggle).expect("a valid filter, and room");
//!     let mut runner = Runner::new(mqtt, Embassy, [0; 256], Backoff::new(500, 60_000).seed(17));
//!     let ended = runner
//!         .run(
//!             async |link| {
//!                 socket.connect().await.map_err(|()| Error::Closed)?;
//!                 let (input, output) = socket.split();
//!                 let connect = Connect::new("lamp").clean_session(false).keep_alive(30);
//!                 link.run(input, output, &connect).await
//!             },
//!             |update, outbound| {
//!                 if let Update::Event(event) = update {
//!                     routes.note(&event);
//!                     if let Event::Message(message) = event {
//!                         routes.matching(message.topic).for_each(|handler| handler());
//!                     }
//!                 }
//!                 if routes.subscription("lamp/toggle") == Some(Subscription::Refused) {
//!                     return Err("the server refuses the subscription".into());
//!                 }
//!                 Ok(routes.subscribe(outbound)?)
//!             },
//!         )
//!         .await;
//!     // The server refused the client, for instance.
//!     drop(ended);
//! }
//!
//! /// Another task.
//! async fn button(mqtt: &Mqtt) -> Result<(), HandleError> {
//!     loop {
//!         board::pressed().await;
//!         mqtt.publish(&Message::new("button", b"pressed").at_least_once()).await?;
//!     }
//! }
//! ```

mod any_of;
mod cell;
mod connection;
mod duplex;
mod handle;
mod io;
mod link;
mod mailbox;
mod requests;
mod runner;
mod signals;
mod waiters;

pub use cell::{OneThread, SharedCell, Sharing};
#[cfg(feature = "std")]
pub use cell::{ThreadCell, Threads};
pub use connection::Connection;
pub use duplex::Duplex;
pub use handle::Handle;
pub use link::Link;
pub use mailbox::{Mailbox, MailboxFull};
pub use runner::Runner;

use crate::Instant;

/// The clock of an executor.
#[allow(async_fn_in_trait, reason = "whether the futures are Send follows from the type of the timer")]
pub trait Timer {
    /// The current time. Any millisecond clock will do, including a 32-bit counter that wraps.
    fn now(&self) -> Instant;

    /// Waits for `ms` milliseconds. The future may be dropped at any time.
    async fn sleep(&self, ms: u32);
}

impl<T: Timer + ?Sized> Timer for &T {
    fn now(&self) -> Instant {
        (**self).now()
    }

    async fn sleep(&self, ms: u32) {
        (**self).sleep(ms).await;
    }
}

/// Sleeps for this many ms; `None` for a sleep without end.
async fn sleep<K: Timer>(timer: &K, ms: Option<u32>) {
    match ms {
        Some(0) => {}
        Some(ms) => timer.sleep(ms).await,
        None => core::future::pending().await,
    }
}
