// The tests in the README take `transport::net`.
#![cfg_attr(any(feature = "std", not(doctest)), doc = include_str!("../README.md"))]
#![no_std]
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
mod routes;
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
pub use codec::{
    Connect, Credentials, EncodeError, PacketId, QoS, RefusalCode, SubAckCode, SubAckCodes, Version, Will,
};
pub use routes::{RouteError, Routes, Subscription};
pub use time::Instant;
pub use topic::{TopicFilter, TopicName};
pub use violation::Violation;
