//! SUBSCRIBE (section 3.8).

use super::cursor::{KnownLen, Reader, Writer};
use super::encode::encode_packet;
use super::header::{DUP, first_byte};
use super::{Body, EncodeError, PacketId, PacketType, QoS, Version, body_len, packet_len};
use crate::{TopicFilter, Violation};

/// SUBSCRIBE: requests the messages that match topic filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Subscribe<'a> {
    /// The packet identifier.
    pub id: PacketId,
    /// The packet may have been sent before (3.1 only).
    pub dup: bool,
    /// The filters, each with its maximum QoS.
    pub filters: SubscribeFilters<'a>,
}

impl<'a> Subscribe<'a> {
    /// Length of the encoded packet in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        packet_len(body_len(&(self.id, self.filters)))
    }

    /// Encodes the packet; returns its length in bytes.
    ///
    /// # Errors
    /// [`Forbidden`](EncodeError::Forbidden) if it would be longer than the protocol allows, or has DUP set in
    /// 3.1.1; [`BufferTooSmall`](EncodeError::BufferTooSmall) if `out` is shorter than the packet.
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
            // In 3.1 the upper six bits are unused.
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

/// The topic filters of a SUBSCRIBE, each with its maximum QoS. There is at least one, and all are valid.
#[derive(Clone, Copy)]
pub struct SubscribeFilters<'a> {
    filters: Filters<'a>,
    /// Their length in a packet.
    #[cfg_attr(not(target_pointer_width = "64"), expect(dead_code))]
    len: KnownLen,
}

#[derive(Clone, Copy)]
enum Filters<'a> {
    /// As encoded in a packet, which has been checked.
    Encoded(&'a [u8]),
    /// As given by the application, and checked too.
    List(&'a [(&'a str, QoS)]),
}

impl<'a> SubscribeFilters<'a> {
    /// Checks a list of filters.
    ///
    /// # Errors
    /// [`NoTopicFilter`](Violation::NoTopicFilter) for an empty list, and the errors of
    /// [`TopicFilter::new`] for each filter.
    pub fn new(list: &'a [(&'a str, QoS)]) -> Result<Self, Violation> {
        if list.is_empty() {
            return Err(Violation::NoTopicFilter);
        }
        let mut len = KnownLen::default();
        for (filter, _) in list {
            TopicFilter::new(filter)?;
            // The length prefix and the QoS take three bytes.
            len.add(filter.len().wrapping_add(3));
        }
        Ok(SubscribeFilters { filters: Filters::List(list), len })
    }

    /// The filters, in order.
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

/// Shows the remaining filters.
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
