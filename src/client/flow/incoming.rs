//! What has come: strict reading, packet by packet.

use super::connection;
use super::header::{CONNACK, Header, PINGRESP, PUBLISH, SUBACK, UNSUBACK};
use crate::client::answers::{PUBACK, PUBCOMP, PUBREC};
use crate::client::bytes::u16_at;
use crate::client::config::{Config, LargeMessages};
use crate::client::error::Fault;
use crate::client::inbox::{Kind, Phase};
use crate::client::parts::{Step, Whole};
use crate::codec::{ConnAck, Publish, SubAck};
use crate::{PacketId, Violation};

impl<C: Config> Whole<'_, C> {
    /// Looks at the packet at the front. Its length is `inbox.len` where it is dealt with or is an event.
    pub(super) fn packet(&mut self) -> Result<Step, Fault> {
        let mqtt31 = self.out.mqtt31();
        let work = &mut *self.out.work;
        if work.inbox.holds_connect {
            return Ok(Step::Incomplete);
        }
        if self.out.config.large_messages() != LargeMessages::Refuse && work.inbox.large.phase != Phase::None
        {
            return self.large_message();
        }
        let bytes = work.inbox.bytes(self.rx);
        let Some(header) = Header::read(bytes, mqtt31)? else {
            return Ok(self.wait_for(Header::MAX_LEN));
        };
        check_order(header.first, work.link.is_accepted)?;
        let len = header.packet_len();
        work.inbox.head = header.len as u8;
        if len > self.rx.len() {
            return self.large_packet(header);
        }
        if bytes.len() < len {
            return Ok(self.wait_for(len));
        }
        work.inbox.len = len;
        self.whole_packet(header)
    }

    /// More bytes are wanted for a packet of this length.
    pub(super) fn wait_for(&mut self, len: usize) -> Step {
        self.out.work.inbox.make_room(self.rx, len);
        Step::Incomplete
    }

    fn whole_packet(&mut self, header: Header) -> Result<Step, Fault> {
        let version = self.out.version();
        let work = &mut *self.out.work;
        let packet = work.inbox.bytes(self.rx).get(..work.inbox.len).unwrap_or_default();
        let body = packet.get(header.len..).unwrap_or_default();
        match header.first & 0xF0 {
            PUBLISH => {
                let id = Publish::check_body(header.first & 0x0F, body, version)?;
                return self.message(Kind::Message, header.first, id);
            }
            CONNACK => {
                let connack = ConnAck::decode(body, version)?;
                return connection::connack(self, connack);
            }
            PINGRESP => {
                work.link.is_ping_awaited = false;
                return Ok(Step::Done);
            }
            _ => {}
        }
        let id = PacketId::new(u16_at(body, 0)).ok_or(Violation::PacketIdZero)?;
        Ok(match header.first & 0xF0 {
            PUBREC => self.pubrec(id),
            PUBACK | PUBCOMP => self.published(header.first & 0xF0, id),
            SUBACK => {
                let codes = SubAck::decode(body, version)?.codes.len();
                return self.suback(id, codes);
            }
            UNSUBACK => self.unsuback(id),
            _ => self.pubrel(id),
        })
    }
}

/// CONNACK comes first and once (MQTT-3.2.0-1).
fn check_order(first: u8, is_accepted: bool) -> Result<(), Violation> {
    match (first & 0xF0 == CONNACK, is_accepted) {
        (true, true) => Err(Violation::UnexpectedPacket),
        (false, false) => Err(Violation::BeforeConnAck),
        _ => Ok(()),
    }
}
