//! The state that a runner and its handles share.

use core::fmt;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant as Clock;

use super::bell::{Bell, lock};
use super::since;
use crate::transport::WaitError;
use crate::transport::common::Driver;
use crate::{Client, Instant, PacketId};

/// The end of a message that a thread waits for.
pub(super) type WaitResult = Result<(), WaitError>;

pub(super) struct Shared<R, T, C, I> {
    state: Mutex<Inner<R, T, C, I>>,
    /// Signals that there may be room, or that the runner has ended.
    moved: Condvar,
    /// Rings when there is something to do for the runner.
    pub(super) bell: Arc<Bell>,
    is_stopped: AtomicBool,
    /// The handler should be called.
    is_woken: AtomicBool,
    /// The runner's thread. It holds the lock while the handler is running.
    runner: Mutex<Option<ThreadId>>,
    /// The thread that is in the closure of [`with`](super::Handle::with), and holds the lock.
    with: Mutex<Option<ThreadId>>,
    epoch: Clock,
}

/// A thread is in the closure of [`with`](super::Handle::with).
pub(super) struct InsideWith<'a>(&'a Mutex<Option<ThreadId>>);

impl Drop for InsideWith<'_> {
    fn drop(&mut self) {
        *lock(self.0) = None;
    }
}

/// The locked client, for one thread at a time.
pub(super) type Locked<'a, R, T, C, I> = MutexGuard<'a, Inner<R, T, C, I>>;

pub(super) struct Inner<R, T, C, I> {
    pub(super) driver: Driver<io::Error, R, T, C, I>,
    /// Threads that wait for the end of a message.
    pub(super) ends: HashMap<PacketId, SyncSender<WaitResult>>,
    /// The number of threads that wait for room.
    waiting: usize,
    /// The handler has failed.
    pub(super) has_failed: bool,
    /// The runner has ended.
    is_over: bool,
}

impl<R, T, C, I> Shared<R, T, C, I> {
    pub(super) fn new(client: Client<R, T, C, I>) -> Self {
        let state = Inner {
            driver: Driver::new(client),
            ends: HashMap::new(),
            waiting: 0,
            has_failed: false,
            is_over: false,
        };
        Shared {
            state: Mutex::new(state),
            moved: Condvar::new(),
            bell: Arc::default(),
            is_stopped: AtomicBool::new(false),
            is_woken: AtomicBool::new(false),
            runner: Mutex::new(None),
            with: Mutex::new(None),
            epoch: Clock::now(),
        }
    }

    pub(super) fn lock(&self) -> Locked<'_, R, T, C, I> {
        lock(&self.state)
    }

    pub(super) fn now(&self) -> Instant {
        since(self.epoch)
    }

    /// Makes this the runner's thread.
    pub(super) fn begin(&self) {
        *lock(&self.runner) = Some(thread::current().id());
    }

    /// Whether this thread holds the lock, or may hold it.
    pub(super) fn is_inside(&self) -> bool {
        [&self.runner, &self.with].into_iter().any(|holder| *lock(holder) == Some(thread::current().id()))
    }

    /// This thread, which holds the lock, calls the closure of [`with`](super::Handle::with), until the result is dropped.
    pub(super) fn enter_with(&self) -> InsideWith<'_> {
        *lock(&self.with) = Some(thread::current().id());
        InsideWith(&self.with)
    }

    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
        self.bell.ring();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    pub(super) fn wake(&self) {
        self.is_woken.store(true, Ordering::Release);
        self.bell.ring();
    }

    /// Whether the handler should be called; clears the request.
    pub(super) fn take_wake(&self) -> bool {
        self.is_woken.swap(false, Ordering::AcqRel)
    }

    /// The runner has ended: ends all waits.
    pub(super) fn end(&self) {
        *lock(&self.runner) = None;
        self.stop();
        let mut state = self.lock();
        state.is_over = true;
        state.ends.clear();
        self.moved.notify_all();
    }

    /// Something has been sent or has ended.
    pub(super) fn has_moved(&self, state: &Inner<R, T, C, I>) {
        if state.waiting > 0 {
            self.moved.notify_all();
        }
    }

    /// Waits until there may be room, or until the deadline.
    pub(super) fn wait_for_room<'a>(
        &'a self,
        mut state: Locked<'a, R, T, C, I>,
        until: Option<Clock>,
    ) -> Locked<'a, R, T, C, I> {
        state.waiting = state.waiting.saturating_add(1);
        let mut state = match until {
            Some(until) => {
                let left = until.saturating_duration_since(Clock::now());
                self.moved.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.moved.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
        state.waiting = state.waiting.saturating_sub(1);
        state
    }
}

impl<R, T, C, I> Inner<R, T, C, I> {
    /// Whether nothing that is queued now would be sent: the runner has ended, or will.
    pub(super) const fn is_over(&self) -> bool {
        self.is_over || self.driver.client.wants_no_connection()
    }

    /// Registers `sender` for the end of the message.
    pub(super) fn wait_for(&mut self, id: PacketId, sender: SyncSender<WaitResult>) {
        self.ends.insert(id, sender);
    }

    /// The message is no longer waited for.
    pub(super) fn forget(&mut self, id: PacketId) {
        self.ends.remove(&id);
    }

    /// Reports the end of the message to the thread that waits for it.
    pub(super) fn ended(&mut self, id: PacketId, end: WaitResult) {
        if let Some(sender) = self.ends.remove(&id) {
            // That thread may have stopped waiting.
            let _ = sender.send(end);
        }
    }
}

/// The state that the handles share with their runner, as owned by the runner.
pub(super) struct Owned<R, T, C, I>(pub(super) Arc<Shared<R, T, C, I>>);

/// Ends the waits of all handles.
impl<R, T, C, I> Drop for Owned<R, T, C, I> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl<R, T, C, I> fmt::Debug for Owned<R, T, C, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("is_stopped", &self.0.is_stopped()).finish_non_exhaustive()
    }
}
