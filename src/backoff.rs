//! Delays between attempts to connect.

/// A connection that has lived for this long counts as a success, in ms.
const LONG_LIVED_MS: u32 = 60_000;

/// Delays between attempts to connect. They double with each failure up to a maximum, and have jitter.
///
/// Each delay is chosen randomly from the upper half of its range, so that a thousand clients of one server do not all reconnect at the
/// same moment.
///
/// ```
/// use baremqtt::Backoff;
///
/// let mut backoff = Backoff::new(500, 60_000).seed(0x5EED).limit(5);
/// assert!((250..=500).contains(&backoff.next_ms().unwrap()));
/// assert!((500..=1_000).contains(&backoff.next_ms().unwrap()));
/// backoff.lived(80_000); // connected, and lost after 80 s
/// assert!((250..=500).contains(&backoff.next_ms().unwrap()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Backoff {
    min_ms: u32,
    max_ms: u32,
    limit: u32,
    failures: u32,
    random: u32,
}

impl Backoff {
    /// Delays from `min_ms` up to `max_ms`, with an unlimited number of attempts.
    #[must_use]
    pub const fn new(min_ms: u32, max_ms: u32) -> Self {
        Backoff { min_ms, max_ms, limit: u32::MAX, failures: 0, random: 0x9E37_79B9 }
    }

    /// With at most `attempts` delays between two successes.
    #[must_use]
    pub const fn limit(self, attempts: u32) -> Self {
        Backoff { limit: attempts, ..self }
    }

    /// With another sequence of jitter. Give each client a different seed: a serial number, an address, or random noise.
    #[must_use]
    pub const fn seed(self, seed: u32) -> Self {
        Backoff { random: if seed == 0 { 0x9E37_79B9 } else { seed }, ..self }
    }

    /// The delay before the next attempt, in ms; `None` once the limit is reached.
    #[must_use]
    pub fn next_ms(&mut self) -> Option<u32> {
        if self.failures >= self.limit {
            return None;
        }
        let doubled = u64::from(self.min_ms).checked_shl(self.failures.min(31)).unwrap_or(u64::MAX);
        let delay = u32::try_from(doubled).unwrap_or(u32::MAX).min(self.max_ms);
        self.failures = self.failures.saturating_add(1);
        let half = delay >> 1;
        // The upper half of the product of two 32-bit numbers, which needs no division.
        let jitter = (u64::from(self.random()).wrapping_mul(u64::from(half).wrapping_add(1))) >> 32;
        Some(delay.wrapping_sub(half).wrapping_add(jitter as u32))
    }

    /// Reports that a connection, which the server had accepted, was lost after `ms` milliseconds. If it lived for at least the longest
    /// delay, or for a minute, delays start again from the shortest. A shorter connection counts as a failure. Otherwise the client would
    /// keep reconnecting at the shortest delay to a server that accepts and then closes, or while another client uses the same identifier.
    pub const fn lived(&mut self, ms: u32) {
        if ms >= self.max_ms || ms >= LONG_LIVED_MS {
            self.reset();
        }
    }

    /// Starts again from the shortest delay.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Xorshift; the state is never 0.
    fn random(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_maximum_and_start_again() {
        let mut backoff = Backoff::new(100, 1_000);
        for range in [50..=100, 100..=200, 200..=400, 400..=800, 500..=1_000, 500..=1_000] {
            let delay = backoff.next_ms().unwrap();
            assert!(range.contains(&delay), "{delay} in {range:?}");
        }
        backoff.reset();
        assert!((50..=100).contains(&backoff.next_ms().unwrap()));
    }

    #[test]
    fn only_a_long_lived_connection_is_a_success() {
        for (greatest, enough) in [(1_000, 1_000), (600_000, 60_000)] {
            let mut backoff = Backoff::new(100, greatest);
            backoff.next_ms().unwrap();
            backoff.lived(enough - 1);
            assert!(backoff.next_ms().unwrap() >= 100);
            backoff.lived(enough);
            assert!(backoff.next_ms().unwrap() <= 100);
        }
    }

    #[test]
    fn ends_at_the_limit() {
        let mut backoff = Backoff::new(1, 1).limit(2);
        assert!(backoff.next_ms().is_some() && backoff.next_ms().is_some());
        assert_eq!(backoff.next_ms(), None);
    }

    #[test]
    fn any_numbers_are_valid() {
        for (least, greatest) in [(0, 0), (u32::MAX, u32::MAX), (10, 5), (1, u32::MAX)] {
            let mut backoff = Backoff::new(least, greatest).seed(0);
            for _ in 0..100 {
                assert!(backoff.next_ms().unwrap() <= greatest);
            }
        }
    }

    /// The numbers of xorshift32 from a seed of 1.
    #[test]
    fn jitter_is_generated_by_xorshift() {
        let mut backoff = Backoff::new(1, 1).seed(1);
        for number in [270_369, 67_634_689, 2_647_435_461, 307_599_695] {
            assert_eq!(backoff.random(), number);
        }
    }

    #[test]
    fn seeds_differ() {
        let delays = |seed| {
            let mut backoff = Backoff::new(10_000, 10_000).seed(seed);
            core::array::from_fn::<_, 8, _>(|_| backoff.next_ms().unwrap())
        };
        assert_ne!(delays(1), delays(2));
        assert_eq!(delays(3), delays(3));
    }
}
