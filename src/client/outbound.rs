//! The outbound half: requests come in, bytes go out.

use super::arena::{Arena, Marks, NoRoom};
use super::control::{ACK_LEN, Control};
use super::link::{Link, State};
use super::output::{NOTHING, Source};
use super::receipts::Receipts;
use super::{Full, Message, RequestError};
use crate::codec::{
    Delivery, EncodeError, PacketType, Publish, Subscribe, SubscribeFilters, Unsubscribe, UnsubscribeFilters,
};
use crate::session::{InboundFull, Request, Session, Slot};
use crate::{Instant, PacketId, QoS, TopicName};

/// The control queue has at least so many bytes.
pub(super) const MIN_CONTROL: usize = 32;

/// It has no more than these for its share of the transmit buffer.
const MAX_CONTROL: usize = 1_024;

/// What is kept about the transmit buffer.
#[derive(Clone, Debug)]
pub(super) struct Queues {
    pub(super) marks: Marks,
    pub(super) control: Control,
    pub(super) receipts: Receipts,
    /// Bytes of the control queue; 0 until a CONNECT has said how many it needs.
    pub(super) control_len: usize,
    /// What [`Outbound::pending`] has offered last, one behind the other, so that [`Outbound::sent`] counts it there.
    pub(super) offered: [(Source, usize); 2],
}

impl Queues {
    pub(super) const fn new() -> Self {
        Queues {
            marks: Marks::new(),
            control: Control::new(),
            receipts: Receipts::new(),
            control_len: 0,
            offered: NOTHING,
        }
    }

    /// Where the arena ends and the control queue begins.
    pub(super) fn limit(&self, tx: &[u8]) -> usize {
        let control_len = if self.control_len == 0 { control_share(tx.len()) } else { self.control_len };
        tx.len().saturating_sub(control_len)
    }
}

/// Bytes of the transmit buffer that the control queue has by default.
pub(super) fn control_share(tx_len: usize) -> usize {
    (tx_len >> 3).clamp(MIN_CONTROL, MAX_CONTROL)
}

/// The outbound half of a [`Client`](crate::Client): takes requests while an event still borrows from the inbound
/// half. See [`Client::split`](crate::Client::split).
pub struct Outbound<'a> {
    pub(super) link: &'a mut Link,
    pub(super) queues: &'a mut Queues,
    pub(super) session: &'a mut Session<[Slot]>,
    pub(super) positions: &'a mut [u32],
    pub(super) tx: &'a mut [u8],
}

/// The parts that the outbound half is made of, side by side.
pub(super) struct Parts<'a> {
    pub(super) arena: Arena<'a>,
    pub(super) control: &'a mut Control,
    pub(super) control_bytes: &'a mut [u8],
    pub(super) session: &'a mut Session<[Slot]>,
}

