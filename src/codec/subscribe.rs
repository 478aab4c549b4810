//! SUBSCRIBE and SUBACK (sections 3.8 and 3.9).

use super::cursor::{Reader, Writer};
use super::{EncodeError, PacketId, PacketType, QoS, Version, header};
use crate::{TopicFilter, Violation};

/// The DUP flag, which only MQTT 3.1 has in a SUBSCRIBE, UNSUBSCRIBE or PUBREL.
pub(super) const DUP: u8 = 0x08;

/// The first byte with DUP, if the version allows it.
pub(super) fn first_byte(packet_type: PacketType, dup: bool, version: Version) -> Result<u8, Violation> {
    match (dup, version) {
        (false, _) => Ok(packet_type.first_byte()),
        (true, Version::Mqtt31) => Ok(packet_type.first_byte() | DUP),
        (true, Version::Mqtt311) => Err(Violation::Dup),
    }
}

/// SUBSCRIBE: asks for the messages that topic filters cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Subscribe<'a> {
    /// The packet identifier.
    pub id: PacketId,
    /// The packet may have been sent before (3.1 only).
    pub dup: bool,
    /// The filters, each with the greatest QoS that is wanted.
    pub filters: SubscribeFilters<'a>,
}

impl<'a> Subscribe<'a> {
    /// Bytes of the encoded packet.
    pub fn encoded_len(&self) -> usize {
        header::packet_len(self.body_len())
    }

    /// Encodes the packet; says how many bytes it took.
    ///
    /// # Errors
    /// [`Forbidden`](EncodeError::Forbidden) where it would be longer than the protocol can say, or has DUP set in
    /// 3.1.1; [`BufferTooSmall`](EncodeError::BufferTooSmall) where `out` is shorter than the packet.
    #[inline]
    pub fn encode(&self, version: Version, out: &mut [u8]) -> Result<usize, EncodeError> {
        let first = first_byte(PacketType::Subscribe, self.dup, version)?;
        let mut writer = header::begin(first, self.body_len(), out)?;
        self.write_body(&mut writer);
        Ok(writer.len())
    }

    #[inline]
    fn body_len(&self) -> usize {
        let mut counter = Writer::new(&mut []);
        self.write_body(&mut counter);
        counter.len()
    }

    #[inline]
    fn write_body(&self, w: &mut Writer<'_>) {
        w.packet_id(self.id);
        for (filter, qos) in self.filters {
            w.bytes(filter.as_bytes());
            w.u8(qos.bits());
        }
    }

    pub(crate) fn decode(flags: u8, body: &'a [u8], version: Version) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let id = reader.packet_id()?;
        let encoded = reader.rest();
        if encoded.is_empty() {
            return Err(Violation::NoTopicFilter);
        }
        while !reader.is_empty() {
            TopicFilter::from_bytes(reader.bytes()?)?;
            let qos = reader.u8()?;
            // 3.1 does not use the upper six bits.
            let qos = if version == Version::Mqtt31 { qos & 3 } else { qos };
            QoS::from_bits(qos).ok_or(Violation::RequestedQos)?;
        }
        Ok(Subscribe { id, dup: flags & DUP != 0, filters: SubscribeFilters(Filters::Encoded(encoded)) })
    }
}

/// The topic filters of a SUBSCRIBE with the QoS wanted for each: at least one, all of them valid.
#[derive(Clone, Copy)]
pub struct SubscribeFilters<'a>(Filters<'a>);

#[derive(Clone, Copy)]
enum Filters<'a> {
    /// As they stand in a packet that was checked.
    Encoded(&'a [u8]),
    /// As the application gave them; checked too.
    List(&'a [(&'a str, QoS)]),
}

impl<'a> SubscribeFilters<'a> {
    /// Checks a list of filters.
    ///
    /// # Errors
    /// [`NoTopicFilter`](Violation::NoTopicFilter) for an empty list, and what
    /// [`TopicFilter::new`] says of each filter.
    pub fn new(list: &'a [(&'a str, QoS)]) -> Result<Self, Violation> {
        if list.is_empty() {
            return Err(Violation::NoTopicFilter);
        }
        for (filter, _) in list {
            TopicFilter::new(filter)?;
        }
        Ok(SubscribeFilters(Filters::List(list)))
    }

    /// The filters in their order.
    pub fn iter(self) -> impl Iterator<Item = (TopicFilter<'a>, QoS)> {
        self.into_iter()
    }
}

