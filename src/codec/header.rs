//! The fixed header (section 2.2): packet type, flags, remaining length.

use super::Version;
use super::cursor::Writer;
use crate::{QoS, Violation};

/// The largest remaining length, which is the most that four bytes can encode.
pub const MAX_REMAINING_LENGTH: usize = 268_435_455;

/// The fourteen packet types (section 2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[allow(missing_docs)]
pub enum PacketType {
    Connect = 1,
    ConnAck = 2,
    Publish = 3,
    PubAck = 4,
    PubRec = 5,
    PubRel = 6,
    PubComp = 7,
    Subscribe = 8,
    SubAck = 9,
    Unsubscribe = 10,
    UnsubAck = 11,
    PingReq = 12,
    PingResp = 13,
    Disconnect = 14,
}

impl PacketType {
    const fn from_first_byte(byte: u8) -> Option<Self> {
        use PacketType::*;
        Some(match byte >> 4 {
            1 => Connect,
            2 => ConnAck,
            3 => Publish,
            4 => PubAck,
            5 => PubRec,
            6 => PubRel,
            7 => PubComp,
            8 => Subscribe,
            9 => SubAck,
            10 => Unsubscribe,
            11 => UnsubAck,
            12 => PingReq,
            13 => PingResp,
            14 => Disconnect,
            _ => return None,
        })
    }

    /// The first byte of a packet of this type, with DUP 0 and, in a PUBLISH, QoS 0 and RETAIN 0.
    #[must_use]
    pub const fn first_byte(self) -> u8 {
        ((self as u8) << 4) | self.reserved_flags()
    }

    /// The flags that 3.1.1 prescribes for all types except PUBLISH (table 2.2).
    const fn reserved_flags(self) -> u8 {
        match self {
            PacketType::PubRel | PacketType::Subscribe | PacketType::Unsubscribe => 0b0010,
            _ => 0,
        }
    }

    /// The smallest remaining length of a packet of this type, and whether it can be larger.
    const fn length(self) -> (u8, bool) {
        use PacketType::*;
        match self {
            ConnAck | PubAck | PubRec | PubRel | PubComp | UnsubAck => (2, false),
            PingReq | PingResp | Disconnect => (0, false),
            // Protocol name, level, flags, keep alive, client identifier.
            Connect => (12, true),
            // The length of the topic, or the packet identifier.
            Publish | Subscribe | SubAck | Unsubscribe => (2, true),
        }
    }
}

/// The DUP flag. Only MQTT 3.1 has it in SUBSCRIBE, UNSUBSCRIBE and PUBREL.
pub(super) const DUP: u8 = 0x08;

/// The first byte with DUP, if the version allows it.
pub(super) fn first_byte(packet_type: PacketType, dup: bool, version: Version) -> Result<u8, Violation> {
    match (dup, version) {
        (false, _) => Ok(packet_type.first_byte()),
        (true, Version::Mqtt31) => Ok(packet_type.first_byte() | DUP),
        (true, Version::Mqtt311) => Err(Violation::Dup),
    }
}

/// A decoded fixed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FixedHeader {
    /// The type of the packet.
    pub packet_type: PacketType,
    /// The low four bits of the first byte, checked as the protocol version requires.
    pub flags: u8,
    /// Length of the fixed header itself: 2 to 5 bytes.
    pub header_len: usize,
    /// Number of bytes after the fixed header: 0 to [`MAX_REMAINING_LENGTH`].
    pub remaining_len: usize,
}

impl FixedHeader {
    /// Length of the longest fixed header.
    pub const MAX_LEN: usize = 5;

