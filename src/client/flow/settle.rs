//! Time: which countdowns run, which restart, and what is due. All of this is derived from the state, and only here.
//!
//! A timeout counts from the first reading of the clock after its cause, and keep alive from the last one before, so that a timeout is
//! never early and PINGREQ never late.

use crate::Instant;
use crate::client::bytes::IS_LARGE;
use crate::client::config::Config;
use crate::client::error::{Fault, Timeout};
use crate::client::inbound_ids;
use crate::client::inbox::Phase;
use crate::client::parts::Parts;
use crate::client::timers::{Note, Timer};
use crate::client::work::State;

/// The silence in ms after which a client that accepts no more messages ends the connection.
const REFUSING_SILENCE: u32 = 1_000;

impl<C: Config> Parts<'_, C> {
    /// Lets time pass.
    #[inline]
    pub(super) fn clock(&mut self, now: Instant) {
        let work = &mut *self.work;
        // Not before CONNACK: before CONNECT was sent, the clock may not have been read for a long time.
        if work.notes.has(Note::SENT_PACKET) && work.link.silence != 0 && work.link.is_accepted {
            work.timers.keep(Timer::SendSilence, true, true, work.link.silence);
        }
        if work.timers.pass(now) {
            work.notes.add(Note::CHANGED);
        }
    }

    /// Updates the countdowns, and does what is due.
    ///
    /// If nothing is noted, the state has not changed, and neither have the countdowns; a countdown that is due is noted.
    #[inline]
    pub(super) fn settle(&mut self) -> Result<(), Fault> {
        if !IS_LARGE || self.work.notes.any() {
            self.watch();
            self.work.notes.clear();
            self.check_timeouts()?;
            self.ping_if_due();
            self.retry_if_due();
        }
        Ok(())
    }

    /// Decides which countdowns run, and which restart.
    pub(super) fn watch(&mut self) {
        let has_output = self.has_output();
        let config = self.config();
        let Parts { work, outbox, answers, ids, .. } = self;
        let (link, inbox, notes, timers) = (&work.link, &work.inbox, work.notes, &mut work.timers);
        let received = notes.has(Note::RECEIVED);
        // An answer cannot arrive before the rest of a partly received packet.
        let arrives = received && inbox.is_inside_packet();
        // Nor can it be read while that packet is blocked.
        let reads = !inbox.is_blocked;

        let speaks = link.silence != 0 && !inbox.holds_connect && !link.is_output_lost && !link.is_ping_due;
        timers.keep(Timer::SendSilence, speaks, false, link.silence);
        if config.ping_on_silence() {
            let listens = speaks && link.is_accepted && !link.is_ping_awaited;
            timers.keep(Timer::ReceiveSilence, listens, received, link.silence);
        }
        if config.pingresp_timeout_ms() != 0 {
            // It counts from the end of PINGREQ, and another PINGREQ does not restart it.
            let has_left = !link.is_ping_due || timers.runs(Timer::PingResp);
            let waits = link.is_ping_awaited && has_left && reads;
            // Received bytes show that the link is alive: PINGRESP may follow more bytes that have not been read yet.
            timers.keep(Timer::PingResp, waits, received, config.pingresp_timeout_ms());
        }
        if config.connack_timeout_ms() != 0 {
            let waits = link.state != State::Offline && !link.is_accepted;
            timers.keep(Timer::ConnAck, waits, false, config.connack_timeout_ms());
        }
        if config.stall_timeout_ms() != 0 {
            timers.keep(Timer::Stall, has_output, notes.has(Note::SENT), config.stall_timeout_ms());
        }
        let closing = link.is_output_lost || (link.state == State::Closing && !link.is_finishing);
        let waits = outbox.is_waiting() && reads && !closing;
        let new_oldest = outbox.take_new_oldest();
        if config.receives_exactly_once() && inbox.is_refusing {
            // There was no room for an identifier: the connection ends once all answers are sent, and nothing can arrive that makes room.
            let done = inbox.large.phase == Phase::None && answers.is_empty() && inbound_ids::is_empty(ids);
            timers.keep(Timer::Ack, true, received || done, if done { 0 } else { REFUSING_SILENCE });
        } else if config.ack_timeout_ms() != 0 {
            timers.keep(Timer::Ack, waits, new_oldest || arrives, config.ack_timeout_ms());
        }
        if config.retry_ms() != 0 {
            let ms = config.retry_ms().saturating_mul(1_u32.wrapping_shl(link.retries.min(16).into()));
            timers.keep(Timer::Retry, waits, new_oldest, ms);
        }
    }

    fn check_timeouts(&self) -> Result<(), Fault> {
        let config = self.config();
        let work = &*self.work;
        let due = |timer| work.timers.is_due(timer);
        let timeout = if config.connack_timeout_ms() != 0 && due(Timer::ConnAck) {
            Timeout::ConnAck
        } else if config.pingresp_timeout_ms() != 0 && due(Timer::PingResp) {
            Timeout::PingResp
        } else if config.stall_timeout_ms() != 0 && due(Timer::Stall) {
            Timeout::Stall
        } else if config.receives_exactly_once() && work.inbox.is_refusing && due(Timer::Ack) {
            return Err(Fault::InboundFull);
        } else if config.ack_timeout_ms() != 0 && due(Timer::Ack) {
            Timeout::Ack
        } else {
            return Ok(());
        };
        Err(Fault::TimedOut(timeout))
    }

    /// Resends all requests that wait for an answer, if this is due and all of them have been sent.
    fn retry_if_due(&mut self) {
        let mqtt31 = self.mqtt31();
        if self.config().retry_ms() == 0 || !self.work.timers.is_due(Timer::Retry) {
            return;
        }
        let work = &mut *self.work;
        if self.outbox.is_repeatable() && work.link.state == State::Connected {
            debug!("MQTT: no answers, so everything is sent again");
            work.link.retries = work.link.retries.saturating_add(1);
            self.outbox.open(mqtt31);
        }
        // Restart the countdown.
        work.notes.add(Note::CHANGED);
        work.timers.keep(Timer::Retry, false, false, 0);
    }
}
