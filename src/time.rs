//! Points in time, as arguments of calls: the library never reads a clock.

/// A point in time: the milliseconds of any clock, in 32 bits that wrap after 49.7 days.
///
/// A 32-bit millisecond counter can be used directly; for a longer one, use the low 32 bits. Only differences matter. If the clock
/// stands still or steps back, no time has passed; if it jumps forward, timeouts are early. A step of more
/// than half the range, 24.8 days, is indistinguishable from a step back. Therefore points in time have no order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u32);

impl Instant {
    /// The point in time at which the clock shows `ms` milliseconds.
    #[inline]
    #[must_use]
    pub const fn from_millis(ms: u32) -> Self {
        Instant(ms)
    }

    /// The time that the clock shows, in milliseconds.
    #[inline]
    #[must_use]
    pub const fn as_millis(self) -> u32 {
        self.0
    }

    /// The point in time `ms` milliseconds later.
    #[inline]
    #[must_use]
    pub const fn after(self, ms: u32) -> Self {
        Instant(self.0.wrapping_add(ms))
    }

    /// Milliseconds from `earlier` to this point; 0 if that would be a step back.
    #[inline]
    #[must_use]
    pub const fn since(self, earlier: Instant) -> u32 {
        let passed = self.0.wrapping_sub(earlier.0);
        if passed > i32::MAX as u32 { 0 } else { passed }
    }
}
