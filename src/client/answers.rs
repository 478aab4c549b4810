//! The answers that the client has to send, in a reserved part at the end of the transmit buffer.
//!
//! ```text
//! | partly sent | to be sent ->  | free |  <- withheld |
//! 0     cur                     end               answers.len()
//! ```
//!
//! These are PUBACK, PUBREC, PUBCOMP, and PUBREL for an unknown PUBREC, of four bytes each. Answers that wait for the application to
//! acknowledge a message are withheld at the other end, the oldest last. Each already occupies the space that it needs later.

use super::bytes::{move_down, move_up, u16_at, write_short};
use crate::PacketId;
use crate::codec::PacketType;

/// Length of an answer.
const LEN: usize = 4;

pub(super) const PUBACK: u8 = PacketType::PubAck.first_byte();
pub(super) const PUBREC: u8 = PacketType::PubRec.first_byte();
pub(super) const PUBREL: u8 = PacketType::PubRel.first_byte();
pub(super) const PUBCOMP: u8 = PacketType::PubComp.first_byte();

/// How many bytes of a transmit buffer of this length are reserved for answers: an eighth, at least 32 and at most 1,024.
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

/// The positions.
#[derive(Clone, Debug, Hash)]
pub(super) struct AnswersState {
    pub(super) cur: u16,
    pub(super) end: u16,
    /// Length of the withheld answers.
    pub(super) withheld: u16,
    /// Answers before this position reveal a state that is durable.
    pub(super) safe: u16,
    /// Answers before this position reveal a state that is in the last image.
    pub(super) saved: u16,
}

impl AnswersState {
    pub(super) const NEW: Self = AnswersState { cur: 0, end: 0, withheld: 0, safe: 0, saved: 0 };
}

/// The answers in their part of the transmit buffer.
#[derive(Debug)]
pub(super) struct Answers<'a> {
    pub(super) state: &'a mut AnswersState,
    pub(super) bytes: &'a mut [u8],
}

