//! Time: which countdowns run, which of them begin anew, and what is due. All of it follows from the state, here and nowhere else.
//!
//! A timeout counts from the first look at the clock after its cause, keep alive from the last one before: neither comes too
//! early for its purpose.

use crate::Instant;
use crate::client::config::Config;
use crate::client::error::{Error, Timeout};
use crate::client::inbound_ids;
use crate::client::inbox::Phase;
use crate::client::parts::Whole;
use crate::client::timers::{Note, Timer};
use crate::client::work::State;

/// How long before the end of the keep alive PINGREQ leaves at the most, in ms.
const MOST_MARGIN: u32 = 5_000;

/// How long nothing must have come, in ms, before a client that takes in nothing more ends the connection.
const REFUSING_SILENCE: u32 = 1_000;

/// After how many ms of silence PINGREQ is due, so that it has left before the keep alive has passed (MQTT-3.1.2-23).
fn silence(keep_alive: u16) -> u32 {
    let ms = u32::from(keep_alive).wrapping_mul(1_000);
    let quarter = ms >> 2;
    ms.saturating_sub(if quarter < MOST_MARGIN { quarter } else { MOST_MARGIN })
}

impl<C: Config> Whole<'_, C> {
    /// Time has passed.
    #[inline]
    pub(super) fn clock(&mut self, now: Instant) {
        let work = &mut *self.out.work;
        let keep_alive = work.link.keep_alive;
        if work.timers.is_noted(Note::SENT_PACKET) && keep_alive != 0 && work.link.state != State::Offline {
            work.timers.keep(Timer::SendSilence, true, true, silence(keep_alive));
        }
        work.timers.pass(now);
    }

    /// Lets run what has to, and finds out what is due.
    ///
    /// Where nothing is noted, the state is as it was, and so are the countdowns.
    #[inline]
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        if self.out.work.timers.has_notes() || self.out.work.timers.any_is_due() {
            self.settle_all()?;
        }
        Ok(())
    }

    fn settle_all(&mut self) -> Result<(), Error> {
        self.watch_silence();
        self.watch_answers();
        self.watch_output();
        self.out.work.timers.clear_notes();
        self.check_timeouts()?;
        self.ping_if_due();
        self.retry_if_due();
        Ok(())
    }

    /// Keep alive, and PINGRESP.
    fn watch_silence(&mut self) {
        let has_output = self.has_output();
        let config = self.out.config;
        let work = &mut *self.out.work;
        let (link, timers) = (&work.link, &mut work.timers);
        let silence = silence(link.keep_alive);
        let alive = link.state != State::Offline
            && silence != 0
            && !work.inbox.holds_connect
            && !link.is_output_lost
            && !link.is_ping_due;
        timers.keep(Timer::SendSilence, alive, false, silence);
        let received = timers.is_noted(Note::RECEIVED);
        if config.ping_on_silence() {
            let listens = alive && link.is_accepted && !link.is_ping_awaited;
            timers.keep(Timer::ReceiveSilence, listens, received, silence);
        }
        if config.pingresp_timeout_ms() != 0 {
            // It cannot come before a packet that is on its way, nor be read while that is blocked.
            // It counts from the end of PINGREQ, and the next PINGREQ changes nothing.
            let has_left = !link.is_ping_due || timers.runs(Timer::PingResp);
            let waits = link.is_ping_awaited && has_left && !work.inbox.is_blocked;
            let anew = received && work.inbox.is_inside_packet();
            timers.keep(Timer::PingResp, waits, anew, config.pingresp_timeout_ms());
        }
        if config.connack_timeout_ms() != 0 {
            timers.keep(
                Timer::ConnAck,
                link.state != State::Offline && !link.is_accepted,
                false,
                config.connack_timeout_ms(),
            );
        }
        if config.stall_timeout_ms() != 0 {
            let sent = timers.is_noted(Note::SENT);
            timers.keep(Timer::Stall, has_output, sent, config.stall_timeout_ms());
        }
    }

    /// The answers that the client waits for.
    fn watch_answers(&mut self) {
        let config = self.out.config;
        let work = &mut *self.out.work;
        let (inbox, timers) = (&work.inbox, &mut work.timers);
        let arrives = timers.is_noted(Note::RECEIVED) && (inbox.is_inside_packet() || inbox.is_refusing);
        let anew = timers.is_noted(Note::OLDEST) || arrives;
        let closing =
            work.link.is_output_lost || (work.link.state == State::Closing && !work.link.is_finishing);
        let waits = self.out.outbox.is_waiting() && !inbox.is_blocked && !closing;
        if inbox.is_refusing {
            timers.keep(Timer::Ack, true, anew, REFUSING_SILENCE);
        } else if config.ack_timeout_ms() != 0 {
            timers.keep(Timer::Ack, waits, anew, config.ack_timeout_ms());
        }
        if config.retry_ms() != 0 {
            let ms = config.retry_ms().saturating_mul(1_u32.wrapping_shl(work.link.retries.min(16).into()));
            timers.keep(Timer::Retry, waits, timers.is_noted(Note::OLDEST), ms);
        }
    }

    fn watch_output(&mut self) {
        // An identifier had no place: once all that is owed has left, and nothing can come that makes room, this is the end.
        let work = &mut *self.out.work;
        let done = work.inbox.is_refusing && work.inbox.large.phase == Phase::None;
        if done && self.out.answers.is_empty() && inbound_ids::is_empty(self.out.ids) {
            work.timers.keep(Timer::Ack, true, true, 0);
        }
    }

    fn check_timeouts(&self) -> Result<(), Error> {
        let work = &*self.out.work;
        let due = |timer| work.timers.is_due(timer);
        if work.inbox.is_refusing && due(Timer::Ack) {
            return Err(Error::InboundFull);
        }
        let timeout = if due(Timer::ConnAck) {
            Timeout::ConnAck
        } else if due(Timer::PingResp) {
            Timeout::PingResp
        } else if due(Timer::Stall) {
            Timeout::Stall
        } else if due(Timer::Ack) {
            Timeout::Ack
        } else {
            return Ok(());
        };
        Err(Error::TimedOut(timeout))
    }

    /// PINGREQ waits to be sent if one direction was silent for too long.
    fn ping_if_due(&mut self) {
        let work = &mut *self.out.work;
        let silent = work.timers.is_due(Timer::SendSilence) || work.timers.is_due(Timer::ReceiveSilence);
        if silent && !work.link.is_ping_due {
            debug!("MQTT: PINGREQ");
            work.link.is_ping_due = true;
            self.watch_silence();
        }
    }

    /// Sends all requests again that wait for an answer, if it is time to and all of them have left.
    fn retry_if_due(&mut self) {
        let config = self.out.config;
        let work = &mut *self.out.work;
        if config.retry_ms() == 0 || !work.timers.is_due(Timer::Retry) {
            return;
        }
        if self.out.outbox.is_repeatable() && work.link.state == State::Connected {
            debug!("MQTT: no answers, so everything is sent again");
            work.link.retries = work.link.retries.saturating_add(1);
            self.out.outbox.open(config.mqtt31() && work.link.mqtt31);
        }
        // The countdown begins anew.
        work.timers.note(Note::CHANGED);
        work.timers.keep(Timer::Retry, false, false, 0);
    }
}
