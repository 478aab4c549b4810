//! The outbound half: requests come in, bytes go out.

use super::arena::{Arena, GiveUp, Marks, NoRoom};
use super::control::{ACK_LEN, Control};
use super::link::{Link, State};
use super::receipts::Receipts;
use super::{ConnectError, Full, Message, RequestError, SessionLoss};
use crate::codec::{
    Connect, Delivery, EncodeError, PacketType, Publish, Subscribe, SubscribeFilters, Unsubscribe,
    UnsubscribeFilters, Version,
};
use crate::session::timers::Timer;
use crate::session::{InboundFull, Request, Session, Slot};
use crate::{Instant, PacketId, QoS, TopicName};

/// The control queue has at least so many bytes.
const MIN_CONTROL: usize = 32;
/// It has no more than these for its share of the transmit buffer.
const MAX_CONTROL: usize = 1_024;

const PINGREQ: [u8; 2] = [PacketType::PingReq.first_byte(), 0];
const DISCONNECT: [u8; 2] = [PacketType::Disconnect.first_byte(), 0];

/// What is kept about the transmit buffer.
#[derive(Clone, Debug)]
pub(super) struct Queues {
    pub(super) marks: Marks,
    pub(super) control: Control,
    pub(super) receipts: Receipts,
    /// Bytes of the control queue; 0 until a CONNECT has said how many it needs.
    control_len: usize,
    /// What [`Outbound::pending`] has offered last, one behind the other, so that [`Outbound::sent`] counts it there.
    offered: [(Source, usize); 2],
}

/// Where bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    None,
    Control,
    Arena,
    Disconnect,
}

const NOTHING: [(Source, usize); 2] = [(Source::None, 0); 2];

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
    #[inline]
    fn limit(&self, tx: &[u8]) -> usize {
        let control_len = if self.control_len == 0 { control_share(tx.len()) } else { self.control_len };
        tx.len().saturating_sub(control_len)
    }
}

/// Bytes of the transmit buffer that the control queue has by default.
fn control_share(tx_len: usize) -> usize {
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
    control: &'a mut Control,
    control_bytes: &'a mut [u8],
    pub(super) session: &'a mut Session<[Slot]>,
}

