//! What hangs on time: keep alive, time-outs of output and answers, timed retry.

use super::link::State;
use super::outbound::{Outbound, Parts};
use super::output::Source;
use crate::Instant;
use crate::codec::{PacketType, Version};
use crate::session::timers::Timer;

const PINGREQ: [u8; 2] = [PacketType::PingReq.first_byte(), 0];

impl Outbound<'_> {
    /// Queues PINGREQ if one direction was silent for the keep alive time.
    pub(super) fn ping_if_due(&mut self, now: Instant) {
        if self.link.state != State::Connected || !self.link.ping_is_due(now) {
            return;
        }
        self.link.timers.stop(Timer::SendSilence);
        self.link.timers.stop(Timer::ReceiveSilence);
        if !self.link.ping_queued {
            debug!("MQTT: PINGREQ");
            self.link.ping_queued = true;
            let Parts { control, control_bytes, .. } = self.parts();
            control.push(control_bytes, &PINGREQ);
        }
    }

    /// Keeps the time-out of output: it runs while there is some, and begins anew with each byte that leaves.
    pub(super) fn watch_output(&mut self, now: Instant, progress: bool) {
        if self.source() == Source::None {
            self.link.timers.stop(Timer::Stall);
        } else if progress || !self.link.timers.is_set(Timer::Stall) {
            self.link.timers.set(Timer::Stall, now, self.link.options.timeouts.stall_ms);
        }
    }

    /// Keeps the time-out of answers: it runs for the oldest request once that is sent.
    pub(super) fn watch_answers(&mut self, now: Instant, oldest_changed: bool) {
        if !self.queues.marks.is_waiting() {
            self.link.timers.stop(Timer::Ack);
            self.link.timers.stop(Timer::Retry);
        } else if oldest_changed || !self.queues.marks.is_watched {
            self.link.timers.set(Timer::Ack, now, self.link.options.timeouts.ack_ms);
            self.link.retry_ms = self.link.options.retry.after_ms(self.link.version);
            self.link.timers.set(Timer::Retry, now, self.link.retry_ms);
        }
        self.queues.marks.is_watched = self.queues.marks.is_waiting();
    }

    /// Sends all requests again that wait for an answer, if it is time to and all of them have left.
    pub(super) fn retry_if_due(&mut self, now: Instant) {
        if !self.link.timers.is_due(Timer::Retry, now) {
            return;
        }
        let idle = self.source() == Source::None && self.queues.marks.is_sent();
        if !idle || self.link.state != State::Connected {
            self.link.timers.set(Timer::Retry, now, self.link.retry_ms);
            return;
        }
        debug!("MQTT: no answers, so everything is sent again");
        self.link.retry_ms = self.link.retry_ms.saturating_mul(2);
        self.link.timers.set(Timer::Retry, now, self.link.retry_ms);
        let dup = self.link.version == Version::Mqtt31;
        self.arena().retry(dup);
        self.session.send_again();
        self.watch_output(now, false);
    }
}
