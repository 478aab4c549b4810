//! Time as an argument: the library never reads a clock.

/// A point in time: milliseconds since any fixed moment, most often the start of the program.
///
/// The clock should not go backwards. If it does, or stands still, or leaps forward, nothing breaks: time-outs
/// come late or early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u64);

impl Instant {
    /// The moment that all others are counted from.
    pub const ZERO: Instant = Instant(0);

    /// The point in time `ms` milliseconds after [`ZERO`](Self::ZERO).
    #[inline]
    pub const fn from_millis(ms: u64) -> Self {
        Instant(ms)
    }

    /// Milliseconds since [`ZERO`](Self::ZERO).
    #[inline]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The point in time `ms` milliseconds later; the end of time where that would overflow.
    #[inline]
    #[must_use]
    pub const fn after(self, ms: u32) -> Self {
        Instant(self.0.saturating_add(ms as u64))
    }

    /// Milliseconds from `earlier` to this point; 0 where `earlier` is later.
    #[inline]
    pub const fn since(self, earlier: Instant) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
