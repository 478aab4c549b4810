//! The outbound half: requests come in.

use super::inner::Inner;
use super::link::State;
use super::queue::NoRoom;
use super::{Full, Message, RequestError};
use crate::codec::{
    self, Body, Delivery, EncodeError, PacketType, Publish, SubscribeFilters, UnsubscribeFilters,
};
use crate::session::{InboundFull, Request, Slot};
use crate::{Instant, PacketId, QoS, TopicName};

/// The outbound half of a [`Client`](crate::Client): takes requests while an event still borrows from the inbound
/// half. See [`Client::split`](crate::Client::split).
pub struct Outbound<'a> {
    pub(super) inner: &'a mut Inner<[Slot]>,
    pub(super) tx: &'a mut [u8],
}

/// A request that waits for an answer, with the identifier that it gets if it is taken.
pub(super) type Numbered = (PacketId, Request);

impl Outbound<'_> {
    /// See [`Client::publish`](crate::Client::publish).
    pub fn publish(&mut self, message: &Message<'_>, now: Instant) -> Result<Option<PacketId>, RequestError> {
        self.inner.timers.set_now(now);
        let topic = TopicName::new(message.topic)?;
        let (delivery, request) = self.begin_publish(message.qos)?;
        let publish = Publish { topic, payload: message.payload, delivery, retain: message.retain };
        publish.check(self.inner.link.version)?;
        self.request(publish.first_byte(), &publish, request)?;
        Ok(delivery.id())
    }

    /// The identifier and the place that a message of this QoS gets, if it is taken now.
    pub(super) fn begin_publish(&self, qos: QoS) -> Result<(Delivery, Option<Numbered>), RequestError> {
        let online = matches!(self.inner.link.state, State::Connected);
        let keep = qos != QoS::AtMostOnce && self.inner.link.state != State::Closing;
        if !online && !keep {
            return Err(RequestError::NotConnected);
        }
        Ok(match qos {
            QoS::AtMostOnce => (Delivery::AtMostOnce, None),
            QoS::AtLeastOnce => {
                let id = self.next_id()?;
                (Delivery::AtLeastOnce { id, dup: false }, Some((id, Request::AtLeastOnce)))
            }
            QoS::ExactlyOnce => {
                let most = usize::from(self.inner.options.max_exactly_once);
                if most != 0 && self.inner.session.exactly_once() >= most {
                    return Err(RequestError::Full(Full::Requests));
                }
                let id = self.next_id()?;
                (Delivery::ExactlyOnce { id, dup: false }, Some((id, Request::ExactlyOnce)))
            }
        })
    }

    /// See [`Client::subscribe`](crate::Client::subscribe).
    pub fn subscribe(&mut self, filters: &[(&str, QoS)], now: Instant) -> Result<PacketId, RequestError> {
        self.inner.timers.set_now(now);
        let count = u8::try_from(filters.len()).map_err(|_| RequestError::TooManyFilters)?;
        let filters = SubscribeFilters::new(filters)?;
        let id = self.connected_id()?;
        let request = Request::Subscribe { filters: count };
        self.request(PacketType::Subscribe.first_byte(), &(id, filters), Some((id, request)))?;
        Ok(id)
    }

    /// See [`Client::unsubscribe`](crate::Client::unsubscribe).
    pub fn unsubscribe(&mut self, filters: &[&str], now: Instant) -> Result<PacketId, RequestError> {
        self.inner.timers.set_now(now);
        let filters = UnsubscribeFilters::new(filters)?;
        let id = self.connected_id()?;
        self.request(PacketType::Unsubscribe.first_byte(), &(id, filters), Some((id, Request::Unsubscribe)))?;
        Ok(id)
    }

    fn next_id(&self) -> Result<PacketId, RequestError> {
        self.inner.session.next_id().ok_or(RequestError::Full(Full::Requests))
    }

    fn connected_id(&self) -> Result<PacketId, RequestError> {
        match self.inner.link.state {
            State::Connected => self.next_id(),
            _ => Err(RequestError::NotConnected),
        }
    }

    /// Encodes a packet into the queue.
    fn request(&mut self, first: u8, body: &dyn Body, request: Option<Numbered>) -> Result<(), RequestError> {
        let remaining_len = codec::body_len(body);
        let room = self.reserve(codec::packet_len(remaining_len))?;
        // There is room, so only a violation can be in the way.
        let len = match codec::encode_body(first, remaining_len, 0, body, room) {
            Ok(len) => len,
            Err(EncodeError::Forbidden(violation)) => return Err(violation.into()),
            Err(EncodeError::BufferTooSmall { needed }) => {
                return Err(RequestError::TooLarge { needed, room: 0 });
            }
        };
        self.commit(request, len);
        Ok(())
    }

    pub(super) fn reserve(&mut self, needed: usize) -> Result<&mut [u8], RequestError> {
        let room = self.limit();
        match self.make_room(needed) {
            Ok(()) => Ok(self.tx.get_mut(self.inner.queue.tail..room).unwrap_or_default()),
            Err(NoRoom::Full) => Err(RequestError::Full(Full::Buffer)),
            Err(NoRoom::TooLarge) => Err(RequestError::TooLarge { needed, room }),
            Err(NoRoom::Streaming) => Err(RequestError::Full(Full::Stream)),
        }
    }

    pub(super) fn commit(&mut self, request: Option<Numbered>, len: usize) {
        if let Some((id, request)) = request {
            self.inner.session.open(id, request);
            self.inner.link.changed();
        }
        self.appended(request.map(|(id, _)| id), len);
        self.watch_output(false);
    }

    /// Takes down that a QoS 2 message has come; says whether it is new.
    pub(super) fn take_inbound(&mut self, id: PacketId) -> Result<bool, InboundFull> {
        let new = self.inner.session.inbound.insert(id)?;
        if new {
            self.inner.link.changed();
        }
        Ok(new)
    }
}
