//! Blocking, over TCP or any other [`Stream`] of std.
//!
//! A [`Runner`] maintains a connection on a thread of its own. Any number of [`Handle`]s publish and subscribe from other threads.
//!
//! ```no_run
//! use std::thread;
//! use std::time::Duration;
//!
//! use baremqtt::transport::net::{Runner, Update, open_tcp};
//! use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message, QoS, Routes, Subscription};
//!
//! let mut routes = Routes::<_, fn(&[u8]), 4>::new();
//! routes.add("sensor/#", QoS::AtLeastOnce, |payload| println!("{} bytes", payload.len()))?;
//!
//! let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
//! let runner = Runner::new(client, Backoff::new(500, 60_000).seed(std::process::id()));
//! let handle = runner.handle();
//! let thread = thread::spawn(move || {
//!     runner.run(
//!         |link| {
//!             let stream = link.open(|| open_tcp(("localhost", 1883), Duration::from_secs(5)))?;
//!             link.run(stream, &Connect::new("gateway").clean_session(false).keep_alive(30))
//!         },
//!         |update, outbound| {
//!             match update {
//!                 Update::Event(event) => {
//!                     routes.note(&event);
//!                     if let Event::Message(message) = event {
//!                         for handler in routes.matching(message.topic) {
//!                             handler(message.payload);
//!                         }
//!                     }
//!                 }
//!                 Update::LinkLost { error, retry_in } => {
//!                     eprintln!("{error}; again in {retry_in:?}");
//!                 }
//!                 _ => {}
//!             }
//!             if routes.subscription("sensor/#") == Some(Subscription::Refused) {
//!                 return Err("the server refuses the subscription".into());
//!             }
//!             Ok(routes.subscribe(outbound)?)
//!         },
//!     )
//! });
//!
//! handle.publish_and_wait(&Message::new("gateway/status", b"online").at_least_once(), None)?;
//! handle.stop();
//! thread.join().unwrap()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Connection`] is for programs that use a single thread and wait for each event. It does not reconnect.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use baremqtt::transport::net::Connection;
//! use baremqtt::{Buffers, Client, Connect, Event, Message, QoS};
//!
//! let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
//! let mut mqtt = Connection::tcp(("localhost", 1883), Duration::from_secs(5), client)?;
//! mqtt.connect(&Connect::new("gateway").keep_alive(30))?;
//! loop {
//!     match mqtt.next_event(None)? {
//!         Some(Event::Connected { .. }) => {
//!             mqtt.subscribe(&[("sensor/#", QoS::AtLeastOnce)])?;
//!             mqtt.publish(&Message::new("gateway/status", b"online").retain())?;
//!         }
//!         Some(Event::Message(message)) => {
//!             println!("{}: {}", message.topic, message.payload.escape_ascii());
//!         }
//!         _ => {}
//!     }
//! }
//! # #[allow(unreachable_code)]
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bell;
mod connection;
mod handle;
mod input;
mod link;
mod online;
mod opener;
mod reports;
mod run;
mod runner;
mod shared;
mod stream;
mod wire;

pub use connection::Connection;
pub use handle::Handle;
pub use link::Link;
pub use runner::Runner;
pub use stream::{Stream, open_tcp};

use std::io;
use std::time::Instant as Clock;

use crate::Instant;

/// Why a connection has ended, or a call was refused.
pub type Error = super::Error<io::Error>;

/// What a runner reports to its handler.
pub type Update<'a> = super::Update<'a, io::Error>;

/// Why a runner has ended without having been asked to.
pub type GaveUp = super::GaveUp<io::Error>;

/// The low 32 bits of the milliseconds since `epoch`.
fn since(epoch: Clock) -> Instant {
    let passed = epoch.elapsed();
    Instant::from_millis((passed.as_secs() as u32).wrapping_mul(1_000).wrapping_add(passed.subsec_millis()))
}

/// Whether there may still be input on a connection that ends like this.
const fn has_more(error: &Error) -> bool {
    match error {
        Error::Disconnected => true,
        Error::Client(error) => !matches!(error, crate::client::Error::TimedOut(_)),
        _ => false,
    }
}
