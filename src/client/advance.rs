//! One step of the client: lets go of the last event, looks at the clock, and reads packets until one of them is an
//! event.

use super::Error;
use super::error::Fault;
use super::inbound::{Held, Span};
use super::link::State;
use super::outbound::Outbound;
use crate::codec::{ConnAck, Delivery, FixedHeader, PacketType, Publish, SubAck, decode_id};
use crate::session::PubRec;
use crate::session::timers::Timer;
use crate::{PacketId, QoS, Version, Violation};

/// The whole client, for one step.
pub(super) struct Machine<'a> {
    pub(super) rx: &'a mut [u8],
    pub(super) out: Outbound<'a>,
    /// Bytes of the packet, or of the piece of one, that is at hand.
    pub(super) len: usize,
}

/// What became of a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is the event that is held now.
    Event,
    /// It is dealt with.
    Done,
    /// It cannot be dealt with before output moves on, or before more bytes come.
    Wait,
}

impl Machine<'_> {
    /// See [`Client::advance`](crate::Client::advance).
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        self.release();
        match self.step() {
            Ok(event) => {
                self.out.watch_output(false);
                Ok(event)
            }
            Err(fault) => {
                let error = fault.error(self.len);
                warn!("MQTT: {}", error);
                self.out.link_lost();
                Err(error)
            }
        }
    }

    /// The application has seen the event: what it owes is queued, and its bytes go.
    fn release(&mut self) {
        self.out.answer_event();
        let inbound = &mut self.out.inner.inbound;
        inbound.held = Held::None;
        inbound.receipt = None;
        inbound.waits_for_receipt = false;
        let occupied = core::mem::take(&mut inbound.occupied);
        inbound.consume(occupied);
    }

    fn step(&mut self) -> Result<bool, Fault> {
        self.out.ping_if_due();
        if let Some(held) = self.notice() {
            self.out.inner.inbound.held = held;
            return Ok(true);
        }
        while self.out.inner.link.state != State::Offline {
            let step = self.packet()?;
            let inbound = &mut self.out.inner.inbound;
            match step {
                Step::Event => {
                    inbound.occupied = self.len;
                    return Ok(true);
                }
                Step::Done => inbound.consume(self.len),
                Step::Wait => break,
            }
        }
        // Only now: what has come in time may have been read late.
        if let Some(timeout) = self.out.inner.timed_out() {
            return Err(Fault::TimedOut(timeout));
        }
        self.out.retry_if_due();
        Ok(false)
    }

    /// What is to be reported without a packet; CONNACK is reported first.
    fn notice(&mut self) -> Option<Held> {
        let inner = &mut *self.out.inner;
        if inner.link.state == State::Connecting {
            return None;
        }
        if core::mem::take(&mut inner.inbound.aborted) {
            return Some(Held::Aborted);
        }
        if let Some((id, outcome)) = inner.session.take_ended() {
            return Some(Held::Ended { id, outcome });
        }
        self.out.take_stream_ready().map(|id| Held::StreamReady { id })
    }

    /// The event is this.
    pub(super) fn hold(&mut self, held: Held) -> Step {
        self.out.inner.inbound.held = held;
        Step::Event
    }

    fn packet(&mut self) -> Result<Step, Fault> {
        if self.out.inner.inbound.is_inside_large() {
            return self.large_message();
        }
        let inner = &*self.out.inner;
        let bytes = inner.inbound.bytes(self.rx);
        let Some(header) = FixedHeader::decode(bytes, inner.link.version)? else {
            return Ok(self.wait_for(FixedHeader::MAX_LEN));
        };
        self.check_order(header.packet_type)?;
        self.len = header.packet_len();
        if self.len > self.rx.len() {
            return self.large_packet(&header);
        }
        match bytes.get(header.header_len..self.len) {
            None => Ok(self.wait_for(self.len)),
            Some(_) => self.frame(&header),
        }
    }

    /// More bytes are wanted for a packet of this length.
    pub(super) fn wait_for(&mut self, len: usize) -> Step {
        let inner = &mut *self.out.inner;
        inner.inbound.make_room(self.rx, len);
        // PINGRESP cannot come before the packet that is on its way.
        let fresh = core::mem::take(&mut inner.inbound.fresh);
        if fresh && inner.inbound.fill > inner.inbound.start && inner.timers.is_set(Timer::PingResp) {
            inner.timers.set(Timer::PingResp, inner.options.timeouts.pingresp_ms);
        }
        Step::Wait
    }

    /// CONNACK comes first and once (MQTT-3.2.0-1); what only clients send does not come at all.
    fn check_order(&self, packet_type: PacketType) -> Result<(), Violation> {
        use PacketType::*;
        match packet_type {
            Connect | Subscribe | Unsubscribe | PingReq | Disconnect => Err(Violation::UnexpectedPacket),
            ConnAck if self.out.inner.link.accepted => Err(Violation::UnexpectedPacket),
            ConnAck => Ok(()),
            _ if !self.out.inner.link.accepted => Err(Violation::BeforeConnAck),
            _ => Ok(()),
        }
    }

    /// A whole packet is here.
    fn frame(&mut self, header: &FixedHeader) -> Result<Step, Fault> {
        let inner = &mut *self.out.inner;
        let body_at = inner.inbound.start.wrapping_add(header.header_len);
        let body = self.rx.get(body_at..).and_then(|bytes| bytes.get(..header.remaining_len));
        let body = body.unwrap_or_default();
        let version = inner.link.version;
        match header.packet_type {
            PacketType::Publish => {
                let Publish { topic, payload, delivery, retain } =
                    Publish::decode(header.flags, body, version)?;
                let topic = Span::new(body_at.wrapping_add(2), topic.as_bytes().len());
                let payload_at = body_at.wrapping_add(body.len()).wrapping_sub(payload.len());
                let payload = Span::new(payload_at, payload.len());
                self.message(Held::Message { topic, payload, delivery, retain }, delivery)
            }
            PacketType::SubAck => {
                let SubAck { id, codes } = SubAck::decode(body, version)?;
                let place = self.out.sent_place(id);
                if place.is_none() && self.out.is_offered(id) {
                    return Ok(Step::Wait);
                }
                if place.is_none() || !self.out.inner.session.suback(id, codes.len())? {
                    return Ok(self.ignore());
                }
                let codes = Span::new(body_at.wrapping_add(2), codes.len());
                Ok(self.answered(place, Held::Subscribed { id, codes }))
            }
            PacketType::ConnAck => self.connack(ConnAck::decode(body, version)?),
            PacketType::PingResp => {
                inner.timers.stop(Timer::PingResp);
                Ok(Step::Done)
            }
            answer => self.answer(answer, decode_id(body)?),
        }
    }

    fn connack(&mut self, connack: ConnAck) -> Result<Step, Fault> {
        if !self.out.is_idle() {
            // The transport has not said yet that the end of CONNECT has left.
            return Ok(Step::Wait);
        }
        let session_present = match connack {
            ConnAck::Refused(code) => return Err(Fault::Refused(code)),
            ConnAck::Accepted { session_present } => session_present,
        };
        let inner = &mut *self.out.inner;
        if session_present && inner.link.clean_session {
            return Err(Violation::SessionPresentAfterClean.into());
        }
        let known = (inner.link.version == Version::Mqtt311).then_some(session_present);
        let kept = known.unwrap_or(inner.options.assume_session_kept);
        self.out.accepted(kept);
        Ok(self.hold(Held::Connected { session_present: known }))
    }

    /// A message is complete, and is to be delivered as this event.
    pub(super) fn message(&mut self, held: Held, delivery: Delivery) -> Result<Step, Fault> {
        let (answer, id) = match delivery {
            Delivery::AtMostOnce => return Ok(self.hold(held)),
            Delivery::AtLeastOnce { id, .. } => (PacketType::PubAck, id),
            Delivery::ExactlyOnce { id, .. } => (PacketType::PubRec, id),
        };
        if !self.out.has_room() {
            return Ok(Step::Wait);
        }
        if answer == PacketType::PubRec && self.out.inner.session.inbound.contains(id) {
            self.out.answer(answer, id);
            return Ok(Step::Done);
        }
        if self.out.inner.options.manual_acknowledgement {
            return self.message_on_receipt(held, answer, id);
        }
        if answer == PacketType::PubRec && self.out.take_inbound(id).is_err() {
            return self.inbound_full();
        }
        self.out.inner.inbound.answer = Some((answer, id));
        Ok(self.hold(held))
    }

    /// The application will acknowledge the message. Until then its repetitions are passed over.
    fn message_on_receipt(&mut self, held: Held, answer: PacketType, id: PacketId) -> Result<Step, Fault> {
        let inner = &mut *self.out.inner;
        if inner.receipts.contains(id) {
            return Ok(Step::Done);
        }
        if !inner.receipts.push(id, answer) {
            if !inner.can_acknowledge_oldest() {
                // What would make room for it lies behind this message.
                return self.inbound_full();
            }
            inner.inbound.waits_for_receipt = true;
            return Ok(Step::Wait);
        }
        inner.inbound.receipt = Some(inner.receipts.receipt(id));
        Ok(self.hold(held))
    }

    /// What is owed goes out first, so that the server gets on after a reconnect.
    fn inbound_full(&self) -> Result<Step, Fault> {
        if self.out.inner.queue.control == 0 { Err(Fault::InboundFull) } else { Ok(Step::Wait) }
    }

    /// A packet that is nothing but its identifier.
    fn answer(&mut self, packet_type: PacketType, id: PacketId) -> Result<Step, Fault> {
        match packet_type {
            PacketType::PubRec => return Ok(self.pubrec(id)),
            PacketType::PubRel => return self.pubrel(id),
            _ => {}
        }
        let place = self.out.sent_place(id);
        if place.is_none() && self.out.is_offered(id) {
            return Ok(Step::Wait);
        }
        let session = &mut self.out.inner.session;
        let done = match packet_type {
            _ if place.is_none() => return Ok(self.ignore()),
            PacketType::UnsubAck if session.unsuback(id) => Held::Unsubscribed { id },
            PacketType::PubAck if session.puback(id) => Held::Published { id, qos: QoS::AtLeastOnce },
            PacketType::PubComp if session.pubcomp(id) => Held::Published { id, qos: QoS::ExactlyOnce },
            _ => return Ok(self.ignore()),
        };
        Ok(self.answered(place, done))
    }

    fn pubrec(&mut self, id: PacketId) -> Step {
        let place = self.out.sent_place(id);
        let too_early = place.is_none() && (self.out.is_repeated(id) || self.out.is_offered(id));
        if !self.out.has_room() || too_early {
            return Step::Wait;
        }
        match place {
            Some(at) if self.out.inner.session.pubrec(id) == PubRec::Release => {
                self.out.inner.link.changed();
                self.out.answered(at);
                let at = self.out.answer(PacketType::PubRel, id);
                self.out.inner.session.set_place(id, at);
            }
            _ => {
                self.ignore();
                self.out.answer(PacketType::PubRel, id);
            }
        }
        Step::Done
    }

    /// Answered whether the identifier is known or not, or the server keeps it for ever.
    fn pubrel(&mut self, id: PacketId) -> Result<Step, Fault> {
        if !self.out.has_room() {
            return Ok(Step::Wait);
        }
        match self.out.inner.session.inbound.remove(id) {
            Ok(known) => {
                if known {
                    self.out.inner.link.changed();
                }
                self.out.answer(PacketType::PubComp, id);
                Ok(Step::Done)
            }
            Err(_) => self.inbound_full(),
        }
    }

    /// The request here has come to its end.
    fn answered(&mut self, place: Option<usize>, held: Held) -> Step {
        if let Some(at) = place {
            self.out.answered(at);
        }
        self.hold(held)
    }

    /// An acknowledgement that nothing waits for: late, or not ours.
    fn ignore(&mut self) -> Step {
        let link = &mut self.out.inner.link;
        link.ignored = link.ignored.saturating_add(1);
        Step::Done
    }
}
