//! The fixed header of a packet from a server. This is as strict as [`codec::FixedHeader`](crate::codec::FixedHeader), which also
//! decodes packets from clients.

use crate::codec::{PacketType, check_publish_flags, decode_remaining_length};
use crate::{Version, Violation};

pub(super) const CONNACK: u8 = PacketType::ConnAck.first_byte();
pub(super) const PUBLISH: u8 = PacketType::Publish.first_byte();
pub(super) const PINGRESP: u8 = PacketType::PingResp.first_byte();

/// The remaining length of each packet type; with `OR_MORE`, the minimum.
const LENGTHS: [u8; 16] = [
    RESERVED,
    CLIENTS_ONLY,
    2,
    2 | OR_MORE,
    2,
    2,
    2,
    2,
    CLIENTS_ONLY,
    2 | OR_MORE,
    CLIENTS_ONLY,
    2,
    CLIENTS_ONLY,
    0,
    CLIENTS_ONLY,
    RESERVED,
];
const OR_MORE: u8 = 0x80;
const CLIENTS_ONLY: u8 = 0x41;
const RESERVED: u8 = 0x40;

/// A fixed header.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) first: u8,
    /// Length of the header itself.
    pub(super) len: usize,
    /// Number of bytes after the header.
    pub(super) remaining_len: usize,
}

impl Header {
    /// Length of the longest header.
    pub(super) const MAX_LEN: usize = 5;

    /// Decodes the header at the front; `None` while it is incomplete. An invalid one is rejected as early as possible.
    pub(super) fn read(bytes: &[u8], version: Version) -> Result<Option<Self>, Violation> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
        let length = LENGTHS.get(usize::from(first >> 4)).copied().unwrap_or(RESERVED);
        match length {
            RESERVED => return Err(Violation::PacketType),
            CLIENTS_ONLY => return Err(Violation::UnexpectedPacket),
            _ => check_flags(first, version)?,
        }
        let Some((remaining_len, len)) = decode_remaining_length(rest)? else { return Ok(None) };
        let least = usize::from(length & !OR_MORE);
        if remaining_len < least || (remaining_len > least && length & OR_MORE == 0) {
            return Err(Violation::PacketLength);
        }
        Ok(Some(Header { first, len, remaining_len }))
    }

    /// Length of the whole packet.
    pub(super) const fn packet_len(self) -> usize {
        self.len.saturating_add(self.remaining_len)
    }
}

fn check_flags(first: u8, version: Version) -> Result<(), Violation> {
    if first & 0xF0 == PUBLISH {
        return check_publish_flags(first, version);
    }
    let reserved = if first >> 4 == PacketType::PubRel as u8 { 2 } else { 0 };
    // In 3.1 they are unused.
    if version == Version::Mqtt31 || first & 0x0F == reserved { Ok(()) } else { Err(Violation::HeaderFlags) }
}
