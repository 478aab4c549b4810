//! Decoding: bytes to packets.

use super::cursor::Reader;
use super::header::{self, FixedHeader, PacketType};
use super::{ConnAck, Connect, Packet, PacketId, Publish, SubAck, Subscribe, Unsubscribe, Version};
use crate::Violation;

/// The result of [`decode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Decoded<'a> {
    /// A complete packet.
    Complete {
        /// The packet, which borrows from the bytes.
        packet: Packet<'a>,
        /// Its length in bytes. The next packet begins after it.
        len: usize,
    },
    /// The beginning of a packet, which is valid so far.
    Incomplete {
        /// How many bytes are missing, at least 1. Exact once the fixed header is complete.
        missing: usize,
    },
}

/// Decodes the packet at the front of `bytes`.
///
/// A CONNECT names its own version ([`Connect::version`]); `version` applies to all other packets.
///
/// # Errors
/// The [`Violation`] in the packet. The connection has to be closed (MQTT-4.8.0-1), because it is unknown where the
/// next packet begins.
#[cfg_attr(target_pointer_width = "64", inline(never))]
#[cfg_attr(not(target_pointer_width = "64"), inline)]
pub fn decode(bytes: &[u8], version: Version) -> Result<Decoded<'_>, Violation> {
    #[cfg(target_pointer_width = "64")]
    if let Some((first, body, len)) = header::split(bytes) {
        let complete = |packet| Ok(Decoded::Complete { packet, len });
        // The most common packets, by first bytes that are valid in both versions.
        match first {
            0x30..=0x33 => {
                if let Some(publish) = Publish::decode_plain(first, body) {
                    return complete(Packet::Publish(publish));
                }
            }
            0x40 => return complete(Packet::PubAck(decode_id(body)?)),
            0x50 => return complete(Packet::PubRec(decode_id(body)?)),
            0x62 => return complete(Packet::PubRel { id: decode_id(body)?, dup: false }),
            0x70 => return complete(Packet::PubComp(decode_id(body)?)),
            0xB0 => return complete(Packet::UnsubAck(decode_id(body)?)),
            0x20 => return complete(Packet::ConnAck(ConnAck::decode(body, version)?)),
            0x90 => return complete(Packet::SubAck(SubAck::decode(body, version)?)),
            // A shorter one is rejected for its length below.
            0x10 if body.len() >= 12 => return decode_connect(0, body, len),
            0x82 => return decode_subscribe(0, body, version, len),
            0xD0 if body.is_empty() => return complete(Packet::PingResp),
            _ => {}
        }
    }
    decode_any(bytes, version)
}

/// Decodes any packet at the front.
#[cfg_attr(target_pointer_width = "64", inline(never))]
#[cfg_attr(not(target_pointer_width = "64"), inline)]
fn decode_any(bytes: &[u8], version: Version) -> Result<Decoded<'_>, Violation> {
    let Some(header) = FixedHeader::decode(bytes, version)? else {
        return Ok(Decoded::Incomplete { missing: 1 });
    };
    let len = header.packet_len();
    let Some(body) = bytes.get(header.header_len..len) else {
        return Ok(Decoded::Incomplete { missing: len.saturating_sub(bytes.len()) });
    };
    let flags = header.flags;
    let packet = match header.packet_type {
        PacketType::Publish => Packet::Publish(Publish::decode(flags, body, version)?),
        PacketType::PubAck => Packet::PubAck(decode_id(body)?),
        PacketType::PubRec => Packet::PubRec(decode_id(body)?),
        PacketType::PubRel => Packet::PubRel { id: decode_id(body)?, dup: flags & header::DUP != 0 },
        PacketType::PubComp => Packet::PubComp(decode_id(body)?),
        PacketType::Connect => return decode_connect(flags, body, len),
        PacketType::ConnAck => Packet::ConnAck(ConnAck::decode(body, version)?),
        PacketType::Subscribe => return decode_subscribe(flags, body, version, len),
        PacketType::SubAck => Packet::SubAck(SubAck::decode(body, version)?),
        PacketType::Unsubscribe => Packet::Unsubscribe(Unsubscribe::decode(flags, body)?),
        PacketType::UnsubAck => Packet::UnsubAck(decode_id(body)?),
        PacketType::PingReq => Packet::PingReq,
        PacketType::PingResp => Packet::PingResp,
        PacketType::Disconnect => Packet::Disconnect,
    };
    Ok(Decoded::Complete { packet, len })
}

// The packets that only a server reads are large. Functions of their own construct them in place, in a single copy of the code.

#[cfg_attr(target_pointer_width = "64", inline(never))]
fn decode_connect(flags: u8, body: &[u8], len: usize) -> Result<Decoded<'_>, Violation> {
    Ok(Decoded::Complete { packet: Packet::Connect(Connect::decode(flags, body)?), len })
}

#[cfg_attr(target_pointer_width = "64", inline(never))]
fn decode_subscribe(flags: u8, body: &[u8], version: Version, len: usize) -> Result<Decoded<'_>, Violation> {
    Ok(Decoded::Complete { packet: Packet::Subscribe(Subscribe::decode(flags, body, version)?), len })
}

/// Decodes a body that consists of a packet identifier only.
#[inline]
pub(crate) fn decode_id(body: &[u8]) -> Result<PacketId, Violation> {
    let mut reader = Reader::new(body);
    let id = reader.packet_id()?;
    reader.end()?;
    Ok(id)
}
