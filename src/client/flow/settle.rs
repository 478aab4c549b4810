//! Time: which countdowns run, which of them begin anew, and what is due. All of it follows from the state, here and nowhere else.
//!
//! A timeout counts from the first look at the clock after its cause, keep alive from the last one before: neither comes too
//! early for its purpose.

use crate::Instant;
use crate::client::bytes::IS_LARGE;
use crate::client::config::Config;
use crate::client::error::{Fault, Timeout};
use crate::client::inbound_ids;
use crate::client::inbox::Phase;
use crate::client::parts::Parts;
use crate::client::timers::{Note, Timer};
use crate::client::work::State;

/// How long nothing must have come, in ms, before a client that takes in nothing more ends the connection.
const REFUSING_SILENCE: u32 = 1_000;

impl<C: Config> Parts<'_, C> {
    /// Time has passed.
    #[inline]
    pub(super) fn clock(&mut self, now: Instant) {
        let work = &mut *self.work;
        // Nobody may have looked at the clock for long before CONNECT left.
        if work.notes.has(Note::SENT_PACKET) && work.link.silence != 0 && work.link.is_accepted {
            work.timers.keep(Timer::SendSilence, true, true, work.link.silence);
        }
        if work.timers.pass(now) {
            work.notes.add(Note::CHANGED);
        }
    }

    /// Lets run what has to, and finds out what is due.
    ///
    /// Where nothing is noted, the state is as it was, and so are the countdowns; one that is due is noted.
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

    /// Which countdowns run, and which begin anew.
    pub(super) fn watch(&mut self) {
        let has_output = self.has_output();
        let config = self.config();
        let Parts { work, outbox, answers, ids, .. } = self;
        let (link, inbox, notes, timers) = (&work.link, &work.inbox, work.notes, &mut work.timers);
        let received = notes.has(Note::RECEIVED);
        // What is awaited cannot come before a packet that is on its way.
        let arrives = received && inbox.is_inside_packet();
        // Nor be read while that is blocked.
        let reads = !inbox.is_blocked;

        let speaks = link.silence != 0 && !inbox.holds_connect && !link.is_output_lost && !link.is_ping_due;
        timers.keep(Timer::SendSilence, speaks, false, link.silence);
        if config.ping_on_silence() {
            let listens = speaks && link.is_accepted && !link.is_ping_awaited;
            timers.keep(Timer::ReceiveSilence, listens, received, link.silence);
        }
        if config.pingresp_timeout_ms() != 0 {
            // It counts from the end of PINGREQ, and the next PINGREQ changes nothing.
            let has_left = !link.is_ping_due || timers.runs(Timer::PingResp);
            let waits = link.is_ping_awaited && has_left && reads;
            // Bytes tell that the link lives: PINGRESP may stand behind more of them than were read yet.
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
            // An identifier had no place: once all that is owed has left, and nothing can come that makes room, this is the end.
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

    /// Sends all requests again that wait for an answer, if it is time to and all of them have left.
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
        // The countdown begins anew.
        work.notes.add(Note::CHANGED);
        work.timers.keep(Timer::Retry, false, false, 0);
    }
}
