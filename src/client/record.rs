//! One packet in the arena, as its own bytes describe it.

use crate::PacketId;
use crate::codec::FixedHeader;

/// The first byte of a dead record.
pub(super) const DEAD: u8 = 0x00;
/// The first byte of a released record, which is the one of PUBREL.
pub(super) const RELEASED: u8 = 0x62;
/// The first byte of a streamed message: behind its identifier (0 at QoS 0) stands the PUBLISH up to the payload.
pub(super) const STREAMED: u8 = 0xF0;
/// The DUP flag.
pub(super) const DUP: u8 = 0x08;
/// Bytes that compaction leaves of a released record: a PUBREL.
pub(super) const PUBREL_LEN: usize = 4;

const PUBLISH: u8 = 0x3;
const PUBLISH_QOS: u8 = 0x06;

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

    pub(super) fn is_dead(&self) -> bool {
        self.first == DEAD
    }

    pub(super) fn is_released(&self) -> bool {
        self.first >> 4 == RELEASED >> 4
    }

    pub(super) fn is_publish(&self) -> bool {
        self.first >> 4 == PUBLISH
    }

    pub(super) fn is_streamed(&self) -> bool {
        self.first == STREAMED
    }

    /// Where the PUBLISH of this record begins, if it is one.
    pub(super) fn publish_at(&self) -> Option<usize> {
        match self.first {
            STREAMED => Some(self.body.wrapping_add(2)),
            _ if self.is_publish() => Some(self.at),
            _ => None,
        }
    }

    pub(super) fn is_at_most_once(&self) -> bool {
        self.is_publish() && self.first & PUBLISH_QOS == 0
    }

    /// A PUBLISH that may have reached the server on an earlier connection.
    pub(super) fn was_attempted(&self, bytes: &[u8]) -> bool {
        let first = self.publish_at().and_then(|at| bytes.get(at));
        first.is_some_and(|first| first & DUP != 0)
    }

    /// Bytes that compaction leaves of it.
    pub(super) fn live_len(&self) -> usize {
        if self.is_dead() {
            0
        } else if self.is_released() {
            PUBREL_LEN
        } else {
            self.len()
        }
    }

    /// The packet identifier, if it has one.
    pub(super) fn id(&self, bytes: &[u8]) -> Option<PacketId> {
        if self.is_dead() || self.is_at_most_once() {
            return None;
        }
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
