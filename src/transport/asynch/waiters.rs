//! The wakers of the runner, of tasks that wait for room, and of tasks that wait for an acknowledgement.

use core::task::Waker;
#[cfg(feature = "std")]
use std::vec::Vec;

use crate::transport::WaitError;
use crate::{Event, PacketId};

/// Waiting tasks. There are `N` places for each kind.
pub(super) struct Waiters<const N: usize> {
    runner: Option<Waker>,
    room: [Room; N],
    /// Additional places, if they are allocated.
    #[cfg(feature = "std")]
    more_room: Option<Vec<Room>>,
    ends: [Ack; N],
}

/// A place for a task that waits for room.
enum Room {
    Free,
    /// The task was woken, but has not run yet.
    Woken,
    Waits(Waker),
}

/// The state of the message whose end a task waits for.
enum Ack {
    /// The place is free.
    Free,
    /// A task is about to publish.
    Reserved,
    Waits(PacketId, Option<Waker>),
    Reported(Result<(), WaitError>),
}

/// A place of a waiting task.
#[derive(Clone, Copy)]
pub(super) struct Place(usize);

impl<const N: usize> Waiters<N> {
    pub(super) const NEW: Self = {
        assert!(N > 0, "at least one task must be able to wait");
        Waiters {
            runner: None,
            room: [const { Room::Free }; N],
            #[cfg(feature = "std")]
            more_room: None,
            ends: [const { Ack::Free }; N],
        }
    };

    /// From now on, more places for tasks that wait for room are allocated when needed.
    #[cfg(feature = "std")]
    pub(super) fn allocate(&mut self) {
        self.more_room.get_or_insert_default();
    }

    /// The runner is asleep.
    pub(super) fn runner_waits(&mut self, waker: &Waker) {
        match &mut self.runner {
            Some(runner) => runner.clone_from(waker),
            runner => *runner = Some(waker.clone()),
        }
    }

    /// Wakes the runner.
    pub(super) fn wake_runner(&mut self) {
        self.runner.take().into_iter().for_each(Waker::wake);
    }

    /// Registers a task that waits for room, in its place or in a free one. Returns whether there was one.
    pub(super) fn waits_for_room(&mut self, place: &mut Option<Place>, waker: &Waker) -> bool {
        let at = place
            .map_or_else(|| self.places().position(|room| matches!(room, Room::Free)), |place| Some(place.0));
        #[cfg(feature = "std")]
        let at = at.or_else(|| {
            let more = self.more_room.as_mut()?;
            more.push(Room::Free);
            N.checked_add(more.len())?.checked_sub(1)
        });
        *place = at.map(Place);
        let Some(room) = at.and_then(|at| self.places().nth(at)) else { return false };
        match room {
            Room::Waits(known) => known.clone_from(waker),
            room => *room = Room::Waits(waker.clone()),
        }
        true
    }

    /// The task no longer waits.
    pub(super) fn leaves_room(&mut self, Place(at): Place) {
        self.places().skip(at).take(1).for_each(|room| *room = Room::Free);
    }

    /// There may be room.
    pub(super) fn wake_room(&mut self) {
        for room in self.places() {
            if let Room::Waits(_) = room
                && let Room::Waits(waker) = core::mem::replace(room, Room::Woken)
            {
                waker.wake();
            }
        }
    }

    #[cfg(feature = "std")]
    fn places(&mut self) -> impl Iterator<Item = &mut Room> {
        self.room.iter_mut().chain(self.more_room.iter_mut().flatten())
    }

    #[cfg(not(feature = "std"))]
    fn places(&mut self) -> impl Iterator<Item = &mut Room> {
        self.room.iter_mut()
    }

    /// Reserves a place for a task that will wait for the end of a message, if one is free.
    pub(super) fn reserve(&mut self) -> Option<Place> {
        let at = self.ends.iter().position(|end| matches!(end, Ack::Free))?;
        *self.ends.get_mut(at)? = Ack::Reserved;
        Some(Place(at))
    }

    /// The task in this place waits for this message.
    pub(super) fn watch(&mut self, Place(at): Place, id: PacketId) {
        if let Some(end) = self.ends.get_mut(at) {
            *end = Ack::Waits(id, None);
        }
    }

    /// How the message has ended, if it has.
    pub(super) fn end(&mut self, Place(at): Place, waker: &Waker) -> Option<Result<(), WaitError>> {
        match self.ends.get_mut(at)? {
            Ack::Reported(result) => Some(*result),
            Ack::Waits(_, waits) => {
                *waits = Some(waker.clone());
                None
            }
            Ack::Free | Ack::Reserved => None,
        }
    }

    pub(super) fn release(&mut self, Place(at): Place) {
        if let Some(end) = self.ends.get_mut(at) {
            *end = Ack::Free;
        }
    }

    /// Reports the end of a message to the task that waits for it.
    pub(super) fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Published { id, .. } => self.report(*id, Ok(())),
            Event::Ended { id, outcome } => self.report(*id, Err(WaitError::Ended(*outcome))),
            _ => {}
        }
    }

    fn report(&mut self, ended: PacketId, result: Result<(), WaitError>) {
        for end in &mut self.ends {
            if let Ack::Waits(id, waker) = end
                && *id == ended
            {
                let waker = waker.take();
                *end = Ack::Reported(result);
                waker.into_iter().for_each(Waker::wake);
            }
        }
    }

    /// Messages that are no longer under way, and whose end was not reported, were given up or dropped silently.
    pub(super) fn keep(&mut self, mut is_under_way: impl FnMut(PacketId) -> bool) {
        for at in 0..N {
            if let Some(Ack::Waits(id, _)) = self.ends.get(at)
                && !is_under_way(*id)
            {
                self.report(*id, Err(WaitError::GivenUp));
            }
        }
    }

    /// Wakes all tasks, because nothing will be reported any more.
    pub(super) fn wake_all(&mut self) {
        self.wake_room();
        for end in &mut self.ends {
            if let Ack::Waits(_, waker) = end {
                waker.take().into_iter().for_each(Waker::wake);
            }
        }
    }
}
