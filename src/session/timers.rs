//! When something must happen: one table of points in time for a connection, none for a message.

use crate::Instant;

/// What a point in time is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Nothing was sent for the keep alive time.
    SendSilence,
    /// Nothing was received for the keep alive time.
    ReceiveSilence,
    /// PINGRESP is due.
    PingResp,
    /// CONNACK is due.
    ConnAck,
    /// Output has to move on.
    Stall,
    /// The oldest request has to be answered.
    Ack,
    /// Requests are sent again.
    Retry,
}

/// How many there are.
const TIMERS: usize = 7;

/// Points in time, one for each [`Timer`].
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    at: [Instant; TIMERS],
}

const OFF: Instant = Instant::from_millis(u64::MAX);

impl Timers {
    pub(crate) const fn new() -> Self {
        Timers { at: [OFF; TIMERS] }
    }

    /// Sets a timer; 0 ms turns it off.
    #[inline]
    pub(crate) fn set(&mut self, timer: Timer, now: Instant, ms: u32) {
        self.put(timer, if ms == 0 { OFF } else { now.after(ms) });
    }

    #[inline]
    pub(crate) fn stop(&mut self, timer: Timer) {
        self.put(timer, OFF);
    }

    #[inline]
    fn put(&mut self, timer: Timer, at: Instant) {
        if let Some(slot) = self.at.get_mut(timer as usize) {
            *slot = at;
        }
    }

    #[inline]
    fn get(&self, timer: Timer) -> Instant {
        self.at.get(timer as usize).copied().unwrap_or(OFF)
    }

    #[inline]
    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.get(timer) != OFF
    }

    #[inline]
    pub(crate) fn is_due(&self, timer: Timer, now: Instant) -> bool {
        self.is_set(timer) && self.get(timer) <= now
    }

    /// When this timer is due, if it is set.
    pub(crate) fn at(&self, timer: Timer) -> Option<Instant> {
        Some(self.get(timer)).filter(|at| *at != OFF)
    }

    /// The next point in time, of this timer and those after it, if any of them is set.
    #[inline]
    pub(crate) fn next(&self, first: Timer) -> Option<Instant> {
        self.at.iter().skip(first as usize).copied().min().filter(|at| *at != OFF)
    }
}
