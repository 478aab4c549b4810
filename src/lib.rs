//! An MQTT 3.1 and 3.1.1 client and codec: `no_std`, no allocator, no I/O and no clock of its own.
//!
//! A [`Client`] is a state machine over two buffers that you lend. You hand it the bytes that came, send the bytes that it has for you,
//! and tell it the time; it tells you what happened. The same code runs on a Cortex-M0, in a gateway and in a server process.
//!
//! If you have a stream already, an adapter of [`transport`] makes these calls for you: blocking or async, for firmware and for
//! servers. If you need packets and nothing else, [`codec`] turns bytes into packets and packets into bytes, for both roles.
//!
//! ```text
//!   your program          publish, subscribe, give_up, save ...      events
//!   ------------------------------------------------------------------------
//!   transport             who waits: net, blocking, asynch, polled
//!   ------------------------------------------------------------------------
//!   Client                tx: requests until they are answered, and answers
//!                         rx: the packet at hand         timers, identifiers
//!   ------------------------------------------------------------------------
//!   codec                 packets <-> bytes, no state
//! ```
//!
//! On this page: [first program](#first-program), [the run loop](#the-run-loop), [time](#time), [buffers](#buffers),
//! [sessions and guarantees](#sessions-and-guarantees), [errors](#errors), [configuration](#configuration),
//! [features](#features), [`no_std`](#no_std), [panics](#panics), [MSRV](#msrv), [questions](#questions).
//! The [`guide`] has a page for each kind of program.
//!
//! # First program
//!
//! With an operating system:
//!
//! ```no_run
//! # #[cfg(feature = "std")]
//! # fn run() -> Result<(), Box<dyn std::error::Error>> {
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
//!             mqtt.subscribe(&[("sensor/+/temperature", QoS::AtLeastOnce)])?;
//!             mqtt.publish(&Message::new("gateway/status", b"online").at_least_once().retain())?;
//!         }
//!         Some(Event::Subscribed { codes, .. }) => println!("the server grants {codes}"),
//!         Some(Event::Message(message)) => println!("{}: {}", message.topic, message.payload.escape_ascii()),
//!         Some(Event::Published { id, .. }) => println!("message {id} is acknowledged"),
//!         Some(Event::Ended { id, outcome }) => println!("request {id} is {outcome}"),
//!         _ => {}
//!     }
//! }
//! # }
//! ```
//!
//! Nothing is sent by `connect`, `publish` and `subscribe`: they queue, and return at once. `next_event` sends, receives and
//! keeps the connection alive.
//!
//! # The run loop
//!
//! Without an adapter, this is one turn:
//!
//! 1. **Send.** Write [`pending`](Client::pending), and report with [`sent`](Client::sent) how many bytes the transport took; again until
//!    nothing is pending, or the transport takes no more.
//! 2. **Receive.** Read into [`receive_buffer`](Client::receive_buffer), unless that is empty, and report with
//!    [`received`](Client::received) how many bytes came. At the end of the stream, or when it fails, call
//!    [`link_lost`](Client::link_lost).
//! 3. **Advance.** Call [`advance`](Client::advance) with the time until it returns `false`; each `true` is an
//!    [`event`](Client::event). This queues answers, so go back to 1 if something is pending.
//! 4. **Wait** until the transport is ready, or until [`time_left`](Client::time_left) has passed.
//!
//! ```
//! use baremqtt::{Buffers, Client, Connect, Event, Instant, Message};
//!
//! /// A transport that takes and gives what it can without waiting, and a clock.
//! trait Board {
//!     fn write(&mut self, bytes: &[u8]) -> usize;
//!     fn read(&mut self, buffer: &mut [u8]) -> usize;
//!     fn millis(&self) -> u32;
//!     /// Sleeps until bytes can be read or written, at most this long.
//!     fn sleep(&mut self, ms: Option<u32>);
//! }
//!
//! fn run(board: &mut impl Board) -> Result<(), Box<dyn core::error::Error>> {
//!     let mut client = Client::new(Buffers { rx: [0; 256], tx: [0; 512] }); // `const`: it can be in a static
//!     client.connect(&Connect::new("sensor-17").keep_alive(30))?;
//!     loop {
//!         // 1. The bytes that are pending stay as they are until `sent` is called.
//!         while !client.pending().is_empty() {
//!             let len = board.write(client.pending());
//!             client.sent(len);
//!             if len == 0 {
//!                 break;
//!             }
//!         }
//!         // 2. The buffer is empty while what came before waits for step 3.
//!         if !client.receive_buffer().is_empty() {
//!             let len = board.read(client.receive_buffer());
//!             client.received(len);
//!         }
//!         // 3. An error here has ended the connection: close the transport, open it again, and call `connect`.
//!         while client.advance(Instant::from_millis(board.millis()))? {
//!             // `split` lends the event and the half of the client that makes requests.
//!             if let (Some(Event::Message(message)), mut outbound) = client.split() {
//!                 outbound.publish(&Message::new("echo", message.payload))?;
//!             }
//!         }
//!         // 4. `time_left` is 0 where something was queued that has not been sent yet.
//!         if client.pending().is_empty() {
//!             board.sleep(client.time_left());
//!         }
//!     }
//! }
//! ```
//!
//! Every call is legal at any time, in any order. A call that is refused returns a typed error and changes nothing.
//!
//! # Time
//!
//! Time comes in through one call, [`advance`](Client::advance). The library reads no clock.
//!
//! - An [`Instant`] is 32 bits of milliseconds. It wraps after 49.7 days, which is harmless: only differences count. A clock that steps back
//!   counts as one that stood still.
//! - [`time_left`](Client::time_left) says how long you may sleep. A late call makes pings and timeouts late, nothing worse.
//! - PINGREQ leaves before the keep alive has passed: by a quarter of it, at most 5 s. With [`ping_on_silence`](Config::ping_on_silence)
//!   it leaves after a silence of the server too.
//! - Four timeouts end a connection: for CONNACK, for PINGRESP, for the answer to a request, and for a transport that takes no bytes
//!   ([`Timeout`]). Bytes of a packet on its way in restart those for PINGRESP and for answers. No timeout runs while the client waits for the
//!   application.
//! - Lengths of time are milliseconds as `u32`; where an adapter waits, [`Duration`](core::time::Duration); and the keep alive is in seconds,
//!   as the protocol has it.
//! - A timeout never frees a packet identifier and never drops a message: the session goes on with the next connection.
//!
//! # Buffers
//!
//! [`Buffers`] are arrays, slices or vectors, of any length from these on:
//!
//! | buffer | holds | at least |
//! |---|---|---|
//! | `rx` | CONNECT until it has left; then packets as they come in | [CONNECT](Connect::encoded_len), and 4 bytes and 1 for each filter of the longest SUBSCRIBE |
//! | `tx` | requests, from the call to the event that ends them | the largest of: PUBLISH ([topic + payload + 4 to 9](Message::encoded_len)), SUBSCRIBE (4 to 7, and each filter + 3), UNSUBSCRIBE (4 to 7, and each filter + 2) |
//! | the end of `tx` | answers that the client owes, 4 bytes each | an eighth of `tx`, at least 32 and at most 1,024 bytes: taken off by the client itself |
//!
//! A message that is larger than `rx` is skipped and acknowledged, or comes in pieces ([`large_messages`](Config::large_messages)). One that
//! is larger than `tx` is [streamed](Client::publish_streamed); its head takes topic + 14 bytes, and at least 64 more for the window
//! that the payload passes through.
//!
//! What `tx` holds of messages at QoS 1 with a topic of 20 and a payload of 40 bytes, 66 bytes each:
//!
//! | `tx` | for answers | for requests | messages under way |
//! |---|---|---|---|
//! | 256 | 32 | 224 | 3 |
//! | 512 | 64 | 448 | 6 |
//! | 1,024 | 128 | 896 | 13 |
//! | 4,096 | 512 | 3,584 | 54 |
//! | 16,384 | 1,024 | 15,360 | 232 |
//!
//! ```
//! use baremqtt::{Buffers, Client, Full, Message, RequestError};
//!
//! let message = Message::new("site/7/room/12/level", &[0; 40]).at_least_once();
//! assert_eq!(message.encoded_len(), 66);
//! for (len, messages) in [(256, 3), (512, 6), (1_024, 13), (4_096, 54), (16_384, 232)] {
//!     let mut client = Client::new(Buffers { rx: [0; 64], tx: vec![0; len] });
//!     for _ in 0..messages {
//!         client.publish(&message)?;
//!     }
//!     assert_eq!(client.publish(&message), Err(RequestError::Full(Full::Buffer)));
//! }
//! # Ok::<(), RequestError>(())
//! ```
//!
//! A buffer with an eighth to spare is cheaper to run than one that is always full: less is moved about.
//!
//! A third piece of memory holds the identifiers of inbound QoS 2 messages: [`InboundIds`], 170 bytes, or what you lend to
//! [`with_inbound_ids`](Client::with_inbound_ids). The client itself takes about 200 to 370 bytes on a 32-bit machine.
//!
//! # Sessions and guarantees
//!
//! A session is what both sides keep when the link breaks: messages of QoS 1 and 2 that are under way, and on the server the subscriptions.
//! Here it is the transmit buffer. Keep the [`Client`], open another transport, call [`connect`](Client::connect) again, and the session
//! goes on. Ask for it with [`clean_session(false)`](Connect::clean_session); [`Event::Connected`] says whether the server has kept it.
//!
//! ```text
//! QoS 1   publish -> id                     QoS 2   publish -> id
//!           | PUBLISH id                              | PUBLISH id
//!           |------------->                           |------------->  stored, once
//!           |      PUBACK id                          |      PUBREC id
//!           |<-------------                           |<-------------
//!         Published { id }                            | PUBREL id         the payload is no
//!                                                     |------------->     longer kept
//!                                                     |     PUBCOMP id
//!                                                     |<-------------
//!                                                   Published { id }
//!
//! A reconnect, with three messages under way
//!
//!   tx = [ 2: PUBLISH, sent | 1: PUBREL, sent, no PUBCOMP yet | 3: PUBLISH, not sent ]
//!
//!   link_lost   SUBSCRIBE and UNSUBSCRIBE under way end: Ended { Lost }; QoS 0 is dropped
//!   connect     CONNECT clean_session=0  ------------->
//!                                        <-------------  CONNACK session_present=1
//!   Connected   PUBLISH 2 with DUP, PUBREL 1, PUBLISH 3  ------------->  in this order
//! ```
//!
//! What becomes of a message that is under way when the link breaks:
//!
//! | | the server has the session | it has lost it, [Resend](SessionLoss::Resend) | it has lost it, [Drop](SessionLoss::Drop) | CONNECT asks for a clean session |
//! |---|---|---|---|---|
//! | QoS 0 | dropped, not reported | the same | the same | the same |
//! | QoS 1 or 2, not seen by the server | sent | sent | sent | sent |
//! | QoS 1, perhaps seen | again, with DUP: arrives at least once | again | `Ended`, [`Lost`](Outcome::Lost) | `Ended`, `Lost` |
//! | QoS 2, perhaps seen | again, with DUP: arrives once | again: may arrive twice | `Ended`, `Lost` | `Ended`, `Lost` |
//! | QoS 2, after PUBREC | PUBREL again: arrives once | `Ended`, [`Uncertain`](Outcome::Uncertain) | the same | the same |
//! | SUBSCRIBE, UNSUBSCRIBE | `Ended`, `Lost`: ask again | the same | the same | the same |
//!
//! [`Config::session_loss`] chooses between the two columns in the middle. MQTT 3.1 has no way to say whether a session was kept:
//! [`assume_session_kept`](Config::assume_session_kept) decides.
//!
//! What becomes of it when the *device* restarts:
//!
//! | the session is | QoS 1 | QoS 2 |
//! |---|---|---|
//! | not saved | what was under way is lost; the server repeats what it had sent | likewise; a new message can be taken for the repetition of an old one, so begin with [another identifier](Client::set_next_packet_id) |
//! | [saved](Client::save) when its [`revision`](Client::revision) has changed | not lost, but for what came after the last image | may arrive twice, or be lost, if it came after the last image |
//! | [`durable`](Config::durable) | arrives at least once | arrives once |
//!
//! Messages from the server: at QoS 2 each is delivered once as long as the session lives; at QoS 1 a repetition is delivered again, as
//! MQTT has it. A message is acknowledged when the application has looked at it, or by the application itself
//! ([`manual_acknowledgement`](Config::manual_acknowledgement)).
//!
//! Messages leave in the order of the calls, after a reconnect too. How each request ended is reported once:
//! [`Published`](Event::Published), [`Subscribed`](Event::Subscribed), [`Unsubscribed`](Event::Unsubscribed) or
//! [`Ended`](Event::Ended).
//!
//! # Errors
//!
//! Two kinds. A **refused call** has ended nothing, and changes nothing:
//!
//! | error | what to do |
//! |---|---|
//! | [`RequestError::Full`] | take events until [`Published`](Event::Published) makes room, and call again; [`Full`] says what is full |
//! | [`RequestError::NotConnected`] | QoS 0 and SUBSCRIBE need a connection: wait for [`Connected`](Event::Connected) |
//! | [`RequestError::TooLarge`] | a larger `tx`, or a [stream](Client::publish_streamed) |
//! | [`RequestError::TooManyFilters`] | a larger `rx`, or fewer filters at a time |
//! | [`RequestError::Forbidden`], [`ConnectError::Forbidden`] | the standard does not allow it; [`Violation::clause`] says where |
//! | [`RequestError::TurnedOff`], [`ConnectError::TurnedOff`] | the [configuration](#configuration) has it off |
//! | [`ConnectError::TooLarge`] | a larger `rx`: CONNECT is made there |
//!
//! An **end** has closed the connection. The session is kept: open another transport, and [`connect`](Client::connect) again.
//!
//! | error | what to do before |
//! |---|---|
//! | [`Error::Refused`] | [`RefusalCode`] says why: try again later, or with another name and password |
//! | [`Error::Violation`] | the server is at fault: wait, with [`Backoff`] |
//! | [`Error::TimedOut`] | wait, with [`Backoff`] |
//! | [`Error::InboundFull`] | nothing: each connection gets further. More room: [`with_inbound_ids`](Client::with_inbound_ids) |
//! | [`Error::ReceiveBufferTooSmall`] | a larger `rx`, or another choice of [`large_messages`](Config::large_messages) |
//!
//! [`Event::Ended`] is the end of one request, on a connection that lives or after it. [`Outcome`] says what is known: ask again, or tell
//! the user.
//!
//! Adapters add [`Io`](transport::Error::Io), [`Closed`](transport::Error::Closed) and [`Disconnected`](transport::Error::Disconnected), and
//! carry every refusal, so that one `?` does. [`Error::is_end`](transport::Error::is_end) tells the two kinds apart.
//!
//! # Configuration
//!
//! [`Config`] is a trait that you implement on a type of your own, with a method for each choice that differs from the default. On an
//! empty struct the compiler sees constants, and leaves out what is turned off.
//!
//! ```
//! use baremqtt::{Buffers, Client, Config};
//!
//! struct Lamp;
//!
//! impl Config for Lamp {
//!     fn mqtt31(&self) -> bool {
//!         false
//!     }
//!     fn durable(&self) -> bool {
//!         true
//!     }
//! }
//!
//! const LAMP: Client<[u8; 256], [u8; 512], Lamp> =
//!     Client::with_config(Buffers { rx: [0; 256], tx: [0; 512] }, Lamp);
//! ```
//!
//! What each choice alone adds to or takes from the flash of an application of about 9.5 KB (Cortex-M3, `opt-level = "s"`; `tests/all.sh
//! footprint`, 2026-11-26):
//!
//! | method | default | what it decides | bytes |
//! |---|---|---|---|
//! | [`mqtt31`](Config::mqtt31) | `true` | whether MQTT 3.1 can be spoken | off: -192 |
//! | [`connack_timeout_ms`](Config::connack_timeout_ms) | 10,000 | how long CONNACK may take | 0: -32 |
//! | [`pingresp_timeout_ms`](Config::pingresp_timeout_ms) | 10,000 | how long PINGRESP may take | 0: -68 |
//! | [`ack_timeout_ms`](Config::ack_timeout_ms) | 30,000 | how long an answer may take | 0: -112 |
//! | [`stall_timeout_ms`](Config::stall_timeout_ms) | 30,000 | how long the transport may take nothing | 0: -24 |
//! | [`ping_on_silence`](Config::ping_on_silence) | `true` | PINGREQ when nothing comes, too | off: -48 |
//! | [`retry_ms`](Config::retry_ms) | 0 | sending again on a living connection | not 0: +344 |
//! | [`reports_loss`](Config::reports_loss) | `true` | [`Event::Ended`] | off: -80 |
//! | [`session_loss`](Config::session_loss) | `Resend` | what becomes of messages when the server has lost the session | drops: +28 |
//! | [`assume_session_kept`](Config::assume_session_kept) | `true` | the same question in 3.1, which does not say | off: +4 |
//! | [`max_requests`](Config::max_requests) | 0: no limit | requests under way | 10: -4 |
//! | [`max_exactly_once`](Config::max_exactly_once) | 19 | QoS 2 messages under way | 0: -16 |
//! | [`receives_exactly_once`](Config::receives_exactly_once) | `true` | QoS 2 messages from the server | off: -758 |
//! | [`large_messages`](Config::large_messages) | `Skip` | messages larger than `rx` | refused: -950; in pieces: +210 |
//! | [`streams`](Config::streams) | `false` | payloads larger than `tx` | on: +1,044 |
//! | [`manual_acknowledgement`](Config::manual_acknowledgement) | `false` | who acknowledges | on: +338 |
//! | [`durable`](Config::durable) | `false` | a session that is exact over a restart | on: +570 |
//!
//! # Features
//!
//! All are additive. They decide what can be depended on; what a client *does* is decided by its [configuration](#configuration).
//!
//! | feature | default | what |
//! |---|---|---|
//! | `std` | yes | `transport::net`, over TCP or any other stream of `std`; `SessionFile`; `encode_to_vec` on packets |
//! | `embedded-io-v0.7` | no | `transport::blocking`, over `embedded_io::{Read, ReadReady, Write}` |
//! | `embedded-io-async-v0.7` | no | `transport::asynch`: embassy, tokio and others, with your timer |
//! | `embedded-io-v0.6`, `embedded-io-async-v0.6` | no | `transport::FromV06`: streams of the versions before, for the same adapters |
//! | `nb` | no | `transport::polled`: poll loops |
//! | `defmt` | no | `defmt::Format` on public types, and a few lines of log |
//! | `log` | no | the same lines through `log` |
//!
//! A public dependency has its version in the name of the feature, so that a later one can stand beside it.
//!
//! # `no_std`
//!
//! With `default-features = false` there is neither `std` nor `alloc`, and `heapless` is the only dependency.
//! There is no `unsafe` (`#![forbid(unsafe_code)]`), and nothing needs atomics, so that it runs on a Cortex-M0. A new [`Client`] is nothing but
//! zeros: in a `static` it lies in `.bss` and takes no flash.
//!
//! # Panics
//!
//! None, for any input and any order of calls. A program that uses the whole library is linked for bare metal with a panic handler that
//! does not exist, so it links only while no panic path is left (`tests/all.sh panics`). The exception is the async adapter: the compiler
//! puts a panic into every `async fn`, for a future that is polled after its end.
//!
//! # MSRV
//!
//! Rust 1.88 (`rust-version` in `Cargo.toml`). Only a minor release (0.x) asks for a newer compiler, and the changelog says so; it will
//! be one that has been stable for six months. It is checked by clippy, which knows since when the standard library has what (`tests/all.sh
//! lint`), and by what dependencies say that they need (`tests/all.sh setup`); with that compiler itself, before each release.
//!
//! # Questions
//!
//! **Why does `publish` return before anything is sent?** So that it can be called in an interrupt-driven loop, in a handler and in an
//! async task alike, and cannot deadlock. Back-pressure is a typed error, [`Full`], and the event that makes room again is known.
//!
//! **Why events and no callbacks?** A callback has to borrow what it changes. An event is a value that borrows the receive buffer; with
//! [`split`](Client::split) a handler publishes while it still holds the payload.
//!
//! **How do several threads or tasks share a client?** A runner owns the client and the stream, and the others have handles: `transport::net`
//! has them for threads, `transport::asynch` for async tasks.
//!
//! **How do I subscribe again after a reconnect?** [`Routes`] does: topic filter to handler, and what the server has lost is asked for again.
//!
//! **The server closes the connection each time that it gets a certain message.** Look at [`under_way`](Client::under_way), and
//! [give the message up](Client::give_up). MQTT has the client repeat it on each connection otherwise.
//!
//! **Why at most 19 messages of QoS 2 at once?** Mosquitto acknowledges, and then drops, what goes beyond its quota of 20, in which it counts a
//! message of QoS 1 too. With another server, [`max_exactly_once`](Config::max_exactly_once) can be anything.
//!
//! **TLS? WebSocket?** They are streams, and come from libraries made for them: the packages `baremqtt-tls` (rustls) and
//! `baremqtt-websocket` (tungstenite) have them for std.
//!
//! **MQTT 5?** No. For it there are `rust-mqtt`, `minimq`, `mountain-mqtt` and `rumqttc`. One protocol, done whole, keeps the client small.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::integer_division,
        clippy::panic,
        clippy::string_slice,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used,
    )
)]

