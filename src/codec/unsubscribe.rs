//! UNSUBSCRIBE (section 3.10).

use super::cursor::{Reader, Writer};
use super::header::{DUP, first_byte};
use super::{Body, EncodeError, PacketId, PacketType, Version, body_len, encode_body, header};
use crate::{TopicFilter, Violation};

/// UNSUBSCRIBE: ends subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Unsubscribe<'a> {
    /// The packet identifier.
    pub id: PacketId,
    /// The packet may have been sent before (3.1 only).
    pub dup: bool,
    /// The filters, which the server compares byte by byte with those it has.
    pub filters: UnsubscribeFilters<'a>,
}

impl<'a> Unsubscribe<'a> {
    /// Bytes of the encoded packet.
    pub fn encoded_len(&self) -> usize {
        header::packet_len(body_len(&(self.id, self.filters)))
    }

    /// Encodes the packet; says how many bytes it took.
    ///
    /// # Errors
    /// [`Forbidden`](EncodeError::Forbidden) where it would be longer than the protocol can say, or has DUP set in
    /// 3.1.1; [`BufferTooSmall`](EncodeError::BufferTooSmall) where `out` is shorter than the packet.
    pub fn encode(&self, version: Version, out: &mut [u8]) -> Result<usize, EncodeError> {
        let first = first_byte(PacketType::Unsubscribe, self.dup, version)?;
        let body = (self.id, self.filters);
        encode_body(first, body_len(&body), 0, &body, out)
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
        Ok(Unsubscribe { id, dup: flags & DUP != 0, filters: UnsubscribeFilters(Filters::Encoded(encoded)) })
    }
}

impl Body for (PacketId, UnsubscribeFilters<'_>) {
    fn write(&self, w: &mut Writer<'_>) {
        w.packet_id(self.0);
        for filter in self.1 {
            w.bytes(filter.as_bytes());
        }
    }
}

/// The topic filters of an UNSUBSCRIBE: at least one, all of them valid.
#[derive(Clone, Copy)]
pub struct UnsubscribeFilters<'a>(Filters<'a>);

#[derive(Clone, Copy)]
enum Filters<'a> {
    /// As they stand in a packet that was checked.
    Encoded(&'a [u8]),
    /// As the application gave them; checked too.
    List(&'a [&'a str]),
}

impl<'a> UnsubscribeFilters<'a> {
    /// Checks a list of filters.
    ///
    /// # Errors
    /// [`NoTopicFilterToRemove`](Violation::NoTopicFilterToRemove) for an empty list, and what
    /// [`TopicFilter::new`] says of each filter.
    pub fn new(list: &'a [&'a str]) -> Result<Self, Violation> {
        if list.is_empty() {
            return Err(Violation::NoTopicFilterToRemove);
        }
        for filter in list {
            TopicFilter::new(filter)?;
        }
        Ok(UnsubscribeFilters(Filters::List(list)))
    }

    /// The filters in their order.
    pub fn iter(self) -> impl Iterator<Item = TopicFilter<'a>> {
        self.into_iter()
    }
}

impl<'a> IntoIterator for UnsubscribeFilters<'a> {
    type Item = TopicFilter<'a>;
    type IntoIter = UnsubscribeFiltersIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        UnsubscribeFiltersIter(self.0)
    }
}

/// The iterator over [`UnsubscribeFilters`].
#[derive(Clone)]
pub struct UnsubscribeFiltersIter<'a>(Filters<'a>);

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
