//! One step of the client: it releases the last event, looks at the clock, and reads packets until one of them is an event.

use crate::Instant;
use crate::client::config::{Config, LargeMessages};
use crate::client::error::{Error, Fault};
use crate::client::inbox::Kind;
use crate::client::parts::{Parts, Step};
use crate::client::work::State;

use super::connection;
use super::release::release;

/// See [`Client::advance`](crate::Client::advance).
pub(in crate::client) fn advance<C: Config>(
    parts: &mut Parts<'_, C>,
    rx: &mut [u8],
    now: Instant,
) -> Result<bool, Error> {
    if parts.work.inbox.event != Kind::None {
        release(parts);
    }
    parts.clock(now);
    parts.step(rx).map_err(|fault| {
        let error = fault.error(parts.work.inbox.len);
        warn!("MQTT: {}", error);
        connection::link_lost(parts);
        error
    })
}

impl<C: Config> Parts<'_, C> {
    fn step(&mut self, rx: &mut [u8]) -> Result<bool, Fault> {
        loop {
            if self.notice() {
                return Ok(true);
            }
            if self.work.link.state == State::Offline {
                break;
            }
            match self.packet(rx)? {
                Step::Event => return Ok(true),
                Step::Done => release(self),
                step => {
                    // Without an event nothing goes.
                    self.work.inbox.len = 0;
                    self.work.inbox.is_blocked = step == Step::Blocked;
                    break;
                }
            }
        }
        // Only now: what has come in time may have been read late.
        self.settle()?;
        // What is to be saved is asked for last, so that one image serves for all that has happened.
        Ok(self.asks_for_image())
    }

    /// Whether there is an event without a packet; CONNACK is told first.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn notice(&mut self) -> bool {
        if self.work.link.state == State::Connecting {
            return false;
        }
        let (config, mqtt31) = (self.config(), self.mqtt31());
        let Parts { work, outbox, .. } = self;
        let inbox = &mut work.inbox;
        if config.large_messages() == LargeMessages::Pieces && core::mem::take(&mut inbox.is_aborted) {
            inbox.event = Kind::LargeAborted;
            return true;
        }
        if let Some((id, end)) = outbox.find_ended() {
            inbox.tell_end(Kind::Ended, id, end);
            return true;
        }
        // The requests may leave that are kept, once all that ended with the last connection, or with the session, is told.
        if work.link.is_accepted && !outbox.is_open() {
            outbox.open(mqtt31);
        }
        if config.streams()
            && (work.link.state == State::Connected || work.link.is_finishing)
            && let Some(id) = outbox.ask_for_payload()
        {
            (inbox.event, inbox.id) = (Kind::StreamReady, id);
            return true;
        }
        false
    }

    /// Whether the application is to save the session, and was not told so since its last change.
    fn asks_for_image(&mut self) -> bool {
        let session = &self.work.session;
        if !self.config().durable() || session.told_revision == session.revision || !self.is_held() {
            return false;
        }
        self.work.session.told_revision = self.work.session.revision;
        self.work.inbox.event = Kind::SaveDue;
        true
    }
}
