//! How a connection begins and ends, and what then happens to the session.

use crate::client::config::{Config, LargeMessages, SessionLoss};
use crate::client::error::{ConnectError, Fault};
use crate::client::inbound_ids;
use crate::client::inbox::EventKind;
use crate::client::outbox::Purpose;
use crate::client::parts::Parts;
use crate::client::state::{Leaving, State};
use crate::client::timers::Note;
use crate::codec::{ConnAck, Connect, Version};
use crate::{EncodeError, Violation};

use super::handled::event_handled;
use super::keep_alive::silence_ms;
use super::step::Step;

/// See [`Client::connect`](crate::Client::connect).
pub(in crate::client) fn connect<C: Config>(
    parts: &mut Parts<'_, C>,
    rx: &mut [u8],
    connect: &Connect<'_>,
) -> Result<(), ConnectError> {
    if parts.control.link.state != State::Offline {
        return Err(ConnectError::AlreadyConnected);
    }
    let mqtt31 = connect.version == Version::Mqtt31;
    if mqtt31 && !parts.config().mqtt31() {
        return Err(ConnectError::TurnedOff);
    }
    let room = rx.len();
    let len = match connect.encode(rx) {
        Ok(len) => len,
        Err(EncodeError::Forbidden(violation)) => return Err(violation.into()),
        Err(EncodeError::BufferTooSmall { needed }) => return Err(ConnectError::TooLarge { needed, room }),
    };
    event_handled(parts);
    let (clean, was_clean) = (connect.clean_session, parts.control.session.clean_session);
    // A clean session discards the previous one (MQTT-3.1.2-6), and has ended with its own connection; a CONNACK of 3.1 would not say so.
    if clean || was_clean {
        session_lost(parts, clean || parts.config().session_loss() == SessionLoss::Drop);
    }
    let control = &mut *parts.control;
    control.inbox.filled(len, room);
    control.inbox.holds_connect = true;
    control.session.mqtt31 = mqtt31;
    control.session.clean_session = clean;
    let link = &mut control.link;
    link.silence_ms = silence_ms(connect.keep_alive);
    link.state = State::Connecting;
    control.leaving = Leaving::No;
    control.notes.add(Note::CHANGED);
    Ok(())
}

/// The server's session is gone: exchanges that had begun in it end, or start again.
fn session_lost<C: Config>(parts: &mut Parts<'_, C>, gives_up: bool) {
    inbound_ids::clear(parts.ids);
    parts.outbox.sweep(Purpose::SessionLost { gives_up });
    parts.control.session.changed();
}

/// Processes CONNACK. Kept requests are then sent, as far as the server's session allows.
pub(super) fn connack<C: Config>(parts: &mut Parts<'_, C>, connack: ConnAck) -> Result<Step, Fault> {
    let session_present = match connack {
        ConnAck::Refused(code) => return Err(Fault::Refused(code)),
        ConnAck::Accepted { session_present } => session_present,
    };
    let clean = parts.control.session.clean_session;
    if session_present && clean {
        return Err(Violation::SessionPresentAfterClean.into());
    }
    let kept = if parts.mqtt31() { parts.config().assume_session_kept() } else { session_present };
    let link = &mut parts.control.link;
    info!("MQTT: connected");
    link.is_accepted = true;
    // It is already closing if the application has requested that meanwhile.
    if link.state == State::Connecting {
        link.state = State::Connected;
    }
    if !clean && !kept {
        session_lost(parts, parts.config().session_loss() == SessionLoss::Drop);
    }
    // Otherwise this happens once all requests that have ended are reported.
    if parts.outbox.find_ended().is_none() {
        let mqtt31 = parts.mqtt31();
        parts.outbox.open(mqtt31);
    }
    parts.control.inbox.event = EventKind::Connected;
    Ok(Step::Event)
}

/// The connection is gone, or was never established.
pub(in crate::client) fn link_lost<C: Config>(parts: &mut Parts<'_, C>) {
    parts.control.link.is_output_lost = true;
    event_handled(parts);
    if parts.outbox.link_lost(parts.control.offer.offered_requests()) {
        parts.control.session.changed();
    }
    parts.answers.clear();
    let pieces = parts.config().large_messages() == LargeMessages::Pieces;
    parts.control.link_lost(pieces && parts.control.inbox.is_cut_off());
}

/// See [`Client::output_lost`](crate::Client::output_lost).
pub(in crate::client) fn output_lost<C: Config>(parts: &mut Parts<'_, C>) {
    let control = &mut *parts.control;
    match control.link.state {
        State::Offline => {}
        // The server has nothing to answer.
        _ if control.inbox.holds_connect => link_lost(parts),
        _ => {
            control.link.is_output_lost = true;
            control.notes.add(Note::CHANGED);
        }
    }
}

/// See [`Client::disconnect`](crate::Client::disconnect).
pub(in crate::client) fn disconnect<C: Config>(parts: &mut Parts<'_, C>) {
    parts.control.leaving = Leaving::Disconnecting;
    if parts.control.link.state == State::Offline {
        return;
    }
    // In the middle of a payload, or without output, nothing can be sent any more.
    if parts.control.link.is_output_lost || parts.outbox.is_streaming() {
        return link_lost(parts);
    }
    // Nothing can be sent after DISCONNECT, so the next `advance` would be too late for an answer.
    event_handled(parts);
    let control = &mut *parts.control;
    control.link.state = State::Closing;
    control.notes.add(Note::CHANGED);
}

/// See [`Client::finish`](crate::Client::finish).
pub(in crate::client) fn finish<C: Config>(parts: &mut Parts<'_, C>) {
    let control = &mut *parts.control;
    // After `disconnect` it is too late.
    if control.leaving != Leaving::No {
        return;
    }
    control.leaving = Leaving::Finishing;
    control.finish_if_connected();
    control.notes.add(Note::CHANGED);
}
