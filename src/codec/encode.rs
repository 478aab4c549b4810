//! Encoding: packets to bytes.

use super::cursor::Writer;
use super::header::{self, MAX_REMAINING_LENGTH, PacketType, packet_len};
use super::{Packet, PacketId, Version};
use crate::Violation;

/// Why a packet was not encoded. The slice is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EncodeError {
    /// The standard does not allow such a packet.
    Forbidden(Violation),
    /// The slice is shorter than the packet.
    BufferTooSmall {
        /// The length of the packet in bytes.
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
            EncodeError::BufferTooSmall { needed } => {
                write!(f, "the packet takes {needed} bytes, more than the buffer has")
            }
        }
    }
}

impl core::error::Error for EncodeError {}

impl Packet<'_> {
    /// Encodes the packet for this protocol version; returns its length in bytes.
    ///
    /// A CONNECT is encoded for its own [`version`](super::Connect::version).
    ///
    /// # Errors
    /// [`Forbidden`](EncodeError::Forbidden) if the standard does not allow the values of the fields,
    /// [`BufferTooSmall`](EncodeError::BufferTooSmall) if `out` is shorter than the packet.
    #[inline]
    pub fn encode(&self, version: Version, out: &mut [u8]) -> Result<usize, EncodeError> {
        // Short packets are encoded inline.
        match self {
            Packet::PubAck(id) => encode_id(PacketType::PubAck.first_byte(), *id, out),
            Packet::PubRec(id) => encode_id(PacketType::PubRec.first_byte(), *id, out),
            Packet::PubComp(id) => encode_id(PacketType::PubComp.first_byte(), *id, out),
            Packet::UnsubAck(id) => encode_id(PacketType::UnsubAck.first_byte(), *id, out),
            _ => self.encode_longer(version, out),
        }
    }

    fn encode_longer(&self, version: Version, out: &mut [u8]) -> Result<usize, EncodeError> {
        let first = self.packet_type().first_byte();
        match self {
            Packet::Connect(packet) => packet.encode(out),
            Packet::Publish(packet) => packet.encode(version, out),
            Packet::Subscribe(packet) => packet.encode(version, out),
            Packet::SubAck(packet) => packet.encode(version, out),
            Packet::Unsubscribe(packet) => packet.encode(version, out),
            Packet::ConnAck(packet) => {
                let [flags, code] = packet.encode(version)?;
                encode_short([first, 2, flags, code], out)
            }
            Packet::PubRel { id, dup } => {
                encode_id(header::first_byte(PacketType::PubRel, *dup, version)?, *id, out)
            }
            _ => encode_short([first, 0], out),
        }
    }
}

/// The part of a packet after its fixed header.
pub(crate) trait Body {
    /// Its length. On small targets it is counted by `write` instead.
    #[cfg(target_pointer_width = "64")]
    fn len(&self) -> usize;
    /// Writes the body.
    fn write(&self, w: &mut Writer<'_>);
}

/// Bytes of the body.
#[cfg(target_pointer_width = "64")]
pub(crate) fn body_len(body: &dyn Body) -> usize {
    body.len()
}

/// Bytes of the body.
#[cfg(not(target_pointer_width = "64"))]
pub(crate) fn body_len(body: &dyn Body) -> usize {
    let mut counter = Writer::new(&mut []);
    body.write(&mut counter);
    counter.len()
}

/// Encodes a packet; returns its length.
#[cfg(target_pointer_width = "64")]
#[inline]
pub(super) fn encode_packet<B: Body>(first: u8, body: &B, out: &mut [u8]) -> Result<usize, EncodeError> {
    encode(first, body.len(), body, out)
}

/// Encodes a packet; returns its length.
#[cfg(not(target_pointer_width = "64"))]
#[inline]
pub(super) fn encode_packet(first: u8, body: &dyn Body, out: &mut [u8]) -> Result<usize, EncodeError> {
    encode(first, body_len(body), body, out)
}

/// Encodes a packet with a body of length `body_len`.
#[cfg_attr(target_pointer_width = "64", inline)]
fn encode<B: Body + ?Sized>(
    first: u8,
    body_len: usize,
    body: &B,
    out: &mut [u8],
) -> Result<usize, EncodeError> {
    if body_len > MAX_REMAINING_LENGTH {
        return Err(EncodeError::Forbidden(Violation::TooLong));
    }
    let needed = packet_len(body_len);
    if needed > out.len() {
        return Err(EncodeError::BufferTooSmall { needed });
    }
    let mut writer = Writer::new(out);
    header::write(&mut writer, first, body_len);
    body.write(&mut writer);
    Ok(needed)
}

/// Encodes a packet that consists of an identifier only.
#[inline]
fn encode_id(first: u8, id: PacketId, out: &mut [u8]) -> Result<usize, EncodeError> {
    let [high, low] = id.get().to_be_bytes();
    encode_short([first, 2, high, low], out)
}

/// Copies a packet that is already encoded.
#[inline]
fn encode_short<const N: usize>(packet: [u8; N], out: &mut [u8]) -> Result<usize, EncodeError> {
    match out.first_chunk_mut() {
        Some(room) => {
            *room = packet;
            Ok(N)
        }
        None => Err(EncodeError::BufferTooSmall { needed: N }),
    }
}
