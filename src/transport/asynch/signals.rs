//! What the runner, its handler, and the tasks tell each other.

use core::task::Waker;

use super::Handle;
use super::cell::{SharedCell, Sharing};
use super::waiters::{AckResult, Waiters, replace};
use crate::transport::{HandleError, WaitError};
use crate::{Client, Config, Event, PacketId};

/// What the runner, its handler, and the tasks tell each other.
///
/// These are in a cell of their own, next to the client's, because a future can be dropped while the client is in use: by a handler, or
/// by waking or dropping the last waker of its task. The rule for this cell is that no such code runs while it is borrowed, so it is never
/// refused. The client's cell is always borrowed first.
pub(super) struct Signals<const N: usize> {
    pub(super) waiters: Waiters<N>,
    pub(super) phase: Phase,
    pub(super) is_stopping: bool,
    pub(super) is_woken: bool,
}

/// How far the runner has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// There was none yet.
    None,
    /// A stream is being opened, or the next attempt is waited for.
    Opening,
    /// There is a link. Its future is the one that waits.
    Linked,
    /// The link has ended, and its stream is being closed.
    Closing,
    /// It has ended.
    Over,
}

impl<const N: usize> Signals<N> {
    pub(super) const NEW: Self =
        Signals { waiters: Waiters::NEW, phase: Phase::None, is_stopping: false, is_woken: false };
}

impl<R, T, C, I, S: Sharing, const N: usize> Handle<R, T, C, I, S, N> {
    pub(super) fn signals<V>(&self, f: impl FnOnce(&mut Signals<N>) -> V) -> Option<V> {
        self.signals.with(f)
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.signals(|signals| signals.is_stopping) == Some(true)
    }

    pub(super) fn is_woken(&self) -> bool {
        self.signals(|signals| signals.is_woken) == Some(true)
    }

    /// Whether the handler is to be called; clears the request.
    pub(super) fn take_wake(&self) -> bool {
        self.signals(|signals| core::mem::take(&mut signals.is_woken)) == Some(true)
    }

    /// A runner begins; returns whether it is the only one.
    pub(super) fn begins(&self) -> bool {
        let begin = |signals: &mut Signals<N>| {
            let is_first = matches!(signals.phase, Phase::None | Phase::Over);
            if is_first {
                signals.phase = Phase::Opening;
            }
            is_first
        };
        self.signals(begin) == Some(true)
    }

    /// Enters another phase; returns the one before.
    pub(super) fn enter(&self, phase: Phase) -> Option<Phase> {
        self.signals(|signals| core::mem::replace(&mut signals.phase, phase))
    }

    pub(super) fn is_in(&self, phase: Phase) -> bool {
        self.signals(|signals| signals.phase == phase) == Some(true)
    }

    /// The runner is asleep.
    pub(super) fn runner_waits(&self, waker: &Waker) {
        let replaced = self.signals(|signals| replace(&mut signals.waiters.runner, waker));
        drop(replaced);
    }

    /// Wakes the runner.
    pub(super) fn wake_runner(&self) {
        let runner = self.signals(|signals| signals.waiters.runner.take());
        runner.flatten().into_iter().for_each(Waker::wake);
    }

    /// Wakes the tasks that wait for room: there may be some.
    pub(super) fn wake_room(&self) {
        self.wake_each(Waiters::next_for_room);
    }

    /// Ends the waits for those messages that have a result.
    pub(super) fn end_waits(&self, mut result: impl FnMut(PacketId) -> Option<AckResult>) {
        self.wake_each(|waiters, from| waiters.next_end(from, &mut result));
    }

    /// Wakes tasks, one after the other.
    fn wake_each(&self, mut next: impl FnMut(&mut Waiters<N>, &mut usize) -> Option<Waker>) {
        let mut from = 0;
        while let Some(waker) = self.signals(|signals| next(&mut signals.waiters, &mut from)).flatten() {
            waker.wake();
        }
    }

    /// Reports the end of a message to the task that waits for it.
    pub(super) fn note(&self, event: &Event<'_>) {
        let (ended, result) = match event {
            Event::Published { id, .. } => (*id, Ok(())),
            Event::Ended { id, outcome } => (*id, Err(WaitError::Ended(*outcome))),
            _ => return,
        };
        self.end_waits(|id| (id == ended).then_some(result.map_err(HandleError::Refused)));
    }
}

impl<R, T, C, I, S: Sharing, const N: usize> Handle<R, T, C, I, S, N>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Informs tasks that wait for messages that are no longer under way, although no event has said so: they were given up, or dropped
    /// silently.
    pub(super) fn keep_waiters(&self, client: &Client<R, T, C, I>) {
        let is_gone = |id| !client.under_way().any(|request| request.id == id);
        self.end_waits(|id| is_gone(id).then_some(Err(WaitError::GivenUp.into())));
    }

    /// A handler has returned that was called at this revision, or a link has ended: informs the tasks that wait.
    pub(super) fn handled(&self, client: &Client<R, T, C, I>, revision: u32) {
        // A message can only have been given up in that case.
        if client.revision() != revision || !client.config().reports_loss() {
            self.keep_waiters(client);
        }
        self.wake_room();
    }
}
