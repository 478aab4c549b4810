//! The requests under way, as the application sees them.

use super::inbox::Inbox;
use super::outbox::{OutboxState, Record};
use crate::codec::{PacketType, Publish};
use crate::{PacketId, QoS};

/// One request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct UnderWay<'a> {
    /// The identifier that the request returned.
    pub id: PacketId,
    /// The kind of request.
    pub request: Request<'a>,
    /// Whether the stored packet has been sent or, if it is a message, may have been received by the server on an earlier connection. While
    /// it is being sent or resent, this is `false`. For [`Released`](Request::Released) the packet is PUBREL: the server has the message.
    pub may_have_arrived: bool,
}

/// The kind of a request, with the part of its packet that is still stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Request<'a> {
    /// A message. The payload of a streamed message is not stored, so it is empty here.
    Publish(Publish<'a>),
    /// A QoS 2 message that the server has answered with PUBREC. Its payload is no longer stored.
    Released,
    /// A message that was given up after it had been sent.
    GivenUp {
        /// Its QoS.
        qos: QoS,
    },
    /// A SUBSCRIBE.
    Subscribe,
    /// An UNSUBSCRIBE.
    Unsubscribe,
    /// A request that has ended, but whose end has not been reported yet.
    Ended,
}

/// The number of requests under way, without the one whose end the current event reports.
pub(super) const fn in_flight(outbox: &OutboxState, inbox: &Inbox) -> usize {
    (outbox.kept as usize).saturating_sub(inbox.reports_end() as usize)
}

/// The requests under way, in the order in which they are sent.
pub(super) fn under_way<'a>(
    outbox: &'a OutboxState,
    log: &'a [u8],
    inbox: &Inbox,
) -> impl Iterator<Item = UnderWay<'a>> {
    let reported = PacketId::new(inbox.id).filter(|_| inbox.reports_end());
    outbox.records(log, true).filter_map(move |(at, record)| {
        let id = PacketId::new(record.id(log, at)).filter(|id| Some(*id) != reported)?;
        Some(UnderWay {
            id,
            request: request(log, at, record),
            may_have_arrived: outbox.was_sent(at, record),
        })
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
