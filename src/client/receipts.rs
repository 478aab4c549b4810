//! Messages that the application has and has not acknowledged yet
//! ([`Options::manual_acknowledgement`](super::Options::manual_acknowledgement)).

use heapless::Deque;

use super::AcknowledgeError;
use super::outbound::Outbound;
use crate::Instant;
use crate::PacketId;
use crate::codec::PacketType;

/// Runs of messages that can wait at the same time. Identifiers that follow each other at one QoS make one run.
const RUNS: usize = 8;

/// The right to acknowledge one message, on the connection that it came over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "the message is not acknowledged before this is given back"]
pub struct Receipt {
    id: PacketId,
    connection: u16,
}

impl Receipt {
    /// The packet identifier of the message.
    pub const fn id(&self) -> PacketId {
        self.id
    }
}

#[derive(Clone, Debug)]
pub(super) struct Receipts {
    runs: Deque<Run, RUNS>,
    connection: u16,
}

#[derive(Clone, Debug)]
struct Run {
    first: PacketId,
    len: u16,
    /// The answer that is owed: PUBACK or PUBREC.
    answer: PacketType,
}

impl Run {
    fn contains(&self, id: PacketId) -> bool {
        id.get().wrapping_sub(self.first.get()) < self.len
    }

    fn takes(&self, id: PacketId, answer: PacketType) -> bool {
        self.answer == answer && id.get().checked_sub(self.first.get()) == Some(self.len)
    }
}

impl Receipts {
    pub(super) const fn new() -> Self {
        Receipts { runs: Deque::new(), connection: 0 }
    }

    /// The connection is gone: receipts of it are worth nothing any more.
    pub(super) fn link_lost(&mut self) {
        self.runs.clear();
        self.connection = self.connection.wrapping_add(1);
    }

    pub(super) fn receipt(&self, id: PacketId) -> Receipt {
        Receipt { id, connection: self.connection }
    }

    pub(super) fn contains(&self, id: PacketId) -> bool {
        self.runs.iter().any(|run| run.contains(id))
    }

    /// Takes a message down; says whether there is a place.
    pub(super) fn push(&mut self, id: PacketId, answer: PacketType) -> bool {
        match self.runs.back_mut() {
            Some(run) if run.takes(id, answer) => {
                run.len = run.len.wrapping_add(1);
                true
            }
            _ => self.runs.push_back(Run { first: id, len: 1, answer }).is_ok(),
        }
    }

    fn oldest(&self) -> Option<(PacketId, PacketType)> {
        self.runs.front().map(|run| (run.first, run.answer))
    }

    fn pop(&mut self) {
        if let Some(run) = self.runs.front_mut() {
            run.first = run.first.next();
            run.len = run.len.wrapping_sub(1);
            if run.len == 0 {
                self.runs.pop_front();
            }
        }
    }
}

impl Outbound<'_> {
    /// See [`Client::acknowledge`](crate::Client::acknowledge).
    pub fn acknowledge(&mut self, receipt: Receipt, now: Instant) -> Result<(), AcknowledgeError> {
        self.inner.timers.set_now(now);
        if receipt.connection != self.inner.receipts.connection {
            return Err(AcknowledgeError::Stale);
        }
        let (id, answer) = self.inner.receipts.oldest().ok_or(AcknowledgeError::Stale)?;
        if id != receipt.id {
            let known = self.inner.receipts.contains(receipt.id);
            return Err(if known {
                AcknowledgeError::OutOfOrder { oldest: id }
            } else {
                AcknowledgeError::Stale
            });
        }
        if !self.has_room() {
            return Err(AcknowledgeError::Full);
        }
        if answer == PacketType::PubRec {
            self.take_inbound(id).map_err(|_| AcknowledgeError::InboundFull)?;
        }
        self.inner.receipts.pop();
        self.answer(answer, id);
        self.watch_output(false);
        Ok(())
    }
}