impl<'a> Outbound<'a> {
    pub(super) fn parts(&mut self) -> Parts<'_> {
        let limit = self.queues.limit(self.tx);
        let (bytes, control_bytes) = self.tx.split_at_mut_checked(limit).unwrap_or_default();
        Parts {
            arena: Arena { marks: &mut self.queues.marks, bytes, positions: self.positions },
            control: &mut self.queues.control,
            control_bytes,
            session: self.session,
        }
    }

    pub(super) fn arena(&mut self) -> Arena<'_> {
        self.parts().arena
    }

    /// See [`Client::publish`](crate::Client::publish).
    pub fn publish(&mut self, message: &Message<'_>, now: Instant) -> Result<Option<PacketId>, RequestError> {
        let topic = TopicName::new(message.topic)?;
        let (delivery, request) = self.begin_publish(message.qos)?;
        let publish = Publish { topic, payload: message.payload, delivery, retain: message.retain };
        let version = self.link.version;
        let room = self.reserve(publish.encoded_len())?;
        let len = encoded(publish.encode(version, room))?;
        self.commit(request, len, now);
        Ok(delivery.id())
    }

    /// The identifier and the place that a message of this QoS gets, if it is taken now.
    pub(super) fn begin_publish(
        &self,
        qos: QoS,
    ) -> Result<(Delivery, Option<(PacketId, Request)>), RequestError> {
        let online = matches!(self.link.state, State::Connected);
        let keep = qos != QoS::AtMostOnce && self.link.state != State::Closing;
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
                let most = usize::from(self.link.options.max_exactly_once);
                if most != 0 && self.session.exactly_once() >= most {
                    return Err(RequestError::Full(Full::Requests));
                }
                let id = self.next_id()?;
                (Delivery::ExactlyOnce { id, dup: false }, Some((id, Request::ExactlyOnce)))
            }
        })
    }

    /// See [`Client::subscribe`](crate::Client::subscribe).
    pub fn subscribe(&mut self, filters: &[(&str, QoS)], now: Instant) -> Result<PacketId, RequestError> {
        let count = u8::try_from(filters.len()).map_err(|_| RequestError::TooManyFilters)?;
        let filters = SubscribeFilters::new(filters)?;
        let id = self.connected_id()?;
        let subscribe = Subscribe { id, dup: false, filters };
        let version = self.link.version;
        let room = self.reserve(subscribe.encoded_len())?;
        let len = encoded(subscribe.encode(version, room))?;
        self.commit(Some((id, Request::Subscribe { filters: count })), len, now);
        Ok(id)
    }

    /// See [`Client::unsubscribe`](crate::Client::unsubscribe).
    pub fn unsubscribe(&mut self, filters: &[&str], now: Instant) -> Result<PacketId, RequestError> {
        let filters = UnsubscribeFilters::new(filters)?;
        let id = self.connected_id()?;
        let unsubscribe = Unsubscribe { id, dup: false, filters };
        let version = self.link.version;
        let room = self.reserve(unsubscribe.encoded_len())?;
        let len = encoded(unsubscribe.encode(version, room))?;
        self.commit(Some((id, Request::Unsubscribe)), len, now);
        Ok(id)
    }

    fn next_id(&self) -> Result<PacketId, RequestError> {
        self.session.next_id().ok_or(RequestError::Full(Full::Requests))
    }

    fn connected_id(&self) -> Result<PacketId, RequestError> {
        match self.link.state {
            State::Connected => self.next_id(),
            _ => Err(RequestError::NotConnected),
        }
    }

    pub(super) fn reserve(&mut self, needed: usize) -> Result<&mut [u8], RequestError> {
        let arena = self.parts().arena;
        let room = arena.bytes.len();
        arena.reserve(needed).map_err(|error| match error {
            NoRoom::Full => RequestError::Full(Full::Buffer),
            NoRoom::TooLarge => RequestError::TooLarge { needed, room },
            NoRoom::Streaming => RequestError::Full(Full::Stream),
        })
    }

    pub(super) fn commit(&mut self, request: Option<(PacketId, Request)>, len: usize, now: Instant) {
        if let Some((id, request)) = request {
            self.session.open(id, request);
            self.link.changed();
        }
        self.arena().appended(request.map(|(id, _)| id), len);
        self.watch_output(now, false);
    }

    /// Whether one more answer has a place in the control queue.
    pub(super) fn has_room(&mut self) -> bool {
        let Parts { control, control_bytes, .. } = self.parts();
        control.has_room(control_bytes)
    }

    /// Whether answers wait to be sent.
    pub(super) fn owes_answers(&self) -> bool {
        !self.queues.control.is_empty()
    }

    /// Queues an answer; the caller has asked [`has_room`](Self::has_room).
    pub(super) fn answer(&mut self, packet_type: PacketType, id: PacketId) {
        let [high, low] = id.get().to_be_bytes();
        let packet: [u8; ACK_LEN] = [packet_type.first_byte(), 2, high, low];
        let Parts { control, control_bytes, .. } = self.parts();
        control.push(control_bytes, &packet);
    }

    /// Takes down that a QoS 2 message has come; says whether it is new.
    pub(super) fn take_inbound(&mut self, id: PacketId) -> Result<bool, InboundFull> {
        let new = self.session.inbound.insert(id)?;
        if new {
            self.link.changed();
        }
        Ok(new)
    }
}

/// What was encoded into room of the right size. Only a violation can be in the way.
fn encoded(result: Result<usize, EncodeError>) -> Result<usize, RequestError> {
    match result {
        Ok(len) => Ok(len),
        Err(EncodeError::Forbidden(violation)) => Err(RequestError::Forbidden(violation)),
        Err(EncodeError::BufferTooSmall { needed }) => Err(RequestError::TooLarge { needed, room: 0 }),
    }
}
