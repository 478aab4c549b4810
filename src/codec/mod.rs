//! Packets to bytes and back, for both roles (client and server) and both versions of the protocol.
//!
//! There is no state and no clock here. Decoding borrows from the bytes that came, encoding writes into a slice
//! that the caller lends. Nothing that the standard forbids is accepted or can be built.
//!
//! ```
//! use baremqtt::codec::{self, Decoded, Packet, PacketId, Version};
//!
//! let bytes = [0x40, 0x02, 0x00, 0x0A, 0xD0];
//! let Decoded::Complete { packet, len } = codec::decode(&bytes, Version::Mqtt311)? else { panic!() };
//! assert_eq!(packet, Packet::PubAck(PacketId::new(10).unwrap()));
//! assert_eq!(codec::decode(&bytes[len..], Version::Mqtt311)?, Decoded::Incomplete { missing: 1 });
//! # Ok::<(), baremqtt::Violation>(())
//! ```

mod connack;
mod connect;
mod cursor;
mod display;
mod header;
mod publish;
mod suback;
mod subscribe;
mod types;
mod unsubscribe;

pub use connack::{ConnAck, RefusalCode};
pub use connect::{Connect, Credentials, Will};
pub use header::{FixedHeader, MAX_REMAINING_LENGTH, PacketType};
pub use publish::{Delivery, Publish};
pub use suback::{SubAck, SubAckCode, SubAckCodes};
pub use subscribe::{Subscribe, SubscribeFilters, SubscribeFiltersIter};
pub use types::{PacketId, QoS, UnknownVersion, Version};
pub use unsubscribe::{Unsubscribe, UnsubscribeFilters, UnsubscribeFiltersIter};

use crate::Violation;
use cursor::Reader;
pub(crate) use cursor::Writer;

/// Any of the fourteen control packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Packet<'a> {
    /// Client to server: the first packet.
    Connect(Connect<'a>),
    /// Server to client: the answer to CONNECT.
    ConnAck(ConnAck),
    /// A message.
    Publish(Publish<'a>),
    /// The answer to a PUBLISH of QoS 1.
    PubAck(PacketId),
    /// The first answer to a PUBLISH of QoS 2.
    PubRec(PacketId),
    /// The answer to PUBREC.
    PubRel {
        /// The packet identifier.
        id: PacketId,
        /// The packet may have been sent before (3.1 only).
        dup: bool,
    },
    /// The answer to PUBREL.
    PubComp(PacketId),
    /// Client to server: asks for messages.
    Subscribe(Subscribe<'a>),
    /// Server to client: the answer to SUBSCRIBE.
    SubAck(SubAck<'a>),
    /// Client to server: ends subscriptions.
    Unsubscribe(Unsubscribe<'a>),
    /// Server to client: the answer to UNSUBSCRIBE.
    UnsubAck(PacketId),
    /// Client to server: are you there?
    PingReq,
    /// Server to client: yes.
    PingResp,
    /// Client to server: the last packet.
    Disconnect,
}

/// What [`decode`] found at the front of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Decoded<'a> {
    /// A whole packet.
    Complete {
        /// The packet, which borrows from the bytes.
        packet: Packet<'a>,
        /// Bytes that it takes. The next packet begins behind them.
        len: usize,
    },
    /// The beginning of a packet, without fault so far.
    Incomplete {
        /// Bytes that are missing at least, 1 or more. Exact once the fixed header is complete.
        missing: usize,
    },
}

/// Why a packet was not encoded. The slice is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum EncodeError {
    /// The standard does not allow such a packet.
    Forbidden(Violation),
    /// The slice is shorter than the packet.
    BufferTooSmall {
        /// Bytes that the packet takes.
        needed: usize,
    },
}

impl From<Violation> for EncodeError {
    #[inline]
    fn from(violation: Violation) -> Self {
        EncodeError::Forbidden(violation)
    }
}

impl core::fmt::Display for EncodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            EncodeError::Forbidden(violation) => violation.fmt(f),
            EncodeError::BufferTooSmall { needed } => write!(f, "the packet takes {needed} bytes"),
        }
    }
}

impl core::error::Error for EncodeError {}

