//! What is under way, as the application can see it.

use super::inbox::Inbox;
use super::outbox::{Record, State};
use crate::codec::{PacketType, Publish};
use crate::{PacketId, QoS};

/// One request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UnderWay<'a> {
    /// What the call that made it returned.
    pub id: PacketId,
    /// What it is.
    pub request: Request<'a>,
    /// Whether it has left, or (after the loss of a connection) may have been seen by the server.
    pub has_left: bool,
}

/// What a request is, as far as its packet is still kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Request<'a> {
    /// A message; the payload of a streamed one is not kept, and empty here.
    Publish(Publish<'a>),
    /// A message of QoS 2 to which the server has answered PUBREC; its payload is not kept any more.
    Released,
    /// A message that was given up after it had left.
    GivenUp {
        /// Its QoS.
        qos: QoS,
    },
    /// A SUBSCRIBE.
    Subscribe,
    /// An UNSUBSCRIBE.
    Unsubscribe,
    /// A request that has ended, which the next [`advance`](crate::Client::advance) reports.
    Ended,
}

/// How many there are; the one whose end is told is none of them.
pub(super) const fn in_flight(outbox: &State, inbox: &Inbox) -> usize {
    (outbox.kept as usize).saturating_sub(inbox.tells_end() as usize)
}

/// The requests under way, in the order in which they leave.
pub(super) fn under_way<'a>(
    outbox: &'a State,
    log: &'a [u8],
    inbox: &Inbox,
) -> impl Iterator<Item = UnderWay<'a>> {
    let told = PacketId::new(inbox.id).filter(|_| inbox.tells_end());
    outbox.records(log, true).filter_map(move |(at, record)| {
        let id = PacketId::new(record.id(log, at)).filter(|id| Some(*id) != told)?;
        Some(UnderWay { id, request: request(log, at, record), has_left: outbox.has_left(at, record) })
    })
}

fn request<'a>(log: &'a [u8], at: usize, record: Record) -> Request<'a> {
    let kind = record.first() >> 4;
    if kind == PacketType::Publish as u8 {
        let body = log.get(record.body(at)..record.end()).unwrap_or_default();
        let publish = Publish::checked_before(record.first() & 0x0F, body);
        return publish.map_or(Request::Ended, Request::Publish);
    }
    match kind {
        _ if record.is_stub() => Request::GivenUp { qos: record.qos() },
        _ if record.has_ended() => Request::Ended,
        _ if kind == PacketType::PubRel as u8 => Request::Released,
        _ if kind == PacketType::Subscribe as u8 => Request::Subscribe,
        _ => Request::Unsubscribe,
    }
}
