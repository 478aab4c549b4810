//! The session as bytes, to be kept over a reboot.
//!
//! An image holds what both sides keep over the loss of a connection: the next packet identifier, the identifiers of
//! inbound QoS 2 messages, and the messages of QoS 1 and 2 that are not acknowledged to the end. All numbers are
//! big-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `BMQ` and the version of the form, 1 |
//! | 1 | 1 if the session was clean and has ended with its connection, else 0 |
//! | 2 | the next packet identifier |
//! | 1 | the number of runs of inbound identifiers |
//! | 8 each | a run: its first identifier (2), its length (2), the map of the 32 identifiers behind it (4) |
//! | the rest | kept packets in their order: PUBLISH, PUBREL, or the head of a streamed PUBLISH behind `F0`, its length and its identifier |
//! | 4 | CRC-32 (IEEE 802.3) of all before |

use core::fmt;

use super::bytes::write;
use super::inner::Inner;
use super::link::State;
use super::outbound::Outbound;
use super::queue::Queue;
use super::record::Record;
use crate::PacketId;
use crate::codec::{Delivery, FixedHeader, PacketType, Publish, Version, Writer, decode_id};
use crate::session::{Request, Slot};

const MAGIC: [u8; 4] = *b"BMQ\x01";
const CRC_LEN: usize = 4;

/// Why a session was not saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SaveError {
    /// The slice is shorter than the image.
    BufferTooSmall {
        /// Bytes of the image.
        needed: usize,
    },
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SaveError::BufferTooSmall { needed } = self;
        write!(f, "the image takes {needed} bytes")
    }
}

impl core::error::Error for SaveError {}

/// Why a session was not restored. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RestoreError {
    /// The client is connected, or has a session already.
    InUse,
    /// The bytes are no image of this form, or a damaged one.
    Corrupt,
    /// The image holds more than this client has room for: requests under way, or bytes in the transmit buffer.
    TooLarge,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RestoreError::InUse => "the client has a session already",
            RestoreError::Corrupt => "the image is damaged",
            RestoreError::TooLarge => "the image holds more than there is room for",
        })
    }
}

impl core::error::Error for RestoreError {}

/// CRC-32 as of IEEE 802.3, bit by bit: it runs seldom, and a table would take 1 KiB of flash.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}

/// See [`Client::save`](crate::Client::save).
pub(super) fn save(inner: &Inner<[Slot]>, tx: &[u8], out: &mut [u8]) -> Result<usize, SaveError> {
    let mut writer = Writer::new(out);
    writer.raw(&MAGIC);
    writer.u8(u8::from(inner.link.clean_session));
    write_image(inner, tx, &mut writer);
    let len = writer.len();
    let needed = len.wrapping_add(CRC_LEN);
    let (Some(image), true) = (out.get(..len), needed <= out.len()) else {
        return Err(SaveError::BufferTooSmall { needed });
    };
    let crc = crc32(image);
    write(out, len, &crc.to_be_bytes());
    Ok(needed)
}

fn write_image(inner: &Inner<[Slot]>, tx: &[u8], w: &mut Writer<'_>) {
    let Inner { session, queue, .. } = inner;
    w.packet_id(session.next());
    w.u8(session.inbound.runs().count() as u8);
    for run in session.inbound.runs() {
        w.raw(&run);
    }
    let mut at = queue.head;
    while let Some(record) = queue.record(tx, at) {
        at = record.end;
        match inner.owner(tx, &record) {
            Some(id) if record.is_pubrel() => {
                w.raw(&[PacketType::PubRel.first_byte(), 2]);
                w.packet_id(id);
            }
            Some(_) if record.publish_at().is_some() => {
                w.raw(tx.get(record.at..record.end).unwrap_or_default());
            }
            _ => {}
        }
    }
}

