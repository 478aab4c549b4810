//! The answers that the client owes, in room of their own at the end of the transmit buffer.
//!
//! ```text
//! | sent | to be sent ->  | free |  <- withheld |
//! 0     cur              end                answers.len()
//! ```
//!
//! PUBACK, PUBREC, PUBCOMP, and PUBREL where nothing waits for it: four bytes each. Those that the application is to give
//! itself are withheld at the other end, the oldest last, each in the place that it needs later.

use core::ops::Range;

use super::bytes::{move_down, move_up, u16_at, write};
use crate::PacketId;
use crate::codec::PacketType;

/// Bytes of an answer.
const LEN: usize = 4;

pub(super) const PUBACK: u8 = PacketType::PubAck.first_byte();
pub(super) const PUBREC: u8 = PacketType::PubRec.first_byte();
pub(super) const PUBREL: u8 = PacketType::PubRel.first_byte();
pub(super) const PUBCOMP: u8 = PacketType::PubComp.first_byte();

/// Bytes of a transmit buffer of this length that are kept for answers: an eighth, at least 32 and at most 1,024.
pub(super) const fn share(tx_len: usize) -> usize {
    let eighth = tx_len >> 3;
    let share = if eighth < 32 {
        32
    } else if eighth > 1_024 {
        1_024
    } else {
        eighth & !3
    };
    if share > tx_len { tx_len } else { share }
}

#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) cur: u16,
    pub(super) end: u16,
    /// Bytes of those that are withheld.
    pub(super) withheld: u16,
    /// What lies before this tells of a state that is durable.
    pub(super) safe: u16,
    /// What lies before this tells of a state that was in the last image.
    pub(super) saved: u16,
}

impl Answers {
    pub(super) const NEW: Self = Answers { cur: 0, end: 0, withheld: 0, safe: 0, saved: 0 };

    /// The connection is gone: nobody waits for them any more.
    pub(super) fn clear(&mut self) {
        *self = Self::NEW;
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.cur == self.end
    }

    /// Whether an answer has left in part.
    pub(super) const fn is_inside_packet(&self) -> bool {
        self.cur & 3 != 0
    }

    /// Whether there is a place for one more.
    pub(super) const fn has_place(&self, answers: &[u8]) -> bool {
        let whole = self.cur & !3;
        let taken = (self.end as usize).wrapping_sub(whole as usize).wrapping_add(self.withheld as usize);
        taken.wrapping_add(LEN) <= answers.len()
    }

    /// Queues an answer, for which there is a place.
    pub(super) fn push(&mut self, answers: &mut [u8], first: u8, id: u16) {
        let end = usize::from(self.end).wrapping_add(LEN).wrapping_add(usize::from(self.withheld));
        if end > answers.len() {
            let whole = self.cur & !3;
            move_down(answers, usize::from(whole), 0, usize::from(self.end.wrapping_sub(whole)));
            self.cur &= 3;
            self.end = self.end.wrapping_sub(whole);
            self.safe = self.safe.saturating_sub(whole);
            self.saved = self.saved.saturating_sub(whole);
        }
        let [high, low] = id.to_be_bytes();
        write(answers, usize::from(self.end), &[first, 2, high, low]);
        self.end = self.end.wrapping_add(LEN as u16);
    }

    /// The bytes that may leave now. Where PINGREQ `waits` to pass: only the rest of the one that has left in part.
    pub(super) fn sendable(&self, answers: &[u8], waits: bool, durable: bool) -> Range<usize> {
        let mut end = self.end;
        if waits {
            end = self.cur.wrapping_add(3) & !3;
        }
        if durable {
            end = end.min(self.held_from(answers));
        }
        if self.cur < end { self.cur.into()..end.into() } else { 0..0 }
    }

    /// Where the bytes are that leave next.
    pub(super) fn sending(&self) -> usize {
        self.cur.into()
    }

    /// Where the first one stands that waits for an image to be durable: all but PUBACK.
    fn held_from(&self, answers: &[u8]) -> u16 {
        let mut at = self.safe.max(self.cur.wrapping_add(3) & !3);
        while at < self.end && answers.get(usize::from(at)) == Some(&PUBACK) {
            at = at.wrapping_add(LEN as u16);
        }
        at
    }

    /// Whether the next one would leave if it were durable.
    pub(super) fn is_held(&self, answers: &[u8]) -> bool {
        !self.is_inside_packet() && !self.is_empty() && self.held_from(answers) == self.cur
    }

    /// An image holds the state that they tell of.
    pub(super) fn note_saved(&mut self) {
        self.saved = self.end;
    }

    /// The last image is durable.
    pub(super) fn release_saved(&mut self) {
        self.safe = self.saved;
    }

