//! What the application asks for: publish, subscribe, unsubscribe. Each request is checked, numbered and encoded into the log.

use crate::client::config::Config;
use crate::client::error::{Full, RequestError};
use crate::client::event::Message;
use crate::client::parts::Parts;
use crate::client::timers::Note;
use crate::client::work::State;
use crate::codec::{self, PacketType, Writer};
use crate::{PacketId, QoS, TopicFilter, TopicName, Violation};

/// See [`Client::publish`](crate::Client::publish).
pub(in crate::client) fn publish<C: Config>(
    parts: &mut Parts<'_, C>,
    message: &Message<'_>,
) -> Result<Option<PacketId>, RequestError> {
    let body_len = message.body_len();
    let len = codec::packet_len(body_len);
    admit(parts, message.qos.into(), len)?;
    let topic = TopicName::new(message.topic)?;
    let version = parts.version();
    codec::check_topic_len(topic, version)?;
    let id = next_id(parts, message.qos);
    let mut writer = begin(parts, len);
    codec::write_header(&mut writer, codec::publish_first_byte(message.qos, message.retain), body_len);
    writer.bytes(topic.as_bytes());
    if let Some(id) = id {
        writer.packet_id(id);
    }
    writer.raw(message.payload);
    commit(parts, len, id);
    Ok(id)
}

/// What kind of request it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    AtMostOnce,
    AtLeastOnce,
    ExactlyOnce,
    /// SUBSCRIBE or UNSUBSCRIBE.
    Subscription,
}

impl From<QoS> for Kind {
    fn from(qos: QoS) -> Self {
        match qos {
            QoS::AtMostOnce => Kind::AtMostOnce,
            QoS::AtLeastOnce => Kind::AtLeastOnce,
            QoS::ExactlyOnce => Kind::ExactlyOnce,
        }
    }
}

/// Whether a request of this kind, with a packet of this length, can be taken now.
#[cfg_attr(target_pointer_width = "64", inline)]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))] // one copy of it, where flash is small
pub(super) fn admit<C: Config>(parts: &Parts<'_, C>, kind: Kind, len: usize) -> Result<(), RequestError> {
    let link = &parts.work.link;
    let outlives_link = matches!(kind, Kind::AtLeastOnce | Kind::ExactlyOnce);
    let outbox = &parts.outbox;
    let takes = match link.state {
        State::Offline => outlives_link,
        State::Connecting => outlives_link && !link.is_finishing,
        State::Connected => outlives_link || !link.is_output_lost,
        State::Closing => false,
    };
    if !takes {
        return Err(RequestError::NotConnected);
    }
    let most = parts.config().max_requests();
    let kept = kind != Kind::AtMostOnce;
    if kept && ((most != 0 && outbox.s.kept() >= most) || outbox.s.kept() == u16::MAX) {
        return Err(Full::Requests.into());
    }
    let most = parts.config().max_exactly_once();
    if kind == Kind::ExactlyOnce && most != 0 && outbox.exactly_once() >= most {
        return Err(Full::Requests.into());
    }
    if len > parts.outbox.log.len() {
        return Err(RequestError::TooLarge { needed: len, room: parts.outbox.log.len() });
    }
    outbox.has_room(len)?;
    if len > codec::packet_len(codec::MAX_REMAINING_LENGTH) {
        return Err(Violation::TooLong.into());
    }
    Ok(())
}

/// The identifier of a message of this QoS.
pub(super) fn next_id<C: Config>(parts: &mut Parts<'_, C>, qos: QoS) -> Option<PacketId> {
    if qos == QoS::AtMostOnce { None } else { Some(parts.outbox.next_id()) }
}

/// Where a request of this length, for which there is room, is written.
pub(super) fn begin<'p, C: Config>(parts: &'p mut Parts<'_, C>, len: usize) -> Writer<'p> {
    let at = parts.outbox.make_room(len);
    Writer::new(parts.outbox.log.get_mut(at..).unwrap_or_default())
}

/// The request stands behind the last one.
pub(super) fn commit<C: Config>(parts: &mut Parts<'_, C>, len: usize, id: Option<PacketId>) {
    let work = &mut *parts.work;
    parts.outbox.appended(len);
    work.notes.add(Note::CHANGED);
    if id.is_some() {
        parts.outbox.take_id();
        work.session.changed();
    }
}

/// See [`Client::subscribe`](crate::Client::subscribe).
pub(in crate::client) fn subscribe<C: Config>(
    parts: &mut Parts<'_, C>,
    filters: &[(&str, QoS)],
) -> Result<PacketId, RequestError> {
    if filters.is_empty() {
        return Err(Violation::NoTopicFilter.into());
    }
    // The packet identifier and a code for each filter, behind two bytes.
    if filters.len().saturating_add(4) > parts.rx_len {
        return Err(RequestError::TooManyFilters);
    }
    if !parts.config().receives_exactly_once() && filters.iter().any(|(_, qos)| *qos == QoS::ExactlyOnce) {
        return Err(RequestError::TurnedOff);
    }
    ask(parts, PacketType::Subscribe, &|index| filters.get(index).map(|(filter, qos)| (*filter, Some(*qos))))
}

/// See [`Client::unsubscribe`](crate::Client::unsubscribe).
pub(in crate::client) fn unsubscribe<C: Config>(
    parts: &mut Parts<'_, C>,
    filters: &[&str],
) -> Result<PacketId, RequestError> {
    if filters.is_empty() {
        return Err(Violation::NoTopicFilterToRemove.into());
    }
    ask(parts, PacketType::Unsubscribe, &|index| filters.get(index).map(|filter| (*filter, None)))
}

/// The topic filter at this place, with the QoS that is asked for or without one.
type Filter<'f, 'a> = &'f dyn Fn(usize) -> Option<(&'a str, Option<QoS>)>;

/// A packet with topic filters. One copy for both.
fn ask<C: Config>(
    parts: &mut Parts<'_, C>,
    packet_type: PacketType,
    filter: Filter<'_, '_>,
) -> Result<PacketId, RequestError> {
    let filters = || (0..).map_while(filter);
    let mut body_len: usize = 2;
    for (filter, qos) in filters() {
        let numbers = if qos.is_some() { 3 } else { 2 };
        body_len = body_len.saturating_add(filter.len()).saturating_add(numbers);
    }
    let len = codec::packet_len(body_len);
    admit(parts, Kind::Subscription, len)?;
    for (filter, _) in filters() {
        TopicFilter::new(filter)?;
    }
    let id = parts.outbox.next_id();
    let mut writer = begin(parts, len);
    codec::write_header(&mut writer, packet_type.first_byte(), body_len);
    writer.packet_id(id);
    for (filter, qos) in filters() {
        writer.bytes(filter.as_bytes());
        if let Some(qos) = qos {
            writer.u8(qos.bits());
        }
    }
    commit(parts, len, Some(id));
    Ok(id)
}
