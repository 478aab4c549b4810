//! Requests of the application: publish, subscribe, unsubscribe. Each is checked, numbered and encoded into the log.

use crate::client::config::Config;
use crate::client::error::{Full, Refusal, RequestError};
use crate::client::message::Message;
use crate::client::parts::Parts;
use crate::client::state::{Control, State};
use crate::client::timers::Note;
use crate::codec::{self, PacketType, Writer};
use crate::{PacketId, QoS, TopicFilter, TopicName, Violation};

/// See [`Client::publish`](crate::Client::publish).
pub(in crate::client) fn publish<C: Config>(
    parts: &mut Parts<'_, C>,
    message: &Message<'_>,
) -> Result<Option<PacketId>, RequestError> {
    let body_len = message.body_len();
    let len = codec::packet_len(body_len);
    publish_in(parts, message, body_len, len).map_err(|refusal| parts.refused(refusal, len))
}

#[inline]
fn publish_in<C: Config>(
    parts: &mut Parts<'_, C>,
    message: &Message<'_>,
    body_len: usize,
    len: usize,
) -> Result<Option<PacketId>, Refusal> {
    admit(parts, Some(message.qos), len)?;
    let topic = TopicName::new(message.topic)?;
    codec::check_topic_len(topic, parts.topic_version())?;
    let id = next_id(parts, message.qos);
    let mut writer = begin(parts, len);
    let first = codec::publish_first_byte(message.qos, message.retain);
    codec::write_header(&mut writer, first, body_len);
    writer.bytes(topic.as_bytes());
    if let Some(id) = id {
        writer.packet_id(id);
    }
    writer.raw(message.payload);
    commit(parts, first, len, id);
    Ok(id)
}

impl<C> Parts<'_, C> {
    /// The error for a refused request whose packet has this length.
    pub(super) const fn refused(&self, refusal: Refusal, len: usize) -> RequestError {
        refusal.error(len, self.outbox.log.len())
    }
}

/// Whether a message with this QoS, or a request with topic filters, can be accepted now if its packet has this length.
#[cfg_attr(target_pointer_width = "64", inline)]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))] // a single copy, to save flash
pub(super) fn admit<C: Config>(
    parts: &mut Parts<'_, C>,
    qos: Option<QoS>,
    len: usize,
) -> Result<(), Refusal> {
    parts.clear_reported();
    let Control { link, leaving, .. } = &*parts.control;
    let outlives_link = matches!(qos, Some(QoS::AtLeastOnce | QoS::ExactlyOnce));
    let outbox = &parts.outbox;
    let is_accepted = match link.state {
        State::Offline => outlives_link,
        State::Connecting => outlives_link && !leaving.is_finishing(),
        State::Connected => outlives_link || !link.is_output_lost,
        State::Closing => false,
    };
    if !is_accepted {
        return Err(Refusal::NotConnected);
    }
    let max = parts.config().max_requests();
    let kept = qos != Some(QoS::AtMostOnce);
    if kept && ((max != 0 && outbox.state.kept >= max) || outbox.state.kept == u16::MAX) {
        return Err(Full::Requests.into());
    }
    let max = parts.config().max_exactly_once();
    if qos == Some(QoS::ExactlyOnce) && max != 0 && outbox.state.exactly_once >= max {
        return Err(Full::Requests.into());
    }
    if len > parts.outbox.log.len() {
        return Err(Refusal::TooLarge);
    }
    outbox.has_room(len)?;
    if len > codec::packet_len(codec::MAX_REMAINING_LENGTH) {
        return Err(Violation::TooLong.into());
    }
    Ok(())
}

/// The identifier for a message with this QoS.
pub(super) fn next_id<C: Config>(parts: &mut Parts<'_, C>, qos: QoS) -> Option<PacketId> {
    if qos == QoS::AtMostOnce { None } else { Some(parts.outbox.next_id()) }
}

/// A writer for a request of this length, for which there must be room.
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(super) fn begin<'p, C: Config>(parts: &'p mut Parts<'_, C>, len: usize) -> Writer<'p> {
    let at = parts.outbox.make_room(len);
    Writer::new(parts.outbox.log.get_mut(at..).unwrap_or_default())
}

