//! Countdowns: one table for each connection, and none for individual messages.
//!
//! Countdowns are never set directly: [`timeouts`](super::flow::timeouts) derives from the state which of them run.

use super::bytes::IS_LARGE;
use crate::Instant;

/// The purpose of a countdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// Nothing has been sent: PINGREQ must be sent before the keep alive expires.
    SendSilence,
    /// Nothing has been received: PINGREQ finds out whether the link is alive.
    ReceiveSilence,
    /// PINGRESP must be received.
    PingResp,
    /// CONNACK must be received.
    ConnAck,
    /// Output must make progress.
    Stall,
    /// The oldest request must be answered.
    Ack,
    /// Requests are resent.
    Retry,
}

/// The number of countdowns.
const TIMERS: usize = 7;

/// Something that has happened since the clock was last read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note(u8);

impl Note {
    /// Bytes have been sent.
    pub(super) const SENT: Note = Note(1);
    /// A packet has been sent completely.
    pub(super) const SENT_PACKET: Note = Note(2);
    /// Bytes have been received.
    pub(super) const RECEIVED: Note = Note(4);
    /// Something else has changed that may affect which countdowns run.
    pub(super) const CHANGED: Note = Note(8);
}

/// Everything that has happened since then, which may restart countdowns.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct Notes(pub(super) u8);

impl Notes {
    pub(super) const NEW: Self = Notes(0);

    #[inline]
    pub(super) fn add(&mut self, note: Note) {
        self.0 |= note.0;
    }

    #[inline]
    pub(super) const fn has(self, note: Note) -> bool {
        self.0 & note.0 != 0
    }

    #[inline]
    pub(super) const fn any(self) -> bool {
        self.0 != 0
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.0 = 0;
    }
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Timers {
    /// Milliseconds left, plus 1; 0 means off.
    pub(super) left: [u32; TIMERS],
    /// When the clock was last read. This does not matter while no countdown runs.
    pub(super) now: u32,
}

impl Timers {
    pub(super) const NEW: Self = Timers { left: [0; TIMERS], now: 0 };

    /// Lets time pass since the clock was last read. Returns whether a countdown has become due.
    #[inline]
    pub(super) fn elapse(&mut self, now: Instant) -> bool {
        let passed = now.since(Instant::from_millis(self.now));
        self.now = now.as_millis();
        if IS_LARGE && passed == 0 {
            return false;
        }
        let mut is_due = false;
        // What is off stays off, what is due stays due.
        for left in &mut self.left {
            if *left > 1 {
                *left = left.saturating_sub(passed).max(1);
                is_due |= *left == 1;
            }
        }
        is_due
    }

    /// Runs or stops a countdown. It starts if it is not running yet, or if it `restarts`.
    pub(super) fn update(&mut self, timer: Timer, runs: bool, restarts: bool, ms: u32) {
        if let Some(left) = self.left.get_mut(timer as usize) {
            if !runs {
                *left = 0;
            } else if restarts || *left == 0 {
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

    /// Milliseconds until the next countdown is due; `None` if none runs. While something is noted, this is 0.
    pub(super) fn left(&self, notes: Notes) -> Option<u32> {
        if notes.any() {
            return Some(0);
        }
        let mut next = u32::MAX;
        for left in &self.left {
            next = next.min(left.wrapping_sub(1));
        }
        (next != u32::MAX).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_across_a_wrap_but_not_backwards() {
        let mut timers = Timers::NEW;
        assert!(!timers.elapse(Instant::from_millis(u32::MAX - 10)));
        timers.update(Timer::Ack, true, false, 100);
        assert_eq!(timers.left(Notes::NEW), Some(100));
        assert!(!timers.elapse(Instant::from_millis(20)));
        assert_eq!(timers.left(Notes::NEW), Some(69));
        assert!(!timers.elapse(Instant::from_millis(10)));
        assert_eq!(timers.left(Notes::NEW), Some(69));
        assert!(timers.elapse(Instant::from_millis(79)));
        assert!(timers.is_due(Timer::Ack));
        timers.update(Timer::Ack, false, false, 100);
        assert_eq!(timers.left(Notes::NEW), None);
    }

    #[test]
    fn a_note_leaves_no_time() {
        let (timers, mut notes) = (Timers::NEW, Notes::NEW);
        assert_eq!(timers.left(notes), None);
        notes.add(Note::SENT);
        assert_eq!(timers.left(notes), Some(0));
        assert!(notes.has(Note::SENT) && !notes.has(Note::RECEIVED));
    }
}