impl<'a> IntoIterator for SubscribeFilters<'a> {
    type Item = (TopicFilter<'a>, QoS);
    type IntoIter = SubscribeFiltersIter<'a>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        SubscribeFiltersIter(self.0)
    }
}

/// The iterator over [`SubscribeFilters`].
#[derive(Clone)]
pub struct SubscribeFiltersIter<'a>(Filters<'a>);

impl<'a> Iterator for SubscribeFiltersIter<'a> {
    type Item = (TopicFilter<'a>, QoS);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Filters::Encoded(bytes) => {
                let mut reader = Reader::new(bytes);
                let filter = reader.bytes().ok()?;
                let qos = QoS::from_bits(reader.u8().ok()? & 3)?;
                *bytes = reader.rest();
                Some((TopicFilter::checked_before(filter), qos))
            }
            Filters::List(list) => {
                let ((filter, qos), rest) = list.split_first()?;
                *list = rest;
                Some((TopicFilter::checked_before(filter.as_bytes()), *qos))
            }
        }
    }
}

/// SUBACK: the server's answer to SUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SubAck<'a> {
    /// The packet identifier of the SUBSCRIBE.
    pub id: PacketId,
    /// One code for each filter, in their order.
    pub codes: SubAckCodes<'a>,
}

/// What became of one filter of a SUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SubAckCode {
    /// Subscribed; messages come with at most this QoS, which can be less than was asked for.
    Granted(QoS),
    /// Not subscribed (3.1.1 only: in 3.1 a server has no way to say so).
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
    /// Bytes of the encoded packet.
    pub fn encoded_len(&self) -> usize {
        header::packet_len(self.body_len())
    }

    /// Encodes the packet; says how many bytes it took.
    ///
    /// # Errors
    /// [`Forbidden`](EncodeError::Forbidden) where it would be longer than the protocol can say, or holds a failure
    /// in 3.1; [`BufferTooSmall`](EncodeError::BufferTooSmall) where `out` is shorter than the packet.
    pub fn encode(&self, version: Version, out: &mut [u8]) -> Result<usize, EncodeError> {
        if version == Version::Mqtt31 && self.codes.iter().any(|code| code == SubAckCode::Failure) {
            return Err(EncodeError::Forbidden(Violation::SubAckFailure));
        }
        let mut writer = header::begin(PacketType::SubAck.first_byte(), self.body_len(), out)?;
        self.write_body(&mut writer);
        Ok(writer.len())
    }

    fn body_len(&self) -> usize {
        let mut counter = Writer::new(&mut []);
        self.write_body(&mut counter);
        counter.len()
    }

    fn write_body(&self, w: &mut Writer<'_>) {
        w.packet_id(self.id);
        for code in self.codes.iter() {
            w.u8(code.byte());
        }
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

/// The codes of a SUBACK: at least one.
#[derive(Clone, Copy)]
pub struct SubAckCodes<'a> {
    source: Codes<'a>,
    /// The bits of an encoded code that count.
    mask: u8,
}

#[derive(Clone, Copy)]
enum Codes<'a> {
    Encoded(&'a [u8]),
    List(&'a [SubAckCode]),
}

impl<'a> SubAckCodes<'a> {
    /// 3.1 has the granted QoS in the low two bits and leaves the others open.
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

    /// Codes that were checked before, and are read again from the same place.
    #[inline]
    pub(crate) const fn checked_before(bytes: &'a [u8], version: Version) -> Self {
        SubAckCodes { source: Codes::Encoded(bytes), mask: Self::mask(version) }
    }

    /// How many there are: at least 1.
    #[inline]
    #[allow(clippy::len_without_is_empty)]
    pub const fn len(self) -> usize {
        match self.source {
            Codes::Encoded(bytes) => bytes.len(),
            Codes::List(list) => list.len(),
        }
    }

    /// The code for the filter at this place of the SUBSCRIBE; `None` past the end.
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
        (0..self.len()).filter_map(move |index| self.get(index))
    }
}

super::compare_by_items!(SubscribeFilters);
super::compare_by_items!(SubAckCodes);