/// Appends the request that has been written, which begins with the byte `first`.
pub(super) fn commit<C: Config>(parts: &mut Parts<'_, C>, first: u8, len: usize, id: Option<PacketId>) {
    let control = &mut *parts.control;
    parts.outbox.appended(first, len);
    control.notes.add(Note::CHANGED);
    if id.is_some() {
        parts.outbox.take_id();
        control.session.changed();
    }
}

/// See [`Client::subscribe`](crate::Client::subscribe). `rx_len` is the length of the receive buffer.
pub(in crate::client) fn subscribe<C: Config>(
    parts: &mut Parts<'_, C>,
    rx_len: usize,
    filters: &[(&str, QoS)],
) -> Result<PacketId, RequestError> {
    if filters.is_empty() {
        return Err(Violation::NoTopicFilter.into());
    }
    // SUBACK: the packet identifier, and a code for each filter; at least 5 bytes besides the codes, as documented.
    let codes = filters.len();
    if codec::packet_len(codes.saturating_add(2)).max(codes.saturating_add(5)) > rx_len {
        return Err(RequestError::TooManyFilters);
    }
    if !parts.config().receives_exactly_once() && filters.iter().any(|(_, qos)| *qos == QoS::ExactlyOnce) {
        return Err(RequestError::TurnedOff);
    }
    queue_filters(parts, PacketType::Subscribe, Filters::Wanted(filters))
}

/// See [`Client::unsubscribe`](crate::Client::unsubscribe).
pub(in crate::client) fn unsubscribe<C: Config>(
    parts: &mut Parts<'_, C>,
    filters: &[&str],
) -> Result<PacketId, RequestError> {
    if filters.is_empty() {
        return Err(Violation::NoTopicFilterToRemove.into());
    }
    queue_filters(parts, PacketType::Unsubscribe, Filters::Unwanted(filters))
}

/// Queues a packet with topic filters.
#[cfg_attr(not(target_pointer_width = "64"), inline(never))] // a single copy, to save flash
fn queue_filters<C: Config>(
    parts: &mut Parts<'_, C>,
    packet_type: PacketType,
    filters: Filters<'_>,
) -> Result<PacketId, RequestError> {
    let mut counter = Writer::new(&mut []);
    let checked = filters.write(&mut counter);
    // The filters follow the packet identifier.
    let body_len = counter.len().saturating_add(2);
    let len = codec::packet_len(body_len);
    admit(parts, None, len).map_err(|refusal| parts.refused(refusal, len))?;
    checked?;
    let id = parts.outbox.next_id();
    let mut writer = begin(parts, len);
    codec::write_header(&mut writer, packet_type.first_byte(), body_len);
    writer.packet_id(id);
    filters.write(&mut writer)?;
    commit(parts, packet_type.first_byte(), len, Some(id));
    Ok(id)
}

/// The topic filters of a packet: at least one.
#[derive(Clone, Copy)]
enum Filters<'a> {
    /// With the requested QoS.
    Wanted(&'a [(&'a str, QoS)]),
    Unwanted(&'a [&'a str]),
}

impl Filters<'_> {
    /// Checks all filters, and writes as many as fit; the writer counts all of them.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))] // a single copy, to save flash
    fn write(mut self, writer: &mut Writer<'_>) -> Result<(), Violation> {
        let mut checked = Ok(());
        loop {
            let (filter, qos) = match &mut self {
                Filters::Wanted(list) => {
                    let Some(((filter, qos), rest)) = list.split_first() else { return checked };
                    *list = rest;
                    (*filter, Some(*qos))
                }
                Filters::Unwanted(list) => {
                    let Some((filter, rest)) = list.split_first() else { return checked };
                    *list = rest;
                    (*filter, None)
                }
            };
            checked = checked.and(TopicFilter::new(filter).map(|_| ()));
            writer.bytes(filter.as_bytes());
            if let Some(qos) = qos {
                writer.u8(qos.bits());
            }
        }
    }
}
