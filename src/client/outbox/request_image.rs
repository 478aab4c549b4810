//! The requests in an image of the session. Its format is described in [`flow::session_image`](crate::client::flow::session_image).

use super::record::{self, AT_LEAST_ONCE, EXACTLY_ONCE, Record, SHORT};
use super::{Config, Outbox, OutboxState, WINDOW};
use crate::client::bytes::write;
use crate::client::end::{ENDED, End};
use crate::client::error::Full;
use crate::codec::{FixedHeader, Publish, Version, Writer, decode_remaining_length};

impl<C: Config> Outbox<'_, C> {
    /// Writes the requests that outlive a connection, as a lost connection would leave them, and the ends that have not been reported.
    pub(in crate::client) fn write_image(&self, w: &mut Writer<'_>) {
        for (at, record) in self.records() {
            let first = match record.first() {
                first if record.has_ended() => first,
                EXACTLY_ONCE => record::PUBREL,
                first if first == AT_LEAST_ONCE || record.ends_with_link() => {
                    if !self.config.reports_loss() {
                        continue;
                    }
                    ENDED | End::Lost as u8
                }
                _ => {
                    if record.keeps_id() {
                        w.raw(self.log.get(at..record.end()).unwrap_or_default());
                    }
                    continue;
                }
            };
            w.raw(&[first, 2]);
            w.u16(record.id(self.log, at));
        }
    }

    /// Whether these bytes of an image are valid requests: complete records with distinct identifiers.
    pub(in crate::client) fn is_valid(&self, image: &[u8]) -> bool {
        let streams = self.config.streams();
        let mut at = 0;
        while at < image.len() {
            let record = Record::read(image, at, streams).filter(|record| record.end() <= image.len());
            let Some(record) = record else { return false };
            // These bytes will be sent later, so they are checked as strictly as received ones.
            let length = decode_remaining_length(image.get(at.wrapping_add(1)..).unwrap_or_default());
            if length.is_err() {
                return false;
            }
            let id = record.id(image, at);
            if id == 0 || !is_request(image, at, record) || has_id(image, record.end(), id, streams) {
                return false;
            }
            at = record.end();
        }
        true
    }

    /// Restores the requests of a valid image. The server may have received all of them.
    pub(in crate::client) fn restore(&mut self, image: &[u8]) -> Result<(), Full> {
        let len = image.len();
        if len > self.log.len() {
            return Err(Full::Buffer);
        }
        // While there are no requests, nothing reads the log.
        write(self.log, 0, image);
        let state = OutboxState { tail: len, rec: len, cur: len, safe: len, saved: len, ..OutboxState::NEW };
        let before = core::mem::replace(self.state, state);
        let mut at = 0;
        while let Some(record) = self.record(at) {
            self.count(record, 1);
            at = record.end();
        }
        let window = if self.state.streams > 0 { WINDOW } else { 0 };
        if len.saturating_add(window) > self.log.len() {
            *self.state = before;
            return Err(Full::Buffer);
        }
        Ok(())
    }
}

/// Whether one of the records is the head of a streamed message.
pub(in crate::client) fn has_streamed(image: &[u8]) -> bool {
    let mut at = 0;
    while let Some(record) = Record::read(image, at, true) {
        if record.is_streamed() {
            return true;
        }
        at = record.end();
    }
    false
}

/// Whether one of the records from `at` on has this identifier.
fn has_id(image: &[u8], mut at: usize, id: u16, streams: bool) -> bool {
    while let Some(record) = Record::read(image, at, streams) {
        if record.id(image, at) == id {
            return true;
        }
        at = record.end();
    }
    false
}

fn is_request(image: &[u8], at: usize, record: Record) -> bool {
    if record.first() & 0xF0 == record::PUBLISH {
        return is_message(
            image.get(record.packet(at)..record.end()).unwrap_or_default(),
            record.is_streamed(),
        );
    }
    let known = matches!(record.first(), ENDED..=0xE3) || record.first() & !record::DUP == record::PUBREL;
    known && !record.is_streamed() && record.end().wrapping_sub(at) == SHORT
}

/// Whether this is a complete PUBLISH, or (streamed) one up to its payload.
fn is_message(packet: &[u8], is_streamed: bool) -> bool {
    let Ok(Some(header)) = FixedHeader::decode(packet, Version::Mqtt311) else {
        return false;
    };
    let body = packet.get(header.header_len..).unwrap_or_default();
    let Ok(publish) = Publish::decode(header.flags, body, Version::Mqtt311) else {
        return false;
    };
    let len = header.packet_len();
    if is_streamed { publish.payload.is_empty() && len >= packet.len() } else { len == packet.len() }
}
