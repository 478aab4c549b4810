//! The packets that the broker sends, and the format of messages.

use baremqtt::codec::{Delivery, Packet, Publish, SubAck};
use baremqtt::{PacketId, QoS, SubAckCode, SubAckCodes, TopicName};

use crate::broker::Outgoing;
use crate::rules::{LARGE, Rules};

/// Answers of one kind are sent in order; which kind is next is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    PubAck,
    PubRec,
    PubRel,
    PubComp,
    SubAck,
    UnsubAck,
    PingResp,
}

pub fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("an identifier is not 0")
}

/// The payload of a message.
pub fn payload(message: usize, is_large: bool) -> Vec<u8> {
    let len = if is_large { LARGE } else { 1 };
    (0..len).map(|at| (message * 31 + at * 7) as u8).collect()
}

/// The number of the message with this topic: `o0` and so on to the broker, `i0` to the client.
pub fn number(topic: &str, direction: u8) -> Option<usize> {
    match topic.as_bytes() {
        [first, number @ b'0'..=b'z'] if *first == direction => Some(usize::from(number - b'0')),
        _ => None,
    }
}

pub fn topic(direction: char, message: usize) -> String {
    format!("{direction}{}", char::from(b'0' + message as u8))
}

pub fn encode(packet: Packet<'_>, rules: &Rules, down: &mut Vec<u8>) {
    let at = down.len();
    down.resize(at + packet.encoded_len(), 0);
    packet.encode(rules.version(), &mut down[at..]).expect("a packet that can be sent");
}

pub fn send(kind: Kind, number: u16, rules: &Rules, down: &mut Vec<u8>) {
    let codes = SubAckCodes::new(&[SubAckCode::Granted(QoS::ExactlyOnce)]).expect("one code");
    let packet = match kind {
        Kind::PubAck => Packet::PubAck(id(number)),
        Kind::PubRec => Packet::PubRec(id(number)),
        Kind::PubRel => Packet::PubRel { id: id(number), dup: false },
        Kind::PubComp => Packet::PubComp(id(number)),
        Kind::SubAck => Packet::SubAck(SubAck { id: id(number), codes }),
        Kind::UnsubAck => Packet::UnsubAck(id(number)),
        Kind::PingResp => Packet::PingResp,
    };
    encode(packet, rules, down);
}

pub fn publish(outgoing: &Outgoing, rules: &Rules, dup: bool, down: &mut Vec<u8>) {
    let message = usize::from(outgoing.message);
    let (topic, payload) = (topic('i', message), payload(message, rules.is_large(message)));
    let id = id(outgoing.id);
    let delivery = match outgoing.qos {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce { id, dup },
        QoS::ExactlyOnce => Delivery::ExactlyOnce { id, dup },
    };
    let topic = TopicName::new(&topic).expect("a topic");
    encode(Packet::Publish(Publish { topic, payload: &payload, delivery, retain: false }), rules, down);
}