/// Decodes the packet at the front of `bytes`.
///
/// A CONNECT tells itself which version it is of ([`Connect::version`]); `version` is for all other packets.
///
/// # Errors
/// The [`Violation`] that the packet commits. The connection that it came from has to be closed
/// (MQTT-4.8.0-1): where the next packet would begin is not known.
#[inline]
pub fn decode(bytes: &[u8], version: Version) -> Result<Decoded<'_>, Violation> {
    let Some(header) = FixedHeader::decode(bytes, version)? else {
        return Ok(Decoded::Incomplete { missing: 1 });
    };
    let len = header.packet_len();
    match bytes.get(header.header_len..len) {
        Some(body) => Ok(Decoded::Complete { packet: Packet::decode(&header, body, version)?, len }),
        None => Ok(Decoded::Incomplete { missing: len.saturating_sub(bytes.len()) }),
    }
}

impl<'a> Packet<'a> {
    /// Decodes the body that belongs to a fixed header.
    #[inline]
    fn decode(header: &FixedHeader, body: &'a [u8], version: Version) -> Result<Self, Violation> {
        let flags = header.flags;
        Ok(match header.packet_type {
            PacketType::Publish => Packet::Publish(Publish::decode(flags, body, version)?),
            PacketType::PubAck => Packet::PubAck(decode_id(body)?),
            PacketType::PubRec => Packet::PubRec(decode_id(body)?),
            PacketType::PubRel => Packet::PubRel { id: decode_id(body)?, dup: flags & header::DUP != 0 },
            PacketType::PubComp => Packet::PubComp(decode_id(body)?),
            PacketType::Connect => Packet::Connect(Connect::decode(flags, body)?),
            PacketType::ConnAck => Packet::ConnAck(ConnAck::decode(body, version)?),
            PacketType::Subscribe => Packet::Subscribe(Subscribe::decode(flags, body, version)?),
            PacketType::SubAck => Packet::SubAck(SubAck::decode(body, version)?),
            PacketType::Unsubscribe => Packet::Unsubscribe(Unsubscribe::decode(flags, body)?),
            PacketType::UnsubAck => Packet::UnsubAck(decode_id(body)?),
            PacketType::PingReq => Packet::PingReq,
            PacketType::PingResp => Packet::PingResp,
            PacketType::Disconnect => Packet::Disconnect,
        })
    }

    /// The type of the packet.
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Packet::Connect(_) => PacketType::Connect,
            Packet::ConnAck(_) => PacketType::ConnAck,
            Packet::Publish(_) => PacketType::Publish,
            Packet::PubAck(_) => PacketType::PubAck,
            Packet::PubRec(_) => PacketType::PubRec,
            Packet::PubRel { .. } => PacketType::PubRel,
            Packet::PubComp(_) => PacketType::PubComp,
            Packet::Subscribe(_) => PacketType::Subscribe,
            Packet::SubAck(_) => PacketType::SubAck,
            Packet::Unsubscribe(_) => PacketType::Unsubscribe,
            Packet::UnsubAck(_) => PacketType::UnsubAck,
            Packet::PingReq => PacketType::PingReq,
            Packet::PingResp => PacketType::PingResp,
            Packet::Disconnect => PacketType::Disconnect,
        }
    }

    /// Bytes of the encoded packet.
    pub fn encoded_len(&self) -> usize {
        match self {
            Packet::Connect(packet) => packet.encoded_len(),
            Packet::Publish(packet) => packet.encoded_len(),
            Packet::Subscribe(packet) => packet.encoded_len(),
            Packet::SubAck(packet) => packet.encoded_len(),
            Packet::Unsubscribe(packet) => packet.encoded_len(),
            Packet::PingReq | Packet::PingResp | Packet::Disconnect => 2,
            Packet::ConnAck(_)
            | Packet::PubAck(_)
            | Packet::PubRec(_)
            | Packet::PubRel { .. }
            | Packet::PubComp(_)
            | Packet::UnsubAck(_) => 4,
        }
    }

    /// Encodes the packet for this version of the protocol; says how many bytes it took.
    ///
    /// A CONNECT is encoded for its own [`version`](Connect::version).
    ///
    /// # Errors
    /// [`Forbidden`](EncodeError::Forbidden) where the standard does not allow what the fields say,
    /// [`BufferTooSmall`](EncodeError::BufferTooSmall) where `out` is shorter than the packet.
    #[inline]
    pub fn encode(&self, version: Version, out: &mut [u8]) -> Result<usize, EncodeError> {
        let first = self.packet_type().first_byte();
        match self {
            Packet::Connect(packet) => packet.encode(out),
            Packet::Publish(packet) => packet.encode(version, out),
            Packet::Subscribe(packet) => packet.encode(version, out),
            Packet::SubAck(packet) => packet.encode(version, out),
            Packet::Unsubscribe(packet) => packet.encode(version, out),
            Packet::ConnAck(packet) => encode_short(first, &packet.encode(version)?, out),
            Packet::PubRel { id, dup } => {
                let first = header::first_byte(PacketType::PubRel, *dup, version)?;
                encode_short(first, &id.get().to_be_bytes(), out)
            }
            Packet::PubAck(id) | Packet::PubRec(id) | Packet::PubComp(id) | Packet::UnsubAck(id) => {
                encode_short(first, &id.get().to_be_bytes(), out)
            }
            Packet::PingReq | Packet::PingResp | Packet::Disconnect => encode_short(first, &[], out),
        }
    }
}

