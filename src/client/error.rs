//! What can go wrong, by whose doing.

use core::fmt;

use crate::{PacketId, RefusalCode, Violation};

/// The connection has ended. The client is off line already; the transport has to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// The server broke the protocol.
    Violation(Violation),
    /// The server refused the connection.
    Refused(RefusalCode),
    /// The server did not do something in time.
    TimedOut(Timeout),
    /// The server has more QoS 2 messages under way, with identifiers more scattered, than the client can keep
    /// apart. What was received so far is acknowledged; after a reconnect the flows go on from there.
    InboundFull,
    /// A packet other than PUBLISH is larger than the receive buffer; without the feature `large-messages`, any packet.
    ReceiveBufferTooSmall {
        /// Bytes of the packet.
        needed: usize,
    },
}

/// What did not happen in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Timeout {
    /// CONNACK did not come.
    ConnAck,
    /// PINGRESP did not come.
    PingResp,
    /// A request was not answered.
    Ack,
    /// The transport took no byte.
    Stall,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Violation(violation) => write!(f, "the server broke the protocol: {violation}"),
            Error::Refused(code) => write!(f, "the server refused the connection: {code}"),
            Error::TimedOut(timeout) => f.write_str(match timeout {
                Timeout::ConnAck => "no CONNACK in time",
                Timeout::PingResp => "no PINGRESP in time",
                Timeout::Ack => "no answer to a request in time",
                Timeout::Stall => "the transport takes no bytes",
            }),
            Error::InboundFull => f.write_str("too many scattered QoS 2 identifiers under way"),
            Error::ReceiveBufferTooSmall { needed } => write!(f, "a packet of {needed} bytes is to come"),
        }
    }
}

impl core::error::Error for Error {}

/// An [`Error`] in two bytes, for the inside.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    Violation(Violation),
    Refused(RefusalCode),
    TimedOut(Timeout),
    InboundFull,
    ReceiveBufferTooSmall,
}

impl Fault {
    /// The error, for a packet of this length.
    pub(super) fn error(self, packet_len: usize) -> Error {
        match self {
            Fault::Violation(violation) => Error::Violation(violation),
            Fault::Refused(code) => Error::Refused(code),
            Fault::TimedOut(timeout) => Error::TimedOut(timeout),
            Fault::InboundFull => Error::InboundFull,
            Fault::ReceiveBufferTooSmall => Error::ReceiveBufferTooSmall { needed: packet_len },
        }
    }
}

impl From<Violation> for Fault {
    fn from(violation: Violation) -> Self {
        Fault::Violation(violation)
    }
}

/// Why a request was not taken. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RequestError {
    /// The standard does not allow what was asked for.
    Forbidden(Violation),
    /// There is no connection, and the request is of a kind that is not kept for the next one (QoS 0, SUBSCRIBE,
    /// UNSUBSCRIBE); or the connection is closing.
    NotConnected,
    /// There is no room now.
    Full(Full),
    /// It can never fit into the transmit buffer.
    TooLarge {
        /// Bytes of the packet.
        needed: usize,
        /// Bytes that packets can have at the most.
        room: usize,
    },
    /// A SUBSCRIBE takes at most 255 filters here.
    TooManyFilters,
    /// A streamed message of QoS 1 or 2 must be [`repeatable`](crate::StreamedMessage::repeatable).
    NotRepeatable,
}

/// What there is no room in, and what will make some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Full {
    /// The table of requests under way, or the number of QoS 2 messages in it
    /// ([`max_exactly_once`](crate::Options::max_exactly_once)). The next [`Published`](crate::Event::Published),
    /// [`Subscribed`](crate::Event::Subscribed), [`Unsubscribed`](crate::Event::Unsubscribed) or
    /// [`Ended`](crate::Event::Ended) makes room.
    Requests,
    /// The transmit buffer. The same events make room, and bytes of QoS 0 messages and of answers as they are
    /// [`sent`](crate::Client::sent).
    Buffer,
    /// The way: the payload of a streamed message passes through. Its last byte makes room, as it is
    /// [`sent`](crate::Client::sent).
    Stream,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::Forbidden(violation) => violation.fmt(f),
            RequestError::NotConnected => f.write_str("not connected"),
            RequestError::Full(Full::Requests) => f.write_str("too many requests under way"),
            RequestError::Full(Full::Buffer) => f.write_str("the transmit buffer is full"),
            RequestError::Full(Full::Stream) => f.write_str("a streamed message is on its way"),
            RequestError::TooLarge { needed, room } => {
                write!(f, "a packet of {needed} bytes does not fit into {room}")
            }
            RequestError::TooManyFilters => f.write_str("more than 255 filters"),
            RequestError::NotRepeatable => f.write_str("QoS 1 and 2 need a payload that can be given again"),
        }
    }
}

impl core::error::Error for RequestError {}

impl From<Violation> for RequestError {
    fn from(violation: Violation) -> Self {
        RequestError::Forbidden(violation)
    }
}

/// Why [`connect`](crate::Client::connect) did not begin a connection. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConnectError {
    /// The standard does not allow such a CONNECT.
    Forbidden(Violation),
    /// There is a connection already (MQTT-3.1.0-2).
    AlreadyConnected,
    /// CONNECT does not fit into the transmit buffer beside the messages that are kept there. Once one such
    /// CONNECT was sent, its room is reserved.
    TooLarge {
        /// Bytes of the packet.
        needed: usize,
        /// Bytes that there are for it.
        room: usize,
    },
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Forbidden(violation) => violation.fmt(f),
            ConnectError::AlreadyConnected => f.write_str("already connected"),
            ConnectError::TooLarge { needed, room } => {
                write!(f, "CONNECT takes {needed} bytes, and there are {room}")
            }
        }
    }
}

impl core::error::Error for ConnectError {}

impl From<Violation> for ConnectError {
    fn from(violation: Violation) -> Self {
        ConnectError::Forbidden(violation)
    }
}

/// Why no payload was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StreamError {
    /// [`Event::StreamReady`](crate::Event::StreamReady) has not asked for one, or the link was lost since.
    NotAsked,
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no payload was asked for")
    }
}

impl core::error::Error for StreamError {}

/// Why a message was not acknowledged. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AcknowledgeError {
    /// The connection that the message came over is gone, and the message will come again; or it is acknowledged
    /// already.
    Stale,
    /// An older message is not acknowledged yet, and answers go out in the order of the messages (MQTT-4.6.0-2,
    /// MQTT-4.6.0-3).
    OutOfOrder {
        /// The message that has to be acknowledged first.
        oldest: PacketId,
    },
    /// Too many answers wait to be sent; bytes that are [`sent`](crate::Client::sent) make room.
    Full,
    /// The identifier does not fit beside those of other QoS 2 messages under way. They go as the server releases
    /// them. (Where that cannot come any more, because messages before it have to wait for receipts themselves,
    /// [`advance`](crate::Client::advance) ends the connection with [`Error::InboundFull`], and the next one gets further.)
    InboundFull,
}

impl fmt::Display for AcknowledgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AcknowledgeError::Stale => f.write_str("the message is not of this connection"),
            AcknowledgeError::OutOfOrder { oldest } => {
                write!(f, "message {oldest} has to be acknowledged first")
            }
            AcknowledgeError::Full => f.write_str("too many answers wait to be sent"),
            AcknowledgeError::InboundFull => f.write_str("too many scattered QoS 2 identifiers under way"),
        }
    }
}

impl core::error::Error for AcknowledgeError {}
