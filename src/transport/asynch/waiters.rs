//! The wakers of the runner, of tasks that wait for room, and of tasks that wait for an acknowledgement.

use core::task::Waker;
#[cfg(feature = "std")]
use std::vec::Vec;

use crate::PacketId;
use crate::transport::{HandleError, WaitError};

/// Waiting tasks. There are `N` places for each kind.
///
/// Wakers are foreign code: one that is woken or dropped may call back. So they are handed to the caller.
pub(super) struct Waiters<const N: usize> {
    pub(super) runner: Option<Waker>,
    room: [Room; N],
    /// Additional places, if they are allocated.
    #[cfg(feature = "std")]
    more_room: Option<Vec<Room>>,
    ends: [Ack; N],
}

/// A place for a task that waits for room.
enum Room {
    Free,
    /// Without a waker once the task has been woken.
    Waits(Option<Waker>),
}

/// The state of the message whose end a task waits for.
enum Ack {
    /// The place is free.
    Free,
    /// A task is about to publish.
    Reserved,
    Waits(PacketId, Option<Waker>),
    Reported(AckResult),
}

/// How the wait for an acknowledgement has ended.
pub(super) type AckResult = Result<(), HandleError<WaitError>>;

/// A place of a waiting task.
#[derive(Clone, Copy)]
pub(super) struct Place(usize);

/// Stores a waker; returns the one that was there, unless it is the same.
pub(super) fn replace(slot: &mut Option<Waker>, waker: &Waker) -> Option<Waker> {
    match slot {
        Some(known) if known.will_wake(waker) => None,
        slot => slot.replace(waker.clone()),
    }
}

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

    /// Registers a task that waits for room, in its place or in a free one, and returns the waker that was there. `None` if no place is
    /// free.
    pub(super) fn waits_for_room(
        &mut self,
        place: &mut Option<Place>,
        waker: &Waker,
    ) -> Option<Option<Waker>> {
        let at = place
            .map_or_else(|| self.places().position(|room| matches!(room, Room::Free)), |place| Some(place.0));
        #[cfg(feature = "std")]
        let at = at.or_else(|| {
            let more = self.more_room.as_mut()?;
            more.push(Room::Free);
            N.checked_add(more.len())?.checked_sub(1)
        });
        *place = at.map(Place);
        let room = self.places().nth(at?)?;
        if let Room::Waits(known) = room {
            return Some(replace(known, waker));
        }
        *room = Room::Waits(Some(waker.clone()));
        Some(None)
    }

    /// The task no longer waits. Returns its waker.
    pub(super) fn leaves_room(&mut self, Place(at): Place) -> Option<Waker> {
        match core::mem::replace(self.places().nth(at)?, Room::Free) {
            Room::Waits(waker) => waker,
            Room::Free => None,
        }
    }

    /// The next task that waits for room, from this place on. It is to be woken.
    pub(super) fn next_for_room(&mut self, from: &mut usize) -> Option<Waker> {
        let mut next = *from;
        let waker = self.places().skip(next).find_map(|room| {
            next = next.saturating_add(1);
            if let Room::Waits(waker) = room { waker.take() } else { None }
        });
        *from = next;
        waker
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

    /// How the message has ended. Or, if it has not, registers the waker and returns the one that was there.
    pub(super) fn end(&mut self, Place(at): Place, waker: &Waker) -> Result<AckResult, Option<Waker>> {
        match self.ends.get_mut(at) {
            Some(Ack::Reported(result)) => Ok(*result),
            Some(Ack::Waits(_, waits)) => Err(replace(waits, waker)),
            _ => Err(None),
        }
    }

    /// The task no longer waits. Returns its waker.
    pub(super) fn release(&mut self, Place(at): Place) -> Option<Waker> {
        match core::mem::replace(self.ends.get_mut(at)?, Ack::Free) {
            Ack::Waits(_, waker) => waker,
            Ack::Free | Ack::Reserved | Ack::Reported(_) => None,
        }
    }

    /// Reports the ends of messages, from this place on, until there is a task to be woken.
    pub(super) fn next_end(
        &mut self,
        from: &mut usize,
        mut result: impl FnMut(PacketId) -> Option<AckResult>,
    ) -> Option<Waker> {
        let mut next = *from;
        let waker = self.ends.iter_mut().skip(next).find_map(|end| {
            next = next.saturating_add(1);
            let Ack::Waits(id, waker) = end else { return None };
            let result = result(*id)?;
            let waker = waker.take();
            *end = Ack::Reported(result);
            waker
        });
        *from = next;
        waker
    }
}
