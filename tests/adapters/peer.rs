//! The other end: a server that sends every message back to the client, at its own QoS.

use std::collections::{BTreeSet, VecDeque};

use baremqtt::codec::{
    self, ConnAck, Decoded, Delivery, Packet, PacketId, Publish, SubAck, SubAckCode, SubAckCodes,
};
use baremqtt::{RefusalCode, Version};

#[derive(Default)]
pub struct Peer {
    inbox: Vec<u8>,
    /// Bytes for the client.
    pub outbox: VecDeque<u8>,
    /// Every packet received, one line each.
    pub received: Vec<String>,
    /// The payloads received, each QoS 2 payload once.
    pub payloads: Vec<Vec<u8>>,
    pub refusal: Option<RefusalCode>,
    /// CONNACK says that there is a session.
    pub keeps_session: bool,
    /// QoS 2 messages for which PUBREL is still expected.
    pub unreleased: BTreeSet<PacketId>,
    last_id: u16,
}

impl Peer {
    /// Receives bytes from the client, and replies.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
        let inbox = std::mem::take(&mut self.inbox);
        let mut rest = &inbox[..];
        while let Decoded::Complete { packet, len } =
            codec::decode(rest, Version::Mqtt311).expect("the client follows the protocol")
        {
            self.received.push(packet.to_string());
            self.reply(&packet);
            rest = &rest[len..];
        }
        self.inbox = rest.to_vec();
    }

    /// Sends a packet to the client.
    pub fn send(&mut self, packet: &Packet<'_>) {
        let mut bytes = vec![0; packet.encoded_len()];
        packet.encode(Version::Mqtt311, &mut bytes).unwrap();
        self.outbox.extend(bytes);
    }

    fn reply(&mut self, packet: &Packet<'_>) {
        match packet {
            Packet::Connect(_) => self.send(&Packet::ConnAck(match self.refusal {
                Some(code) => ConnAck::Refused(code),
                None => ConnAck::Accepted { session_present: self.keeps_session },
            })),
            Packet::Publish(publish) => self.publish(publish),
            Packet::PubRec(id) => self.send(&Packet::PubRel { id: *id, dup: false }),
            Packet::PubRel { id, .. } => {
                assert!(self.unreleased.remove(id), "PUBREL {id} is received once");
                self.send(&Packet::PubComp(*id));
            }
            Packet::Subscribe(subscribe) => {
                let codes: Vec<_> =
                    subscribe.filters.iter().map(|(_, qos)| SubAckCode::Granted(qos)).collect();
                let codes = SubAckCodes::new(&codes).unwrap();
                self.send(&Packet::SubAck(SubAck { id: subscribe.id, codes }));
            }
            Packet::Unsubscribe(unsubscribe) => self.send(&Packet::UnsubAck(unsubscribe.id)),
            Packet::PingReq => self.send(&Packet::PingResp),
            _ => {}
        }
    }

    fn publish(&mut self, publish: &Publish<'_>) {
        match publish.delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce { id, .. } => self.send(&Packet::PubAck(id)),
            Delivery::ExactlyOnce { id, dup } => {
                assert!(!dup && self.unreleased.insert(id), "PUBLISH {id} is received once");
                self.send(&Packet::PubRec(id));
            }
        }
        self.payloads.push(publish.payload.to_vec());
        self.last_id += 1;
        let id = PacketId::new(self.last_id).unwrap();
        let delivery = match publish.delivery {
            Delivery::AtMostOnce => Delivery::AtMostOnce,
            Delivery::AtLeastOnce { .. } => Delivery::AtLeastOnce { id, dup: false },
            Delivery::ExactlyOnce { .. } => Delivery::ExactlyOnce { id, dup: false },
        };
        self.send(&Packet::Publish(Publish { delivery, ..*publish }));
    }
}