    /// So many bytes have left. Returns whether the end of an answer was among them.
    pub(super) fn sent(&mut self, len: usize) -> bool {
        let before = self.cur & !3;
        self.cur = self.cur.wrapping_add(len as u16);
        let passed = self.cur & !3 != before;
        if self.cur == self.end {
            (self.cur, self.end, self.safe, self.saved) = (0, 0, 0, 0);
        }
        passed
    }

    /// Withholds the answer for this message, for which there is a place.
    pub(super) fn withhold(&mut self, answers: &mut [u8], first: u8, id: PacketId) {
        self.withheld = self.withheld.wrapping_add(LEN as u16);
        let [high, low] = id.get().to_be_bytes();
        let at = answers.len().wrapping_sub(usize::from(self.withheld));
        write(answers, at, &[first, 2, high, low]);
    }

    /// How many are withheld.
    pub(super) const fn withheld(&self) -> usize {
        (self.withheld >> 2) as usize
    }

    /// The one that has to be given first: its first byte, and the identifier.
    pub(super) fn oldest_withheld(&self, answers: &[u8]) -> Option<(u8, u16)> {
        let at = answers.len().checked_sub(LEN).filter(|_| self.withheld > 0)?;
        Some((*answers.get(at)?, u16_at(answers, at.wrapping_add(2))))
    }

    /// Whether the answer for this message is withheld.
    pub(super) fn is_withheld(&self, answers: &[u8], first: u8, id: u16) -> bool {
        let from = answers.len().wrapping_sub(self.withheld.into());
        let (withheld, _) = answers.get(from..).unwrap_or_default().as_chunks::<LEN>();
        withheld.iter().any(|answer| answer.first() == Some(&first) && u16_at(answer, 2) == id)
    }

    /// The oldest of them goes to those to be sent.
    pub(super) fn give_oldest(&mut self, answers: &mut [u8]) {
        let Some((first, id)) = self.oldest_withheld(answers) else { return };
        let from = answers.len().wrapping_sub(self.withheld.into());
        self.withheld = self.withheld.wrapping_sub(LEN as u16);
        move_up(answers, from, from.wrapping_add(LEN), self.withheld.into());
        self.push(answers, first, id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn first_come_first_served_over_many_turns() {
        let mut bytes = [0; 32];
        let mut answers = Answers::NEW;
        let mut wire = Vec::new();
        for id in 1..=200 {
            while !answers.has_place(&bytes) {
                let range = answers.sendable(&bytes, false, false);
                let len = range.len().min(3);
                wire.extend_from_slice(&bytes[range.start..range.start + len]);
                answers.sent(len);
            }
            answers.push(&mut bytes, PUBACK, id);
        }
        while !answers.is_empty() {
            let range = answers.sendable(&bytes, true, false);
            let range = if range.is_empty() { answers.sendable(&bytes, false, false) } else { range };
            wire.extend_from_slice(&bytes[range.clone()]);
            answers.sent(range.len());
        }
        let ids: Vec<u16> = wire.chunks(4).map(|answer| u16_at(answer, 2)).collect();
        assert_eq!(ids, (1..=200).collect::<Vec<u16>>());
    }

    #[test]
    fn what_is_withheld_keeps_its_place() {
        let mut bytes = [0; 32];
        let mut answers = Answers::NEW;
        for id in 1..=8 {
            assert!(answers.has_place(&bytes));
            answers.withhold(&mut bytes, PUBREC, PacketId::new(id).unwrap());
        }
        assert!(!answers.has_place(&bytes));
        for id in 1..=8 {
            assert_eq!(answers.oldest_withheld(&bytes), Some((PUBREC, id)));
            assert!(answers.is_withheld(&bytes, PUBREC, 8) && !answers.is_withheld(&bytes, PUBACK, 8));
            answers.give_oldest(&mut bytes);
            assert!(!answers.has_place(&bytes));
        }
        assert_eq!(answers.sendable(&bytes, false, false), 0..32);
        assert_eq!(u16_at(&bytes, 30), 8);
        assert_eq!(answers.withheld(), 0);
    }

    #[test]
    fn what_tells_of_a_new_state_waits_for_the_image() {
        let mut bytes = [0; 32];
        let mut answers = Answers::NEW;
        for (first, id) in [(PUBACK, 1), (PUBREC, 2), (PUBACK, 3)] {
            answers.push(&mut bytes, first, id);
        }
        assert_eq!(answers.sendable(&bytes, false, true), 0..4);
        answers.sent(4);
        assert!(answers.is_held(&bytes));
        answers.note_saved();
        answers.push(&mut bytes, PUBCOMP, 4);
        answers.release_saved();
        assert_eq!(answers.sendable(&bytes, false, true), 4..12);
        answers.sent(8);
        assert!(answers.is_held(&bytes));
    }
}
