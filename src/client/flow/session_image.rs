//! The session as bytes, to be kept across a reboot.
//!
//! An image contains the state that survives a lost connection: the next packet identifier, the identifiers of inbound
//! QoS 2 messages, and the requests that have not ended or whose end has not been reported. All numbers are big-endian.
//!
//! | bytes | content |
//! |---|---|
//! | 4 | `BMQ` and the version of the format, 2 |
//! | 1 | 1 if the session was clean and has ended with its connection, otherwise 0 |
//! | 2 | the next packet identifier |
//! | 2 | the number of entries with inbound identifiers |
//! | 10 each | an entry, as in the client |
//! | the rest | requests in order, as in the client: PUBLISH; PUBREL; `F0`, length, the head of a streamed PUBLISH; `E0` to `E3`, 2, the identifier of a request that has ended |
//! | 4 | CRC-32 (IEEE 802.3) of everything before |

use crate::PacketId;
use crate::client::config::Config;
use crate::client::error::{RestoreError, SaveError};
use crate::client::inbound_ids;
use crate::client::outbox::has_streamed;
use crate::client::parts::Parts;
use crate::client::state::State;
use crate::client::timers::Note;
use crate::codec::Writer;

const MAGIC: [u8; 4] = *b"BMQ\x02";
const CRC_LEN: usize = 4;

/// CRC-32 of IEEE 802.3, bit by bit: it is rarely needed, and a table would take 1 KiB of flash.
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
pub(in crate::client) fn save<C: Config>(
    parts: &mut Parts<'_, C>,
    out: &mut [u8],
) -> Result<usize, SaveError> {
    let mut writer = Writer::new(out);
    write_image(parts, &mut writer);
    let len = writer.len();
    let needed = len.saturating_add(CRC_LEN);
    let crc = out.get(..len).map_or(0, crc32);
    match out.get_mut(len..needed) {
        Some(end) => {
            for (to, from) in end.iter_mut().zip(crc.to_be_bytes()) {
                *to = from;
            }
        }
        None => return Err(SaveError::BufferTooSmall { needed }),
    }
    let control = &mut *parts.control;
    parts.outbox.note_saved();
    parts.answers.note_saved();
    control.session.saved_revision = control.session.revision;
    Ok(needed)
}

fn write_image<C: Config>(parts: &Parts<'_, C>, w: &mut Writer<'_>) {
    w.raw(&MAGIC);
    w.u8(u8::from(parts.control.session.clean_session));
    w.packet_id(parts.outbox.state.first_id());
    let (entries, _) = parts.ids.as_chunks::<{ inbound_ids::ENTRY }>();
    let used = || entries.iter().filter(|entry| !inbound_ids::is_empty(&entry[..]));
    w.u16(used().count() as u16);
    used().for_each(|entry| w.raw(entry));
    parts.outbox.write_image(w);
}

/// See [`Client::saved`](crate::Client::saved).
pub(in crate::client) fn saved<C: Config>(parts: &mut Parts<'_, C>, revision: u32) {
    let control = &mut *parts.control;
    if control.session.saved_revision == revision {
        control.session.durable_revision = revision;
        if control.session.is_durable() {
            // Answers that were queued since the image reveal nothing new: they answer repetitions.
            parts.answers.note_saved();
        }
        parts.outbox.release_saved();
        parts.answers.release_saved();
        control.notes.add(Note::CHANGED);
    }
}

/// See [`Client::restore`](crate::Client::restore).
pub(in crate::client) fn restore<C: Config>(
    parts: &mut Parts<'_, C>,
    image: &[u8],
) -> Result<(), RestoreError> {
    let control = &mut *parts.control;
    if control.link.state != State::Offline || !parts.outbox.is_empty() || !inbound_ids::is_empty(parts.ids) {
        return Err(RestoreError::InUse);
    }
    let (image, crc) = image.split_last_chunk::<CRC_LEN>().ok_or(RestoreError::Corrupt)?;
    if u32::from_be_bytes(*crc) != crc32(image) {
        return Err(RestoreError::Corrupt);
    }
    let (head, rest) = image.split_first_chunk::<9>().ok_or(RestoreError::Corrupt)?;
    let [magic @ .., clean_session, next_high, next_low, entries_high, entries_low] = *head;
    let next = PacketId::new(u16::from_be_bytes([next_high, next_low])).ok_or(RestoreError::Corrupt)?;
    if magic != MAGIC || clean_session > 1 {
        return Err(RestoreError::Corrupt);
    }
    let entries = usize::from(u16::from_be_bytes([entries_high, entries_low]));
    let ids_len = entries.saturating_mul(inbound_ids::ENTRY);
    let (ids, requests) = rest.split_at_checked(ids_len).ok_or(RestoreError::Corrupt)?;
    if !parts.outbox.config.streams() && has_streamed(requests) {
        return Err(RestoreError::TurnedOff);
    }
    if !inbound_ids::is_valid(ids) || !parts.outbox.is_valid(requests) {
        return Err(RestoreError::Corrupt);
    }
    let room = parts.ids.get_mut(..ids_len).ok_or(RestoreError::TooLarge)?;
    // The last step that can fail, and if it does it changes nothing.
    parts.outbox.restore(requests).map_err(|_| RestoreError::TooLarge)?;
    room.copy_from_slice(ids);
    parts.outbox.state.set_first_id(next);
    control.session.clean_session = clean_session == 1;
    control.notes.add(Note::CHANGED);
    Ok(())
}
