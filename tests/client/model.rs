//! A strict broker in memory for one client: it checks what it receives, and answers as slowly as the test requires.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use baremqtt::codec::{self, ConnAck, Decoded, Delivery, Packet, SubAck};
use baremqtt::{QoS, SubAckCode, SubAckCodes, Version};

use crate::harness::{id, publish};

/// A message that the broker has for the client.
#[derive(Clone)]
struct Outgoing {
    number: u32,
    qos: QoS,
    id: u16,
    /// PUBREC has arrived.
    released: bool,
}

/// What the broker keeps when a connection is lost.
#[derive(Clone, Default)]
struct Session {
    /// Identifiers of QoS 2 messages from the client that have not been released.
    unreleased: BTreeSet<u16>,
    /// Messages for the client that have not been acknowledged, in order.
    outgoing: Vec<Outgoing>,
}

pub struct Broker {
    pub version: Version,
    session: Option<Session>,
    next_id: u16,
    connected: bool,
    /// Packets that wait to be sent.
    pub replies: VecDeque<Vec<u8>>,
    /// The PUBRECs of this connection, in order.
    pubrecs: Vec<u16>,
    /// How often each message of the client has arrived, and the last new one of each QoS.
    pub arrived: BTreeMap<u32, u32>,
    newest: [u32; 3],
    /// Numbers of messages that the broker has dropped with its session.
    pub given_up: BTreeSet<u32>,
}

impl Broker {
    pub fn new(version: Version) -> Self {
        Broker {
            version,
            session: None,
            next_id: 1,
            connected: false,
            replies: VecDeque::new(),
            pubrecs: Vec::new(),
            arrived: BTreeMap::new(),
            newest: [0; 3],
            given_up: BTreeSet::new(),
        }
    }

    pub fn link_lost(&mut self) {
        self.connected = false;
        self.replies.clear();
        self.pubrecs.clear();
    }

    pub fn lose_session(&mut self) {
        self.link_lost();
        if let Some(session) = self.session.take() {
            self.given_up.extend(session.outgoing.iter().map(|message| message.number));
        }
    }

    /// Reads all complete packets; returns whether DISCONNECT was among them.
    pub fn receive(&mut self, wire: &mut Vec<u8>) -> bool {
        let mut closed = false;
        let mut at = 0;
        while let Decoded::Complete { packet, len } = codec::decode(&wire[at..], self.version).unwrap() {
            assert!(!closed, "{packet} after DISCONNECT");
            let is_connect = matches!(packet, Packet::Connect(_));
            assert_eq!(self.connected, !is_connect, "{packet}: CONNECT is the first packet and no other");
            closed = self.handle(packet);
            at += len;
        }
        wire.drain(..at);
        closed
    }

    fn handle(&mut self, packet: Packet<'_>) -> bool {
        match packet {
            Packet::Connect(connect) => {
                self.connected = true;
                let present = self.session.is_some() && self.version == Version::Mqtt311;
                assert!(!connect.clean_session);
                self.reply(Packet::ConnAck(ConnAck::Accepted { session_present: present }));
                self.resend_outgoing();
            }
            Packet::Publish(message) => {
                let number = u32::from_be_bytes(message.payload[..4].try_into().unwrap());
                match message.delivery {
                    Delivery::AtMostOnce => self.count_arrival(number, QoS::AtMostOnce),
                    Delivery::AtLeastOnce { id, .. } => {
                        self.count_arrival(number, QoS::AtLeastOnce);
                        self.reply(Packet::PubAck(id));
                    }
                    Delivery::ExactlyOnce { id, .. } => {
                        if self.session().unreleased.insert(id.get()) {
                            self.count_arrival(number, QoS::ExactlyOnce);
                        }
                        self.pubrecs.push(id.get());
                        self.reply(Packet::PubRec(id));
                    }
                }
            }
            Packet::PubRel { id, .. } => {
                // MQTT-4.6.0-4: before it, no PUBREC of this connection may wait for its PUBREL.
                if let Some(at) = self.pubrecs.iter().position(|&other| other == id.get()) {
                    let skipped: Vec<u16> = self.pubrecs.drain(..=at).collect();
                    assert_eq!(skipped.len(), 1, "PUBREL {id} was sent before {skipped:?}");
                }
                self.session().unreleased.remove(&id.get());
                self.reply(Packet::PubComp(id));
            }
            Packet::PubAck(id) => self.session().outgoing.retain(|message| message.id != id.get()),
            Packet::PubRec(id) => {
                let outgoing = &mut self.session().outgoing;
                if let Some(message) = outgoing.iter_mut().find(|message| message.id == id.get()) {
                    assert_eq!(message.qos, QoS::ExactlyOnce);
                    message.released = true;
                }
                self.reply(Packet::PubRel { id, dup: false });
            }
            Packet::PubComp(id) => self.session().outgoing.retain(|message| message.id != id.get()),
            Packet::Subscribe(subscribe) => {
                let codes: Vec<_> =
                    subscribe.filters.iter().map(|(_, qos)| SubAckCode::Granted(qos)).collect();
                let codes = SubAckCodes::new(&codes).unwrap();
                self.reply(Packet::SubAck(SubAck { id: subscribe.id, codes }));
            }
            Packet::Unsubscribe(unsubscribe) => self.reply(Packet::UnsubAck(unsubscribe.id)),
            Packet::PingReq => self.reply(Packet::PingResp),
            Packet::Disconnect => {
                self.link_lost();
                return true;
            }
            other => panic!("a client does not send {other}"),
        }
        false
    }

    fn session(&mut self) -> &mut Session {
        self.session.get_or_insert_default()
    }

    fn count_arrival(&mut self, number: u32, qos: QoS) {
        let times = self.arrived.entry(number).or_default();
        *times += 1;
        if *times == 1 {
            let newest = &mut self.newest[usize::from(qos.bits())];
            assert!(*newest < number, "message {number} arrives after {newest}");
            *newest = number;
        }
    }

    /// Sends what the client has not acknowledged, or PUBREL if PUBREC had arrived.
    fn resend_outgoing(&mut self) {
        for message in self.session().outgoing.clone() {
            self.send_message(&message, true);
        }
    }

    fn send_message(&mut self, message: &Outgoing, dup: bool) {
        let payload = message.number.to_be_bytes();
        if message.released {
            self.reply(Packet::PubRel { id: id(message.id), dup: false });
        } else {
            self.reply(publish("to/client", &payload, message.qos, message.id, dup));
        }
    }

    /// A message for the client, if there is a connection and the window is open.
    pub fn publish(&mut self, number: u32, qos: QoS) -> bool {
        if !self.connected || self.session().outgoing.len() >= 20 {
            return false;
        }
        let used: BTreeSet<u16> = self.session().outgoing.iter().map(|message| message.id).collect();
        while used.contains(&self.next_id) {
            self.next_id = self.next_id % 65_535 + 1;
        }
        let message = Outgoing { number, qos, id: self.next_id, released: false };
        self.next_id = self.next_id % 65_535 + 1;
        if qos != QoS::AtMostOnce {
            self.session().outgoing.push(message.clone());
        }
        self.send_message(&message, false);
        true
    }

    /// Whether nothing is in flight to the client.
    pub fn is_idle(&self) -> bool {
        self.replies.is_empty() && self.session.as_ref().is_none_or(|session| session.outgoing.is_empty())
    }

    fn reply(&mut self, packet: Packet<'_>) {
        let mut bytes = vec![0; packet.encoded_len()];
        packet.encode(self.version, &mut bytes).unwrap();
        self.replies.push_back(bytes);
    }
}
