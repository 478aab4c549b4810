//! PUBLISH (section 3.3).

use super::cursor::{Reader, Writer};
use super::encode::encode_packet;
use super::{Body, EncodeError, PacketId, PacketType, QoS, Version, packet_len};
use crate::validate::chars;
use crate::{TopicName, Violation};

const DUP: u8 = 0x08;
const RETAIN: u8 = 0x01;

/// The maximum number of characters of a topic name in MQTT 3.1.
const MQTT31_TOPIC_CHARS: usize = 32_767;

/// PUBLISH: a message in transit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Publish<'a> {
    /// The topic name.
    pub topic: TopicName<'a>,
    /// The payload; may be empty.
    pub payload: &'a [u8],
    /// QoS, packet identifier and DUP.
    pub delivery: Delivery,
    /// Sent to a server: whether it should keep the message for later subscribers. Sent by a server: whether this is a retained
    /// message.
    pub retain: bool,
}

/// The QoS of a PUBLISH. Above QoS 0 it includes the packet identifier and DUP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Delivery {
    /// QoS 0.
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce {
        /// The packet identifier.
        id: PacketId,
        /// The packet may have been sent before.
        dup: bool,
    },
    /// QoS 2.
    ExactlyOnce {
        /// The packet identifier.
        id: PacketId,
        /// The packet may have been sent before.
        dup: bool,
    },
}

impl Delivery {
    /// The quality of service.
    #[must_use]
    #[inline]
    pub const fn qos(self) -> QoS {
        match self {
            Delivery::AtMostOnce => QoS::AtMostOnce,
            Delivery::AtLeastOnce { .. } => QoS::AtLeastOnce,
            Delivery::ExactlyOnce { .. } => QoS::ExactlyOnce,
        }
    }

    /// The packet identifier; `None` at QoS 0.
    #[must_use]
    #[inline]
    pub const fn id(self) -> Option<PacketId> {
        match self {
            Delivery::AtMostOnce => None,
            Delivery::AtLeastOnce { id, .. } | Delivery::ExactlyOnce { id, .. } => Some(id),
        }
    }

    /// Whether the packet may have been sent before; never at QoS 0.
    #[must_use]
    #[inline]
    pub const fn dup(self) -> bool {
        match self {
            Delivery::AtMostOnce => false,
            Delivery::AtLeastOnce { dup, .. } | Delivery::ExactlyOnce { dup, .. } => dup,
        }
    }

    #[inline]
    fn flags(self) -> u8 {
        (self.qos().bits() << 1) | if self.dup() { DUP } else { 0 }
    }
}

impl<'a> Publish<'a> {
    /// Length of the encoded packet in bytes.
    #[must_use]
    #[inline]
    pub const fn encoded_len(&self) -> usize {
        packet_len(self.body_len())
    }

    #[inline]
    const fn body_len(&self) -> usize {
        let id_len = match self.delivery {
            Delivery::AtMostOnce => 0,
            _ => 2,
        };
        let head_len = self.topic.as_bytes().len().wrapping_add(2_usize.wrapping_add(id_len));
        head_len.saturating_add(self.payload.len())
    }

    /// Encodes the packet; returns its length in bytes.
    ///
    /// # Errors
    /// [`Forbidden`](EncodeError::Forbidden) if the packet would be longer than the protocol allows, or the
    /// topic longer than MQTT 3.1 allows; [`BufferTooSmall`](EncodeError::BufferTooSmall) if `out` is
    /// shorter than the packet.
    #[inline]
    pub fn encode(&self, version: Version, out: &mut [u8]) -> Result<usize, EncodeError> {
        self.check(version)?;
        encode_packet(self.first_byte(), self, out)
    }

    /// Checks what the types do not rule out.
    fn check(&self, version: Version) -> Result<(), Violation> {
        check_topic_len(self.topic, version)
    }

    #[inline]
    fn first_byte(&self) -> u8 {
        PacketType::Publish.first_byte() | self.delivery.flags() | u8::from(self.retain)
    }

