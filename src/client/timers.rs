//! Countdowns: one table for a connection, none for a message.
//!
//! None is ever set by hand: [`settle`](super::flow::settle) derives from the state which of them run.

use crate::Instant;

/// What a countdown is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// Nothing was sent: PINGREQ has to leave before the keep alive has passed.
    SendSilence,
    /// Nothing was received: PINGREQ finds out whether the link lives.
    ReceiveSilence,
    /// PINGRESP is due.
    PingResp,
    /// CONNACK is due.
    ConnAck,
    /// Output has to move on.
    Stall,
    /// The oldest request has to be answered.
    Ack,
    /// Requests are sent again.
    Retry,
}

/// How many there are.
const TIMERS: usize = 7;

/// What has happened since the last look at the clock; countdowns begin anew by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note(u8);

impl Note {
    /// Bytes have left.
    pub(super) const SENT: Note = Note(1);
    /// The end of a packet was among them.
    pub(super) const SENT_PACKET: Note = Note(16);
    /// Bytes have come.
    pub(super) const RECEIVED: Note = Note(2);
    /// Another request is the oldest one now.
    pub(super) const OLDEST: Note = Note(4);
    /// Something else that decides which countdowns run.
    pub(super) const CHANGED: Note = Note(8);
}

#[derive(Clone, Debug)]
pub(super) struct Timers {
    /// Milliseconds left and 1; 0 is off.
    pub(super) left: [u32; TIMERS],
    /// The last look at the clock.
    pub(super) now: u32,
    pub(super) notes: u8,
}

impl Timers {
    pub(super) const NEW: Self = Timers { left: [0; TIMERS], now: 0, notes: 0 };

    #[inline]
    pub(super) fn note(&mut self, note: Note) {
        self.notes |= note.0;
    }

    #[inline]
    pub(super) const fn is_noted(&self, note: Note) -> bool {
        self.notes & note.0 != 0
    }

    /// Whether anything is noted.
    #[inline]
    pub(super) const fn has_notes(&self) -> bool {
        self.notes != 0
    }

    pub(super) fn clear_notes(&mut self) {
        self.notes = 0;
    }

    /// Time has passed since the last look at the clock.
    #[inline]
    pub(super) fn pass(&mut self, now: Instant) {
        let passed = now.since(Instant::from_millis(self.now));
        self.now = now.as_millis();
        for left in &mut self.left {
            // What is off stays off, what is due stays due.
            *left = left.saturating_sub(passed).max(u32::from(*left != 0));
        }
    }

    /// Lets a countdown run if it has to; it begins if it does not run yet, or has to begin anew.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))] // one copy of it, where flash is small
    pub(super) fn keep(&mut self, timer: Timer, runs: bool, anew: bool, ms: u32) {
        if let Some(left) = self.left.get_mut(timer as usize) {
            if !runs {
                *left = 0;
            } else if anew || *left == 0 {
                *left = ms.saturating_add(1);
            }
        }
    }

    #[inline]
    pub(super) fn runs(&self, timer: Timer) -> bool {
        self.left.get(timer as usize).is_some_and(|left| *left != 0)
    }

    #[inline]
    pub(super) fn is_due(&self, timer: Timer) -> bool {
        self.left.get(timer as usize) == Some(&1)
    }

    /// Whether any of them is due.
    #[inline]
    pub(super) fn any_is_due(&self) -> bool {
        self.left.contains(&1)
    }

    /// Milliseconds until the next one is due; `None` if none runs. While something is noted, none are left.
    pub(super) fn left(&self) -> Option<u32> {
        if self.has_notes() {
            return Some(0);
        }
        let mut next = u32::MAX;
        for left in self.left {
            next = next.min(left.wrapping_sub(1));
        }
        (next != u32::MAX).then_some(next)
    }

    /// Turns all of them off.
    pub(super) fn clear(&mut self) {
        self.left = [0; TIMERS];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_over_the_wrap_and_not_backwards() {
        let mut timers = Timers::NEW;
        timers.pass(Instant::from_millis(u32::MAX - 10));
        timers.keep(Timer::Ack, true, false, 100);
        assert_eq!(timers.left(), Some(100));
        timers.pass(Instant::from_millis(20));
        assert_eq!(timers.left(), Some(69));
        timers.pass(Instant::from_millis(10));
        assert_eq!(timers.left(), Some(69));
        timers.pass(Instant::from_millis(79));
        assert!(timers.is_due(Timer::Ack) && timers.any_is_due());
        timers.keep(Timer::Ack, false, false, 100);
        assert_eq!(timers.left(), None);
    }

    #[test]
    fn a_note_leaves_no_time() {
        let mut timers = Timers::NEW;
        assert_eq!(timers.left(), None);
        timers.note(Note::SENT);
        assert_eq!(timers.left(), Some(0));
        assert!(timers.is_noted(Note::SENT) && !timers.is_noted(Note::RECEIVED));
    }
}
