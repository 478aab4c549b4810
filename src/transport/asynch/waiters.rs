//! Who waits for what: the runner, tasks that wait for room, and tasks that wait for the end of a message.

use core::task::Waker;

use crate::transport::WaitError;
use crate::{Event, PacketId};

/// Tasks that wait. There is room for `N` of a kind; where that is taken, all are woken, and look again.
pub(super) struct Waiters<const N: usize> {
    runner: Option<Waker>,
    room: [Option<Waker>; N],
    ends: [End; N],
}

/// What a task knows of the message whose end it waits for.
enum End {
    /// Nobody waits here.
    Free,
    /// Somebody is about to publish.
    Reserved,
    Waits(PacketId, Option<Waker>),
    Told(Result<(), WaitError>),
}

/// A place among those who wait for an end.
#[derive(Clone, Copy)]
pub(super) struct Place(usize);

impl<const N: usize> Waiters<N> {
    pub(super) const NEW: Self = {
        assert!(N > 0, "somebody has to have a place");
        Waiters { runner: None, room: [const { None }; N], ends: [const { End::Free }; N] }
    };

    /// The runner is asleep.
    pub(super) fn runner_waits(&mut self, waker: &Waker) {
        match &mut self.runner {
            Some(runner) => runner.clone_from(waker),
            runner => *runner = Some(waker.clone()),
        }
    }

    /// The runner is to look around.
    pub(super) fn wake_runner(&mut self) {
        self.runner.take().into_iter().for_each(Waker::wake);
    }

    /// A task waits until there may be room.
    pub(super) fn waits_for_room(&mut self, waker: &Waker) {
        let is_here = |place: &Option<Waker>| place.as_ref().is_some_and(|known| known.will_wake(waker));
        if self.room.iter().any(is_here) {
            return;
        }
        match self.room.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(waker.clone()),
            // More than there are places: they take turns.
            None => {
                self.wake_room();
                if let Some(place) = self.room.first_mut() {
                    *place = Some(waker.clone());
                }
            }
        }
    }

    /// There may be room.
    pub(super) fn wake_room(&mut self) {
        self.room.iter_mut().filter_map(Option::take).for_each(Waker::wake);
    }

    /// A place for somebody who will wait for an end, if there is one.
    pub(super) fn reserve(&mut self) -> Option<Place> {
        let at = self.ends.iter().position(|end| matches!(end, End::Free))?;
        *self.ends.get_mut(at)? = End::Reserved;
        Some(Place(at))
    }

    /// From now on this message is waited for.
    pub(super) fn watch(&mut self, Place(at): Place, id: PacketId) {
        if let Some(end) = self.ends.get_mut(at) {
            *end = End::Waits(id, None);
        }
    }

    /// The end, if it has come.
    pub(super) fn end(&mut self, Place(at): Place, waker: &Waker) -> Option<Result<(), WaitError>> {
        match self.ends.get_mut(at)? {
            End::Told(result) => Some(*result),
            End::Waits(_, waits) => {
                *waits = Some(waker.clone());
                None
            }
            End::Free | End::Reserved => None,
        }
    }

    pub(super) fn release(&mut self, Place(at): Place) {
        if let Some(end) = self.ends.get_mut(at) {
            *end = End::Free;
        }
    }

    /// Tells an end to whoever waits for it.
    pub(super) fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Published { id, .. } => self.tell(*id, Ok(())),
            Event::Ended { id, outcome } => self.tell(*id, Err(WaitError::Ended(*outcome))),
            _ => {}
        }
    }

    fn tell(&mut self, ended: PacketId, result: Result<(), WaitError>) {
        for end in &mut self.ends {
            if let End::Waits(id, waker) = end
                && *id == ended
            {
                let waker = waker.take();
                *end = End::Told(result);
                waker.into_iter().for_each(Waker::wake);
            }
        }
    }

    /// What is not under way any more, and was not told of, was given up or dropped in silence.
    pub(super) fn keep(&mut self, mut is_under_way: impl FnMut(PacketId) -> bool) {
        for at in 0..N {
            if let Some(End::Waits(id, _)) = self.ends.get(at)
                && !is_under_way(*id)
            {
                self.tell(*id, Err(WaitError::GivenUp));
            }
        }
    }

    /// There will be no end any more: who waits looks for itself.
    pub(super) fn wake_all(&mut self) {
        self.wake_room();
        for end in &mut self.ends {
            if let End::Waits(_, waker) = end {
                waker.take().into_iter().for_each(Waker::wake);
            }
        }
    }
}
