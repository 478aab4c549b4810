//! Messages whose payload the application supplies piece by piece ([`Config::streams`]).

use super::requests::{admit, begin, commit, next_id};
use crate::client::config::Config;
use crate::client::error::{RequestError, StreamError};
use crate::client::message::StreamedMessage;
use crate::client::outbox::{STREAMED, WINDOW};
use crate::client::parts::Parts;
use crate::client::timers::Note;
use crate::codec;
use crate::{PacketId, QoS, TopicName, Violation};

/// See [`Client::publish_streamed`](crate::Client::publish_streamed).
pub(in crate::client) fn publish_streamed<C: Config>(
    parts: &mut Parts<'_, C>,
    message: &StreamedMessage<'_>,
) -> Result<Option<PacketId>, RequestError> {
    if !parts.config().streams() {
        return Err(RequestError::TurnedOff);
    }
    if message.qos != QoS::AtMostOnce && !message.repeatable {
        return Err(RequestError::NotRepeatable);
    }
    let id_len = if message.qos == QoS::AtMostOnce { 0 } else { 2 };
    let variable_len = message.topic.len().saturating_add(2).saturating_add(id_len);
    let remaining_len = variable_len.saturating_add(message.payload_len);
    let head_len = codec::packet_len(remaining_len).saturating_sub(message.payload_len);
    let len = codec::packet_len(head_len);
    // There must be room for some of the payload besides the head.
    let needed = len.saturating_add(WINDOW);
    admit(parts, Some(message.qos), needed).map_err(|refusal| parts.refused(refusal, needed))?;
    if remaining_len > codec::MAX_REMAINING_LENGTH {
        return Err(Violation::TooLong.into());
    }
    let topic = TopicName::new(message.topic)?;
    codec::check_topic_len(topic, parts.topic_version())?;
    let id = next_id(parts, message.qos);
    let mut writer = begin(parts, needed);
    codec::write_header(&mut writer, STREAMED, head_len);
    let first = codec::publish_first_byte(message.qos, message.retain);
    codec::write_header(&mut writer, first, remaining_len);
    writer.bytes(topic.as_bytes());
    if let Some(id) = id {
        writer.packet_id(id);
    }
    commit(parts, first, len, id);
    parts.outbox.state.streams = parts.outbox.state.streams.wrapping_add(1);
    Ok(id)
}

/// See [`Client::write_payload`](crate::Client::write_payload).
pub(in crate::client) fn write_payload<C: Config>(
    parts: &mut Parts<'_, C>,
    payload: &[u8],
) -> Result<usize, StreamError> {
    if !parts.config().streams() || !parts.outbox.is_payload_asked() || parts.control.is_disconnecting() {
        return Err(StreamError::NotAsked);
    }
    parts.control.notes.add(Note::CHANGED);
    Ok(parts.outbox.take_payload(payload))
}

/// See [`Client::abandon_payload`](crate::Client::abandon_payload).
pub(in crate::client) fn abandon_payload<C: Config>(parts: &mut Parts<'_, C>) -> Result<(), StreamError> {
    if !parts.config().streams() || !parts.outbox.is_payload_asked() || parts.outbox.is_streaming() {
        return Err(StreamError::NotAsked);
    }
    parts.outbox.abandon_payload();
    parts.control.notes.add(Note::CHANGED);
    parts.control.session.changed();
    Ok(())
}
