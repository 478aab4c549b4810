//! One packet in the queue, as its own bytes describe it.

use super::LARGE_MESSAGES;
use crate::PacketId;
use crate::codec::{FixedHeader, PacketType};

/// The first byte of a dead record.
pub(super) const DEAD: u8 = 0x00;
/// The first byte of a streamed message: behind its identifier (0 at QoS 0) stands the PUBLISH up to the payload.
pub(super) const STREAMED: u8 = 0xF0;
/// The DUP flag.
pub(super) const DUP: u8 = 0x08;

#[derive(Clone, Copy)]
pub(super) struct Record {
    pub(super) at: usize,
    pub(super) first: u8,
    /// Where its body begins.
    pub(super) body: usize,
    pub(super) end: usize,
}

impl Record {
    pub(super) fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let record = bytes.get(at..)?;
        let (remaining_len, header_len) = FixedHeader::lengths(record)?;
        let body = at.wrapping_add(header_len);
        Some(Record { at, first: *record.first()?, body, end: body.wrapping_add(remaining_len) })
    }

    pub(super) fn len(&self) -> usize {
        self.end.wrapping_sub(self.at)
    }

    fn is_of(&self, packet_type: PacketType) -> bool {
        self.first >> 4 == packet_type as u8
    }

    pub(super) fn is_dead(&self) -> bool {
        self.first == DEAD
    }

    pub(super) fn is_pubrel(&self) -> bool {
        self.is_of(PacketType::PubRel)
    }

    pub(super) fn is_publish(&self) -> bool {
        self.is_of(PacketType::Publish)
    }

    pub(super) fn is_streamed(&self) -> bool {
        LARGE_MESSAGES && self.first == STREAMED
    }

    /// Whether it may be sent before CONNACK.
    pub(super) fn is_connect_or_disconnect(&self) -> bool {
        self.is_of(PacketType::Connect) || self.is_of(PacketType::Disconnect)
    }

    /// Whether it is none of the packets that an application asks for.
    pub(super) fn is_control(&self) -> bool {
        !matches!(self.first >> 4, 0x0 | 0x3 | 0x8 | 0xA | 0xF)
    }

    /// Where the PUBLISH of this record begins, if it is one.
    pub(super) fn publish_at(&self) -> Option<usize> {
        if self.is_streamed() {
            return Some(self.body.wrapping_add(2));
        }
        self.is_publish().then_some(self.at)
    }

    /// A PUBLISH that may have reached the server on an earlier connection.
    pub(super) fn was_attempted(&self, bytes: &[u8]) -> bool {
        let first = self.publish_at().and_then(|at| bytes.get(at));
        first.is_some_and(|first| first & DUP != 0)
    }

    /// What stands where the packet identifier is, in packets that have one.
    pub(super) fn id(&self, bytes: &[u8]) -> Option<PacketId> {
        let at = if self.is_publish() {
            self.body.wrapping_add(2).wrapping_add(usize::from(read_u16(bytes, self.body)?))
        } else {
            self.body
        };
        // A streamed message of QoS 0 has identifier 0, which is none.
        PacketId::new(read_u16(bytes, at)?)
    }
}

fn read_u16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}
