//! What can go wrong, and by whose doing.

use core::fmt;

use crate::{PacketId, RefusalCode, Violation};

/// The connection has ended. The client is offline already; the transport has to be closed.
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
    /// The server has more QoS 2 messages under way, with identifiers more scattered, than the client has room to keep
    /// apart ([`Client::with_inbound_ids`](crate::Client::with_inbound_ids)). What was received before is acknowledged; each
    /// connection gets further.
    InboundFull,
    /// A packet is larger than the receive buffer, and not a message that may be
    /// ([`Config::large_messages`](crate::Config::large_messages)).
    ReceiveBufferTooSmall {
        /// Bytes of the packet.
        needed: usize,
    },
}

/// Why a connection has ended, without the number that an [`Error`] can have: two bytes, which travel in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Violation(Violation),
    Refused(RefusalCode),
    TimedOut(Timeout),
    InboundFull,
    ReceiveBufferTooSmall,
}

impl Fault {
    /// The error that is told. The packet at the front has so many bytes.
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

/// What did not happen in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
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
            Error::TimedOut(timeout) => timeout.fmt(f),
            Error::InboundFull => {
                f.write_str("no room to tell QoS 2 messages apart; connect again, or see with_inbound_ids")
            }
            Error::ReceiveBufferTooSmall { needed } => {
                write!(
                    f,
                    "a packet of {needed} bytes does not fit into the receive buffer; lend a larger one"
                )
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
        /// Bytes that requests have there.
        room: usize,
    },
    /// The SUBACK of a SUBSCRIBE with this many filters would not fit into the receive buffer: 5 bytes and one for each.
    TooManyFilters,
    /// A streamed message of QoS 1 or 2 must be [`repeatable`](crate::StreamedMessage::repeatable).
    NotRepeatable,
    /// The configuration turns it off: [`streams`](crate::Config::streams), or
    /// [`receives_exactly_once`](crate::Config::receives_exactly_once) where QoS 2 was asked for.
    TurnedOff,
}

/// What there is no room in, and what will make some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Full {
    /// The number of requests under way ([`max_requests`](crate::Config::max_requests)) or of QoS 2 messages
    /// ([`max_exactly_once`](crate::Config::max_exactly_once)). The next [`Published`](crate::Event::Published),
    /// [`Subscribed`](crate::Event::Subscribed), [`Unsubscribed`](crate::Event::Unsubscribed) or
    /// [`Ended`](crate::Event::Ended) makes room.
    Requests,
    /// The transmit buffer. The same events make room, and so do bytes of QoS 0 messages as they are
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
            RequestError::NotConnected => f.write_str("not connected, or closing; wait for Event::Connected"),
            RequestError::Full(full) => full.fmt(f),
            RequestError::TooLarge { needed, room } => {
                write!(
                    f,
                    "the packet takes {needed} bytes, and requests have {room}; enlarge tx, or stream it"
                )
            }
            RequestError::TooManyFilters => {
                f.write_str("the SUBACK would not fit into the receive buffer; ask for fewer filters")
            }
            RequestError::NotRepeatable => {
                f.write_str("QoS 1 and 2 need a payload that can be given again: StreamedMessage::repeatable")
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

/// Why a request was not taken, without the numbers that a [`RequestError`] can have: two bytes, which travel in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Forbidden(Violation),
    NotConnected,
    Full(Full),
    TooLarge,
}

impl Refusal {
    /// The error that is told of a packet with so many bytes, where requests have so much room.
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

/// Why [`connect`](crate::Client::connect) did not begin a connection. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConnectError {
    /// The standard does not allow such a CONNECT.
    Forbidden(Violation),
    /// There is a connection already (MQTT-3.1.0-2).
    AlreadyConnected,
    /// CONNECT does not fit into the receive buffer, where it stands until it has left.
    TooLarge {
        /// Bytes of the packet.
        needed: usize,
        /// Bytes that the receive buffer has.
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
                write!(
                    f,
                    "CONNECT takes {needed} bytes, and the receive buffer has {room}; lend a larger one"
                )
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
        f.write_str("no payload was asked for; wait for Event::StreamReady")
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
    /// No message of this identifier is under way, or it was given up before.
    Unknown,
    /// The server has answered PUBREC: it has the message.
    Released,
    /// Its bytes, or those of a streamed payload, are being handed to the transport: it can be given up once they have left, or the
    /// connection is lost.
    Leaving,
}

impl fmt::Display for GiveUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GiveUpError::Unknown => "no such message is under way",
            GiveUpError::Released => "the server has the message already",
            GiveUpError::Leaving => "the message is being sent; give it up once it has left",
        })
    }
}

impl core::error::Error for GiveUpError {}

/// Why a session was not saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SaveError {
    /// The image needs more bytes.
    BufferTooSmall {
        /// Bytes of the image.
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
    /// The client has a connection, or a session already.
    InUse,
    /// The image is damaged, or none of this version of the format.
    Corrupt,
    /// The image holds more than there is room for.
    TooLarge,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RestoreError::InUse => "the client has a connection or a session; restore into a new one",
            RestoreError::Corrupt => "the image is damaged, or of another format; begin a new session",
            RestoreError::TooLarge => {
                "the image holds more than fits; lend buffers as large as when it was saved"
            }
        })
    }
}

impl core::error::Error for RestoreError {}