    /// Reads the fixed header at the front of `bytes`; `None` while it is incomplete.
    ///
    /// An invalid header is rejected as early as possible: a PUBACK that announces three bytes before they are received,
    /// and a PUBLISH with QoS 3 by its first byte.
    ///
    /// # Errors
    /// [`PacketType`](Violation::PacketType), [`HeaderFlags`](Violation::HeaderFlags), [`Qos`](Violation::Qos),
    /// [`DupAtMostOnce`](Violation::DupAtMostOnce),
    /// [`RemainingLength`](Violation::RemainingLength), [`PacketLength`](Violation::PacketLength).
    #[inline]
    pub fn decode(bytes: &[u8], version: Version) -> Result<Option<Self>, Violation> {
        let [first, rest @ ..] = bytes else { return Ok(None) };
        let packet_type = PacketType::from_first_byte(*first).ok_or(Violation::PacketType)?;
        let flags = first & 0x0F;
        match packet_type {
            PacketType::Publish => check_publish_flags(flags, version)?,
            // CONNECT names its own version, so its flags are checked later.
            PacketType::Connect => {}
            // In 3.1 they are unused.
            _ if version == Version::Mqtt311 && flags != packet_type.reserved_flags() => {
                return Err(Violation::HeaderFlags);
            }
            _ => {}
        }
        let Some((remaining_len, header_len)) = decode_remaining_length(rest)? else { return Ok(None) };
        let (least, or_more) = packet_type.length();
        let least = usize::from(least);
        if remaining_len < least || remaining_len > least && !or_more {
            return Err(Violation::PacketLength);
        }
        Ok(Some(FixedHeader { packet_type, flags, header_len, remaining_len }))
    }

    /// Length of the whole packet.
    #[must_use]
    #[inline]
    pub const fn packet_len(&self) -> usize {
        self.header_len.saturating_add(self.remaining_len)
    }
}

/// First byte, body and length of a packet that is complete and shorter than 2 MiB.
#[cfg(target_pointer_width = "64")]
#[inline]
pub(super) fn split(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (first, body, header_len, len) = match *bytes {
        [first, len @ 0..0x80, ref body @ ..] => (first, body, 2, usize::from(len)),
        [first, low, high @ 1..0x80, ref body @ ..] => {
            (first, body, 3, usize::from(low & 0x7F) | (usize::from(high) << 7))
        }
        [first, low, middle @ 0x80..=0xFF, high @ 1..0x80, ref body @ ..] => {
            let len = usize::from(low & 0x7F) | (usize::from(middle & 0x7F) << 7) | (usize::from(high) << 14);
            (first, body, 4, len)
        }
        _ => return None,
    };
    Some((first, body.get(..len)?, len.wrapping_add(header_len)))
}

/// Decodes the remaining length; returns it with the length of the fixed header.
#[inline]
pub(crate) fn decode_remaining_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, Violation> {
    let mut value = 0;
    let mut shift = 0_u32;
    let mut header_len: usize = 2;
    for &byte in bytes.iter().take(4) {
        value |= usize::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            // A trailing zero byte could have been omitted (except for 0 itself, whose shortest form is one byte).
            let minimal = byte != 0 || shift == 0;
            return if minimal { Ok(Some((value, header_len))) } else { Err(Violation::RemainingLength) };
        }
        shift = shift.wrapping_add(7);
        header_len = header_len.wrapping_add(1);
    }
    if bytes.len() < 4 { Ok(None) } else { Err(Violation::RemainingLength) }
}

/// Length of a packet whose body has `remaining_len` bytes.
#[inline]
pub(crate) const fn packet_len(remaining_len: usize) -> usize {
    if cfg!(target_pointer_width = "64") {
        let header_len = match remaining_len {
            0..0x80 => 2,
            0x80..0x4000 => 3,
            0x4000..0x20_0000 => 4,
            _ => 5,
        };
        return remaining_len.saturating_add(header_len);
    }
    let mut header_len = 2_usize;
    let mut rest = remaining_len >> 7;
    while rest > 0 {
        header_len = header_len.wrapping_add(1);
        rest >>= 7;
    }
    remaining_len.saturating_add(header_len)
}

/// Writes a fixed header.
#[cfg_attr(target_pointer_width = "64", inline)]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))] // a single copy, to save flash
pub(crate) fn write(writer: &mut Writer<'_>, first: u8, remaining_len: usize) {
    writer.u8(first);
    let mut rest = remaining_len;
    while rest >= 0x80 {
        writer.u8(rest as u8 | 0x80);
        rest >>= 7;
    }
    writer.u8(rest as u8);
}

/// Checks the flags of a PUBLISH on their own.
#[inline]
fn check_publish_flags(flags: u8, version: Version) -> Result<(), Violation> {
    match QoS::from_bits((flags >> 1) & 3) {
        None => Err(Violation::Qos),
        // 3.1 calls DUP a hint, and does not forbid it at QoS 0.
        Some(QoS::AtMostOnce) if flags & 0x08 != 0 && version == Version::Mqtt311 => {
            Err(Violation::DupAtMostOnce)
        }
        Some(_) => Ok(()),
    }
}
