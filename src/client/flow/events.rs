//! The current event as the application sees it, decoded again from the packet at the front.

use crate::client::config::{Config, LargeMessages};
use crate::client::end::End;
use crate::client::event::{Event, LargeMessage, Outcome};
use crate::client::inbox::{EventKind, Inbox};
use crate::codec::{Publish, SubAckCodes, Version, delivery};
use crate::{PacketId, QoS};

/// See [`Client::event`](crate::Client::event).
pub(in crate::client) fn event<'a, C: Config>(
    inbox: &Inbox,
    rx: &'a [u8],
    version: Version,
    config: &C,
) -> Option<Event<'a>> {
    let large_messages = config.large_messages();
    let pieces = large_messages == LargeMessages::Pieces;
    let packet = rx.get(inbox.start..).and_then(|bytes| bytes.get(..inbox.len)).unwrap_or_default();
    let body = packet.get(inbox.head.into()..).unwrap_or_default();
    let first = packet.first().copied().unwrap_or_default();
    Some(match inbox.event {
        EventKind::Connected => Event::Connected {
            session_present: (version == Version::Mqtt311).then(|| body.first() == Some(&1)),
        },
        EventKind::Message => Event::Message(Publish::checked_before(first, body)?),
        EventKind::Subscribed => {
            let codes = SubAckCodes::checked_before(body.get(2..)?, version);
            Event::Subscribed { id: PacketId::new(inbox.id)?, codes }
        }
        EventKind::Unsubscribed => Event::Unsubscribed { id: PacketId::new(inbox.id)? },
        EventKind::Ended => ended(PacketId::new(inbox.id)?, inbox.end),
        EventKind::StreamReady if config.streams() => Event::StreamReady { id: PacketId::new(inbox.id) },
        EventKind::LargeStart if pieces => Event::MessageStart(large(inbox, body)?),
        EventKind::LargePiece if pieces => Event::MessagePiece(packet),
        EventKind::LargeEnd if large_messages != LargeMessages::Refuse => Event::MessageEnd,
        EventKind::LargeAborted if pieces => Event::MessageAborted,
        EventKind::LargeSkipped if large_messages != LargeMessages::Refuse => {
            Event::MessageSkipped(large(inbox, body)?)
        }
        EventKind::SaveDue if config.durable() => Event::SaveDue,
        // No event, or one that the configuration turns off.
        _ => return None,
    })
}

/// A large message, with its topic if that fits into the buffer.
fn large<'a>(inbox: &Inbox, head: &'a [u8]) -> Option<LargeMessage<'a>> {
    let large = &inbox.large;
    Some(LargeMessage {
        topic: large.has_topic.then(|| Publish::topic_checked_before(head)),
        delivery: delivery(large.first, large.id)?,
        retain: large.first & 1 != 0,
        payload_len: large.payload_len,
    })
}

/// The end of a request.
fn ended(id: PacketId, end: End) -> Event<'static> {
    match end {
        End::Lost => Event::Ended { id, outcome: Outcome::Lost },
        End::Uncertain => Event::Ended { id, outcome: Outcome::Uncertain },
        End::PublishedAtLeastOnce => Event::Published { id, qos: QoS::AtLeastOnce },
        End::PublishedExactlyOnce => Event::Published { id, qos: QoS::ExactlyOnce },
    }
}
