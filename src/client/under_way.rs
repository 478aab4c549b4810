//! What is under way, as the application can see it.

use super::outbox::{Form, Record, State};
use crate::codec::{Delivery, PacketType, Publish};
use crate::{PacketId, QoS, Version};

/// One request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UnderWay<'a> {
    /// What the call that made it had returned.
    pub id: PacketId,
    /// What it is.
    pub request: Request<'a>,
    /// Whether it has left, or (after the loss of a connection) may have been seen by the server.
    pub has_left: bool,
}

/// What a request is, as far as its packet is still kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Request<'a> {
    /// A message; the payload of a streamed one is not kept, and empty here.
    Publish(Publish<'a>),
    /// A message of QoS 2 to which the server has answered PUBREC; its payload is not kept any more.
    Released,
    /// A message that was given up after it had left.
    GivenUp {
        /// Its QoS.
        qos: QoS,
    },
    /// A SUBSCRIBE.
    Subscribe,
    /// An UNSUBSCRIBE.
    Unsubscribe,
    /// A request that has ended, which the next [`advance`](crate::Client::advance) tells.
    Ended,
}

/// The requests under way, in the order in which they leave.
pub(super) fn under_way<'a>(outbox: &'a State, log: &'a [u8]) -> impl Iterator<Item = UnderWay<'a>> {
    outbox.records(log).filter_map(|(at, record)| {
        let id = record.kept_id(log, at)?;
        Some(UnderWay { id, request: request(log, at, record), has_left: outbox.has_left(log, at, record) })
    })
}

fn request<'a>(log: &'a [u8], at: usize, record: Record) -> Request<'a> {
    let first = record.request(log, at);
    match record.form() {
        _ if record.has_ended() => Request::Ended,
        _ if record.is_stub(log, at) => Request::GivenUp { qos: stub_qos(first) },
        Form::Publish | Form::Streamed => publish(log, at, record).map_or(Request::Ended, Request::Publish),
        Form::Short => match first >> 4 {
            kind if kind == PacketType::PubRel as u8 => Request::Released,
            kind if kind == PacketType::Subscribe as u8 => Request::Subscribe,
            _ => Request::Unsubscribe,
        },
    }
}

fn stub_qos(request: u8) -> QoS {
    QoS::from_bits((request >> 1) & 3).unwrap_or_default()
}

/// The message of a record that is a PUBLISH, or the head of one.
pub(super) fn publish<'a>(log: &'a [u8], at: usize, record: Record) -> Option<Publish<'a>> {
    let packet_at = record.packet(at);
    let packet = Record::read(log, packet_at)?;
    let body = log.get(packet.body(packet_at)..record.end())?;
    Publish::decode(packet.first() & 0x0F, body, Version::Mqtt311)
        .ok()
        .filter(|publish| publish.delivery != Delivery::AtMostOnce)
}
