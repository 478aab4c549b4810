//! A strict in-memory broker for one client: each packet of the client is checked against the
//! requirements of MQTT.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use baremqtt::codec::{self, ConnAck, Decoded, Delivery, Packet, PacketId, Publish, SubAck};
use baremqtt::{QoS, RefusalCode, SubAckCode, SubAckCodes, TopicName, Version};

/// The number of a message is in its topic, so that a payload can be empty.
pub fn topic(number: u32) -> String {
    format!("m/{number}")
}

pub fn number(topic: &str) -> u32 {
    topic.strip_prefix("m/").and_then(|number| number.parse().ok()).expect("a topic of ours")
}

/// Every other message is to be retained.
pub fn is_retained(topic: &str) -> bool {
    number(topic) % 2 == 1
}

/// The payload of a message; a byte from another message, or in another place, is detected.
pub fn payload(number: u32, len: usize) -> Vec<u8> {
    (0..len as u32).map(|at| (number.wrapping_mul(31) ^ at.wrapping_mul(7)) as u8).collect()
}

/// A message to the client.
struct Outgoing {
    number: u32,
    id: PacketId,
    qos: QoS,
    len: usize,
    /// PUBREC has arrived.
    released: bool,
    /// It was sent before.
    sent: bool,
}

/// What both sides keep, and what was seen over all connections.
pub struct Broker {
    pub version: Version,
    /// The client is sent forged packets: its answers then prove nothing.
    pub hostile: bool,
    /// The client may repeat on a live connection.
    pub retry: bool,
    pub has_session: bool,
    /// PUBRECs may be sent out of order: no server should do that, and some do.
    reorders_pubrecs: bool,
    /// The answer to the next CONNECT, instead of the right one.
    connack: Option<ConnAck>,
    next_id: PacketId,
    outgoing: Vec<Outgoing>,
    /// QoS 2 messages that have not been released yet, by identifier.
    unreleased: BTreeMap<PacketId, u32>,
    /// How often each message was forwarded.
    pub delivered: BTreeMap<u32, u32>,
    /// Messages that the client has given up: it only makes the broker forget them.
    pub given_up: BTreeSet<u32>,
    /// Messages of which at least one byte has arrived on an earlier connection.
    pub begun: BTreeSet<u32>,
    /// Packets that were cut off before they could be identified.
    pub begun_unknown: u32,
    /// Messages to the client that were lost with a session.
    pub lost: BTreeSet<u32>,
    /// Messages whose PUBREL has arrived.
    released: BTreeSet<u32>,
    /// When PUBREC was last sent, for each message.
    pubrec_at: BTreeMap<u32, u32>,
    pubrecs: u32,
    link: Link,
}

/// The state of one connection.
#[derive(Default)]
struct Link {
    from_client: Vec<u8>,
    read: usize,
    to_client: VecDeque<u8>,
    connected: bool,
    clean_session: bool,
    /// The session began with this connection.
    is_new: bool,
    closed: bool,
    last_number: Option<u32>,
    last_pubrel: u32,
    /// Messages that PUBREC was sent for.
    received: BTreeSet<u32>,
    /// Gets its PUBREC once nothing more arrives.
    delayed_pubrec: Option<PacketId>,
    /// Identifiers for which PUBACK, PUBREC and PUBCOMP are due, in this order.
    pubacks: VecDeque<PacketId>,
    pubrecs: VecDeque<PacketId>,
    pubcomps: VecDeque<PacketId>,
}

impl Broker {
    pub fn new(version: Version, retry: bool, reorders_pubrecs: bool, next_id: PacketId) -> Self {
        Broker {
            version,
            hostile: false,
            retry,
            has_session: false,
            reorders_pubrecs,
            connack: None,
            next_id,
            outgoing: Vec::new(),
            unreleased: BTreeMap::new(),
            delivered: BTreeMap::new(),
            given_up: BTreeSet::new(),
            begun: BTreeSet::new(),
            begun_unknown: 0,
            lost: BTreeSet::new(),
            released: BTreeSet::new(),
            pubrec_at: BTreeMap::new(),
            pubrecs: 0,
            link: Link::default(),
        }
    }

