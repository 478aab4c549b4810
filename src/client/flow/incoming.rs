//! Strict decoding of received packets, one by one.

use core::ops::ControlFlow;

use super::acknowledgements::SUBACK;
use super::connection;
use super::header::{CONNACK, Header, PINGRESP, PUBLISH};
use super::step::Step;
use crate::client::answers::{PUBACK, PUBCOMP, PUBREC, PUBREL};
use crate::client::bytes::{IS_LARGE, u16_at};
use crate::client::config::{Config, LargeMessages};
use crate::client::error::Fault;
use crate::client::inbox::{EventKind, Phase};
use crate::client::parts::Parts;
use crate::codec::{ConnAck, Publish, SubAck};
use crate::{PacketId, Violation};

impl<C: Config> Parts<'_, C> {
    /// Processes the packet at the front. If it is done or an event, `inbox.len` is its length.
    pub(super) fn process_packet(&mut self, rx: &mut [u8]) -> Result<Step, Fault> {
        let inbox = &mut self.control.inbox;
        if inbox.holds_connect {
            return Ok(Step::Incomplete);
        }
        let skips = self.outbox.config.large_messages() != LargeMessages::Refuse;
        let bytes = inbox.bytes(rx);
        if IS_LARGE && bytes.is_empty() && inbox.large.phase == Phase::None {
            return Ok(Step::Incomplete);
        }
        let step = if skips && inbox.large.phase != Phase::None {
            self.large_message(bytes)
        } else {
            self.next_packet(bytes, rx.len())
        };
        if let Ok(Step::Incomplete) = step {
            let wanted = self.control.inbox.len;
            self.control.inbox.make_room(rx, wanted);
        }
        step
    }

    /// More bytes are needed for a packet of this length.
    pub(super) fn wait_for(&mut self, len: usize) -> Step {
        self.control.inbox.len = len;
        Step::Incomplete
    }

    /// Processes the packet at the front of these bytes.
    fn next_packet(&mut self, bytes: &[u8], room: usize) -> Result<Step, Fault> {
        // The most common packets while many messages are sent. Invalid ones are detected below.
        if IS_LARGE
            && let [first @ (PUBACK | PUBREC | PUBREL | PUBCOMP), 2, high, low, ..] = *bytes
            && let Some(id) = PacketId::new(u16::from_be_bytes([high, low]))
            && self.control.link.is_accepted
        {
            self.control.inbox.len = 4;
            return self.acknowledgement(first & 0xF0, id, 0);
        }
        let Some(header) = Header::read(bytes, self.version())? else {
            return Ok(self.wait_for(Header::MAX_LEN));
        };
        check_order(header.first, self.control.link.is_accepted)?;
        let mut len = header.packet_len();
        self.control.inbox.head = header.len as u8;
        self.control.inbox.len = len;
        let is_large = len > room;
        if is_large {
            match self.large_head(header, bytes, room)? {
                ControlFlow::Continue(head_end) => len = head_end,
                ControlFlow::Break(step) => return Ok(step),
            }
            self.control.inbox.len = len;
        }
        match bytes.get(header.len..len) {
            Some(body) => self.whole_packet(header.first, body, is_large),
            None => Ok(Step::Incomplete),
        }
    }

    /// The packet is complete, with this body; or the head of a message that is larger than the receive buffer.
    fn whole_packet(&mut self, first: u8, body: &[u8], is_large: bool) -> Result<Step, Fault> {
        let version = self.version();
        let kind = first & 0xF0;
        match kind {
            PUBLISH => {
                let id = Publish::check_body(first & 0x0F, body, version)?;
                return if is_large {
                    Ok(self.begin_payload(id))
                } else {
                    self.message_received(EventKind::Message, first, id)
                };
            }
            CONNACK => return connection::connack(self, ConnAck::decode(body, version)?),
            PINGRESP => {
                self.control.link.is_ping_awaited = false;
                return Ok(Step::Done);
            }
            _ => {}
        }
        let id = PacketId::new(u16_at(body, 0)).ok_or(Violation::PacketIdZero)?;
        let codes = if kind == SUBACK { SubAck::decode(body, version)?.codes.len() } else { 0 };
        self.acknowledgement(kind, id, codes)
    }

    /// Processes PUBREL, or an answer (SUBACK with this many codes).
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn acknowledgement(&mut self, kind: u8, id: PacketId, codes: usize) -> Result<Step, Fault> {
        if kind == PUBREL & 0xF0 { Ok(self.pubrel(id)) } else { self.answer_received(kind, id, codes) }
    }
}

/// CONNACK must be the first packet, and must occur only once (MQTT-3.2.0-1).
fn check_order(first: u8, is_accepted: bool) -> Result<(), Violation> {
    match (first & 0xF0 == CONNACK, is_accepted) {
        (true, true) => Err(Violation::UnexpectedPacket),
        (false, false) => Err(Violation::BeforeConnAck),
        _ => Ok(()),
    }
}