#[cfg(any(feature = "std", test))]
extern crate std;

#[macro_use]
mod fmt;

mod backoff;
mod client;
pub mod codec;
#[cfg(all(doc, not(doctest)))]
pub mod guide;
mod routes;
#[cfg(feature = "std")]
mod session_file;
mod text;
mod time;
pub mod topic;
pub mod transport;
mod violation;

pub use backoff::Backoff;
pub use client::{
    AcknowledgeError, Buffers, Client, Config, ConnectError, Error, Event, Full, GiveUpError, InboundIds,
    LargeMessage, LargeMessages, Message, Outbound, Outcome, Receipt, Request, RequestError, RestoreError,
    SaveError, SessionLoss, Standard, State, StreamError, StreamedMessage, Timeout, UnderWay,
};
#[doc(inline)]
pub use codec::{
    Connect, Credentials, EncodeError, PacketId, QoS, RefusalCode, SubAckCode, SubAckCodes, Version, Will,
};
pub use routes::{RouteError, Routes, Subscription};
#[cfg(feature = "std")]
pub use session_file::SessionFile;
pub use time::Instant;
#[doc(inline)]
pub use topic::{TopicFilter, TopicName};
pub use violation::Violation;

/// The programs of README.md, compiled.
#[cfg(all(doctest, feature = "std", feature = "embedded-io-v0.7"))]
#[doc = include_str!("../README.md")]
mod readme {}
