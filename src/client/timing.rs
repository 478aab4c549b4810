//! What hangs on time: keep alive, time-outs of output and answers, timed retry.

use super::link::State;
use super::outbound::Outbound;
use super::redelivery::Restart;
use crate::codec::PacketType;
use crate::session::timers::Timer;

const PINGREQ: [u8; 2] = [PacketType::PingReq.first_byte(), 0];

impl Outbound<'_> {
    /// Queues PINGREQ if one direction was silent for the keep alive time.
    pub(super) fn ping_if_due(&mut self) {
        if self.inner.link.state != State::Connected || !self.inner.ping_is_due() {
            return;
        }
        self.inner.timers.stop(Timer::SendSilence);
        self.inner.timers.stop(Timer::ReceiveSilence);
        if !self.inner.link.ping_queued {
            debug!("MQTT: PINGREQ");
            self.inner.link.ping_queued = true;
            self.push_control(&PINGREQ);
        }
    }

    /// Keeps the time-out of output: it runs while there is some, and begins anew with each byte that leaves.
    pub(super) fn watch_output(&mut self, progress: bool) {
        if !self.has_output() {
            self.inner.timers.stop(Timer::Stall);
        } else if progress || !self.inner.timers.is_set(Timer::Stall) {
            self.inner.timers.set(Timer::Stall, self.inner.options.timeouts.stall_ms);
        }
    }

    /// Keeps the time-out of answers: it runs for the oldest request once that is sent.
    pub(super) fn watch_answers(&mut self, oldest_changed: bool) {
        // Before CONNACK, what is kept has not left.
        let waits = self.inner.link.accepted && self.inner.queue.is_waiting();
        if !waits {
            self.inner.timers.stop(Timer::Ack);
            self.inner.timers.stop(Timer::Retry);
        } else if oldest_changed || !self.inner.queue.is_watched {
            self.inner.timers.set(Timer::Ack, self.inner.options.timeouts.ack_ms);
            self.inner.link.retry_ms = self.inner.options.retry.after_ms(self.inner.link.version);
            self.inner.timers.set(Timer::Retry, self.inner.link.retry_ms);
        }
        self.inner.queue.is_watched = waits;
    }

    /// Sends all requests again that wait for an answer, if it is time to and all of them have left.
    pub(super) fn retry_if_due(&mut self) {
        if !self.inner.timers.is_due(Timer::Retry) {
            return;
        }
        let idle = self.inner.queue.is_sent() && !self.inner.queue.is_inside_packet();
        if !idle || self.inner.link.state != State::Connected {
            self.inner.timers.set(Timer::Retry, self.inner.link.retry_ms);
            return;
        }
        debug!("MQTT: no answers, so everything is sent again");
        self.inner.link.retry_ms = self.inner.link.retry_ms.saturating_mul(2);
        self.inner.timers.set(Timer::Retry, self.inner.link.retry_ms);
        self.restart(Restart::NoAnswer);
        self.watch_output(false);
    }
}
