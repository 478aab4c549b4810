//! The event at hand as the application sees it: read again from the packet at the front.

use crate::client::event::{Event, LargeMessage, Outcome};
use crate::client::inbox::{Inbox, Kind};
use crate::client::outbox::End;
use crate::client::work::Work;
use crate::codec::{FixedHeader, Publish, SubAckCodes, Version, delivery};
use crate::{PacketId, QoS, TopicName};

/// See [`Client::event`](crate::Client::event).
pub(in crate::client) fn event<'a>(work: &Work, rx: &'a [u8]) -> Option<Event<'a>> {
    let inbox = &work.inbox;
    let version = work.link.version();
    Some(match inbox.event {
        Kind::None => return None,
        Kind::Connected => Event::Connected { session_present: session_present(packet(inbox, rx), version) },
        Kind::Message => Event::Message(message(packet(inbox, rx))?),
        Kind::Subscribed => {
            let (_, codes) = FixedHeader::split(packet(inbox, rx))?;
            let codes = SubAckCodes::checked_before(codes.get(2..)?, version);
            Event::Subscribed { id: PacketId::new(inbox.id)?, codes }
        }
        Kind::Unsubscribed => Event::Unsubscribed { id: PacketId::new(inbox.id)? },
        Kind::Ended => ended(PacketId::new(inbox.id)?, inbox.end),
        Kind::StreamReady => Event::StreamReady { id: PacketId::new(inbox.id) },
        Kind::LargeStart => Event::MessageStart(large(inbox, rx)?),
        Kind::LargePiece => Event::MessagePiece(packet(inbox, rx)),
        Kind::LargeEnd => Event::MessageEnd,
        Kind::LargeAborted => Event::MessageAborted,
        Kind::LargeSkipped => Event::MessageSkipped(large(inbox, rx)?),
        Kind::SaveDue => Event::SaveDue,
    })
}

/// The bytes of the event.
fn packet<'a>(inbox: &Inbox, rx: &'a [u8]) -> &'a [u8] {
    rx.get(inbox.start..).and_then(|bytes| bytes.get(..inbox.len)).unwrap_or_default()
}

fn session_present(packet: &[u8], version: Version) -> Option<bool> {
    (version == Version::Mqtt311).then(|| packet.get(2) == Some(&1))
}

fn message(packet: &[u8]) -> Option<Publish<'_>> {
    let (flags, body) = FixedHeader::split(packet)?;
    Publish::checked_before(flags, body)
}

fn large<'a>(inbox: &Inbox, rx: &'a [u8]) -> Option<LargeMessage<'a>> {
    let large = &inbox.large;
    let topic = if large.has_topic {
        message(packet(inbox, rx)).map(|head| head.topic)
    } else {
        None::<TopicName<'_>>
    };
    Some(LargeMessage {
        topic,
        delivery: delivery(large.flags, large.id)?,
        retain: large.flags & 1 != 0,
        payload_len: large.rest,
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
