//! UNSUBSCRIBE (section 3.10).

use super::cursor::{KnownLen, Reader, Writer};
use super::encode::encode_packet;
use super::header::{DUP, first_byte};
use super::{Body, EncodeError, PacketId, PacketType, Version, body_len, packet_len};
use crate::{TopicFilter, Violation};

/// UNSUBSCRIBE: ends subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Unsubscribe<'a> {
    /// The packet identifier.
    pub id: PacketId,
    /// The packet may have been sent before (3.1 only).
    pub dup: bool,
    /// The filters, which the server compares byte by byte with its subscriptions.
    pub filters: UnsubscribeFilters<'a>,
}

impl<'a> Unsubscribe<'a> {
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
        let first = first_byte(PacketType::Unsubscribe, self.dup, version)?;
        encode_packet(first, &(self.id, self.filters), out)
    }

    pub(crate) fn decode(flags: u8, body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let id = reader.packet_id()?;
        let encoded = reader.rest();
        if encoded.is_empty() {
            return Err(Violation::NoTopicFilterToRemove);
        }
        while !reader.is_empty() {
            TopicFilter::from_bytes(reader.bytes()?)?;
        }
        let mut len = KnownLen::default();
        len.add(encoded.len());
        let filters = UnsubscribeFilters { filters: Filters::Encoded(encoded), len };
        Ok(Unsubscribe { id, dup: flags & DUP != 0, filters })
    }
}

impl Body for (PacketId, UnsubscribeFilters<'_>) {
    #[cfg(target_pointer_width = "64")]
    #[inline]
    fn len(&self) -> usize {
        self.1.len.get().saturating_add(2)
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    fn write(&self, w: &mut Writer<'_>) {
        w.packet_id(self.0);
        for filter in self.1 {
            w.bytes(filter.as_bytes());
        }
    }
}

/// The topic filters of an UNSUBSCRIBE. There is at least one, and all are valid.
#[derive(Clone, Copy)]
pub struct UnsubscribeFilters<'a> {
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
    List(&'a [&'a str]),
}

impl<'a> UnsubscribeFilters<'a> {
    /// Checks a list of filters.
    ///
    /// # Errors
    /// [`NoTopicFilterToRemove`](Violation::NoTopicFilterToRemove) for an empty list, and the errors of
    /// [`TopicFilter::new`] for each filter.
    pub fn new(list: &'a [&'a str]) -> Result<Self, Violation> {
        if list.is_empty() {
            return Err(Violation::NoTopicFilterToRemove);
        }
        let mut len = KnownLen::default();
        for filter in list {
            TopicFilter::new(filter)?;
            // The length prefix takes two bytes.
            len.add(filter.len().wrapping_add(2));
        }
        Ok(UnsubscribeFilters { filters: Filters::List(list), len })
    }

    /// The filters, in order.
    pub fn iter(self) -> impl Iterator<Item = TopicFilter<'a>> {
        self.into_iter()
    }
}

impl<'a> IntoIterator for UnsubscribeFilters<'a> {
    type Item = TopicFilter<'a>;
    type IntoIter = UnsubscribeFiltersIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        UnsubscribeFiltersIter(self.filters)
    }
}

/// The iterator over [`UnsubscribeFilters`].
#[derive(Clone)]
pub struct UnsubscribeFiltersIter<'a>(Filters<'a>);

/// Shows the remaining filters.
impl core::fmt::Debug for UnsubscribeFiltersIter<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<'a> Iterator for UnsubscribeFiltersIter<'a> {
    type Item = TopicFilter<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Filters::Encoded(bytes) => {
                let mut reader = Reader::new(bytes);
                let filter = reader.bytes().ok()?;
                *bytes = reader.rest();
                Some(TopicFilter::checked_before(filter))
            }
            Filters::List(list) => {
                let (filter, rest) = list.split_first()?;
                *list = rest;
                Some(TopicFilter::checked_before(filter.as_bytes()))
            }
        }
    }
}

super::compare_by_items!(UnsubscribeFilters);
