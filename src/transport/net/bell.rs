//! Wakes a runner.

use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A ring while the runner is busy ends its next wait.
#[derive(Debug, Default)]
pub(super) struct Bell {
    has_rung: Mutex<bool>,
    rings: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        let mut has_rung = lock(&self.has_rung);
        if !*has_rung {
            *has_rung = true;
            self.rings.notify_one();
        }
    }

    /// Waits for a ring, for at most this long; `None` for no limit.
    pub(super) fn wait(&self, most: Option<Duration>) {
        let has_rung = lock(&self.has_rung);
        let is_quiet = |has_rung: &mut bool| !*has_rung;
        let mut has_rung = match most {
            Some(most) => {
                let waited = self.rings.wait_timeout_while(has_rung, most, is_quiet);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.rings.wait_while(has_rung, is_quiet).unwrap_or_else(PoisonError::into_inner),
        };
        *has_rung = false;
    }
}

/// Ignores poisoning: no call leaves the value half changed, even if it panics.
pub(super) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_ring_before_the_wait_ends_it_once() {
        let bell = Bell::default();
        bell.ring();
        bell.ring();
        bell.wait(None);
        let started = Instant::now();
        bell.wait(Some(Duration::from_millis(20)));
        assert!(started.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn a_ring_ends_the_wait() {
        let bell = Bell::default();
        std::thread::scope(|scope| {
            scope.spawn(|| bell.wait(None));
            bell.ring();
        });
    }
}