impl<'a> Outbound<'a> {
    /// See [`Client::pending`](crate::Client::pending).
    #[inline]
    pub(super) fn pending(self) -> &'a [u8] {
        let source = self.source();
        let tx: &'a [u8] = self.tx;
        let bytes = bytes_of(source, self.link, self.queues, tx);
        self.queues.offered = [(source, bytes.len()), (Source::None, 0)];
        bytes
    }

    /// See [`Client::pending_vectored`](crate::Client::pending_vectored).
    #[inline]
    pub(super) fn pending_vectored(self) -> [&'a [u8]; 2] {
        let source = self.source();
        let behind = self.source_behind(source);
        let tx: &'a [u8] = self.tx;
        let first = bytes_of(source, self.link, self.queues, tx);
        let second = bytes_of(behind, self.link, self.queues, tx);
        self.queues.offered = [(source, first.len()), (behind, second.len())];
        [first, second]
    }

    #[inline]
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

    #[inline]
    pub(super) fn arena(&mut self) -> Arena<'_> {
        self.parts().arena
    }

    /// See [`Client::connect`](crate::Client::connect).
    pub(super) fn connect(&mut self, connect: &Connect<'_>, now: Instant) -> Result<(), ConnectError> {
        if self.link.state != State::Offline {
            return Err(ConnectError::AlreadyConnected);
        }
        let needed = match connect.encode(&mut []) {
            Err(EncodeError::BufferTooSmall { needed }) => needed,
            Err(EncodeError::Forbidden(violation)) => return Err(violation.into()),
            Ok(len) => len,
        };
        let marks = &self.queues.marks;
        let ended = self.ended_by(connect);
        let live = ended.map_or(marks.live(), |what| marks.live_without(self.tx, what));
        let room = self.tx.len().saturating_sub(live).saturating_sub(marks.window());
        if needed.max(MIN_CONTROL) > room {
            return Err(ConnectError::TooLarge { needed, room });
        }
        if let Some(what) = ended {
            self.end_session(what);
        }
        self.arena().compact();
        self.arena().mark_released(connect.version == Version::Mqtt31);
        // Kept messages may leave less than the usual share.
        self.queues.control_len = control_share(self.tx.len()).max(needed).min(room);
        self.begin(connect, now);
        Ok(())
    }

    fn begin(&mut self, connect: &Connect<'_>, now: Instant) {
        let Parts { control, control_bytes, .. } = self.parts();
        control.begin(connect.encode(control_bytes).unwrap_or(0));
        self.link.state = State::Connecting;
        self.link.version = connect.version;
        self.link.clean_session = connect.clean_session;
        self.link.keep_alive_ms = u32::from(connect.keep_alive).wrapping_mul(1_000);
        self.link.timers.set(Timer::ConnAck, now, self.link.options.timeouts.connack_ms);
        self.watch_output(now, false);
    }

    /// What is given up with this CONNECT, because it ends the session or because that has ended with its connection
    /// (MQTT-3.1.2-6); 3.1 would not tell later.
    fn ended_by(&self, connect: &Connect<'_>) -> Option<GiveUp> {
        match (connect.clean_session, self.link.clean_session) {
            (true, _) => Some(GiveUp::Attempted),
            (false, true) => Some(self.given_up_with_session()),
            (false, false) => None,
        }
    }

    fn given_up_with_session(&self) -> GiveUp {
        match self.link.options.session_loss {
            SessionLoss::Resend => GiveUp::Released,
            SessionLoss::Drop => GiveUp::Attempted,
        }
    }

    /// The server has no session: the client's ends too.
    pub(super) fn session_lost(&mut self) {
        self.end_session(self.given_up_with_session());
    }

    fn end_session(&mut self, what: GiveUp) {
        self.link.changed();
        self.session.inbound.clear();
        let Parts { mut arena, session, .. } = self.parts();
        arena.give_up(session, what);
    }

    /// The connection is gone, or never came to be.
    pub(super) fn link_lost(&mut self) {
        self.link.reset();
        self.queues.offered = NOTHING;
        self.queues.control = Control::new();
        self.queues.receipts.link_lost();
        self.arena().rewind();
        self.session.link_lost();
    }

    /// See [`Client::publish`](crate::Client::publish).
    #[inline]
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
    #[inline]
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

    #[inline]
    fn next_id(&self) -> Result<PacketId, RequestError> {
        self.session.next_id().ok_or(RequestError::Full(Full::Requests))
    }

    fn connected_id(&self) -> Result<PacketId, RequestError> {
        match self.link.state {
            State::Connected => self.next_id(),
            _ => Err(RequestError::NotConnected),
        }
    }

    #[inline]
    pub(super) fn reserve(&mut self, needed: usize) -> Result<&mut [u8], RequestError> {
        let arena = self.parts().arena;
        let room = arena.bytes.len();
        arena.reserve(needed).map_err(|error| match error {
            NoRoom::Full => RequestError::Full(Full::Buffer),
            NoRoom::TooLarge => RequestError::TooLarge { needed, room },
            NoRoom::Streaming => RequestError::Full(Full::Stream),
        })
    }

    #[inline]
    pub(super) fn commit(&mut self, request: Option<(PacketId, Request)>, len: usize, now: Instant) {
        if let Some((id, request)) = request {
            self.session.open(id, request);
            self.link.changed();
        }
        self.arena().appended(request.map(|(id, _)| id), len);
        self.watch_output(now, false);
    }

    /// See [`Client::disconnect`](crate::Client::disconnect).
    pub(super) fn disconnect(&mut self, now: Instant) {
        if matches!(self.link.state, State::Connecting | State::Connected) {
            self.link.state = State::Closing;
            self.watch_output(now, false);
        }
    }

    /// Where the next bytes come from. A packet that has left in part goes on; then control packets go before all
    /// others; DISCONNECT is the last.
    #[inline]
    fn source(&self) -> Source {
        let Queues { marks, control, .. } = &*self.queues;
        let closing = self.link.state == State::Closing;
        if self.link.state == State::Offline {
            Source::None
        } else if marks.is_inside_packet() {
            Source::Arena
        } else if closing && self.link.disconnect_sent > 0 {
            Source::Disconnect
        } else if !control.is_empty() {
            Source::Control
        } else if self.link.accepted && !marks.is_sent() && !marks.waits_for_payload(self.tx) {
            Source::Arena
        } else if closing {
            Source::Disconnect
        } else {
            Source::None
        }
    }

    /// Where bytes come from that can go right behind all of what this source offers.
    fn source_behind(&self, source: Source) -> Source {
        let Queues { marks, control, .. } = &*self.queues;
        let arena_is_next = self.link.accepted && !marks.is_sent() && !marks.waits_for_payload(self.tx);
        match source {
            Source::Control if arena_is_next => Source::Arena,
            Source::Arena if marks.is_inside_packet() && !marks.is_streaming() && !control.is_empty() => {
                Source::Control
            }
            _ => Source::None,
        }
    }

    /// See [`Client::sent`](crate::Client::sent). Says whether that was the last byte of DISCONNECT.
    #[inline]
    pub(super) fn sent(&mut self, len: usize, now: Instant) -> bool {
        let [(source, offered), (behind, offered_behind)] = self.queues.offered;
        let first = len.min(offered);
        let second = len.saturating_sub(first).min(offered_behind);
        self.queues.offered =
            [(source, offered.saturating_sub(first)), (behind, offered_behind.saturating_sub(second))];
        let closed = self.sent_from(source, first, now);
        closed || self.sent_from(behind, second, now)
    }

    #[inline]
    fn sent_from(&mut self, source: Source, len: usize, now: Instant) -> bool {
        if len == 0 {
            return false;
        }
        match source {
            Source::None => {}
            Source::Arena => self.arena_sent(len, now),
            Source::Control => self.control_sent(len, now),
            Source::Disconnect => {
                self.link.disconnect_sent = self.link.disconnect_sent.saturating_add(len as u8);
                if usize::from(self.link.disconnect_sent) >= DISCONNECT.len() {
                    self.link_lost();
                    return true;
                }
            }
        }
        self.watch_output(now, true);
        false
    }

    #[inline]
    fn arena_sent(&mut self, len: usize, now: Instant) {
        let Parts { mut arena, session, .. } = self.parts();
        if arena.sent(session, len) {
            self.link.packet_sent(now);
            self.watch_answers(now, false);
        }
    }

    #[inline]
    fn control_sent(&mut self, len: usize, now: Instant) {
        let Parts { control, control_bytes, .. } = self.parts();
        let left = control.sent(control_bytes, len);
        if left.any {
            self.link.packet_sent(now);
        }
        if left.ping {
            self.link.ping_sent(now);
        }
    }

    /// Whether one more answer has a place in the control queue.
    #[inline]
    pub(super) fn has_room(&mut self) -> bool {
        let Parts { control, control_bytes, .. } = self.parts();
        control.has_room(control_bytes)
    }

    /// Whether answers wait to be sent.
    pub(super) fn owes_answers(&self) -> bool {
        !self.queues.control.is_empty()
    }

    /// Queues an answer; the caller has asked [`has_room`](Self::has_room).
    #[inline]
    pub(super) fn answer(&mut self, packet_type: PacketType, id: PacketId) {
        let [high, low] = id.get().to_be_bytes();
        let packet: [u8; ACK_LEN] = [packet_type.first_byte(), 2, high, low];
        let Parts { control, control_bytes, .. } = self.parts();
        control.push(control_bytes, &packet);
    }

    /// Queues PINGREQ if one direction was silent for the keep alive time.
    #[inline]
    pub(super) fn ping_if_due(&mut self, now: Instant) {
        if self.link.state != State::Connected || !self.link.ping_is_due(now) {
            return;
        }
        self.link.timers.stop(Timer::SendSilence);
        self.link.timers.stop(Timer::ReceiveSilence);
        if !self.link.ping_queued {
            debug!("MQTT: PINGREQ");
            self.link.ping_queued = true;
            let Parts { control, control_bytes, .. } = self.parts();
            control.push(control_bytes, &PINGREQ);
        }
    }

    /// Keeps the time-out of output: it runs while there is some, and begins anew with each byte that leaves.
    #[inline]
    pub(super) fn watch_output(&mut self, now: Instant, progress: bool) {
        if self.source() == Source::None {
            self.link.timers.stop(Timer::Stall);
        } else if progress || !self.link.timers.is_set(Timer::Stall) {
            self.link.timers.set(Timer::Stall, now, self.link.options.timeouts.stall_ms);
        }
    }

    /// Keeps the time-out of answers: it runs for the oldest request once that is sent.
    #[inline]
    pub(super) fn watch_answers(&mut self, now: Instant, oldest_changed: bool) {
        if !self.queues.marks.is_waiting() {
            self.link.timers.stop(Timer::Ack);
            self.link.timers.stop(Timer::Retry);
        } else if oldest_changed || !self.queues.marks.is_watched {
            self.link.timers.set(Timer::Ack, now, self.link.options.timeouts.ack_ms);
            self.link.retry_ms = self.link.options.retry.after_ms(self.link.version);
            self.link.timers.set(Timer::Retry, now, self.link.retry_ms);
        }
        self.queues.marks.is_watched = self.queues.marks.is_waiting();
    }

    /// Sends all requests again that wait for an answer, if it is time to and all of them have left.
    pub(super) fn retry_if_due(&mut self, now: Instant) {
        if !self.link.timers.is_due(Timer::Retry, now) {
            return;
        }
        let idle = self.source() == Source::None && self.queues.marks.is_sent();
        if !idle || self.link.state != State::Connected {
            self.link.timers.set(Timer::Retry, now, self.link.retry_ms);
            return;
        }
        debug!("MQTT: no answers, so everything is sent again");
        self.link.retry_ms = self.link.retry_ms.saturating_mul(2);
        self.link.timers.set(Timer::Retry, now, self.link.retry_ms);
        let dup = self.link.version == Version::Mqtt31;
        self.arena().retry(dup);
        self.session.send_again();
        self.watch_output(now, false);
    }

    /// Takes down that a QoS 2 message has come; says whether it is new.
    #[inline]
    pub(super) fn take_inbound(&mut self, id: PacketId) -> Result<bool, InboundFull> {
        let new = self.session.inbound.insert(id)?;
        if new {
            self.link.changed();
        }
        Ok(new)
    }
}

/// What this source offers now.
#[inline]
fn bytes_of<'a>(source: Source, link: &Link, queues: &Queues, tx: &'a [u8]) -> &'a [u8] {
    let Queues { marks, control, .. } = queues;
    let (arena_bytes, control_bytes) = tx.split_at_checked(queues.limit(tx)).unwrap_or_default();
    match source {
        Source::None => &[],
        Source::Control => control.pending(control_bytes),
        Source::Arena => marks.pending(arena_bytes, !control.is_empty()),
        Source::Disconnect => DISCONNECT.get(usize::from(link.disconnect_sent)..).unwrap_or_default(),
    }
}

/// What was encoded into room of the right size. Only a violation can be in the way.
#[inline]
fn encoded(result: Result<usize, EncodeError>) -> Result<usize, RequestError> {
    match result {
        Ok(len) => Ok(len),
        Err(EncodeError::Forbidden(violation)) => Err(RequestError::Forbidden(violation)),
        Err(EncodeError::BufferTooSmall { needed }) => Err(RequestError::TooLarge { needed, room: 0 }),
    }
}
