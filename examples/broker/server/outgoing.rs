//! QoS 1 and 2 messages to one client, until their handshakes are complete (section 4.3).

use std::collections::VecDeque;

use baremqtt::codec::{Packet, PacketId, QoS, Version};

use super::Limits;
use super::queue::{Outbound, Queue};
use super::session::Connected;

pub(super) struct Outgoing {
    /// Not sent yet.
    queue: Queue,
    /// Sent, but without PUBACK or PUBREC yet; in the order of sending.
    published: VecDeque<(PacketId, Outbound)>,
    /// Answered with PUBREC, but without PUBCOMP yet; in the order of the PUBRECs.
    released: VecDeque<PacketId>,
    next_id: PacketId,
    max_in_flight: usize,
}

impl Outgoing {
    pub(super) fn new(limits: &Limits) -> Self {
        Outgoing {
            queue: Queue::new(limits),
            published: VecDeque::new(),
            released: VecDeque::new(),
            next_id: PacketId::FIRST,
            max_in_flight: limits.in_flight,
        }
    }

    /// Queues a message; returns `false`, and drops it, if the queue is full.
    pub(super) fn push(&mut self, outbound: Outbound) -> bool {
        self.queue.push(outbound)
    }

    /// Sends as many queued messages as can be under way.
    pub(super) fn send_queued(&mut self, client: &Connected) {
        while self.published.len() + self.released.len() < self.max_in_flight {
            let Some(outbound) = self.queue.pop() else { return };
            let id = self.unused_id();
            // A message that the client's version cannot express (a topic too long for 3.1) is not sent.
            if outbound.send(id, false, client).is_ok() {
                self.next_id = id.next();
                self.published.push_back((id, outbound));
            }
        }
    }

    /// After a reconnect: continues every handshake where it stopped, with the same identifiers in the
    /// same order (MQTT-4.4.0-1, MQTT-4.6.0-6).
    pub(super) fn resend(&mut self, client: &Connected) {
        for &id in &self.released {
            client.answer(&Packet::PubRel { id, dup: client.version == Version::Mqtt31 });
        }
        self.published.retain(|(id, outbound)| outbound.send(*id, true, client).is_ok());
    }

    /// Processes PUBACK. If it matches no message, it is late, and ignored.
    pub(super) fn acknowledge(&mut self, id: PacketId) {
        self.take_published(id, QoS::AtLeastOnce);
    }

    /// Processes PUBREC. It is answered even if it matches no message, or the client would keep the identifier forever.
    pub(super) fn release(&mut self, id: PacketId) {
        if self.take_published(id, QoS::ExactlyOnce).is_some() {
            self.released.push_back(id);
        }
    }

    /// Processes PUBCOMP. If it matches no message, it is late, and ignored.
    pub(super) fn complete(&mut self, id: PacketId) {
        self.released.retain(|&released| released != id);
    }

    fn take_published(&mut self, id: PacketId, qos: QoS) -> Option<Outbound> {
        let is_it = |(published, outbound): &(PacketId, Outbound)| *published == id && outbound.qos == qos;
        let index = self.published.iter().position(is_it)?;
        self.published.remove(index).map(|(_, outbound)| outbound)
    }

    /// Identifiers count upwards, and skip those in use (MQTT-2.3.1-4).
    fn unused_id(&self) -> PacketId {
        let mut id = self.next_id;
        while self.is_in_use(id) {
            id = id.next();
        }
        id
    }

    fn is_in_use(&self, id: PacketId) -> bool {
        self.released.contains(&id) || self.published.iter().any(|(published, _)| *published == id)
    }
}
