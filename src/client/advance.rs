//! One step of the client: lets go of the last event, looks at the clock, and reads packets until one of them is an
//! event.

use super::Error;
use super::inbound::{Held, Inbound, Span};
use super::link::State;
use super::outbound::Outbound;
use super::release::Released;
use crate::codec::{ConnAck, Delivery, FixedHeader, PacketType, Publish, SubAck, decode_id};
use crate::session::PubRec;
use crate::session::timers::Timer;
use crate::{Instant, PacketId, QoS, Version, Violation};

/// The whole client, for one step.
pub(super) struct Machine<'a> {
    pub(super) rx: &'a mut [u8],
    pub(super) inbound: &'a mut Inbound,
    pub(super) out: Outbound<'a>,
    pub(super) now: Instant,
}

/// What became of a packet.
pub(super) enum Step {
    /// It is an event, which occupies so many bytes.
    Event(Held, usize),
    /// It is dealt with, and these bytes can go.
    Done(usize),
    /// It cannot be dealt with before output moves on, or before more bytes come.
    Wait,
}

/// A whole packet in the receive buffer.
#[derive(Clone, Copy)]
struct Frame {
    header: FixedHeader,
    /// Where its body begins in the receive buffer.
    body_at: usize,
}

impl Machine<'_> {
    /// See [`Client::advance`](crate::Client::advance).
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        self.release();
        let result = self.step();
        match result {
            Ok(_) => self.out.watch_output(self.now, false),
            Err(error) => {
                match error {
                    Error::TimedOut(_) => debug!("MQTT: {}", error),
                    _ => warn!("MQTT: {}", error),
                }
                self.link_lost();
            }
        }
        result
    }

    fn link_lost(&mut self) {
        self.out.link_lost();
        self.inbound.link_lost();
    }

    /// The application has seen the event: what it owes is queued, and its bytes go.
    fn release(&mut self) {
        self.inbound.held = Held::None;
        self.inbound.receipt = None;
        self.inbound.waits_for_receipt = false;
        if let Some((packet_type, id)) = self.inbound.answer.take() {
            self.out.answer(packet_type, id);
        }
        let occupied = core::mem::take(&mut self.inbound.occupied);
        self.inbound.consume(occupied);
    }

    fn step(&mut self) -> Result<bool, Error> {
        self.out.ping_if_due(self.now);
        self.out.retry_if_due(self.now);
        if let Some(held) = self.notice() {
            self.inbound.held = held;
            return Ok(true);
        }
        while self.out.link.state != State::Offline {
            match self.packet()? {
                Step::Event(held, occupied) => {
                    self.inbound.held = held;
                    self.inbound.occupied = occupied;
                    return Ok(true);
                }
                Step::Done(len) => self.inbound.consume(len),
                Step::Wait => {
                    // Only now: what has come in time may have been read late.
                    return match self.out.link.timed_out(self.now) {
                        Some(timeout) => Err(Error::TimedOut(timeout)),
                        None => Ok(false),
                    };
                }
            }
        }
        Ok(false)
    }

    /// What is to be reported without a packet; CONNACK is reported first.
    fn notice(&mut self) -> Option<Held> {
        if self.out.link.state == State::Connecting {
            return None;
        }
        if core::mem::take(&mut self.inbound.aborted) {
            return Some(Held::Aborted);
        }
        if let Some((id, outcome)) = self.out.session.take_ended() {
            return Some(Held::Ended { id, outcome });
        }
        self.out.take_stream_ready().map(|id| Held::StreamReady { id })
    }

    fn packet(&mut self) -> Result<Step, Error> {
        if self.inbound.is_inside_large() {
            return self.large_message();
        }
        let version = self.out.link.version;
        let bytes = self.inbound.bytes(self.rx);
        let Some(header) = FixedHeader::decode(bytes, version)? else {
            return Ok(self.wait_for(FixedHeader::MAX_LEN));
        };
        self.check_order(header.packet_type)?;
        if header.packet_len() > self.rx.len() {
            return self.large_packet(&header);
        }
        if bytes.len() < header.packet_len() {
            return Ok(self.wait_for(header.packet_len()));
        }
        let body_at = self.inbound.start.saturating_add(header.header_len);
        self.frame(Frame { header, body_at })
    }

    /// More bytes are wanted for a packet of this length.
    pub(super) fn wait_for(&mut self, len: usize) -> Step {
        self.inbound.make_room(self.rx, len);
        // PINGRESP cannot come before the packet that is on its way.
        let fresh = core::mem::take(&mut self.inbound.fresh);
        if fresh && self.inbound.fill > self.inbound.start && self.out.link.timers.is_set(Timer::PingResp) {
            self.out.link.timers.set(Timer::PingResp, self.now, self.out.link.options.timeouts.pingresp_ms);
        }
        Step::Wait
    }

    /// CONNACK comes first and once (MQTT-3.2.0-1); what only clients send does not come at all.
    fn check_order(&self, packet_type: PacketType) -> Result<(), Violation> {
        use PacketType::*;
        match packet_type {
            Connect | Subscribe | Unsubscribe | PingReq | Disconnect => Err(Violation::UnexpectedPacket),
            ConnAck if self.out.link.accepted => Err(Violation::UnexpectedPacket),
            ConnAck => Ok(()),
            _ if !self.out.link.accepted => Err(Violation::BeforeConnAck),
            _ => Ok(()),
        }
    }

    fn frame(&mut self, frame: Frame) -> Result<Step, Error> {
        let len = frame.header.packet_len();
        let body = self.rx.get(frame.body_at..).and_then(|bytes| bytes.get(..frame.header.remaining_len));
        let body = body.unwrap_or_default();
        let version = self.out.link.version;
        match frame.header.packet_type {
            PacketType::Publish => {
                let publish = Publish::decode(frame.header.flags, body, version)?;
                let topic = Span::new(frame.body_at.saturating_add(2), publish.topic.as_bytes().len());
                let payload_at =
                    frame.body_at.saturating_add(body.len()).saturating_sub(publish.payload.len());
                let payload = Span::new(payload_at, publish.payload.len());
                let Publish { delivery, retain, .. } = publish;
                self.message(Held::Message { topic, payload, delivery, retain }, delivery, len)
            }
            PacketType::PubAck => Ok(self.puback(decode_id(body)?, len)),
            PacketType::PubRec => Ok(self.pubrec(decode_id(body)?, len)),
            PacketType::PubRel => self.pubrel(decode_id(body)?, len),
            PacketType::PubComp => Ok(self.pubcomp(decode_id(body)?, len)),
            PacketType::SubAck => {
                let SubAck { id, codes } = SubAck::decode(body, version)?;
                let codes = Span::new(frame.body_at.saturating_add(2), codes.len());
                self.suback(id, codes, body.len().saturating_sub(2), len)
            }
            PacketType::UnsubAck => Ok(self.unsuback(decode_id(body)?, len)),
            PacketType::ConnAck => self.connack(ConnAck::decode(body, version)?, len),
            PacketType::PingResp => {
                self.out.link.timers.stop(Timer::PingResp);
                Ok(Step::Done(len))
            }
            // The others are refused before.
            _ => Err(Error::Violation(Violation::UnexpectedPacket)),
        }
    }

    fn connack(&mut self, connack: ConnAck, len: usize) -> Result<Step, Error> {
        if self.out.owes_answers() {
            // The transport has not said yet that the end of CONNECT has left.
            return Ok(Step::Wait);
        }
        let session_present = match connack {
            ConnAck::Refused(code) => return Err(Error::Refused(code)),
            ConnAck::Accepted { session_present } => session_present,
        };
        let link = &mut *self.out.link;
        if session_present && link.clean_session {
            return Err(Error::Violation(Violation::SessionPresentAfterClean));
        }
        let known = (link.version == Version::Mqtt311).then_some(session_present);
        let kept = known.unwrap_or(link.options.assume_session_kept);
        link.accept(self.now);
        if !link.clean_session && !kept {
            self.out.session_lost();
        }
        Ok(Step::Event(Held::Connected { session_present: known }, len))
    }

    /// A message is complete, and is to be delivered as this event.
    pub(super) fn message(&mut self, held: Held, delivery: Delivery, len: usize) -> Result<Step, Error> {
        let (answer, id) = match delivery {
            Delivery::AtMostOnce => return Ok(Step::Event(held, len)),
            Delivery::AtLeastOnce { id, .. } => (PacketType::PubAck, id),
            Delivery::ExactlyOnce { id, .. } => (PacketType::PubRec, id),
        };
        if !self.out.has_room() {
            return Ok(Step::Wait);
        }
        if answer == PacketType::PubRec && self.out.session.inbound.contains(id) {
            self.out.answer(answer, id);
            return Ok(Step::Done(len));
        }
        if self.out.link.options.manual_acknowledgement {
            return Ok(self.message_on_receipt(held, answer, id, len));
        }
        if answer == PacketType::PubRec && self.out.take_inbound(id).is_err() {
            return self.inbound_full();
        }
        self.inbound.answer = Some((answer, id));
        Ok(Step::Event(held, len))
    }

    /// The application will acknowledge the message. Until then its repetitions are passed over.
    fn message_on_receipt(&mut self, held: Held, answer: PacketType, id: PacketId, len: usize) -> Step {
        if self.out.queues.receipts.contains(id) {
            return Step::Done(len);
        }
        if !self.out.queues.receipts.push(id, answer) {
            self.inbound.waits_for_receipt = true;
            return Step::Wait;
        }
        self.inbound.receipt = Some(self.out.queues.receipts.receipt(id));
        Step::Event(held, len)
    }

    /// What is owed goes out first, so that the server gets on after a reconnect.
    pub(super) fn inbound_full(&self) -> Result<Step, Error> {
        if self.out.owes_answers() { Ok(Step::Wait) } else { Err(Error::InboundFull) }
    }

    fn puback(&mut self, id: PacketId, len: usize) -> Step {
        match self.out.session.puback(id) {
            Some(qos) => {
                self.answered(id);
                Step::Event(Held::Published { id, qos }, len)
            }
            None => self.ignore(len),
        }
    }

    fn pubrec(&mut self, id: PacketId, len: usize) -> Step {
        if !self.out.has_room() || self.out.arena().is_inside_released() {
            return Step::Wait;
        }
        let turn = match self.out.session.pubrec(id) {
            PubRec::Release => self.release_message(id),
            PubRec::Queued if self.out.arena().was_attempted(id) => return self.ignore(len),
            PubRec::Queued | PubRec::Unknown => {
                self.ignore(len);
                id
            }
        };
        self.out.answer(PacketType::PubRel, turn);
        Step::Done(len)
    }

    /// PUBREC came for this message. Says for which one PUBREL goes now: for another, if PUBRELs of an earlier
    /// connection wait to be sent again and its turn comes after them.
    fn release_message(&mut self, id: PacketId) -> PacketId {
        self.out.link.changed();
        let Released { oldest, turn } = self.out.arena().released(id);
        self.out.watch_answers(self.now, oldest);
        if turn != id {
            self.out.session.sent(turn);
            self.out.session.release_later(id);
        }
        turn
    }

    /// Answered whether the identifier is known or not, or the server keeps it for ever.
    fn pubrel(&mut self, id: PacketId, len: usize) -> Result<Step, Error> {
        if !self.out.has_room() {
            return Ok(Step::Wait);
        }
        match self.out.session.inbound.remove(id) {
            Ok(known) => {
                if known {
                    self.out.link.changed();
                }
                self.out.answer(PacketType::PubComp, id);
                Ok(Step::Done(len))
            }
            Err(_) => self.inbound_full(),
        }
    }

    fn pubcomp(&mut self, id: PacketId, len: usize) -> Step {
        if !self.out.session.pubcomp(id) {
            return self.ignore(len);
        }
        self.answered(id);
        Step::Event(Held::Published { id, qos: QoS::ExactlyOnce }, len)
    }

    fn suback(&mut self, id: PacketId, codes: Span, count: usize, len: usize) -> Result<Step, Error> {
        if !self.out.session.suback(id, count)? {
            return Ok(self.ignore(len));
        }
        self.answered(id);
        Ok(Step::Event(Held::Subscribed { id, codes }, len))
    }

    fn unsuback(&mut self, id: PacketId, len: usize) -> Step {
        if !self.out.session.unsuback(id) {
            return self.ignore(len);
        }
        self.answered(id);
        Step::Event(Held::Unsubscribed { id }, len)
    }

    fn answered(&mut self, id: PacketId) {
        let oldest = self.out.arena().answered(id);
        self.out.watch_answers(self.now, oldest);
    }

    /// An acknowledgement that nothing waits for: late, or not ours.
    fn ignore(&mut self, len: usize) -> Step {
        self.out.link.ignored = self.out.link.ignored.saturating_add(1);
        Step::Done(len)
    }
}
