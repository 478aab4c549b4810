//! How tasks share a client.

use core::cell::RefCell;

/// How tasks share a client: [`OneThread`] or [`Threads`]. There are no others.
pub trait Sharing: sealed::Sealed {
    /// The cell that holds a value.
    type Cell<V>: SharedCell<V>;
}

mod sealed {
    pub trait Sealed {}
}

/// Holds a value that one caller at a time can access.
pub trait SharedCell<V> {
    /// A cell that holds this value.
    fn new(value: V) -> Self;

    /// Calls `f` with the value. Returns `None`, without calling `f`, if `with` is called from within `f`.
    fn with<T>(&self, f: impl FnOnce(&mut V) -> T) -> Option<T>;

    /// Returns the value.
    fn into_inner(self) -> V;
}

/// All tasks run on one thread, as in embassy's executor or tokio's `current_thread` runtime.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OneThread;

impl sealed::Sealed for OneThread {}

impl Sharing for OneThread {
    type Cell<V> = RefCell<V>;
}

impl<V> SharedCell<V> for RefCell<V> {
    fn new(value: V) -> Self {
        RefCell::new(value)
    }

    fn with<T>(&self, f: impl FnOnce(&mut V) -> T) -> Option<T> {
        self.try_borrow_mut().ok().map(|mut value| f(&mut value))
    }

    fn into_inner(self) -> V {
        RefCell::into_inner(self)
    }
}

/// Tasks can run on any thread, as in tokio's default runtime.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg(feature = "std")]
pub struct Threads;

#[cfg(feature = "std")]
pub use threads::ThreadCell;

#[cfg(feature = "std")]
mod threads {
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, PoisonError};

    use super::{SharedCell, Sharing, Threads, sealed};

    impl sealed::Sealed for Threads {}

    impl Sharing for Threads {
        type Cell<V> = ThreadCell<V>;
    }

    /// A mutex that detects when a thread would wait for itself.
    #[derive(Debug)]
    pub struct ThreadCell<V> {
        /// The thread that holds the lock; 0 if there is none.
        inside: AtomicUsize,
        value: Mutex<V>,
    }

    impl<V> SharedCell<V> for ThreadCell<V> {
        fn new(value: V) -> Self {
            ThreadCell { inside: AtomicUsize::new(0), value: Mutex::new(value) }
        }

        fn with<T>(&self, f: impl FnOnce(&mut V) -> T) -> Option<T> {
            // A thread sees what it has stored itself, and no other thread stores its number.
            if self.inside.load(Ordering::Relaxed) == this_thread() {
                return None;
            }
            // No call leaves the value half changed, even if a handler panics.
            let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
            self.inside.store(this_thread(), Ordering::Relaxed);
            let _leaves = Leaves(&self.inside);
            Some(f(&mut value))
        }

        fn into_inner(self) -> V {
            self.value.into_inner().unwrap_or_else(PoisonError::into_inner)
        }
    }

    struct Leaves<'a>(&'a AtomicUsize);

    impl Drop for Leaves<'_> {
        fn drop(&mut self) {
            self.0.store(0, Ordering::Relaxed);
        }
    }

    /// A number that is unique among living threads.
    fn this_thread() -> usize {
        std::thread_local!(static PLACE: u8 = const { 0 });
        PLACE.with(|place| core::ptr::from_ref(place).addr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_shut_from_within<S: Sharing>() {
        let cell = <S::Cell<u8> as SharedCell<u8>>::new(1);
        assert_eq!(cell.with(|_| cell.with(|_| ())), Some(None));
        assert_eq!(cell.with(|value| core::mem::replace(value, 7)), Some(1), "and open again");
        assert_eq!(cell.into_inner(), 7);
    }

    #[test]
    fn a_nested_call_is_refused() {
        is_shut_from_within::<OneThread>();
        #[cfg(feature = "std")]
        is_shut_from_within::<Threads>();
    }

    #[cfg(feature = "std")]
    #[test]
    fn threads_exclude_each_other_and_survive_a_panic() {
        let cell = <Threads as Sharing>::Cell::new(0);
        std::thread::scope(|scope| {
            let panics = scope.spawn(|| cell.with(|_| panic!("on purpose")));
            assert!(panics.join().is_err());
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|_| cell.with(|count| *count += 1).unwrap()));
            }
        });
        assert_eq!(cell.into_inner(), 4_000);
    }
}
