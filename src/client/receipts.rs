//! Messages that the application has and has not acknowledged yet
//! ([`Options::manual_acknowledgement`](super::Options::manual_acknowledgement)).

use super::AcknowledgeError;
use super::inner::Inner;
use super::outbound::Outbound;
use crate::codec::PacketType;
use crate::session::Slot;
use crate::{Instant, PacketId};

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
    /// The oldest first; behind the last one that has messages, all are empty.
    runs: [Run; RUNS],
    connection: u16,
}

/// Messages whose identifiers follow each other and that are owed the same answer.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: u16,
    len: u16,
    /// The answer that is owed: PUBACK or PUBREC.
    answer: PacketType,
}

impl Run {
    const EMPTY: Run = Run { first: 0, len: 0, answer: PacketType::PubAck };

    fn contains(&self, id: PacketId) -> bool {
        id.get().wrapping_sub(self.first) < self.len
    }

    fn takes(&self, id: PacketId, answer: PacketType) -> bool {
        self.len == 0 || (self.answer == answer && id.get().checked_sub(self.first) == Some(self.len))
    }
}

impl Receipts {
    pub(super) const NEW: Self = Receipts { runs: [Run::EMPTY; RUNS], connection: 0 };

    /// The connection is gone: receipts of it are worth nothing any more.
    pub(super) fn link_lost(&mut self) {
        self.runs = [Run::EMPTY; RUNS];
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
        let mut behind = self.runs.as_mut_slice();
        while let [run, rest @ ..] = behind {
            if rest.first().is_none_or(|next| next.len == 0) && run.takes(id, answer) {
                if run.len == 0 {
                    *run = Run { first: id.get(), len: 0, answer };
                }
                run.len = run.len.wrapping_add(1);
                return true;
            }
            behind = rest;
        }
        false
    }

    /// The message that has to be acknowledged first, and the answer that it is owed.
    fn oldest(&self) -> Option<(PacketId, PacketType)> {
        let [run, ..] = self.runs;
        (run.len > 0).then_some((PacketId::new(run.first)?, run.answer))
    }

    fn pop(&mut self) {
        let [run, ..] = &mut self.runs;
        run.first = run.first.wrapping_add(1);
        run.len = run.len.wrapping_sub(1);
        if run.len > 0 {
            return;
        }
        let mut runs = self.runs.as_mut_slice();
        while let [run, rest @ ..] = runs {
            *run = rest.first().copied().unwrap_or(Run::EMPTY);
            runs = rest;
        }
    }
}

impl Inner<[Slot]> {
    /// Whether the message that has to be acknowledged first has a place among the identifiers under way.
    pub(super) fn can_acknowledge_oldest(&self) -> bool {
        match self.receipts.oldest() {
            Some((id, PacketType::PubRec)) => self.session.inbound.clone().insert(id).is_ok(),
            _ => true,
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
