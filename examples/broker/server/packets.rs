//! The effects of each packet of a connected client.

use std::sync::Arc;

use baremqtt::codec::{Delivery, Packet, Publish, SubAck, SubAckCode, SubAckCodes, Subscribe, Unsubscribe};

use super::broker::Broker;
use super::connection::End;
use super::log::say;
use super::message::Message;
use super::session::Session;

impl Broker {
    /// Handles a packet that is not the first of its connection.
    ///
    /// # Errors
    /// Why the connection has to be closed.
    pub(super) fn handle_packet(&mut self, id: &Arc<str>, link: u64, packet: &Packet<'_>) -> Result<(), End> {
        let session = self.sessions.get_mut(id).filter(|session| session.is_on(link));
        let session = session.ok_or(End::ClosedByServer("taken over by another connection"))?;
        match packet {
            Packet::Publish(publish) => self.handle_publish(id, publish),
            Packet::PubAck(id) => session.handle_puback(*id),
            Packet::PubRec(id) => session.handle_pubrec(*id),
            Packet::PubRel { id, .. } => session.handle_pubrel(*id),
            Packet::PubComp(id) => session.handle_pubcomp(*id),
            Packet::Subscribe(subscribe) => self.handle_subscribe(id, subscribe)?,
            Packet::Unsubscribe(unsubscribe) => handle_unsubscribe(session, unsubscribe),
            Packet::PingReq => session.answer(&Packet::PingResp),
            Packet::Disconnect => return Err(End::Disconnected),
            Packet::Connect(_) => return Err(End::Unexpected("second CONNECT [MQTT-3.1.0-2]")),
            Packet::ConnAck(_) | Packet::SubAck(_) | Packet::UnsubAck(_) | Packet::PingResp => {
                return Err(End::Unexpected("packet that only a server sends"));
            }
        }
        Ok(())
    }

    /// PUBLISH: first delivered, then acknowledged. At QoS 2 it is only delivered if it is new.
    fn handle_publish(&mut self, id: &Arc<str>, publish: &Publish<'_>) {
        let (topic, qos, len) = (publish.topic, publish.delivery.qos(), publish.payload.len());
        say!(self.log, "{id}: publish to {topic}, QoS {qos}, {len} bytes");
        let answer = match publish.delivery {
            Delivery::AtMostOnce => None,
            Delivery::AtLeastOnce { id, .. } => Some(Packet::PubAck(id)),
            Delivery::ExactlyOnce { id, .. } => Some(Packet::PubRec(id)),
        };
        let is_new = match (publish.delivery, self.sessions.get_mut(id)) {
            (Delivery::ExactlyOnce { id, .. }, Some(session)) => session.receive_once(id),
            _ => true,
        };
        if is_new {
            self.publish(Message::from_publish(publish));
        }
        if let (Some(answer), Some(session)) = (answer, self.sessions.get(id)) {
            session.answer(&answer);
        }
    }

    /// SUBSCRIBE: SUBACK, followed by the retained messages of each filter.
    fn handle_subscribe(&mut self, id: &Arc<str>, subscribe: &Subscribe<'_>) -> Result<(), End> {
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        let codes: Vec<_> = subscribe.filters.iter().map(|(_, qos)| SubAckCode::Granted(qos)).collect();
        let codes = SubAckCodes::new(&codes)?;
        session.answer(&Packet::SubAck(SubAck { id: subscribe.id, codes }));
        for (filter, qos) in subscribe.filters {
            say!(self.log, "{id}: subscribe to {filter}, QoS {qos}");
            session.subscribe(filter, qos);
            for message in self.retained.matching(filter) {
                if !session.deliver(message, qos, true) {
                    say!(self.log, "{id}: queue full, a retained message is dropped");
                }
            }
        }
        Ok(())
    }
}

fn handle_unsubscribe(session: &mut Session, unsubscribe: &Unsubscribe<'_>) {
    unsubscribe.filters.into_iter().for_each(|filter| session.unsubscribe(filter));
    session.answer(&Packet::UnsubAck(unsubscribe.id));
}
