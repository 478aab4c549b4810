//! The messages that a client publishes.

use crate::QoS;
use crate::codec::qos_and_retain;

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

    qos_and_retain!();

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

    qos_and_retain!();

    /// With a payload that the application can supply again.
    #[must_use]
    pub const fn repeatable(self) -> Self {
        StreamedMessage { repeatable: true, ..self }
    }
}
