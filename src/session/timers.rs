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

/// Points in time, one for each [`Timer`], in ms; 0 where it is off.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    at: [u64; TIMERS],
    /// What time it is, by the call that is at work.
    now: u64,
}

impl Timers {
    pub(crate) const NEW: Self = Timers { at: [0; TIMERS], now: 0 };

    /// Turns all of them off.
    pub(crate) fn clear(&mut self) {
        self.at = [0; TIMERS];
    }

    /// It is so late.
    pub(crate) fn set_now(&mut self, now: Instant) {
        self.now = now.as_millis();
    }

    /// Sets a timer; 0 ms turns it off, and so does what lies behind the end of time.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))] // one copy of it, where flash is small
    pub(crate) fn set(&mut self, timer: Timer, ms: u32) {
        let at = self.now.checked_add(u64::from(ms)).unwrap_or(0);
        self.put(timer, if ms == 0 { 0 } else { at });
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.put(timer, 0);
    }

    fn put(&mut self, timer: Timer, at: u64) {
        if let Some(slot) = self.at.get_mut(timer as usize) {
            *slot = at;
        }
    }

    fn get(&self, timer: Timer) -> u64 {
        self.at.get(timer as usize).copied().unwrap_or(0)
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.get(timer) != 0
    }

    pub(crate) fn is_due(&self, timer: Timer) -> bool {
        self.is_set(timer) && self.get(timer) <= self.now
    }

    /// When this timer is due, if it is set.
    pub(crate) fn at(&self, timer: Timer) -> Option<Instant> {
        self.is_set(timer).then(|| Instant::from_millis(self.get(timer)))
    }

    /// The next point in time, of this timer and those after it, if any of them is set.
    pub(crate) fn next(&self, first: Timer) -> Option<Instant> {
        let mut next: u64 = 0;
        for &at in self.at.get(first as usize..).unwrap_or_default() {
            // An earlier one; 0 wraps around to the end of time.
            if at.wrapping_sub(1) < next.wrapping_sub(1) {
                next = at;
            }
        }
        (next != 0).then(|| Instant::from_millis(next))
    }
}
