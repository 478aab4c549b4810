//! What a client reports, and what it is asked to publish.

use core::fmt;

use crate::codec::{Delivery, Publish};
use crate::{PacketId, QoS, SubAckCodes, TopicName};

/// Something that has happened. What it borrows lies in the receive buffer until the next
/// [`advance`](crate::Client::advance).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Event<'a> {
    /// The server has accepted the connection.
    Connected {
        /// Whether the server has kept the session: subscriptions, and messages under way. If not, subscribe again.
        /// `None` in MQTT 3.1, where the server does not say.
        session_present: Option<bool>,
    },
    /// A message has arrived. It is acknowledged by the next [`advance`](crate::Client::advance), or by the application
    /// ([`Client::receipt`](crate::Client::receipt)).
    Message(Publish<'a>),
    /// A message that is larger than the receive buffer begins
    /// ([`LargeMessages::Pieces`](crate::LargeMessages::Pieces)).
    MessageStart(LargeMessage<'a>),
    /// The next piece of that message's payload; never empty.
    MessagePiece(&'a [u8]),
    /// That message is complete. It is acknowledged by the next [`advance`](crate::Client::advance). (With
    /// [`manual_acknowledgement`](crate::Config::manual_acknowledgement) this comes for a skipped one too.)
    MessageEnd,
    /// The connection was lost within that message. At QoS 1 and 2 it will come again, from the start.
    MessageAborted,
    /// A message that is larger than the receive buffer came, was not delivered, and is acknowledged
    /// ([`LargeMessages::Skip`](crate::LargeMessages::Skip)).
    MessageSkipped(LargeMessage<'a>),
    /// A message of QoS 1 or 2 is completely acknowledged.
    Published {
        /// What [`publish`](crate::Client::publish) returned.
        id: PacketId,
        /// The QoS at which it is done: 1 also for a QoS 2 message that the server has answered with PUBACK.
        qos: QoS,
    },
    /// A streamed message is next: hand over its payload, from the first byte on, with
    /// [`write_payload`](crate::Client::write_payload). After a lost connection this comes again.
    StreamReady {
        /// What [`publish_streamed`](crate::Client::publish_streamed) returned.
        id: Option<PacketId>,
    },
    /// The server has answered SUBSCRIBE.
    Subscribed {
        /// What [`subscribe`](crate::Client::subscribe) returned.
        id: PacketId,
        /// The granted QoS or the failure, for each filter in turn.
        codes: SubAckCodes<'a>,
    },
    /// The server has answered UNSUBSCRIBE. Messages that were on their way can still come.
    Unsubscribed {
        /// What [`unsubscribe`](crate::Client::unsubscribe) returned.
        id: PacketId,
    },
    /// A request has ended without the answer that it needs, and is not sent again: a SUBSCRIBE or UNSUBSCRIBE whose
    /// connection was lost, or a message whose session is gone.
    Ended {
        /// What the request returned.
        id: PacketId,
        /// What is known of it.
        outcome: Outcome,
    },
    /// The session has changed, and what would tell the server so waits until an image of it is durable
    /// ([`Config::durable`](crate::Config::durable)): [`save`](crate::Client::save), store the image, and say so with
    /// [`saved`](crate::Client::saved).
    SaveDue,
}

/// How a request ended that was not completely answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Outcome {
    /// It may or may not have reached the server, and is not sent again.
    Lost,
    /// The server had the message (it sent PUBREC) and has lost the session since, or the message was given up: it may or may not
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
pub struct LargeMessage<'a> {
    /// The topic name; `None` where not even that fits into the receive buffer (such a message is skipped).
    pub topic: Option<TopicName<'a>>,
    /// QoS, packet identifier and DUP.
    pub delivery: Delivery,
    /// Whether it is a retained message.
    pub retain: bool,
    /// Bytes of its payload.
    pub payload_len: usize,
}

/// A message to be published.
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
    /// Whether the server keeps the message for later subscribers. An empty one removes what it keeps.
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

    /// Bytes of its PUBLISH, which is what it takes of the transmit buffer.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        crate::codec::packet_len(self.body_len())
    }

    /// Bytes of its PUBLISH behind the fixed header.
    pub(super) const fn body_len(&self) -> usize {
        // The length of the topic, and the packet identifier.
        let numbers = if matches!(self.qos, QoS::AtMostOnce) { 2 } else { 4 };
        // Neither is longer than isize::MAX.
        self.topic.len().wrapping_add(self.payload.len()).saturating_add(numbers)
    }
}

/// A message whose payload is handed over piece by piece, because it is larger than the transmit buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct StreamedMessage<'a> {
    /// The topic name.
    pub topic: &'a str,
    /// Bytes of the payload.
    pub payload_len: usize,
    /// Quality of service. Above 0 the payload must be [`repeatable`](Self::repeatable).
    pub qos: QoS,
    /// Whether the server keeps the message for later subscribers.
    pub retain: bool,
    /// The payload can be handed over once more from its start, should the link be lost before the message is
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

    /// With a payload that can be handed over again.
    #[must_use]
    pub const fn repeatable(self) -> Self {
        StreamedMessage { repeatable: true, ..self }
    }
}
