//! The errors of a client.

use core::fmt;

use crate::{PacketId, RefusalCode, Violation};

/// Why the connection has ended. The client is already offline; close the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// The server violated the protocol.
    Violation(Violation),
    /// The server refused the connection.
    Refused(RefusalCode),
    /// The server or the transport did not respond in time.
    TimedOut(Timeout),
    /// The server has too many QoS 2 messages under way, with identifiers too scattered, for the client's buffer of inbound
    /// identifiers ([`Client::with_inbound_ids`](crate::Client::with_inbound_ids)). Messages that were received before are acknowledged, so
    /// every connection gets further.
    InboundFull,
    /// A packet is larger than the receive buffer, and is not a message that is skipped or delivered in pieces
    /// ([`Config::large_messages`](crate::Config::large_messages)).
    ReceiveBufferTooSmall {
        /// Bytes of the packet.
        needed: usize,
    },
}

/// An [`Error`] without its number. It has two bytes, so it is passed in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Violation(Violation),
    Refused(RefusalCode),
    TimedOut(Timeout),
    InboundFull,
    ReceiveBufferTooSmall,
}

impl Fault {
    /// The error to report, where `packet_len` is the length of the packet at the front.
    pub(super) const fn error(self, packet_len: usize) -> Error {
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

/// What timed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Timeout {
    /// CONNACK was not received.
    ConnAck,
    /// PINGRESP was not received.
    PingResp,
    /// A request was not answered.
    Ack,
    /// The transport accepted no bytes.
    Stall,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Violation(violation) => write!(f, "the server broke the protocol: {violation}"),
            Error::Refused(code) => write!(f, "the server refused the connection: {code}"),
            Error::TimedOut(timeout) => timeout.fmt(f),
            Error::InboundFull => {
                f.write_str("no room for more QoS 2 identifiers; connect again, or see with_inbound_ids")
            }
            Error::ReceiveBufferTooSmall { needed } => {
                write!(f, "a packet of {needed} bytes does not fit into the receive buffer; use a larger one")
            }
        }
    }
}

impl core::error::Error for Error {}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Timeout::ConnAck => "no CONNACK in time",
            Timeout::PingResp => "no PINGRESP in time",
            Timeout::Ack => "no answer to a request in time",
            Timeout::Stall => "the transport takes no bytes",
        })
    }
}

/// Why a request was refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RequestError {
    /// The standard does not allow the request.
    Forbidden(Violation),
    /// There is no connection, and this kind of request is not kept for the next one (QoS 0, SUBSCRIBE,
    /// UNSUBSCRIBE); or the connection is being closed.
    NotConnected,
    /// There is no room for the request now, but there will be later.
    Full(Full),
    /// The request can never fit into the transmit buffer.
    TooLarge {
        /// Bytes of the packet.
        needed: usize,
        /// Bytes of the transmit buffer that are available to requests.
        room: usize,
    },
    /// The SUBACK for this many filters would not fit into the receive buffer: it takes 5 bytes, plus 1 for each filter.
    TooManyFilters,
    /// A streamed message at QoS 1 or 2 must be [`repeatable`](crate::StreamedMessage::repeatable).
    NotRepeatable,
    /// The configuration turns this off: [`streams`](crate::Config::streams), or
    /// [`receives_exactly_once`](crate::Config::receives_exactly_once) for a subscription with QoS 2.
    TurnedOff,
}

/// What is full, and what will make room again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Full {
    /// The limit for requests under way ([`max_requests`](crate::Config::max_requests)) or for QoS 2 messages
    /// ([`max_exactly_once`](crate::Config::max_exactly_once)) is reached. The next [`Published`](crate::Event::Published),
    /// [`Subscribed`](crate::Event::Subscribed), [`Unsubscribed`](crate::Event::Unsubscribed) or
    /// [`Ended`](crate::Event::Ended) makes room.
    Requests,
    /// The transmit buffer is full. The same events make room, and so does sending QoS 0 messages
    /// ([`sent`](crate::Client::sent)).
    Buffer,
    /// The payload of a streamed message is being sent. There is room again after its last byte
    /// ([`sent`](crate::Client::sent)).
    Stream,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::Forbidden(violation) => violation.fmt(f),
            RequestError::NotConnected => f.write_str("not connected, or closing; wait for Event::Connected"),
            RequestError::Full(full) => full.fmt(f),
            RequestError::TooLarge { needed, room } => {
                write!(
                    f,
                    "the packet takes {needed} bytes, but requests have {room}; enlarge tx, or stream it"
                )
            }
            RequestError::TooManyFilters => {
                f.write_str("the SUBACK would not fit into the receive buffer; request fewer filters")
            }
            RequestError::NotRepeatable => {
                f.write_str("QoS 1 and 2 need a payload that can be resent: StreamedMessage::repeatable")
            }
            RequestError::TurnedOff => {
                f.write_str("turned off by the configuration: Config::streams or receives_exactly_once")
            }
        }
    }
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Full::Requests => "too many requests under way; take events until one ends",
            Full::Buffer => "the transmit buffer is full; take events until a request ends",
            Full::Stream => "a streamed message is on its way; wait until its last byte is sent",
        })
    }
}

