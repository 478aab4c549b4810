//! A message that outlives the packet it came in.

use baremqtt::codec::{Delivery, Publish, QoS, Will};
use baremqtt::{TopicName, Violation};

/// A message of a client, or its will. Shared by all sessions that it is for.
pub(super) struct Message {
    topic: String,
    payload: Vec<u8>,
    pub(super) qos: QoS,
    /// Whether the publisher wants it to be kept for later subscribers.
    pub(super) retain: bool,
}

impl Message {
    pub(super) fn from_publish(publish: &Publish<'_>) -> Self {
        Message {
            topic: publish.topic.as_str().to_owned(),
            payload: publish.payload.to_vec(),
            qos: publish.delivery.qos(),
            retain: publish.retain,
        }
    }

    pub(super) fn from_will(will: &Will<'_>) -> Self {
        Message {
            topic: will.topic.to_string(),
            payload: will.message.to_vec(),
            qos: will.qos,
            retain: will.retain,
        }
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Bytes that it holds.
    pub(super) fn len(&self) -> usize {
        self.topic.len() + self.payload.len()
    }

    /// The packet that takes it to a client.
    pub(super) fn to_publish(&self, delivery: Delivery, retain: bool) -> Result<Publish<'_>, Violation> {
        Ok(Publish { topic: TopicName::new(&self.topic)?, payload: &self.payload, delivery, retain })
    }
}
