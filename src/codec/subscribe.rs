//! SUBSCRIBE (section 3.8).

use super::cursor::{KnownLen, Reader, Writer};
use super::encode::encode_packet;
use super::header::{DUP, first_byte};
use super::{Body, EncodeError, PacketId, PacketType, QoS, Version, body_len, packet_len};
use crate::{TopicFilter, Violation};

/// SUBSCRIBE: asks for the messages that topic filters cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Subscribe<'a> {
    /// The packet identifier.
    pub id: PacketId,
    /// The packet may have been sent before (3.1 only).
    pub dup: bool,
    /// The filters, each with the maximum QoS that is wanted.
    pub filters: SubscribeFilters<'a>,
}

impl<'a> Subscribe<'a> {
    /// Bytes of the encoded packet.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        packet_len(body_len(&(self.id, self.filters)))
    }

    /// Encodes the packet; returns how many bytes it took.
    ///
    /// # Errors
    /// [`Forbidden`](EncodeError::Forbidden) where it would be longer than the protocol allows, or has DUP set in
    /// 3.1.1; [`BufferTooSmall`](EncodeError::BufferTooSmall) where `out` is shorter than the packet.
    pub fn encode(&self, version: Version, out: &mut [u8]) -> Result<usize, EncodeError> {
        let first = first_byte(PacketType::Subscribe, self.dup, version)?;
        encode_packet(first, &(self.id, self.filters), out)
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
        let mut len = KnownLen::default();
        len.add(encoded.len());
        let filters = SubscribeFilters { filters: Filters::Encoded(encoded), len };
        Ok(Subscribe { id, dup: flags & DUP != 0, filters })
    }
}

impl Body for (PacketId, SubscribeFilters<'_>) {
    #[cfg(target_pointer_width = "64")]
    #[inline]
    fn len(&self) -> usize {
        self.1.len.get().saturating_add(2)
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    fn write(&self, w: &mut Writer<'_>) {
        w.packet_id(self.0);
        for (filter, qos) in self.1 {
            w.bytes(filter.as_bytes());
            w.u8(qos.bits());
        }
    }
}

/// The topic filters of a SUBSCRIBE with the QoS wanted for each: at least one, all of them valid.
#[derive(Clone, Copy)]
pub struct SubscribeFilters<'a> {
    filters: Filters<'a>,
    /// Bytes that they take in a packet.
    #[cfg_attr(not(target_pointer_width = "64"), expect(dead_code))]
    len: KnownLen,
}

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
        let mut len = KnownLen::default();
        for (filter, _) in list {
            TopicFilter::new(filter)?;
            // Its length and its QoS take three bytes.
            len.add(filter.len().wrapping_add(3));
        }
        Ok(SubscribeFilters { filters: Filters::List(list), len })
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
        SubscribeFiltersIter(self.filters)
    }
}

/// The iterator over [`SubscribeFilters`].
#[derive(Clone)]
pub struct SubscribeFiltersIter<'a>(Filters<'a>);

/// What is still to come.
impl core::fmt::Debug for SubscribeFiltersIter<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

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

super::compare_by_items!(SubscribeFilters);
