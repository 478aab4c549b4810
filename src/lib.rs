//! An MQTT 3.1 and 3.1.1 client and codec. It is `no_std`, needs no allocator, does no I/O of its own and reads no clock.
//!
//! A [`Client`] is a state machine over two buffers that you provide. You pass in the bytes that you receive and the current time, send the
//! bytes that it has for you, and handle its events. The same code runs on a Cortex-M0, in a gateway and in a server process.
//!
//! If you already have a stream, an adapter in [`transport`] makes these calls for you: blocking or async, for firmware and for servers. If
//! you need only packets, [`codec`] turns bytes into packets and packets into bytes, for both roles.
//!
//! ```text
//! your program   publish, events
//!      |
//! transport      net, asynch,
//!      |         blocking, polled
//! Client         two buffers, timers
//!      |
//! codec          packets <-> bytes
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
//!         Some(Event::Message(message)) => {
//!             println!("{}: {}", message.topic, message.payload.escape_ascii());
//!         }
//!         Some(Event::Published { id, .. }) => println!("message {id} is acknowledged"),
//!         Some(Event::Ended { id, outcome }) => println!("request {id} is {outcome}"),
//!         _ => {}
//!     }
//! }
//! # }
//! ```
//!
//! The calls `connect`, `publish` and `subscribe` only queue a packet, and return at once. `next_event` sends, receives and keeps the
//! connection alive.
//!
//! For firmware, see [`guide::firmware`] (blocking or polling) and [`guide::embassy`] (async).
//!
//! # The run loop
//!
//! Without an adapter, one turn of your loop is this:
//!
//! 1. **Send.** Write [`pending`](Client::pending), and report with [`sent`](Client::sent) how many bytes the transport accepted. Repeat
//!    until nothing is pending or the transport accepts no more.
//! 2. **Receive.** Unless [`receive_buffer`](Client::receive_buffer) is empty, read into it, and report with
//!    [`received`](Client::received) how many bytes were read. At the end of the stream, or when it fails, call
//!    [`link_lost`](Client::link_lost).
//! 3. **Advance.** Call [`advance`](Client::advance) with the current time until it returns `false`. Each `true` means that there is an
//!    [`event`](Client::event). This step queues answers, so go back to 1 if something is pending.
//! 4. **Wait** until the transport is ready, or until [`time_left`](Client::time_left) has passed.
//!
//! ```
//! use baremqtt::{Buffers, Client, Connect, Event, Instant, Message};
//!
//! /// A transport that never blocks, and a clock.
//! trait Board {
//!     fn write(&mut self, bytes: &[u8]) -> usize;
//!     fn read(&mut self, buffer: &mut [u8]) -> usize;
//!     fn millis(&self) -> u32;
//!     /// Sleeps until bytes can be read or, if it `writes`, written; but no longer than this.
//!     fn sleep(&mut self, writes: bool, ms: Option<u32>);
//! }
//!
//! fn run(board: &mut impl Board) -> Result<(), Box<dyn core::error::Error>> {
//!     // A `const fn`, so the client can also live in a static.
//!     let mut client = Client::new(Buffers { rx: [0; 256], tx: [0; 512] });
//!     client.connect(&Connect::new("sensor-17").keep_alive(30))?;
//!     loop {
//!         // 1. The pending bytes do not change until `sent` is called.
//!         while !client.pending().is_empty() {
//!             let len = board.write(client.pending());
//!             client.sent(len);
//!             if len == 0 {
//!                 break;
//!             }
//!         }
//!         // 2. The buffer can be empty: until CONNECT has been sent, and while it is full.
//!         if !client.receive_buffer().is_empty() {
//!             let len = board.read(client.receive_buffer());
//!             client.received(len); // 0 if there was nothing to read
//!         }
//!         // 3. An error ends the connection: reopen the transport, and call `connect`.
//!         while client.advance(Instant::from_millis(board.millis()))? {
//!             // `split` borrows the event, and the half of the client that makes requests.
//!             if let (Some(Event::Message(message)), mut outbound) = client.split() {
//!                 outbound.publish(&Message::new("echo", message.payload))?;
//!             }
//!         }
//!         // 4. If step 3 has queued something, this waits only while nothing can be written.
//!         let writes = !client.pending().is_empty();
//!         board.sleep(writes, client.time_left());
//!     }
//! }
//! ```
//!
//! Every call is legal at any time, in any order. A call that is refused returns a typed error and changes nothing.
//!
//! # Time
//!
//! The library reads no clock. You pass the time to a single call, [`advance`](Client::advance).
//!
//! - An [`Instant`] is a 32-bit count of milliseconds. It wraps after 49.7 days, which is harmless, because only differences matter. A
//!   clock that steps back is treated as one that stood still.
//! - [`time_left`](Client::time_left) says how long you may sleep. Calling `advance` late only makes pings and timeouts late.
//! - PINGREQ is sent before the keep alive expires: early by a quarter of it, but by 5 s at most. With
//!   [`ping_on_silence`](Config::ping_on_silence) it is also sent when the server has been silent for that long.
//! - Four timeouts end a connection: for CONNACK, for PINGRESP, for the answer to a request, and for a transport that accepts no bytes
//!   ([`Timeout`]). The one for PINGRESP restarts whenever bytes arrive, and the one for answers when these belong to a partly received
//!   packet. Each runs only while the server has something to do.
//! - Durations are `u32` milliseconds in the client, and [`Duration`](core::time::Duration) in the adapters' calls that wait. The keep
//!   alive is in seconds, as in the protocol.
//! - A timeout never frees a packet identifier and never drops a message. The session continues with the next connection.
//!
//! # Buffers
//!
//! [`Buffers`] can be arrays, slices or vectors of any length, from these minimum sizes up:
//!
//! | buffer | holds | minimum size |
//! |---|---|---|
//! | `rx` | CONNECT until it has been sent; then received packets | [CONNECT](Connect::encoded_len), and 5 bytes plus 1 for each filter of the longest SUBSCRIBE |
//! | `tx` | requests, from the call to the event that ends them | the largest of: PUBLISH ([topic + payload + 4 to 9](Message::encoded_len)), SUBSCRIBE (4 to 7, plus each filter + 3), UNSUBSCRIBE (4 to 7, plus each filter + 2) |
//! | the end of `tx` | answers to the server, 4 bytes each | reserved by the client: an eighth of `tx`, but at least 32 and at most 1,024 bytes |
//!
//! A message that is larger than `rx` is skipped and acknowledged, or delivered in pieces ([`large_messages`](Config::large_messages)). One
//! that is larger than `tx` can be [streamed](Client::publish_streamed): its header takes at most topic + 13 bytes, and the window that the payload
//! passes through takes at least 64 more.
//!
//! As an example, this is how many QoS 1 messages fit into `tx` with a topic of 20 bytes and a payload of 40, which makes 66 bytes each:
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
//! Leave about an eighth of the buffer free if you can: a buffer that is always full costs more time, because its contents are moved more
//! often.
//!
//! A third piece of memory holds the identifiers of inbound QoS 2 messages: [`InboundIds`], 170 bytes, or a buffer of your own
//! ([`with_inbound_ids`](Client::with_inbound_ids)). The client itself takes about 200 to 370 bytes on a 32-bit machine.
//!
//! # Sessions and guarantees
//!
//! A session is what both sides keep when the link breaks: QoS 1 and 2 messages that are under way and, on the server, the subscriptions.
//! The client's part of it is the transmit buffer. Keep the [`Client`], open another transport, call [`connect`](Client::connect) again,
//! and the session continues. Request this with [`clean_session(false)`](Connect::clean_session); [`Event::Connected`] says whether the
//! server has kept its part.
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
//! What happens to a request that is under way when the link breaks:
//!
//! | | the server has kept the session | it has lost it: [Resend](SessionLoss::Resend) | it has lost it: [Drop](SessionLoss::Drop) | clean session requested |
//! |---|---|---|---|---|
//! | QoS 0 | dropped, not reported | the same | the same | the same |
//! | QoS 1 or 2, certainly not received by the server | sent | sent | sent | sent |
//! | QoS 1, perhaps received | resent with DUP: arrives at least once | resent | ends as [Lost](Outcome::Lost) | ends as Lost |
//! | QoS 2, perhaps received | resent with DUP: arrives once | resent: may arrive twice | ends as Lost | ends as Lost |
//! | QoS 2, after PUBREC | PUBREL is resent: arrives once | ends as [Uncertain](Outcome::Uncertain) | the same | the same |
//! | SUBSCRIBE, UNSUBSCRIBE | ends as Lost: request it again | the same | the same | the same |
//!
//! "Ends" means that [`Event::Ended`] is reported, with this [`Outcome`]. [`Config::session_loss`] chooses between the two columns in the
//! middle. An MQTT 3.1 server does not say whether it has kept the session; [`assume_session_kept`](Config::assume_session_kept) decides
//! what to assume.
//!
//! What happens when the *device* restarts:
//!
//! | the session is | QoS 1 | QoS 2 |
//! |---|---|---|
//! | not saved | messages under way are lost; the server resends its own | the same; the server may also mistake a new message for a repetition of an old one, so start with [another identifier](Client::set_next_packet_id) |
//! | [saved](Client::save) whenever its [`revision`](Client::revision) has changed | nothing is lost but what came after the last image; a message that was acknowledged after it is sent again | what came after the last image may be lost or arrive twice |
//! | [`durable`](Config::durable) | arrives at least once | arrives once |
//!
//! Messages from the server are delivered once at QoS 2, for as long as the session lives. At QoS 1 a repetition is delivered again, as
//! MQTT specifies. A message is acknowledged after the application has handled its event, or by the application itself
//! ([`manual_acknowledgement`](Config::manual_acknowledgement)).
//!
//! Messages are sent in the order of the calls, after a reconnect too. The end of each request is reported once:
//! [`Published`](Event::Published), [`Subscribed`](Event::Subscribed), [`Unsubscribed`](Event::Unsubscribed) or
//! [`Ended`](Event::Ended).
//!
//! # Errors
//!
//! There are two kinds. A **refused call** changes nothing, and the connection continues:
//!
//! | a call is refused with | because | what to do |
//! |---|---|---|
//! | [`RequestError::Full`] | there is no room now; [`Full`] says what is full | handle events until [`Published`](Event::Published) makes room, then call again |
//! | [`RequestError::NotConnected`] | QoS 0, SUBSCRIBE and UNSUBSCRIBE need a connection; or it is being closed | wait for [`Connected`](Event::Connected) |
//! | [`RequestError::TooLarge`] | it can never fit into `tx` | use a larger `tx`, or [stream](Client::publish_streamed) the payload |
//! | [`RequestError::TooManyFilters`] | its SUBACK can never fit into `rx` | use a larger `rx`, or fewer filters at a time |
//! | [`RequestError::Forbidden`], [`ConnectError::Forbidden`] | the standard does not allow it; [`Violation::clause`] says where | correct the request |
//! | [`RequestError::TurnedOff`], [`ConnectError::TurnedOff`] | the [configuration](#configuration) does not allow it | turn it on |
//! | [`RequestError::NotRepeatable`] | a streamed message above QoS 0 may have to be resent | use QoS 0, or a payload that can be supplied again |
//! | [`ConnectError::TooLarge`] | CONNECT is encoded in `rx`, and does not fit | use a larger `rx` |
//! | [`ConnectError::AlreadyConnected`] | there is a connection, or one is being established | [disconnect](Client::disconnect) first |
//!
//! [`StreamError`], [`AcknowledgeError`], [`GiveUpError`], [`SaveError`] and [`RestoreError`] are explained at their variants.
//!
//! An **end** has closed the connection. The client is offline: open another transport, and [`connect`](Client::connect) again. The session
//! is kept, as [described above](#sessions-and-guarantees).
//!
//! | a connection ends with | because | what is kept | what to do before the next one |
//! |---|---|---|---|
//! | [`Error::Refused`] | the server refuses the client; [`RefusalCode`] says why | the session | wait, or use other credentials |
//! | [`Error::Violation`] | the server is at fault | the session; the packet at fault is discarded | wait, with [`Backoff`] |
//! | [`Error::TimedOut`] | the server or the transport does not respond; [`Timeout`] says to what | the session | wait, with [`Backoff`] |
//! | [`Error::InboundFull`] | there is no room for the identifier of another QoS 2 message | the session; messages before that one are acknowledged | nothing, because every connection gets further; [`with_inbound_ids`](Client::with_inbound_ids) makes room |
//! | [`Error::ReceiveBufferTooSmall`] | a packet is larger than `rx` | the session; the packet is not acknowledged | use a larger `rx`, or another choice of [`large_messages`](Config::large_messages) |
//! | [`Io`](transport::Error::Io), [`Closed`](transport::Error::Closed) | the stream has failed or ended | the session | wait, with [`Backoff`] |
//! | [`Disconnected`](transport::Error::Disconnected) | the application has asked for it | the session | nothing |
//!
//! The last two rows are errors of adapters. Their error type converts from every refusal, so that one `?` is enough, and
//! [`Error::is_end`](transport::Error::is_end) tells the two kinds apart.
//!
//! [`Event::Ended`] is different: it reports the end of one request, whether or not the connection lives on.
//!
//! | a request ends as | because | what to do |
//! |---|---|---|
//! | [`Lost`](Outcome::Lost) | its connection or session is gone; it may or may not have reached the server | make it again, unless a message must not arrive twice |
//! | [`Uncertain`](Outcome::Uncertain) | the server received the message (PUBREC) before it lost the session, or the message was given up; it may or may not have been delivered | inform the user: sent again, it may arrive twice |
//!
//! # Configuration
//!
//! [`Config`] is a trait that you implement on a type of your own, with a method for each choice that differs from the default. If the
//! type is an empty struct, the compiler sees constants and leaves out what is turned off.
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
//! The figures in bold are bytes of flash: what each choice alone adds to, or saves in, an application of about 9.5 KB (Cortex-M3,
//! `opt-level = "s"`; `tests/all.sh footprint`, 2026-11-26). Timeouts are in milliseconds, and 0 turns one off.
//!
//! Connection:
//!
//! - [`mqtt31`](Config::mqtt31), default `true`: whether MQTT 3.1 can be used. **off: -196**
//! - [`connack_timeout_ms`](Config::connack_timeout_ms), default 10,000: timeout for CONNACK. **0: -36**
//! - [`pingresp_timeout_ms`](Config::pingresp_timeout_ms), default 10,000: timeout for PINGRESP. **0: -64**
//! - [`ack_timeout_ms`](Config::ack_timeout_ms), default 30,000: timeout for the answer to a request. **0: -128**
//! - [`stall_timeout_ms`](Config::stall_timeout_ms), default 30,000: timeout for a transport that accepts no bytes. **0: -24**
//! - [`ping_on_silence`](Config::ping_on_silence), default `true`: whether PINGREQ is also sent when the server is silent. **off: -52**
//!
//! Requests and sessions:
//!
//! - [`reports_loss`](Config::reports_loss), default `true`: whether [`Event::Ended`] is reported. **off: -88**
//! - [`session_loss`](Config::session_loss), default `Resend`: what happens to messages when the server has lost the session. **`Drop`: +24**
//! - [`assume_session_kept`](Config::assume_session_kept), default `true`: whether a 3.1 server, which does not say, is assumed to have kept the session. **off: +8**
//! - [`max_requests`](Config::max_requests), default 0 (no limit): how many requests can be under way. **10: -4**
//! - [`max_exactly_once`](Config::max_exactly_once), default 19: how many QoS 2 messages can be under way. **0: -16**
//! - [`retry_ms`](Config::retry_ms), default 0 (never): when to resend on a living connection. **not 0: +536**
//! - [`durable`](Config::durable), default `false`: whether the session is kept exactly across a restart. **on: +598**
//!
//! Messages:
//!
//! - [`receives_exactly_once`](Config::receives_exactly_once), default `true`: whether QoS 2 messages can be received. **off: -622**
//! - [`manual_acknowledgement`](Config::manual_acknowledgement), default `false`: whether the application acknowledges messages. **on: +476**
//! - [`large_messages`](Config::large_messages), default `Skip`: what happens to messages larger than `rx`. **`Refuse`: -806; `Pieces`: +378**
//! - [`streams`](Config::streams), default `false`: whether payloads larger than `tx` can be sent. **on: +1,068**
//!
//! # Features
//!
//! All features are additive. They only select dependencies; what a client *does* is decided by its [configuration](#configuration).
//!
//! - `std` (default): [`transport::net`], over TCP or any other stream of `std`; [`SessionFile`]; `encode_to_vec` on packets.
//! - `embedded-io-v0.7`: [`transport::blocking`], over `embedded_io::{Read, ReadReady, Write}`.
//! - `embedded-io-async-v0.7`: [`transport::asynch`], for embassy, tokio and other executors; you supply the timer.
//! - `embedded-io-v0.6`, `embedded-io-async-v0.6`: [`transport::FromV06`], which wraps streams of these older versions for the same adapters.
//! - `nb`: [`transport::polled`], for loops that poll.
//! - `defmt`: `defmt::Format` on packets, events, errors and settings, and a few log messages.
//! - `log`: the same log messages through `log`.
//!
//! The features of `embedded-io` have its version in their names, so that a later version can be added beside it.
//!
//! # `no_std`
//!
//! With `default-features = false` the crate uses neither `std` nor `alloc`, and `heapless` is its only dependency. It contains no `unsafe`
//! (`#![forbid(unsafe_code)]`) and needs no atomics, so it runs on a Cortex-M0. A new [`Client`] consists of zero bytes only: in a `static`
//! it is placed in `.bss` and takes no flash. A `usize` must have at least 32 bits.
//!
//! # Panics
//!
//! None, for any input and any order of calls. To prove it, a program that uses the whole library is linked for bare metal with an
//! undefined panic handler, which succeeds only if no panic path is left (`tests/all.sh panics`). The async adapter is the exception: the
//! compiler adds a panic to every `async fn`, for a future that is polled after it has completed.
//!
//! # MSRV
//!
//! Rust 1.88 (`rust-version` in `Cargo.toml`). Only a minor release (0.x) can raise it, to a version that has been stable for six months,
//! and the changelog says so. Clippy checks that the library uses nothing newer from the standard library (`tests/all.sh lint`), and
//! another check compares the versions that dependencies declare (`tests/all.sh setup`). Before each release, that compiler itself builds
//! the crate.
//!
//! # Questions
//!
//! **Why does `publish` return before anything is sent?** So that it works the same in an interrupt-driven loop, in a handler and in an
//! async task, and cannot deadlock. Back-pressure is a typed error, [`Full`], which says what will make room again.
//!
//! **Why events instead of callbacks?** A callback has to borrow everything that it changes. An event is a value that borrows only the
//! receive buffer; with [`split`](Client::split), a handler can publish while it still holds the payload.
//!
//! **How do several threads or tasks share a client?** A runner owns the client and the stream, and the others use handles: those of
//! [`transport::net`] for threads, those of [`transport::asynch`] for async tasks.
//!
//! **How do I resubscribe after a reconnect?** Use [`Routes`]. It maps topic filters to handlers, and resubscribes what the server has
//! lost.
//!
//! **The server closes the connection whenever it receives a certain message. What now?** Find it with [`under_way`](Client::under_way),
//! and [give it up](Client::give_up). Otherwise MQTT requires the client to resend it on every connection.
//!
//! **Why are at most 19 QoS 2 messages sent at once?** Mosquitto acknowledges, and then drops, messages beyond its quota of 20, and that
//! quota also counts a QoS 1 message. With another server, set [`max_exactly_once`](Config::max_exactly_once) to anything you like.
//!
//! **What about TLS and WebSocket?** Both are streams, and are left to libraries made for them. For std, the packages `baremqtt-tls`
//! (rustls) and `baremqtt-websocket` (tungstenite) provide such streams.
//!
//! **What about MQTT 5?** It is not supported; see `rust-mqtt`, `minimq`, `mountain-mqtt` and `rumqttc`. Doing one protocol completely
//! keeps the client small.
//!
// Links to items that need a feature; without it, to the list of features.
#![cfg_attr(feature = "std", doc = "[`transport::net`]: transport::net")]
#![cfg_attr(not(feature = "std"), doc = "[`transport::net`]: #features")]
#![cfg_attr(feature = "std", doc = "[`SessionFile`]: SessionFile")]
#![cfg_attr(not(feature = "std"), doc = "[`SessionFile`]: #features")]
#![cfg_attr(feature = "embedded-io-v0.7", doc = "[`transport::blocking`]: transport::blocking")]
#![cfg_attr(not(feature = "embedded-io-v0.7"), doc = "[`transport::blocking`]: #features")]
#![cfg_attr(feature = "embedded-io-async-v0.7", doc = "[`transport::asynch`]: transport::asynch")]
#![cfg_attr(not(feature = "embedded-io-async-v0.7"), doc = "[`transport::asynch`]: #features")]
#![cfg_attr(feature = "embedded-io-v0.6", doc = "[`transport::FromV06`]: transport::FromV06")]
#![cfg_attr(not(feature = "embedded-io-v0.6"), doc = "[`transport::FromV06`]: #features")]
#![cfg_attr(feature = "nb", doc = "[`transport::polled`]: transport::polled")]
#![cfg_attr(not(feature = "nb"), doc = "[`transport::polled`]: #features")]
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

#[cfg(target_pointer_width = "16")]
compile_error!("a packet can have 256 MiB, so a `usize` must have at least 32 bits");

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
mod time;
pub mod topic;
pub mod transport;
mod validate;
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
