//! A client's conversation: it sends numbered messages to its own topic, one after another, and has to receive each.
//!
//! At QoS 1 nothing is lost between client and broker. A broker that forgets its sessions because it was killed loses
//! messages that it has acknowledged but not passed on yet. Only a client that knows which messages to expect can resend them.

use crate::timers::Millis;

/// The state of a client's conversation.
#[derive(Clone, Debug)]
pub struct Talk {
    /// The message that is under way, or the next one.
    number: u32,
    /// The total number of messages.
    count: u32,
    /// When the next one may be sent.
    next_at: Millis,
    stage: Stage,
    /// The broker has lost the subscription meanwhile, so the message may not have been delivered.
    doubtful: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// To be sent.
    Waiting,
    Sent,
    /// Received, before the acknowledgement.
    Arrived,
    /// Not received yet.
    Acknowledged,
}

/// What a received message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    First,
    Again,
}

impl Talk {
    pub fn new(count: u32, next_at: Millis) -> Self {
        Talk { number: 0, count, next_at, stage: Stage::Waiting, doubtful: false }
    }

    pub fn is_over(&self) -> bool {
        self.number >= self.count
    }

    /// When there is something to send; `None` if there is nothing, or a message is under way.
    pub fn next_at(&self) -> Option<Millis> {
        (self.stage == Stage::Waiting && !self.is_over()).then_some(self.next_at)
    }

    pub fn number(&self) -> u32 {
        self.number
    }

    pub fn sent(&mut self) {
        self.stage = Stage::Sent;
    }

    pub fn acknowledged(&mut self, next_at: Millis) {
        match self.stage {
            Stage::Arrived => self.go_on(next_at),
            Stage::Sent => self.stage = Stage::Acknowledged,
            Stage::Waiting | Stage::Acknowledged => {}
        }
    }

    pub fn arrived(&mut self, number: u32, next_at: Millis) -> Arrival {
        if number != self.number {
            return Arrival::Again;
        }
        match self.stage {
            Stage::Arrived | Stage::Waiting => return Arrival::Again,
            Stage::Sent => self.stage = Stage::Arrived,
            Stage::Acknowledged => self.go_on(next_at),
        }
        Arrival::First
    }

    /// The subscription was lost, and has been renewed.
    pub fn subscribed_again(&mut self) {
        self.doubtful = self.stage != Stage::Waiting;
    }

    /// Whether the message was acknowledged by a broker that had no subscriber for it, so that it must be sent again.
    pub fn take_back_if_in_vain(&mut self) -> bool {
        let in_vain = self.doubtful && self.stage == Stage::Acknowledged;
        if in_vain {
            self.stage = Stage::Waiting;
            self.doubtful = false;
        }
        in_vain
    }

    fn go_on(&mut self, next_at: Millis) {
        *self = Talk { number: self.number + 1, ..Talk::new(self.count, next_at) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 0;

    #[test]
    fn a_message_is_done_once_it_is_acknowledged_and_back() {
        let mut talk = Talk::new(2, NOW);
        talk.sent();
        talk.acknowledged(NOW);
        assert_eq!(talk.next_at(), None);
        assert_eq!(talk.arrived(0, NOW), Arrival::First);
        assert_eq!(talk.arrived(0, NOW), Arrival::Again);
        talk.sent();
        assert_eq!(talk.arrived(1, NOW), Arrival::First);
        assert_eq!(talk.arrived(1, NOW), Arrival::Again);
        assert!(!talk.is_over());
        talk.acknowledged(NOW);
        assert!(talk.is_over() && talk.next_at().is_none());
    }

    #[test]
    fn what_was_in_vain_is_sent_again() {
        let mut talk = Talk::new(1, NOW);
        talk.sent();
        assert!(!talk.take_back_if_in_vain());
        talk.subscribed_again();
        assert!(!talk.take_back_if_in_vain(), "not acknowledged: the client still has it");
        talk.acknowledged(NOW);
        assert!(talk.take_back_if_in_vain());
        assert_eq!((talk.number(), talk.next_at()), (0, Some(NOW)));
        talk.sent();
        talk.acknowledged(NOW);
        assert!(!talk.take_back_if_in_vain());
        assert_eq!(talk.arrived(0, NOW), Arrival::First);
    }
}
