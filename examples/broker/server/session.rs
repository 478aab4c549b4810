//! The server's state of one client: its connection, subscriptions and unfinished handshakes (section 3.1.2.4).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use baremqtt::codec::{EncodeError, Packet, PacketId, QoS, Version};
use baremqtt::{TopicFilter, TopicName};

use super::Limits;
use super::link::Link;
use super::message::Message;
use super::outgoing::Outgoing;
use super::queue::Outbound;

pub(super) struct Session {
    /// The session ends with its connection.
    pub(super) clean: bool,
    /// The connection, if the client is connected.
    pub(super) connected: Option<Connected>,
    subscriptions: BTreeMap<String, QoS>,
    /// QoS 2 messages that have been received, but not their PUBREL.
    unreleased: HashSet<PacketId>,
    outgoing: Outgoing,
}

/// A connected client.
pub(super) struct Connected {
    pub(super) link: Arc<Link>,
    pub(super) version: Version,
    pub(super) will: Option<Message>,
}

impl Connected {
    /// # Errors
    /// If the client's protocol version has no such packet.
    pub(super) fn send(&self, packet: &Packet<'_>) -> Result<(), EncodeError> {
        self.link.send(packet, self.version)
    }

    /// Sends a packet that exists in every version: all except a PUBLISH whose topic is too long for 3.1.
    pub(super) fn answer(&self, packet: &Packet<'_>) {
        let _ = self.send(packet);
    }
}

impl Session {
    pub(super) fn new(limits: &Limits) -> Self {
        Session {
            clean: true,
            connected: None,
            subscriptions: BTreeMap::new(),
            unreleased: HashSet::new(),
            outgoing: Outgoing::new(limits),
        }
    }

    pub(super) fn is_on(&self, link: u64) -> bool {
        self.connected.as_ref().is_some_and(|client| client.link.id() == link)
    }

    /// Sends a packet to the client, if it is connected.
    pub(super) fn answer(&self, packet: &Packet<'_>) {
        if let Some(client) = &self.connected {
            client.answer(packet);
        }
    }

    /// The client has reconnected: continues where the last connection ended.
    pub(super) fn resume(&mut self) {
        if let Some(client) = &self.connected {
            self.outgoing.resend(client);
            self.outgoing.send_queued(client);
        }
    }

    /// A new subscription, or another QoS for an existing one (MQTT-3.8.4-3).
    pub(super) fn subscribe(&mut self, filter: TopicFilter<'_>, qos: QoS) {
        self.subscriptions.insert(filter.as_str().to_owned(), qos);
    }

    pub(super) fn unsubscribe(&mut self, filter: TopicFilter<'_>) {
        self.subscriptions.remove(filter.as_str());
    }

    /// The highest QoS of the subscriptions that match the topic (MQTT-3.3.5-1); `None` if none does.
    pub(super) fn subscribed_qos(&self, topic: TopicName<'_>) -> Option<QoS> {
        let covers = |filter: &str| TopicFilter::new(filter).is_ok_and(|filter| filter.matches(topic));
        self.subscriptions.iter().filter(|(filter, _)| covers(filter)).map(|(_, qos)| *qos).max()
    }

    /// Delivers the message to the client, now or later; `false` if it is dropped because too many are waiting.
    pub(super) fn deliver(&mut self, message: &Arc<Message>, subscribed: QoS, retain: bool) -> bool {
        let qos = subscribed.min(message.qos);
        let outbound = Outbound { message: Arc::clone(message), qos, retain };
        match &self.connected {
            Some(client) if qos == QoS::AtMostOnce => {
                // The packet identifier is not used. A 3.1 client does not receive a topic that is too long for 3.1.
                let _ = outbound.send(PacketId::FIRST, false, client);
                true
            }
            Some(client) => {
                let queued = self.outgoing.push(outbound);
                self.outgoing.send_queued(client);
                queued
            }
            None => qos == QoS::AtMostOnce || self.outgoing.push(outbound),
        }
    }

    /// Processes a QoS 2 PUBLISH; `false` if it is a repetition, which is only acknowledged.
    pub(super) fn receive_once(&mut self, id: PacketId) -> bool {
        self.unreleased.insert(id)
    }

    /// Processes PUBREL, after which the identifier can be reused. Even an unknown one is answered with PUBCOMP.
    pub(super) fn handle_pubrel(&mut self, id: PacketId) {
        self.unreleased.remove(&id);
        self.answer(&Packet::PubComp(id));
    }

    pub(super) fn handle_puback(&mut self, id: PacketId) {
        self.outgoing.acknowledge(id);
        self.send_queued();
    }

    pub(super) fn handle_pubrec(&mut self, id: PacketId) {
        self.outgoing.release(id);
        self.answer(&Packet::PubRel { id, dup: false });
    }

    pub(super) fn handle_pubcomp(&mut self, id: PacketId) {
        self.outgoing.complete(id);
        self.send_queued();
    }

    fn send_queued(&mut self) {
        if let Some(client) = &self.connected {
            self.outgoing.send_queued(client);
        }
    }
}
