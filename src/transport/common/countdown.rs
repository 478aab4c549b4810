//! How much is left of the time that the application is willing to wait.

use core::time::Duration;

use crate::Instant;

/// A countdown on a clock that may wrap, stand still or step back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Countdown {
    /// Milliseconds; `None` for a wait without limit.
    left: Option<u32>,
    seen: Instant,
}

impl Countdown {
    pub(crate) fn new(timeout: Option<Duration>, now: Instant) -> Self {
        // Rounded up, so that a wait of half a millisecond does not end at once.
        let ms = |timeout: Duration| {
            let ms = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
            let is_more = Duration::from_millis(ms.into()) < timeout;
            ms.saturating_add(is_more.into())
        };
        Countdown { left: timeout.map(ms), seen: now }
    }

    /// Lets time pass.
    pub(crate) fn elapse(&mut self, now: Instant) {
        let passed = now.since(self.seen);
        self.seen = now;
        self.left = self.left.map(|left| left.saturating_sub(passed));
    }

    /// Lets time pass. Returns the milliseconds that are left; `None` for a wait without limit.
    pub(crate) fn left(&mut self, now: Instant) -> Option<u32> {
        self.elapse(now);
        self.left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_in_time_whatever_the_clock_does() {
        for start in [0, 1_000, u32::MAX - 400, u32::MAX, u32::MAX / 2] {
            let start = Instant::from_millis(start);
            let mut countdown = Countdown::new(Some(Duration::from_secs(1)), start);
            assert_eq!(countdown.left(start.after(600)), Some(400));
            assert_eq!(countdown.left(start.after(500)), Some(400), "a step back");
            assert_eq!(countdown.left(start.after(900)), Some(0));
        }
    }

    #[test]
    fn any_timeout_is_possible() {
        let now = Instant::from_millis(7);
        let mut countdown = Countdown::new(Some(Duration::MAX), now);
        for month in 1..=2_u32 {
            let left = countdown.left(now.after(month * 1_800_000_000));
            assert_eq!(left, Some(u32::MAX - month * 1_800_000_000));
        }
        assert_eq!(Countdown::new(None, now).left(now.after(5)), None);
        assert_eq!(Countdown::new(Some(Duration::from_nanos(1)), now).left(now), Some(1));
        assert_eq!(Countdown::new(Some(Duration::ZERO), now).left(now), Some(0));
    }
}
