//! SUBACK (section 3.9).

use super::cursor::{Reader, Writer};
use super::encode::encode_packet;
use super::{Body, EncodeError, PacketId, PacketType, QoS, Version, packet_len};
use crate::Violation;

/// SUBACK: the server's answer to SUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SubAck<'a> {
    /// The packet identifier of the SUBSCRIBE.
    pub id: PacketId,
    /// One code for each filter, in the same order.
    pub codes: SubAckCodes<'a>,
}

/// The result for one filter of a SUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SubAckCode {
    /// Subscribed. Messages have at most this QoS, which can be lower than the requested one.
    Granted(QoS),
    /// Not subscribed (3.1.1 only: a 3.1 server cannot report a failure).
    Failure,
}

impl SubAckCode {
    const FAILURE: u8 = 0x80;

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            Self::FAILURE => Some(SubAckCode::Failure),
            _ => match QoS::from_bits(byte) {
                Some(qos) => Some(SubAckCode::Granted(qos)),
                None => None,
            },
        }
    }

    const fn byte(self) -> u8 {
        match self {
            SubAckCode::Granted(qos) => qos.bits(),
            SubAckCode::Failure => Self::FAILURE,
        }
    }
}

impl<'a> SubAck<'a> {
    /// Length of the encoded packet in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        packet_len(self.codes.len().saturating_add(2))
    }

    /// Encodes the packet; returns its length in bytes.
    ///
    /// # Errors
    /// [`Forbidden`](EncodeError::Forbidden) if it would be longer than the protocol allows, or holds a failure
    /// in 3.1; [`BufferTooSmall`](EncodeError::BufferTooSmall) if `out` is shorter than the packet.
    pub fn encode(&self, version: Version, out: &mut [u8]) -> Result<usize, EncodeError> {
        if version == Version::Mqtt31 && self.codes.iter().any(|code| code == SubAckCode::Failure) {
            return Err(EncodeError::Forbidden(Violation::SubAckFailure));
        }
        encode_packet(PacketType::SubAck.first_byte(), self, out)
    }

    #[inline]
    pub(crate) fn decode(body: &'a [u8], version: Version) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let id = reader.packet_id()?;
        let bytes = reader.rest();
        if bytes.is_empty() {
            return Err(Violation::SubAckCount);
        }
        let codes = SubAckCodes::checked_before(bytes, version);
        for &byte in bytes {
            SubAckCode::from_byte(byte & codes.mask).ok_or(Violation::SubAckCode)?;
        }
        Ok(SubAck { id, codes })
    }
}

impl Body for SubAck<'_> {
    #[cfg(target_pointer_width = "64")]
    fn len(&self) -> usize {
        self.codes.len().saturating_add(2)
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.packet_id(self.id);
        for code in self.codes.iter() {
            w.u8(code.byte());
        }
    }
}

/// The codes of a SUBACK: at least one.
#[derive(Clone, Copy)]
pub struct SubAckCodes<'a> {
    source: Codes<'a>,
    /// The bits of an encoded code that are used.
    mask: u8,
}

#[derive(Clone, Copy)]
enum Codes<'a> {
    Encoded(&'a [u8]),
    List(&'a [SubAckCode]),
}

impl<'a> SubAckCodes<'a> {
    /// In 3.1 the granted QoS is in the low two bits, and the others are unspecified.
    #[inline]
    pub(crate) const fn mask(version: Version) -> u8 {
        match version {
            Version::Mqtt31 => 0x03,
            Version::Mqtt311 => 0xFF,
        }
    }

    /// The codes for a server to send.
    ///
    /// # Errors
    /// [`SubAckCount`](Violation::SubAckCount) for an empty list.
    pub const fn new(list: &'a [SubAckCode]) -> Result<Self, Violation> {
        if list.is_empty() {
            return Err(Violation::SubAckCount);
        }
        Ok(SubAckCodes { source: Codes::List(list), mask: 0xFF })
    }

    /// Codes that have been checked before.
    #[inline]
    pub(crate) const fn checked_before(bytes: &'a [u8], version: Version) -> Self {
        SubAckCodes { source: Codes::Encoded(bytes), mask: Self::mask(version) }
    }

    /// The number of codes, at least 1.
    #[must_use]
    #[inline]
    #[allow(clippy::len_without_is_empty)]
    pub const fn len(self) -> usize {
        match self.source {
            Codes::Encoded(bytes) => bytes.len(),
            Codes::List(list) => list.len(),
        }
    }

    /// The code for the filter at this position in the SUBSCRIBE; `None` past the end.
    #[must_use]
    #[inline]
    pub fn get(self, index: usize) -> Option<SubAckCode> {
        match self.source {
            Codes::Encoded(bytes) => SubAckCode::from_byte(bytes.get(index)? & self.mask),
            Codes::List(list) => list.get(index).copied(),
        }
    }

    /// The codes in the order of the filters.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = SubAckCode> + 'a {
        self.into_iter()
    }
}

impl<'a> IntoIterator for SubAckCodes<'a> {
    type Item = SubAckCode;
    type IntoIter = SubAckCodesIter<'a>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        SubAckCodesIter { codes: self, next: 0 }
    }
}

/// The iterator over [`SubAckCodes`].
#[derive(Clone)]
pub struct SubAckCodesIter<'a> {
    codes: SubAckCodes<'a>,
    next: usize,
}

/// Shows the remaining codes.
impl core::fmt::Debug for SubAckCodesIter<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl Iterator for SubAckCodesIter<'_> {
    type Item = SubAckCode;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let code = self.codes.get(self.next)?;
        self.next = self.next.wrapping_add(1);
        Some(code)
    }
}

super::compare_by_items!(SubAckCodes);
