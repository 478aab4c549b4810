//! The events that a client reports, and the messages that it publishes.

use core::fmt;

use crate::codec::{Delivery, Publish};
use crate::{PacketId, QoS, SubAckCodes, TopicName};

/// Something that has happened. An event borrows from the receive buffer, until the next
/// [`advance`](crate::Client::advance).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Event<'a> {
    /// The server has accepted the connection.
    Connected {
        /// Whether the server has kept the session, that is, the subscriptions and the messages under way. If it has not, subscribe again.
        /// `None` in MQTT 3.1, where the server does not say.
        session_present: Option<bool>,
    },
    /// A message has been received. The next [`advance`](crate::Client::advance) acknowledges it, unless the application does so
    /// ([`Client::receipt`](crate::Client::receipt)).
    Message(Publish<'a>),
    /// The start of a message that is larger than the receive buffer
    /// ([`LargeMessages::Pieces`](crate::LargeMessages::Pieces)).
    MessageStart(LargeMessage<'a>),
    /// The next piece of the large message's payload; never empty.
    MessagePiece(&'a [u8]),
    /// The large message is complete. The next [`advance`](crate::Client::advance) acknowledges it. (With
    /// [`manual_acknowledgement`](crate::Config::manual_acknowledgement), a skipped message also ends with this event.)
    MessageEnd,
    /// The large message is incomplete, because the connection was lost in the middle of it; or it was not accepted at its end, for lack of
    /// room for its identifier or because the output was lost. At QoS 1 and 2 the server will send it again, from the start.
    MessageAborted,
    /// A message that is larger than the receive buffer was received. It is acknowledged, but not delivered
    /// ([`LargeMessages::Skip`](crate::LargeMessages::Skip)).
    MessageSkipped(LargeMessage<'a>),
    /// A QoS 1 or 2 message has been fully acknowledged.
    Published {
        /// The identifier that [`publish`](crate::Client::publish) returned.
        id: PacketId,
        /// The QoS at which the exchange was completed. This is 1 for a QoS 2 message that the server has answered with PUBACK.
        qos: QoS,
    },
    /// It is a streamed message's turn to be sent: supply its payload, from the first byte on, with
    /// [`write_payload`](crate::Client::write_payload). If the connection is lost, this event is reported again.
    StreamReady {
        /// The identifier that [`publish_streamed`](crate::Client::publish_streamed) returned.
        id: Option<PacketId>,
    },
    /// The server has answered a SUBSCRIBE.
    Subscribed {
        /// The identifier that [`subscribe`](crate::Client::subscribe) returned.
        id: PacketId,
        /// The granted QoS or a failure, for each filter, in their order.
        codes: SubAckCodes<'a>,
    },
    /// The server has answered an UNSUBSCRIBE. Messages that it had already sent can still arrive.
    Unsubscribed {
        /// The identifier that [`unsubscribe`](crate::Client::unsubscribe) returned.
        id: PacketId,
    },
    /// A request has ended without an answer, and will not be resent: a SUBSCRIBE or UNSUBSCRIBE whose
    /// connection was lost, or a message whose session is gone.
    Ended {
        /// The identifier that the request returned.
        id: PacketId,
        /// What is known about it.
        outcome: Outcome,
    },
    /// The session has changed, and packets that would reveal this to the server are held back until an image is durable
    /// ([`Config::durable`](crate::Config::durable)). Call [`save`](crate::Client::save), store the image, and confirm it with
    /// [`saved`](crate::Client::saved). This is reported once for each change: if storing fails, try again without waiting for another event.
    SaveDue,
}

/// How a request ended that was not fully answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Outcome {
    /// It may or may not have reached the server, and will not be resent.
    Lost,
    /// The server received the message (it sent PUBREC), but has lost the session since; or the message was given up. It may or may not
    /// have been delivered.
    Uncertain,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Lost => "lost",
            Outcome::Uncertain => "uncertain",
        })
    }
}

/// A message that is larger than the receive buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct LargeMessage<'a> {
    /// The topic name; `None` if not even that fits into the receive buffer (such a message is skipped).
    pub topic: Option<TopicName<'a>>,
    /// QoS, packet identifier and DUP.
    pub delivery: Delivery,
    /// Whether it is a retained message.
    pub retain: bool,
    /// Length of the payload in bytes.
    pub payload_len: usize,
}

/// A message to publish.
///
/// ```
/// use baremqtt::{Message, QoS};
///
/// let message = Message::new("sensor/17/temperature", b"21.5").qos(QoS::AtLeastOnce).retain();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Message<'a> {
    /// The topic name.
    pub topic: &'a str,
    /// The payload; may be empty.
    pub payload: &'a [u8],
    /// Quality of service.
    pub qos: QoS,
    /// Whether the server keeps the message for later subscribers. An empty payload makes it remove the message that it has kept.
    pub retain: bool,
}

impl<'a> Message<'a> {
    /// A message of QoS 0 that is not retained.
    #[must_use]
    pub const fn new(topic: &'a str, payload: &'a [u8]) -> Self {
        Message { topic, payload, qos: QoS::AtMostOnce, retain: false }
    }

    /// With this QoS.
    #[must_use]
    pub const fn qos(self, qos: QoS) -> Self {
        Message { qos, ..self }
    }

    /// At QoS 1.
    #[must_use]
    pub const fn at_least_once(self) -> Self {
        self.qos(QoS::AtLeastOnce)
    }

    /// At QoS 2.
    #[must_use]
    pub const fn exactly_once(self) -> Self {
        self.qos(QoS::ExactlyOnce)
    }

    /// To be retained by the server.
    #[must_use]
    pub const fn retain(self) -> Self {
        Message { retain: true, ..self }
    }

    /// Length of its PUBLISH packet, which is the space that it takes in the transmit buffer.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        crate::codec::packet_len(self.body_len())
    }

    /// Length of its PUBLISH packet without the fixed header.
    pub(super) const fn body_len(&self) -> usize {
        // The length prefix of the topic, and the packet identifier.
        let numbers = if matches!(self.qos, QoS::AtMostOnce) { 2 } else { 4 };
        // Neither is longer than isize::MAX.
        self.topic.len().wrapping_add(self.payload.len()).saturating_add(numbers)
    }
}

/// A message whose payload is supplied piece by piece, because it is larger than the transmit buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct StreamedMessage<'a> {
    /// The topic name.
    pub topic: &'a str,
    /// Length of the payload in bytes.
    pub payload_len: usize,
    /// Quality of service. Above 0 the payload must be [`repeatable`](Self::repeatable).
    pub qos: QoS,
    /// Whether the server keeps the message for later subscribers.
    pub retain: bool,
    /// Whether the application can supply the payload again from its start, if the link is lost before the message is
    /// acknowledged.
    pub repeatable: bool,
}

impl<'a> StreamedMessage<'a> {
    /// A message of QoS 0 that is not retained and cannot be repeated.
    #[must_use]
    pub const fn new(topic: &'a str, payload_len: usize) -> Self {
        StreamedMessage { topic, payload_len, qos: QoS::AtMostOnce, retain: false, repeatable: false }
    }

    /// With this QoS.
    #[must_use]
    pub const fn qos(self, qos: QoS) -> Self {
        StreamedMessage { qos, ..self }
    }

    /// To be retained by the server.
    #[must_use]
    pub const fn retain(self) -> Self {
        StreamedMessage { retain: true, ..self }
    }

    /// With a payload that the application can supply again.
    #[must_use]
    pub const fn repeatable(self) -> Self {
        StreamedMessage { repeatable: true, ..self }
    }
}
