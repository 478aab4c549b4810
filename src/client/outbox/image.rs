//! The requests as they stand in an image of the session; what its bytes mean is in [`flow::image`](crate::client::flow::image).

use super::super::bytes::write;
use super::record::{self, AT_MOST_ONCE, ENDED, End, Form, QOS_BITS, Record, SHORT};
use super::{Outbox, State, WINDOW, Why};
use crate::client::error::Full;
use crate::codec::{FixedHeader, PacketType, Publish, Version, Writer};

impl Outbox<'_> {
    /// Writes the requests that outlive a connection, as its loss would leave them, and the ends that were not told.
    pub(crate) fn write_image(&self, w: &mut Writer<'_>) {
        for (at, record) in self.records() {
            let at_qos_1 = record.request(self.log, at) & QOS_BITS == record::AT_LEAST_ONCE;
            let is_stub = record.is_stub(self.log, at);
            let first = if record.has_ended() {
                ENDED | record.outcome() as u8
            } else if record.ends_with_link() || (is_stub && at_qos_1) {
                ENDED | End::Lost as u8
            } else if is_stub {
                record::PUBREL
            } else {
                if record.kept_id(self.log, at).is_some() {
                    w.raw(self.log.get(at..record.end()).unwrap_or_default());
                }
                continue;
            };
            w.raw(&[first, 2]);
            w.u16(record.id(self.log, at));
        }
    }

    /// Whether an image may hold these bytes as requests: whole records, each with an identifier of its own.
    pub(crate) fn is_valid(image: &[u8]) -> bool {
        let mut at = 0;
        while at < image.len() {
            let Some(record) = Record::read(image, at).filter(|record| record.end() <= image.len()) else {
                return false;
            };
            let id = record.id(image, at);
            if id == 0 || !is_request(image, at, record) || has_id(image, record.end(), id) {
                return false;
            }
            at = record.end();
        }
        true
    }

    /// Takes in the requests of an image, which is valid. All of them may have been seen by the server.
    pub(crate) fn restore(&mut self, image: &[u8]) -> Result<(), Full> {
        if image.len() > self.log.len() {
            return Err(Full::Buffer);
        }
        let len = image.len();
        let mut state = State { tail: len, rec: len, cur: len, ..State::NEW };
        // Nothing reads the log while there is no request.
        write(self.log, 0, image);
        let mut outbox = Outbox { s: &mut state, log: self.log };
        outbox.sweep(Why::Room);
        let window = if state.streams > 0 { WINDOW } else { 0 };
        if len.saturating_add(window) > self.log.len() {
            return Err(Full::Buffer);
        }
        (state.safe, state.saved) = (state.tail, state.tail);
        *self.s = state;
        Ok(())
    }
}

/// Whether one of the records from here on has this identifier.
fn has_id(image: &[u8], mut at: usize, id: u16) -> bool {
    while let Some(record) = Record::read(image, at) {
        if record.id(image, at) == id {
            return true;
        }
        at = record.end();
    }
    false
}

fn is_request(image: &[u8], at: usize, record: Record) -> bool {
    let len = record.end().wrapping_sub(at);
    let request = record.request(image, at);
    match record.form() {
        Form::Short if record.has_ended() => len == SHORT,
        Form::Short => len == SHORT && request & QOS_BITS == record::PUBREL,
        Form::Publish | Form::Streamed if record.has_ended() => false,
        form => is_message(image, record.packet(at)..record.end(), form),
    }
}

/// Whether this is a PUBLISH above QoS 0, whole or (streamed) up to its payload.
fn is_message(image: &[u8], range: core::ops::Range<usize>, form: Form) -> bool {
    let packet = image.get(range).unwrap_or_default();
    let Ok(Some(header)) = FixedHeader::decode(packet, Version::Mqtt311) else { return false };
    let body = packet.get(header.header_len..).unwrap_or_default();
    let Ok(publish) = Publish::decode(header.flags, body, Version::Mqtt311) else { return false };
    let len = header.packet_len();
    let whole = if form == Form::Streamed {
        publish.payload.is_empty() && len >= packet.len()
    } else {
        len == packet.len()
    };
    header.packet_type == PacketType::Publish
        && whole
        && packet.first().is_some_and(|first| first & QOS_BITS != AT_MOST_ONCE)
}
