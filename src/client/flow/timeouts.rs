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
use crate::client::state::State;
use crate::client::timers::{Note, Timer};

/// The silence in ms after which a client that accepts no more messages ends the connection.
const REFUSING_SILENCE: u32 = 1_000;

impl<C: Config> Parts<'_, C> {
    /// Lets time pass.
    #[inline]
    pub(super) fn elapse(&mut self, now: Instant) {
        let control = &mut *self.control;
        // Not before CONNACK: before CONNECT was sent, the clock may not have been read for a long time.
        if control.notes.has(Note::SENT_PACKET) && control.link.silence_ms != 0 && control.link.is_accepted {
            control.timers.update(Timer::SendSilence, true, true, control.link.silence_ms);
        }
        if control.timers.elapse(now) {
            control.notes.add(Note::CHANGED);
        }
    }

    /// Updates the countdowns, and does what is due.
    ///
    /// If nothing is noted, the state has not changed, and neither have the countdowns; a countdown that is due is noted.
    #[inline]
    pub(super) fn process_timers(&mut self) -> Result<(), Fault> {
        if !IS_LARGE || self.control.notes.any() {
            self.update_timers();
            self.control.notes.clear();
            self.check_timeouts()?;
            self.ping_if_due();
            self.retry_if_due();
        }
        Ok(())
    }

    /// Decides which countdowns run, and which restart.
    pub(super) fn update_timers(&mut self) {
        let has_output = self.has_output();
        let config = self.config();
        let is_disconnecting = self.control.is_disconnecting();
        let Parts { control, outbox, answers, ids, .. } = self;
        let (link, inbox, notes, timers) =
            (&control.link, &control.inbox, control.notes, &mut control.timers);
        let received = notes.has(Note::RECEIVED);
        // An answer cannot arrive before the rest of a partly received packet.
        let is_arriving = received && inbox.is_inside_packet();
        // Nor can it be read while that packet is blocked.
        let is_reading = !inbox.is_blocked;

        let sends_pings =
            link.silence_ms != 0 && !inbox.holds_connect && !link.is_output_lost && !link.is_ping_due;
        timers.update(Timer::SendSilence, sends_pings, false, link.silence_ms);
        if config.ping_on_silence() {
            let expects_input = sends_pings && link.is_accepted && !link.is_ping_awaited;
            timers.update(Timer::ReceiveSilence, expects_input, received, link.silence_ms);
        }
        if config.pingresp_timeout_ms() != 0 {
            // It counts from the end of PINGREQ, and another PINGREQ does not restart it.
            let was_sent = !link.is_ping_due || timers.runs(Timer::PingResp);
            let waits = link.is_ping_awaited && was_sent && is_reading;
            // Received bytes show that the link is alive: PINGRESP may follow more bytes that have not been read yet.
            timers.update(Timer::PingResp, waits, received, config.pingresp_timeout_ms());
        }
        if config.connack_timeout_ms() != 0 {
            let waits = link.state != State::Offline && !link.is_accepted;
            timers.update(Timer::ConnAck, waits, false, config.connack_timeout_ms());
        }
        if config.stall_timeout_ms() != 0 {
            timers.update(Timer::Stall, has_output, notes.has(Note::SENT), config.stall_timeout_ms());
        }
        let closing = link.is_output_lost || is_disconnecting;
        let waits = outbox.is_waiting() && is_reading && !closing;
        let new_oldest = outbox.take_new_oldest();
        if config.receives_exactly_once() && inbox.is_refusing {
            // There was no room for an identifier: the connection ends once all answers are sent, and nothing can arrive that makes room.
            let done = inbox.large.phase == Phase::None && answers.is_empty() && inbound_ids::is_empty(ids);
            timers.update(Timer::Ack, true, received || done, if done { 0 } else { REFUSING_SILENCE });
        } else if config.ack_timeout_ms() != 0 {
            timers.update(Timer::Ack, waits, new_oldest || is_arriving, config.ack_timeout_ms());
        }
        if config.retry_ms() != 0 {
            let ms = config.retry_ms().saturating_mul(1_u32.wrapping_shl(link.retries.min(16).into()));
            timers.update(Timer::Retry, waits, new_oldest, ms);
        }
    }

    fn check_timeouts(&self) -> Result<(), Fault> {
        let config = self.config();
        let control = &*self.control;
        let due = |timer| control.timers.is_due(timer);
        let timeout = if config.connack_timeout_ms() != 0 && due(Timer::ConnAck) {
            Timeout::ConnAck
        } else if config.pingresp_timeout_ms() != 0 && due(Timer::PingResp) {
            Timeout::PingResp
        } else if config.stall_timeout_ms() != 0 && due(Timer::Stall) {
            Timeout::Stall
        } else if config.receives_exactly_once() && control.inbox.is_refusing && due(Timer::Ack) {
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
        if self.config().retry_ms() == 0 || !self.control.timers.is_due(Timer::Retry) {
            return;
        }
        let control = &mut *self.control;
        if self.outbox.is_repeatable() && control.link.is_accepted && !control.is_disconnecting() {
            debug!("MQTT: no answers, so everything is sent again");
            control.link.retries = control.link.retries.saturating_add(1);
            self.outbox.open(mqtt31);
        }
        // Restart the countdown.
        control.notes.add(Note::CHANGED);
        control.timers.update(Timer::Retry, false, false, 0);
    }
}
