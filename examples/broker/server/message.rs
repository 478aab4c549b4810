//! A message that outlives its packet.

use baremqtt::codec::{Delivery, Publish, QoS, Will};
use baremqtt::{TopicName, Violation};

/// A message from a client, or its will. It is shared by all sessions that receive it.
pub(super) struct Message {
    topic: String,
    payload: Vec<u8>,
    pub(super) qos: QoS,
    /// Whether the publisher wants it to be retained.
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

    /// Its size in bytes.
    pub(super) fn len(&self) -> usize {
        self.topic.len() + self.payload.len()
    }

    /// The packet that delivers it to a client.
    pub(super) fn to_publish(&self, delivery: Delivery, retain: bool) -> Result<Publish<'_>, Violation> {
        Ok(Publish { topic: TopicName::new(&self.topic)?, payload: &self.payload, delivery, retain })
    }
}