    /// Bytes arrive from the client.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.link.from_client.extend(bytes);
    }

    /// Bytes for the client, at most this many.
    pub fn take(&mut self, len: usize) -> Vec<u8> {
        let len = len.min(self.link.to_client.len());
        self.link.to_client.drain(..len).collect()
    }

    /// Nothing is left to read or to write.
    pub fn is_idle(&self) -> bool {
        self.link.read == self.link.from_client.len() && self.link.to_client.is_empty()
    }

    /// Whether the client may believe that this message was forwarded.
    pub fn may_have(&self, number: u32) -> bool {
        self.hostile || self.given_up.contains(&number) || self.delivered.contains_key(&number)
    }

    pub fn has_nothing_outstanding(&self) -> bool {
        self.outgoing.is_empty() && self.unreleased.is_empty()
    }

    /// Its outstanding answers, in readable form.
    pub fn outstanding(&self) -> String {
        let outgoing: Vec<_> = self.outgoing.iter().map(|outgoing| outgoing.id).collect();
        format!("out {outgoing:?} unreleased {:?}", self.unreleased)
    }

    /// The next CONNECT is refused, or, in 3.1.1, answered with a session that may not exist.
    pub fn answer_connect(&mut self, arg: u8) {
        self.connack = match RefusalCode::new(arg % 6) {
            Some(code) => Some(ConnAck::Refused(code)),
            None if self.version == Version::Mqtt31 => None,
            None => Some(ConnAck::Accepted { session_present: true }),
        };
    }

    /// Sends bytes that no honest server would send.
    pub fn inject(&mut self, bytes: &[u8]) {
        self.hostile = true;
        self.link.to_client.extend(bytes);
    }

    pub fn lose_session(&mut self) {
        self.has_session = false;
        self.lost.extend(self.outgoing.drain(..).map(|outgoing| outgoing.number));
        self.unreleased.clear();
    }

    /// The link is lost. What the client has sent and was not read is lost, except for what `begun` records of it. A client that was not
    /// informed of a new session would mistake it for the old one: such a session is lost, too.
    pub fn link_lost(&mut self, is_connected: bool) {
        let link = std::mem::take(&mut self.link);
        let mut at = 0;
        while let Ok(Decoded::Complete { packet, len }) = codec::decode(&link.from_client[at..], self.version)
        {
            if let Packet::Publish(publish) = packet {
                self.begun.insert(number(publish.topic.as_str()));
            }
            at += len;
        }
        self.begun_unknown += u32::from(at < link.from_client.len());
        if link.clean_session || link.is_new && !is_connected {
            self.lose_session();
        }
    }

    /// Publishes a message to the client; returns whether it will be sent.
    pub fn publish(&mut self, number: u32, qos: QoS, len: usize) -> bool {
        let id = self.next_id;
        if qos == QoS::AtMostOnce {
            if self.link.connected {
                self.send_publish(number, Delivery::AtMostOnce, len);
            }
            return self.link.connected;
        }
        if !self.has_session {
            return false;
        }
        self.next_id = id.next();
        self.outgoing.push(Outgoing { number, id, qos, len, released: false, sent: false });
        if self.link.connected {
            self.send_outgoing(self.outgoing.len() - 1);
        }
        true
    }

    fn send_outgoing(&mut self, index: usize) {
        let Outgoing { number, id, qos, len, released, sent: dup } = self.outgoing[index];
        self.outgoing[index].sent = true;
        match qos {
            _ if released => {
                self.link.pubcomps.push_back(id);
                self.send(Packet::PubRel { id, dup: dup && self.version == Version::Mqtt31 });
            }
            QoS::ExactlyOnce => {
                self.link.pubrecs.push_back(id);
                self.send_publish(number, Delivery::ExactlyOnce { id, dup }, len);
            }
            _ => {
                self.link.pubacks.push_back(id);
                self.send_publish(number, Delivery::AtLeastOnce { id, dup }, len);
            }
        }
    }

    fn send_publish(&mut self, number: u32, delivery: Delivery, len: usize) {
        let (topic, payload) = (topic(number), payload(number, len));
        let topic = TopicName::new(&topic).unwrap();
        self.send(Packet::Publish(Publish { topic, payload: &payload, delivery, retain: false }));
    }

    fn send(&mut self, packet: Packet<'_>) {
        let mut bytes = vec![0; packet.encoded_len()];
        packet.encode(self.version, &mut bytes).unwrap();
        self.link.to_client.extend(bytes);
    }

    /// Reads the next packet, if it is complete; returns whether it was.
    pub fn read(&mut self) -> bool {
        let bytes = std::mem::take(&mut self.link.from_client);
        let read = match codec::decode(&bytes[self.link.read..], self.version) {
            Ok(Decoded::Complete { packet, len }) => {
                self.link.read += len;
                self.packet(packet);
                assert!(!self.link.closed || self.link.read == bytes.len(), "bytes after DISCONNECT");
                true
            }
            Ok(Decoded::Incomplete { .. }) => false,
            Err(violation) => panic!("{violation}"),
        };
        self.link.from_client = bytes;
        if let (false, Some(id)) = (read, self.link.delayed_pubrec) {
            self.link.delayed_pubrec = None;
            self.pubrec(id);
        }
        read
    }

    fn packet(&mut self, packet: Packet<'_>) {
        assert_eq!(matches!(packet, Packet::Connect(_)), !self.link.connected, "{packet}");
        match packet {
            Packet::Connect(connect) => self.connect(connect.clean_session),
            Packet::Publish(message) => self.published(message),
            Packet::PubRel { id, dup } => {
                assert!(!dup || self.version == Version::Mqtt31);
                self.pubrel(id);
            }
            Packet::PubAck(id) => self.answer_received(id, |link| &mut link.pubacks, false),
            Packet::PubRec(id) => {
                self.answer_received(id, |link| &mut link.pubrecs, true);
                self.link.pubcomps.push_back(id);
                self.send(Packet::PubRel { id, dup: false });
            }
            Packet::PubComp(id) => self.answer_received(id, |link| &mut link.pubcomps, false),
            Packet::Subscribe(subscribe) => {
                let codes: Vec<_> =
                    subscribe.filters.iter().map(|(_, qos)| SubAckCode::Granted(qos)).collect();
                let codes = SubAckCodes::new(&codes).unwrap();
                self.send(Packet::SubAck(SubAck { id: subscribe.id, codes }));
            }
            Packet::Unsubscribe(unsubscribe) => self.send(Packet::UnsubAck(unsubscribe.id)),
            Packet::PingReq => self.send(Packet::PingResp),
            Packet::Disconnect => self.link.closed = true,
            packet => panic!("a client sends {packet}"),
        }
    }

    fn connect(&mut self, clean_session: bool) {
        self.link.connected = true;
        if let Some(connack) = self.connack.take() {
            self.hostile |= connack == ConnAck::Accepted { session_present: true };
            return self.send(Packet::ConnAck(connack));
        }
        if clean_session {
            self.lose_session();
        }
        let session_present = self.has_session && self.version == Version::Mqtt311;
        self.link.is_new = !self.has_session;
        self.has_session = true;
        self.link.clean_session = clean_session;
        self.send(Packet::ConnAck(ConnAck::Accepted { session_present }));
        (0..self.outgoing.len()).for_each(|index| self.send_outgoing(index));
    }

    fn published(&mut self, publish: Publish<'_>) {
        let number = number(publish.topic.as_str());
        assert_eq!(publish.retain, is_retained(publish.topic.as_str()));
        assert!(publish.payload == payload(number, publish.payload.len()), "bytes of another packet");
        self.check_dup(number, publish.delivery.dup());
        let in_order = self.link.last_number.is_none_or(|last| last < number);
        assert!(
            in_order || (self.retry && publish.delivery.dup()),
            "{number} after {:?}",
            self.link.last_number
        );
        self.link.last_number = Some(number);
        assert!(self.hostile || !self.released.contains(&number), "PUBLISH after PUBREL");
        match publish.delivery {
            Delivery::AtMostOnce => self.forward(number),
            Delivery::AtLeastOnce { id, .. } => {
                self.forward(number);
                self.send(Packet::PubAck(id));
            }
            Delivery::ExactlyOnce { id, .. } => {
                match self.unreleased.insert(id, number) {
                    None => self.forward(number),
                    Some(known) => assert!(self.hostile || known == number, "{id} is in use"),
                }
                if self.reorders_pubrecs && self.link.delayed_pubrec.is_none() {
                    self.link.delayed_pubrec = Some(id);
                } else {
                    self.pubrec(id);
                }
            }
        }
    }

    fn pubrec(&mut self, id: PacketId) {
        let Some(number) = self.unreleased.get(&id) else { return };
        self.pubrecs += 1;
        // On one connection, the first counts.
        if self.link.received.insert(*number) {
            self.pubrec_at.insert(*number, self.pubrecs);
        }
        self.send(Packet::PubRec(id));
    }

    fn check_dup(&mut self, number: u32, dup: bool) {
        if self.begun.contains(&number) {
            assert!(dup, "a repetition without DUP");
        } else if dup && !self.retry {
            assert!(self.begun_unknown > 0, "DUP in what was never sent");
            self.begun_unknown -= 1;
        }
    }

    fn forward(&mut self, number: u32) {
        *self.delivered.entry(number).or_default() += 1;
    }

    fn pubrel(&mut self, id: PacketId) {
        let message = self.unreleased.remove(&id);
        if let Some(number) = message.filter(|number| !self.hostile && !self.given_up.contains(number)) {
            self.released.insert(number);
            let at = self.pubrec_at[&number];
            assert!(self.link.last_pubrel < at, "PUBREL does not come in the order of PUBREC");
            self.link.last_pubrel = at;
        }
        self.send(Packet::PubComp(id));
    }

    fn answer_received(
        &mut self,
        id: PacketId,
        due: fn(&mut Link) -> &mut VecDeque<PacketId>,
        release: bool,
    ) {
        let due = due(&mut self.link).pop_front();
        assert!(self.hostile || due == Some(id), "an answer for {id}, and {due:?} is due");
        let Some(index) = self.outgoing.iter().position(|outgoing| outgoing.id == id) else { return };
        if release {
            self.outgoing[index].released = true;
        } else {
            self.outgoing.remove(index);
        }
    }
}