impl Answers<'_> {
    /// Discards all answers after a lost connection.
    pub(super) fn clear(&mut self) {
        *self.state = AnswersState::NEW;
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.state.cur == self.state.end
    }

    /// Whether an answer has been partly sent.
    pub(super) const fn is_inside_packet(&self) -> bool {
        self.state.cur != 0
    }

    /// Whether there is room for one more.
    pub(super) const fn has_room(&self) -> bool {
        let taken = (self.state.end as usize).wrapping_add(self.state.withheld as usize);
        taken.wrapping_add(LEN) <= self.bytes.len()
    }

    /// Queues an answer, for which there must be room. If the state that it reveals is already durable, it does not wait for an image.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn push(&mut self, first: u8, id: u16, is_durable: bool) {
        write_short(self.bytes, self.state.end.into(), first, id);
        self.state.end = self.state.end.wrapping_add(LEN as u16);
        if is_durable {
            self.state.safe = self.state.end;
        }
    }

    /// How many bytes can be sent now. If PINGREQ `waits` to be sent first, only the rest of a partly sent answer.
    pub(super) fn sendable(&self, waits: bool, durable: bool) -> usize {
        let mut end = self.state.end;
        if waits {
            end = self.state.cur.wrapping_add(3) & !3;
        }
        if durable {
            end = end.min(self.held_from());
        }
        end.saturating_sub(self.state.cur).into()
    }

    /// The position of the next bytes to send.
    pub(super) fn sending(&self) -> usize {
        self.state.cur.into()
    }

    /// The position of the first answer that waits for a durable image, which every answer except PUBACK does.
    fn held_from(&self) -> u16 {
        let mut at = self.state.safe.max(self.state.cur.wrapping_add(3) & !3);
        while at < self.state.end && self.bytes.get(usize::from(at)) == Some(&PUBACK) {
            at = at.wrapping_add(LEN as u16);
        }
        at
    }

    /// Whether the next answer is held back only because its state is not durable.
    pub(super) fn is_held(&self) -> bool {
        !self.is_inside_packet() && !self.is_empty() && self.held_from() == self.state.cur
    }

    /// The last image contains the state that the answers reveal.
    pub(super) fn note_saved(&mut self) {
        self.state.saved = self.state.end;
    }

    /// The last image is durable.
    pub(super) fn release_saved(&mut self) {
        self.state.safe = self.state.saved;
    }

    /// Notes that `len` bytes have been sent, and moves the rest to the front. Returns whether at least one answer is complete.
    pub(super) fn sent(&mut self, len: usize) -> bool {
        let cur = self.state.cur.wrapping_add(len as u16);
        let whole = cur & !3;
        self.state.cur = cur & 3;
        self.state.end = self.state.end.wrapping_sub(whole);
        move_down(self.bytes, whole.into(), 0, self.state.end.into());
        self.state.safe = self.state.safe.saturating_sub(whole);
        self.state.saved = self.state.saved.saturating_sub(whole);
        whole != 0
    }

    /// Withholds the answer for this message, for which there must be room.
    pub(super) fn withhold(&mut self, first: u8, id: PacketId) {
        self.state.withheld = self.state.withheld.wrapping_add(LEN as u16);
        let at = self.bytes.len().wrapping_sub(self.state.withheld.into());
        write_short(self.bytes, at, first, id.get());
    }

    /// The number of withheld answers.
    pub(super) const fn withheld(&self) -> usize {
        (self.state.withheld >> 2) as usize
    }

    /// The first byte and the identifier of the oldest withheld answer, which has to be sent first.
    pub(super) fn oldest_withheld(&self) -> Option<(u8, u16)> {
        let at = self.bytes.len().checked_sub(LEN).filter(|_| self.state.withheld > 0)?;
        Some((*self.bytes.get(at)?, u16_at(self.bytes, at.wrapping_add(2))))
    }

    /// Whether the answer for this message is withheld.
    pub(super) fn is_withheld(&self, first: u8, id: u16) -> bool {
        let from = self.bytes.len().wrapping_sub(self.state.withheld.into());
        let (withheld, _) = self.bytes.get(from..).unwrap_or_default().as_chunks::<LEN>();
        withheld.iter().any(|answer| answer.first() == Some(&first) && u16_at(answer, 2) == id)
    }

    /// Queues the oldest withheld answer.
    pub(super) fn queue_oldest(&mut self, is_durable: bool) {
        let Some((first, id)) = self.oldest_withheld() else { return };
        let from = self.bytes.len().wrapping_sub(self.state.withheld.into());
        self.state.withheld = self.state.withheld.wrapping_sub(LEN as u16);
        move_up(self.bytes, from, from.wrapping_add(LEN), self.state.withheld.into());
        self.push(first, id, is_durable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn answers_are_sent_in_order_over_many_turns() {
        let mut bytes = [0; 32];
        let mut state = AnswersState::NEW;
        let mut answers = Answers { state: &mut state, bytes: &mut bytes };
        let mut wire = Vec::new();
        for id in 1..=200 {
            while !answers.has_room() {
                let len = answers.sendable(false, false).min(3);
                wire.extend_from_slice(&answers.bytes[answers.sending()..][..len]);
                answers.sent(len);
            }
            answers.push(PUBACK, id, false);
        }
        while !answers.is_empty() {
            let rest = answers.sendable(true, false);
            let len = if rest == 0 { answers.sendable(false, false) } else { rest };
            wire.extend_from_slice(&answers.bytes[answers.sending()..][..len]);
            answers.sent(len);
        }
        let ids: Vec<u16> = wire.chunks(4).map(|answer| u16_at(answer, 2)).collect();
        assert_eq!(ids, (1..=200).collect::<Vec<u16>>());
    }

    #[test]
    fn withheld_answers_keep_their_room() {
        let mut bytes = [0; 32];
        let mut state = AnswersState::NEW;
        let mut answers = Answers { state: &mut state, bytes: &mut bytes };
        for id in 1..=8 {
            assert!(answers.has_room());
            answers.withhold(PUBREC, PacketId::new(id).unwrap());
        }
        assert!(!answers.has_room());
        for id in 1..=8 {
            assert_eq!(answers.oldest_withheld(), Some((PUBREC, id)));
            assert!(answers.is_withheld(PUBREC, 8) && !answers.is_withheld(PUBACK, 8));
            answers.queue_oldest(false);
            assert!(!answers.has_room());
        }
        assert_eq!(answers.sendable(false, false), 32);
        assert_eq!(u16_at(answers.bytes, 30), 8);
        assert_eq!(answers.withheld(), 0);
    }

    #[test]
    fn withheld_answers_do_not_overlap_with_queued_ones() {
        let mut bytes = [0; 32];
        let mut state = AnswersState::NEW;
        let mut answers = Answers { state: &mut state, bytes: &mut bytes };
        for id in 1..=8 {
            answers.push(PUBACK, id, false);
        }
        answers.sent(28);
        for id in 11..=17 {
            assert!(answers.has_room());
            answers.withhold(PUBREC, PacketId::new(id).unwrap());
        }
        let len = answers.sendable(false, false);
        assert_eq!(answers.bytes[answers.sending()..][..len], [PUBACK, 2, 0, 8]);
        assert_eq!(answers.oldest_withheld(), Some((PUBREC, 11)));
    }

    #[test]
    fn answers_that_reveal_new_state_wait_for_the_image() {
        let mut bytes = [0; 32];
        let mut state = AnswersState::NEW;
        let mut answers = Answers { state: &mut state, bytes: &mut bytes };
        for (first, id) in [(PUBACK, 1), (PUBREC, 2), (PUBACK, 3)] {
            answers.push(first, id, false);
        }
        assert_eq!(answers.sendable(false, true), 4);
        answers.sent(4);
        assert!(answers.is_held());
        answers.note_saved();
        answers.push(PUBCOMP, 4, false);
        answers.release_saved();
        assert_eq!(answers.sendable(false, true), 8);
        answers.sent(8);
        assert!(answers.is_held());
    }
}
