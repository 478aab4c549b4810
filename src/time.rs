//! Time as an argument: the library never reads a clock.

/// A point in time: milliseconds of any clock, as 32 bits that wrap around after 49.7 days.
///
/// A 32-bit tick is used as it is; of a longer one the low 32 bits are enough. What counts are differences: a clock that
/// stands still or steps back means that no time has passed, one that leaps forward that timeouts come early. A step of more
/// than half the range, 24.8 days, cannot be told from a step back. So there is no order between points in time.
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

    /// What the clock shows, in milliseconds.
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

    /// Milliseconds from `earlier` to this point; 0 where that would be a step back.
    #[inline]
    #[must_use]
    pub const fn since(self, earlier: Instant) -> u32 {
        let passed = self.0.wrapping_sub(earlier.0);
        if passed > i32::MAX as u32 { 0 } else { passed }
    }
}
