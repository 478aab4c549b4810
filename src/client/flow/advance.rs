//! One step of the client: it releases the previous event, updates the timers, and processes packets until one is an event.

use crate::Instant;
use crate::client::config::{Config, LargeMessages};
use crate::client::error::{Error, Fault};
use crate::client::inbox::EventKind;
use crate::client::parts::Parts;
use crate::client::state::State;

use super::connection;
use super::handled::event_handled;
use super::step::Step;

/// See [`Client::advance`](crate::Client::advance).
pub(in crate::client) fn advance<C: Config>(
    parts: &mut Parts<'_, C>,
    rx: &mut [u8],
    now: Instant,
) -> Result<bool, Error> {
    if parts.control.inbox.event != EventKind::None {
        event_handled(parts);
    }
    parts.elapse(now);
    parts.step(rx).map_err(|fault| {
        let error = fault.error(parts.control.inbox.len);
        warn!("MQTT: {}", error);
        connection::link_lost(parts);
        error
    })
}

impl<C: Config> Parts<'_, C> {
    fn step(&mut self, rx: &mut [u8]) -> Result<bool, Fault> {
        loop {
            if self.find_event_without_packet() {
                return Ok(true);
            }
            self.open_gate_if_due();
            if self.ask_for_payload_if_due() {
                return Ok(true);
            }
            if self.control.link.state == State::Offline {
                break;
            }
            match self.process_packet(rx)? {
                Step::Event => return Ok(true),
                Step::Done => event_handled(self),
                step => {
                    // Without an event nothing is consumed.
                    self.control.inbox.len = 0;
                    self.control.inbox.is_blocked = step == Step::Blocked;
                    break;
                }
            }
        }
        // Only after reading: packets that arrived in time may have been read late.
        self.process_timers()?;
        // An image is asked for last, so that it contains everything that has happened.
        Ok(self.ask_for_image_if_due())
    }

    /// Looks for an event without a packet; returns whether there is one. CONNACK is reported before these.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn find_event_without_packet(&mut self) -> bool {
        if self.control.link.state == State::Connecting {
            return false;
        }
        let config = self.config();
        let Parts { control, outbox, .. } = self;
        let inbox = &mut control.inbox;
        if config.large_messages() == LargeMessages::Pieces && core::mem::take(&mut inbox.is_aborted) {
            inbox.event = EventKind::LargeAborted;
            return true;
        }
        if let Some((id, end)) = outbox.find_ended() {
            inbox.report_end(EventKind::Ended, id, end);
            return true;
        }
        false
    }

    /// Kept requests can be sent once all requests that ended with the last connection, or with the session, have been reported.
    fn open_gate_if_due(&mut self) {
        let mqtt31 = self.mqtt31();
        if self.control.link.is_accepted && !self.outbox.is_open() {
            self.outbox.open(mqtt31);
        }
    }

    /// Asks the application for a payload if it has to; returns whether that is the event.
    fn ask_for_payload_if_due(&mut self) -> bool {
        let control = &mut *self.control;
        if self.outbox.config.streams()
            && !control.is_disconnecting()
            && let Some(id) = self.outbox.ask_for_payload()
        {
            (control.inbox.event, control.inbox.id) = (EventKind::StreamReady, id);
            return true;
        }
        false
    }

    /// Asks the application to save the session if it has to, and has not been asked to since the last change; returns whether that is the
    /// event.
    fn ask_for_image_if_due(&mut self) -> bool {
        let session = &self.control.session;
        if !self.config().durable() || session.reported_revision == session.revision || !self.is_held() {
            return false;
        }
        self.control.session.reported_revision = self.control.session.revision;
        self.control.inbox.event = EventKind::SaveDue;
        true
    }
}