impl core::error::Error for RequestError {}

impl From<Violation> for RequestError {
    fn from(violation: Violation) -> Self {
        RequestError::Forbidden(violation)
    }
}

/// A [`RequestError`] without its numbers. It has two bytes, so it is passed in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Forbidden(Violation),
    NotConnected,
    Full(Full),
    TooLarge,
}

impl Refusal {
    /// The error to report for a packet of `needed` bytes, where requests have `room` bytes.
    pub(super) const fn error(self, needed: usize, room: usize) -> RequestError {
        match self {
            Refusal::Forbidden(violation) => RequestError::Forbidden(violation),
            Refusal::NotConnected => RequestError::NotConnected,
            Refusal::Full(full) => RequestError::Full(full),
            Refusal::TooLarge => RequestError::TooLarge { needed, room },
        }
    }
}

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        Refusal::Forbidden(violation)
    }
}

impl From<Full> for Refusal {
    fn from(full: Full) -> Self {
        Refusal::Full(full)
    }
}

/// Why [`connect`](crate::Client::connect) was refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConnectError {
    /// The standard does not allow such a CONNECT.
    Forbidden(Violation),
    /// There is already a connection (MQTT-3.1.0-2).
    AlreadyConnected,
    /// CONNECT does not fit into the receive buffer, which holds it until it has been sent.
    TooLarge {
        /// Bytes of the packet.
        needed: usize,
        /// Length of the receive buffer.
        room: usize,
    },
    /// The configuration turns MQTT 3.1 off ([`mqtt31`](crate::Config::mqtt31)).
    TurnedOff,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Forbidden(violation) => violation.fmt(f),
            ConnectError::AlreadyConnected => f.write_str("already connected; disconnect first"),
            ConnectError::TooLarge { needed, room } => {
                write!(f, "CONNECT takes {needed} bytes, but the receive buffer has {room}; use a larger one")
            }
            ConnectError::TurnedOff => {
                f.write_str("MQTT 3.1 is turned off by the configuration: Config::mqtt31")
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

/// Why a call that concerns a streamed payload was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StreamError {
    /// [`Event::StreamReady`](crate::Event::StreamReady) has not asked for a payload, or the link has been lost since.
    NotAsked,
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no payload was asked for; wait for Event::StreamReady")
    }
}

impl core::error::Error for StreamError {}

/// Why a message was not acknowledged. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AcknowledgeError {
    /// The connection on which the message was received is gone, and the server will send the message again; or it has already been
    /// acknowledged.
    Stale,
    /// An older message has not been acknowledged yet, and answers must be sent in the order of the messages (MQTT-4.6.0-2,
    /// MQTT-4.6.0-3).
    OutOfOrder {
        /// The message that has to be acknowledged first.
        oldest: PacketId,
    },
}

impl fmt::Display for AcknowledgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AcknowledgeError::Stale => {
                f.write_str("acknowledged already, or its connection is gone and it will come again")
            }
            AcknowledgeError::OutOfOrder { oldest } => {
                write!(f, "message {oldest} has to be acknowledged first")
            }
        }
    }
}

impl core::error::Error for AcknowledgeError {}

/// Why a message was not given up. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum GiveUpError {
    /// No message with this identifier is under way, or it has already been given up.
    Unknown,
    /// The server has answered with PUBREC, so it has the message.
    Released,
    /// Bytes of the message, or of a streamed payload, are being sent. The message can be given up once they have been sent, or when the
    /// connection is lost.
    BeingSent,
}

impl fmt::Display for GiveUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GiveUpError::Unknown => "no such message is under way",
            GiveUpError::Released => "the server has the message already",
            GiveUpError::BeingSent => "the message is being sent; give it up afterwards",
        })
    }
}

impl core::error::Error for GiveUpError {}

/// Why a session was not saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SaveError {
    /// The buffer is shorter than the image.
    BufferTooSmall {
        /// Length of the image in bytes.
        needed: usize,
    },
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SaveError::BufferTooSmall { needed } => {
                write!(f, "the image takes {needed} bytes, more than the buffer has")
            }
        }
    }
}

impl core::error::Error for SaveError {}

/// Why a session was not restored. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RestoreError {
    /// The client already has a connection or a session.
    InUse,
    /// The image is damaged, or was written in another version of the format.
    Corrupt,
    /// The image contains a streamed message, and the configuration turns [`streams`](crate::Config::streams) off.
    TurnedOff,
    /// The image does not fit into the buffers of this client.
    TooLarge,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RestoreError::InUse => "the client has a connection or a session; restore into a new one",
            RestoreError::Corrupt => "the image is damaged, or of another format; begin a new session",
            RestoreError::TurnedOff => "the image has a streamed message; turn Config::streams on",
            RestoreError::TooLarge => "the image does not fit; use buffers as large as when it was saved",
        })
    }
}

impl core::error::Error for RestoreError {}
