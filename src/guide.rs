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

// As files, the pages have links to the source. Here they lead to the documentation: of two definitions of a link the first one counts.

#[doc = include_str!("../docs/codec.md")]
pub mod codec {}
/// [`Routes::matching`]: crate::Routes::matching
/// [`Routes::note`]: crate::Routes::note
/// [`Routes::subscribe`]: crate::Routes::subscribe
/// [`Backoff`]: crate::Backoff
/// [`Config::durable`]: crate::Config::durable
/// [`publish_streamed`]: crate::Client::publish_streamed
#[cfg_attr(
    feature = "std",
    doc = "
[`Runner`]: crate::transport::net::Runner
[`Handle::publish`]: crate::transport::net::Handle::publish
[`SessionFile`]: crate::SessionFile
"
)]
#[doc = include_str!("../docs/comparison.md")]
pub mod comparison {}
#[cfg_attr(
    feature = "embedded-io-async-v0.7",
    doc = "
[`Runner`]: crate::transport::asynch::Runner
[`Handle`]: crate::transport::asynch::Handle
[`Timer`]: crate::transport::asynch::Timer
[`Mailbox`]: crate::transport::asynch::Mailbox
[`Duplex`]: crate::transport::asynch::Duplex
[`asynch::Connection`]: crate::transport::asynch::Connection
"
)]
#[doc = include_str!("../docs/embassy.md")]
pub mod embassy {}
/// [`Config`]: crate::Config
/// [minimum sizes]: crate#buffers
/// [run loop]: crate#the-run-loop
/// [`Message::encoded_len`]: crate::Message::encoded_len
/// [`Routes`]: crate::Routes
/// [`time_left`]: crate::Client::time_left
#[cfg_attr(
    feature = "embedded-io-v0.7",
    doc = "
[`Reconnect`]: crate::transport::blocking::Reconnect
[`transport::blocking`]: crate::transport::blocking
"
)]
#[cfg_attr(feature = "embedded-io-v0.6", doc = "[`transport::FromV06`]: crate::transport::FromV06")]
#[cfg_attr(feature = "nb", doc = "[`polled::Stream`]: crate::transport::polled::Stream")]
#[doc = include_str!("../docs/firmware.md")]
pub mod firmware {}
/// [`Connect`]: crate::Connect
/// [`Event`]: crate::Event
/// [`Routes::add`]: crate::Routes::add
/// [`Routes::subscribe`]: crate::Routes::subscribe
/// [`Routes::matching`]: crate::Routes::matching
/// [`Backoff`]: crate::Backoff
/// [`Config::max_requests`]: crate::Config::max_requests
/// [`Config::manual_acknowledgement`]: crate::Config::manual_acknowledgement
/// [`Config::pingresp_timeout_ms`]: crate::Config::pingresp_timeout_ms
/// [`Config::stall_timeout_ms`]: crate::Config::stall_timeout_ms
/// [`TopicFilter::matches`]: crate::TopicFilter::matches
/// [`RequestError::Full`]: crate::RequestError::Full
/// [`RequestError::TooLarge`]: crate::RequestError::TooLarge
/// [`codec`]: crate::codec
#[cfg_attr(
    feature = "std",
    doc = "
[`transport::net::Runner`]: crate::transport::net::Runner
[`Handle::stop`]: crate::transport::net::Handle::stop
"
)]
#[cfg_attr(
    feature = "embedded-io-async-v0.7",
    doc = "[`transport::asynch::Runner`]: crate::transport::asynch::Runner"
)]
#[doc = include_str!("../docs/migrating.md")]
pub mod migrating {}
/// [`finish`]: crate::Client::finish
/// [`Config::durable`]: crate::Config::durable
/// [`Event::SaveDue`]: crate::Event::SaveDue
/// [`save`]: crate::Client::save
/// [`saved`]: crate::Client::saved
/// [`restore`]: crate::Client::restore
/// [`under_way`]: crate::Client::under_way
/// [`give_up`]: crate::Client::give_up
/// [`Config::streams`]: crate::Config::streams
/// [`publish_streamed`]: crate::Client::publish_streamed
/// [`Event::StreamReady`]: crate::Event::StreamReady
/// [`LargeMessages::Pieces`]: crate::LargeMessages::Pieces
#[cfg_attr(feature = "std", doc = "[`SessionFile`]: crate::SessionFile")]
#[doc = include_str!("../docs/recipes.md")]
pub mod recipes {}
/// [`Routes`]: crate::Routes
/// [`Full`]: crate::Full
/// [`Config::manual_acknowledgement`]: crate::Config::manual_acknowledgement
/// [`InboundIds`]: crate::InboundIds
#[cfg_attr(
    feature = "std",
    doc = "
[`transport::net`]: crate::transport::net
[`Runner`]: crate::transport::net::Runner
[`Handle`]: crate::transport::net::Handle
[`GaveUp`]: crate::transport::net::GaveUp
[`Runner::coalesce`]: crate::transport::net::Runner::coalesce
[`Connection`]: crate::transport::net::Connection
[`net::Stream`]: crate::transport::net::Stream
"
)]
#[cfg_attr(
    feature = "embedded-io-async-v0.7",
    doc = "
[`transport::asynch`]: crate::transport::asynch
[`Timer`]: crate::transport::asynch::Timer
"
)]
#[doc = include_str!("../docs/server.md")]
pub mod server {}
#[doc = include_str!("../docs/testing.md")]
pub mod testing {}
