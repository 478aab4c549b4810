//! QoS 1 and 2 messages that wait for a client, because it is offline, or because enough are under way to it.

use std::collections::VecDeque;
use std::sync::Arc;

use baremqtt::codec::{Delivery, EncodeError, Packet, PacketId, QoS};

use super::Limits;
use super::message::Message;
use super::session::Connected;

/// A message for one client.
pub(super) struct Outbound {
    pub(super) message: Arc<Message>,
    /// The QoS at which it is sent: the lower of the publisher's and the subscriber's.
    pub(super) qos: QoS,
    /// It is sent because of a new subscription.
    pub(super) retain: bool,
}

impl Outbound {
    /// Sends it as a PUBLISH.
    pub(super) fn send(&self, id: PacketId, dup: bool, client: &Connected) -> Result<(), EncodeError> {
        let delivery = match self.qos {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            QoS::AtLeastOnce => Delivery::AtLeastOnce { id, dup },
            QoS::ExactlyOnce => Delivery::ExactlyOnce { id, dup },
        };
        client.send(&Packet::Publish(self.message.to_publish(delivery, self.retain)?))
    }
}

/// A bounded queue of messages.
pub(super) struct Queue {
    messages: VecDeque<Outbound>,
    bytes: usize,
    max: usize,
    max_bytes: usize,
}

impl Queue {
    pub(super) fn new(limits: &Limits) -> Self {
        Queue { messages: VecDeque::new(), bytes: 0, max: limits.queued, max_bytes: limits.queued_bytes }
    }

    /// Appends a message; returns `false`, and drops it, if the queue is full.
    pub(super) fn push(&mut self, outbound: Outbound) -> bool {
        // Checked before the message is added, so that there is room for a message of any length.
        if self.messages.len() >= self.max || self.bytes > self.max_bytes {
            return false;
        }
        self.bytes += outbound.message.len();
        self.messages.push_back(outbound);
        true
    }

    pub(super) fn pop(&mut self) -> Option<Outbound> {
        let outbound = self.messages.pop_front()?;
        self.bytes -= outbound.message.len();
        Some(outbound)
    }
}