    /// Decodes the most common form: QoS 0 or 1 without DUP, and a topic in ASCII. `None` if it needs a closer look.
    #[cfg(target_pointer_width = "64")]
    #[inline]
    pub(super) fn decode_plain(first: u8, body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let topic = TopicName::plain(reader.bytes().ok()?)?;
        if topic.as_bytes().len() > MQTT31_TOPIC_CHARS {
            return None;
        }
        let delivery = match first & 0x02 {
            0 => Delivery::AtMostOnce,
            _ => Delivery::AtLeastOnce { id: reader.packet_id().ok()?, dup: false },
        };
        Some(Publish { topic, payload: reader.rest(), delivery, retain: first & RETAIN != 0 })
    }

    /// Decodes a PUBLISH whose payload may still be incomplete: `body` ends where the received bytes end. The flags
    /// have been checked with the fixed header.
    #[inline]
    pub(crate) fn decode(flags: u8, body: &'a [u8], version: Version) -> Result<Self, Violation> {
        Self::check_body(flags, body, version)?;
        Self::checked_before(flags, body).ok_or(Violation::Qos)
    }

    /// Checks the input of [`decode`](Self::decode); returns the packet identifier, 0 at QoS 0.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))] // a single copy for complete and large messages
    pub(crate) fn check_body(flags: u8, body: &[u8], version: Version) -> Result<u16, Violation> {
        let mut reader = Reader::new(body);
        let topic = TopicName::from_bytes(reader.bytes()?)?;
        check_topic_len(topic, version)?;
        match QoS::from_bits((flags >> 1) & 3).ok_or(Violation::Qos)? {
            QoS::AtMostOnce => Ok(0),
            _ => Ok(reader.packet_id()?.get()),
        }
    }
}

impl<'a> Publish<'a> {
    /// The topic of a PUBLISH, or of its head, that has been checked before.
    pub(crate) fn topic_checked_before(body: &'a [u8]) -> TopicName<'a> {
        TopicName::checked_before(Reader::new(body).bytes().unwrap_or_default())
    }

    /// Decodes a PUBLISH, or its head, that has been checked before.
    pub(crate) fn checked_before(flags: u8, body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let topic = TopicName::checked_before(reader.bytes().ok()?);
        let id = if flags & 0x06 == 0 { 0 } else { reader.u16().ok()? };
        Some(Publish {
            topic,
            payload: reader.rest(),
            delivery: delivery(flags, id)?,
            retain: flags & RETAIN != 0,
        })
    }
}

/// The first byte of a PUBLISH that has not been sent before.
#[inline]
pub(crate) const fn publish_first_byte(qos: QoS, retain: bool) -> u8 {
    PacketType::Publish.first_byte() | (qos.bits() << 1) | if retain { RETAIN } else { 0 }
}

/// The delivery of a message with these flags and this identifier.
pub(crate) fn delivery(flags: u8, id: u16) -> Option<Delivery> {
    let dup = flags & DUP != 0;
    Some(match QoS::from_bits((flags >> 1) & 3)? {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce { id: PacketId::new(id)?, dup },
        QoS::ExactlyOnce => Delivery::ExactlyOnce { id: PacketId::new(id)?, dup },
    })
}

impl Body for Publish<'_> {
    #[cfg(target_pointer_width = "64")]
    #[inline]
    fn len(&self) -> usize {
        self.body_len()
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    fn write(&self, w: &mut Writer<'_>) {
        w.bytes(self.topic.as_bytes());
        if let Some(id) = self.delivery.id() {
            w.packet_id(id);
        }
        w.raw(self.payload);
    }
}

/// Checks the limit of MQTT 3.1 for topic names, including that of a will.
#[inline]
pub(crate) fn check_topic_len(topic: TopicName<'_>, version: Version) -> Result<(), Violation> {
    let too_long = version == Version::Mqtt31 && exceeds_mqtt31(topic.as_bytes());
    if too_long { Err(Violation::TopicLength) } else { Ok(()) }
}

/// Whether the topic has more characters than MQTT 3.1 allows.
#[inline]
pub(super) fn exceeds_mqtt31(topic: &[u8]) -> bool {
    topic.len() > MQTT31_TOPIC_CHARS && chars(topic) > MQTT31_TOPIC_CHARS
}
