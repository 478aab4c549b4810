//! What a runner and its handles share.

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
use crate::transport::driver::Driver;
use crate::{Client, Instant, PacketId};

/// How a message has ended that somebody waits for.
pub(super) type End = Result<(), WaitError>;

pub(super) struct Shared<R, T, C, I> {
    state: Mutex<State<R, T, C, I>>,
    /// There may be room now, or the runner has ended.
    moved: Condvar,
    /// There is something to be done for the runner.
    pub(super) bell: Arc<Bell>,
    is_stopped: AtomicBool,
    /// The handler is to be called.
    is_woken: AtomicBool,
    /// The thread that runs it. While a handler is called, the lock is that thread's.
    runner: Mutex<Option<ThreadId>>,
    epoch: Clock,
}

/// The client and what belongs to it, which one thread has at a time.
pub(super) type Locked<'a, R, T, C, I> = MutexGuard<'a, State<R, T, C, I>>;

pub(super) struct State<R, T, C, I> {
    pub(super) driver: Driver<io::Error, R, T, C, I>,
    /// Who waits for the end of which message.
    pub(super) ends: HashMap<PacketId, SyncSender<End>>,
    /// How many threads wait for room.
    waiting: usize,
    /// The handler has failed.
    pub(super) has_failed: bool,
    /// There is no runner any more.
    is_over: bool,
}

impl<R, T, C, I> Shared<R, T, C, I> {
    pub(super) fn new(client: Client<R, T, C, I>) -> Self {
        let state = State {
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
            epoch: Clock::now(),
        }
    }

    pub(super) fn lock(&self) -> Locked<'_, R, T, C, I> {
        lock(&self.state)
    }

    pub(super) fn now(&self) -> Instant {
        since(self.epoch)
    }

    /// This thread runs it from now on.
    pub(super) fn begin(&self) {
        *lock(&self.runner) = Some(thread::current().id());
    }

    pub(super) fn is_runner(&self) -> bool {
        *lock(&self.runner) == Some(thread::current().id())
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

    /// Whether the handler is to be called; not again, then.
    pub(super) fn take_wake(&self) -> bool {
        self.is_woken.swap(false, Ordering::AcqRel)
    }

    /// Nothing comes to an end any more: nobody waits for it.
    pub(super) fn end(&self) {
        *lock(&self.runner) = None;
        self.stop();
        let mut state = self.lock();
        state.is_over = true;
        state.ends.clear();
        self.moved.notify_all();
    }

    /// Something has left or ended.
    pub(super) fn has_moved(&self, state: &State<R, T, C, I>) {
        if state.waiting > 0 {
            self.moved.notify_all();
        }
    }

    /// Waits until there may be room, or it is too late for that.
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

impl<R, T, C, I> State<R, T, C, I> {
    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// This one is told how the message ends.
    pub(super) fn wait_for(&mut self, id: PacketId, sender: SyncSender<End>) {
        self.ends.insert(id, sender);
    }

    /// It is not waited for any more.
    pub(super) fn forget(&mut self, id: PacketId) {
        self.ends.remove(&id);
    }

    /// Tells who waits for this message.
    pub(super) fn ended(&mut self, id: PacketId, end: End) {
        if let Some(sender) = self.ends.remove(&id) {
            // It may have waited long enough.
            let _ = sender.send(end);
        }
    }
}