/// What stands behind the fixed header of a packet: one function for its length and its bytes.
pub(crate) trait Body {
    /// Writes it.
    fn write(&self, w: &mut Writer<'_>);
}

/// Bytes of the body.
pub(crate) fn body_len(body: &dyn Body) -> usize {
    let mut counter = Writer::new(&mut []);
    body.write(&mut counter);
    counter.len()
}

/// Encodes a packet whose body was [counted](body_len), up to the bytes that are to follow; says how many bytes it
/// took.
pub(crate) fn encode_body(
    first: u8,
    body_len: usize,
    to_follow: usize,
    body: &dyn Body,
    out: &mut [u8],
) -> Result<usize, EncodeError> {
    let remaining_len = body_len.saturating_add(to_follow);
    if remaining_len > MAX_REMAINING_LENGTH {
        return Err(EncodeError::Forbidden(Violation::TooLong));
    }
    let needed = packet_len(remaining_len).wrapping_sub(to_follow);
    if needed > out.len() {
        return Err(EncodeError::BufferTooSmall { needed });
    }
    let mut writer = Writer::new(out);
    header::write(&mut writer, first, remaining_len);
    body.write(&mut writer);
    Ok(needed)
}

/// Encodes a packet whose remaining length takes one byte.
#[inline]
fn encode_short(first: u8, body: &[u8], out: &mut [u8]) -> Result<usize, EncodeError> {
    let needed = body.len().saturating_add(2);
    if needed > out.len() {
        return Err(EncodeError::BufferTooSmall { needed });
    }
    let mut writer = Writer::new(out);
    writer.raw(&[first, body.len() as u8]);
    writer.raw(body);
    Ok(needed)
}

/// Bytes of a packet with such a body.
pub(crate) use header::packet_len;

pub(crate) use header::{decode_remaining_length, write as write_header};
pub(crate) use publish::{check_topic_len, delivery, publish_first_byte};

/// The packet identifier that is the whole body.
#[inline]
pub(crate) fn decode_id(body: &[u8]) -> Result<PacketId, Violation> {
    let mut reader = Reader::new(body);
    let id = reader.packet_id()?;
    reader.end()?;
    Ok(id)
}

// A derive on a type with a lifetime compiles even where a field cannot be formatted: the trait is then just not
// there.
#[cfg(feature = "defmt")]
const _: fn() = || {
    fn formats<T: defmt::Format>() {}
    formats::<Decoded<'static>>();
};

/// Lists that come from packets or from the application are equal when their items are.
macro_rules! compare_by_items {
    ($name:ident) => {
        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.iter().eq(other.iter())
            }
        }

        impl Eq for $name<'_> {}

        impl core::hash::Hash for $name<'_> {
            fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
                self.iter().for_each(|item| item.hash(state));
            }
        }

        impl core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_list().entries(self.iter()).finish()
            }
        }

        #[cfg(feature = "defmt")]
        impl defmt::Format for $name<'_> {
            fn format(&self, f: defmt::Formatter<'_>) {
                for item in self.iter() {
                    defmt::write!(f, "{} ", item);
                }
            }
        }
    };
}
use compare_by_items;
