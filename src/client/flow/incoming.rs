//! What has come: strict reading, packet by packet.

use crate::Violation;
use crate::client::answers::{PUBACK, PUBCOMP, PUBREC, PUBREL};
use crate::client::config::{Config, LargeMessages};
use crate::client::error::Error;
use crate::client::inbox::{Kind, Phase};
use crate::client::parts::{Step, Whole};
use crate::codec::{ConnAck, FixedHeader, PacketType, Publish, SubAck, decode_id};

use super::connection;

impl<C: Config> Whole<'_, C> {
    /// Looks at the packet at the front. Its length is `inbox.len` where it is dealt with or is an event.
    pub(super) fn packet(&mut self) -> Result<Step, Error> {
        let work = &mut *self.out.work;
        if work.inbox.holds_connect {
            return Ok(Step::Incomplete);
        }
        if self.out.config.large_messages() != LargeMessages::Refuse && work.inbox.large.phase != Phase::None
        {
            return self.large_message();
        }
        let bytes = work.inbox.bytes(self.rx);
        let Some(header) = FixedHeader::decode(bytes, work.link.version()).map_err(Error::Violation)? else {
            return Ok(self.wait_for(FixedHeader::MAX_LEN));
        };
        check_order(header.packet_type, work.link.is_accepted).map_err(Error::Violation)?;
        let len = header.packet_len();
        if len > self.rx.len() {
            return self.large_packet(&header);
        }
        if bytes.len() < len {
            return Ok(self.wait_for(len));
        }
        work.inbox.len = len;
        self.whole_packet(&header)
    }

    /// More bytes are wanted for a packet of this length.
    pub(super) fn wait_for(&mut self, len: usize) -> Step {
        self.out.work.inbox.make_room(self.rx, len);
        Step::Incomplete
    }

    fn whole_packet(&mut self, header: &FixedHeader) -> Result<Step, Error> {
        let work = &mut *self.out.work;
        let version = work.link.version();
        let packet = work.inbox.bytes(self.rx).get(..work.inbox.len).unwrap_or_default();
        let body = packet.get(header.header_len..).unwrap_or_default();
        match header.packet_type {
            PacketType::Publish => {
                let delivery =
                    Publish::decode(header.flags, body, version).map_err(Error::Violation)?.delivery;
                return self.message(Kind::Message, delivery);
            }
            PacketType::ConnAck => {
                let connack = ConnAck::decode(body, version).map_err(Error::Violation)?;
                return connection::connack(self, connack);
            }
            PacketType::PingResp => {
                work.link.is_ping_awaited = false;
                return Ok(Step::Done);
            }
            PacketType::SubAck => {
                let SubAck { id, codes } = SubAck::decode(body, version).map_err(Error::Violation)?;
                let codes = codes.len();
                return self.suback(id, codes);
            }
            _ => {}
        }
        let id = decode_id(body).map_err(Error::Violation)?;
        Ok(match header.packet_type.first_byte() {
            PUBREC => self.pubrec(id),
            PUBREL => self.pubrel(id),
            answer @ (PUBACK | PUBCOMP) => self.published(answer, id),
            _ => self.unsuback(id),
        })
    }
}

/// CONNACK comes first and once (MQTT-3.2.0-1); what only clients send does not come at all.
fn check_order(packet_type: PacketType, is_accepted: bool) -> Result<(), Violation> {
    use PacketType::{ConnAck, Connect, Disconnect, PingReq, Subscribe, Unsubscribe};
    match packet_type {
        Connect | Subscribe | Unsubscribe | PingReq | Disconnect => Err(Violation::UnexpectedPacket),
        ConnAck if is_accepted => Err(Violation::UnexpectedPacket),
        ConnAck => Ok(()),
        _ if !is_accepted => Err(Violation::BeforeConnAck),
        _ => Ok(()),
    }
}