impl Outbound<'_> {
    /// See [`Client::restore`](crate::Client::restore).
    pub(super) fn restore(&mut self, image: &[u8]) -> Result<(), RestoreError> {
        let unused = self.inner.session.in_flight() == 0 && self.inner.session.inbound.is_empty();
        if self.inner.link.state != State::Offline || !unused {
            return Err(RestoreError::InUse);
        }
        let (body, crc) = image.split_last_chunk::<CRC_LEN>().ok_or(RestoreError::Corrupt)?;
        if u32::from_be_bytes(*crc) != crc32(body) {
            return Err(RestoreError::Corrupt);
        }
        let next = self.inner.session.next();
        let result = self.restore_body(body);
        if result.is_err() {
            self.inner.queue = Queue::new();
            self.inner.session.clear(next);
        }
        result
    }

    fn restore_body(&mut self, body: &[u8]) -> Result<(), RestoreError> {
        let (head, mut rest) = body.split_first_chunk::<8>().ok_or(RestoreError::Corrupt)?;
        let [magic @ .., clean_session, next_high, next_low, runs] = *head;
        let next = PacketId::new(u16::from_be_bytes([next_high, next_low])).ok_or(RestoreError::Corrupt)?;
        if magic != MAGIC || clean_session > 1 {
            return Err(RestoreError::Corrupt);
        }
        self.inner.session.clear(next);
        for _ in 0..runs {
            let (run, behind) = rest.split_first_chunk().ok_or(RestoreError::Corrupt)?;
            self.inner.session.inbound.push_run(*run).ok_or(RestoreError::Corrupt)?;
            rest = behind;
        }
        while !rest.is_empty() {
            rest = self.restore_packet(rest)?;
        }
        // What was sent is to be sent again, as after a lost link.
        self.rewind();
        self.inner.session.link_lost();
        self.inner.session.set_next(next);
        self.inner.link.clean_session = clean_session == 1;
        Ok(())
    }
}

/// A kept packet: its identifier, what it waits for, and its length.
struct Kept {
    id: PacketId,
    request: Request,
    released: bool,
    streamed: bool,
    len: usize,
}

impl Kept {
    fn read(bytes: &[u8]) -> Option<Self> {
        let record = Record::read(bytes, 0).filter(|record| record.end <= bytes.len())?;
        let streamed = record.is_streamed();
        let packet = bytes.get(record.publish_at().unwrap_or(0)..record.end)?;
        let header = FixedHeader::decode(packet, Version::Mqtt311).ok()??;
        let body = packet.get(header.header_len..)?;
        let delivery = match header.packet_type {
            PacketType::Publish => {
                let publish = Publish::decode(header.flags, body, Version::Mqtt311).ok()?;
                let id = publish.delivery.id();
                let whole = publish.payload.is_empty() && header.packet_len() >= packet.len();
                Some(publish.delivery).filter(|_| !streamed || (whole && id == record.id(bytes)))?
            }
            PacketType::PubRel if !streamed => Delivery::ExactlyOnce { id: decode_id(body).ok()?, dup: true },
            _ => return None,
        };
        let request = match delivery {
            Delivery::AtMostOnce => return None,
            Delivery::AtLeastOnce { .. } => Request::AtLeastOnce,
            Delivery::ExactlyOnce { .. } => Request::ExactlyOnce,
        };
        Some(Kept { id: delivery.id()?, request, released: record.is_pubrel(), streamed, len: record.end })
    }
}

impl Outbound<'_> {
    /// Takes in the packet at the front of the image; returns what is behind it.
    fn restore_packet<'i>(&mut self, image: &'i [u8]) -> Result<&'i [u8], RestoreError> {
        let kept = Kept::read(image).ok_or(RestoreError::Corrupt)?;
        let (packet, rest) = image.split_at_checked(kept.len).ok_or(RestoreError::Corrupt)?;
        if !self.inner.session.open(kept.id, kept.request) {
            return Err(RestoreError::TooLarge);
        }
        let at = self.inner.queue.tail;
        if kept.streamed {
            self.inner.queue.keep_stream();
        }
        if at.wrapping_add(packet.len()).wrapping_add(self.inner.queue.window()) > self.limit() {
            return Err(RestoreError::TooLarge);
        }
        self.inner.session.sent(kept.id);
        if kept.released {
            self.inner.session.pubrec(kept.id);
        }
        write(self.tx, at, packet);
        self.appended(Some(kept.id), packet.len());
        if let Some(record) = self.record(at) {
            // Nobody knows whether it was sent after the image was made.
            self.set_dup(record.publish_at().unwrap_or(record.at));
        }
        Ok(rest)
    }
}
