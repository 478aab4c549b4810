//! One step of the client: it releases the last event, looks at the clock, and reads packets until one of them is an event.

use crate::Instant;
use crate::client::answers::PUBREC;
use crate::client::config::Config;
use crate::client::error::{Error, Fault};
use crate::client::inbox::Kind;
use crate::client::parts::{Parts, Step, Whole};
use crate::client::timers::Note;
use crate::client::work::State;

use super::connection;

/// See [`Client::advance`](crate::Client::advance).
pub(in crate::client) fn advance<C: Config>(whole: &mut Whole<'_, C>, now: Instant) -> Result<bool, Error> {
    release(&mut whole.out);
    whole.clock(now);
    whole.step().map_err(|fault| {
        let error = fault.error(whole.out.work.inbox.len);
        warn!("MQTT: {}", error);
        connection::link_lost(&mut whole.out);
        error
    })
}

/// The application has seen the event: what it owes is queued, what it tells of goes, and so do its bytes.
pub(super) fn release<C: Config>(parts: &mut Parts<'_, C>) {
    let work = &mut *parts.work;
    let event = core::mem::replace(&mut work.inbox.event, Kind::None);
    let (owed, id) = (core::mem::take(&mut work.inbox.owed), work.inbox.id);
    let withheld = core::mem::take(&mut work.inbox.has_receipt);
    match event {
        Kind::None => return,
        Kind::Ended | Kind::Subscribed | Kind::Unsubscribed => parts.outbox.end_is_told(id),
        _ => {}
    }
    if owed != 0 && !withheld && !work.link.is_output_lost {
        parts.answers.push(owed, id);
        if owed == PUBREC {
            work.session.changed();
        }
    }
    work.timers.note(Note::CHANGED);
    let len = core::mem::take(&mut work.inbox.len);
    work.inbox.consume(len);
}

impl<C: Config> Whole<'_, C> {
    fn step(&mut self) -> Result<bool, Fault> {
        loop {
            if self.notice() {
                return Ok(true);
            }
            if self.out.work.link.state == State::Offline {
                break;
            }
            match self.packet()? {
                Step::Event => return Ok(true),
                Step::Done => {
                    self.out.work.timers.note(Note::CHANGED);
                    let len = core::mem::take(&mut self.out.work.inbox.len);
                    self.out.work.inbox.consume(len);
                }
                Step::Incomplete => {
                    self.out.work.inbox.is_blocked = false;
                    break;
                }
                Step::Blocked => {
                    self.out.work.inbox.is_blocked = true;
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
    fn notice(&mut self) -> bool {
        if self.out.work.link.state == State::Connecting {
            return false;
        }
        connection::open_gate(&mut self.out);
        let Parts { work, config, outbox, .. } = &mut self.out;
        if core::mem::take(&mut work.inbox.is_aborted) {
            work.inbox.event = Kind::LargeAborted;
        } else if let Some((id, end)) = outbox.find_ended() {
            (work.inbox.event, work.inbox.id, work.inbox.end) = (Kind::Ended, id, end);
        } else if config.streams()
            && work.link.state == State::Connected
            && let Some(id) = outbox.ask_for_payload()
        {
            (work.inbox.event, work.inbox.id) = (Kind::StreamReady, id);
        } else {
            return false;
        }
        true
    }

    /// Whether the application is to save the session, and was not told so since its last change.
    fn asks_for_image(&mut self) -> bool {
        let session = &self.out.work.session;
        if !self.out.config.durable() || session.told_revision == session.revision || !self.is_held() {
            return false;
        }
        self.out.work.session.told_revision = self.out.work.session.revision;
        self.out.work.inbox.event = Kind::SaveDue;
        true
    }
}
