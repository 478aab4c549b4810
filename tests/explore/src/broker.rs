//! A broker with one client: it answers according to the standard, and accepts nothing that the standard forbids.

use baremqtt::QoS;
use baremqtt::codec::{ConnAck, Delivery, Packet, Publish};

use crate::packets::{Kind, encode, number, payload, publish, send};
use crate::rules::{Feature, Rules};

/// The limit of messages in one direction.
pub const MOST: usize = 12;

pub type Check = Result<(), String>;

macro_rules! check {
    ($holds:expr, $($text:tt)*) => {
        if !$holds {
            return Err(format!($($text)*));
        }
    };
}
pub(crate) use check;

/// A message to the client that is in flight.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub message: u8,
    pub id: u16,
    pub qos: QoS,
    /// PUBREC has arrived.
    is_released: bool,
    /// Sent on this connection, and the answer is outstanding.
    is_awaited: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Broker {
    /// Whether CONNECT, and DISCONNECT, has arrived on this connection.
    pub is_connected: bool,
    pub is_closed: bool,
    pub has_session: bool,
    /// The session ends with this connection.
    pub is_clean: bool,
    /// The client takes the session for an earlier one that is lost, because no CONNACK has said otherwise yet.
    pub is_mistaken: bool,
    next_id: u16,
    /// Messages of the client that were forwarded.
    pub arrived: u16,
    /// Messages that may arrive twice, because a session that knew them was lost.
    pub exposed: u16,
    /// The identifiers that the client has given up, as bits; the broker itself does not know of them.
    pub given_up: u16,
    /// Messages to the client that were lost with a session.
    pub lost: u16,
    /// Messages that the client has received, and knows nothing about since it has discarded the session.
    pub forgotten: u16,
    /// QoS 2 messages that have not been released: identifier and message.
    unreleased: Vec<(u16, u8)>,
    /// How many of them, the first ones, the client knows nothing about since it has discarded the session.
    orphans: usize,
    /// Identifiers in the order in which PUBREC was last sent for them.
    pubrecs: Vec<u16>,
    /// On this connection: up to which of them PUBREL has arrived, and the newest message.
    passed: usize,
    pub newest: Option<u8>,
    /// The next message to the client.
    pub next: u8,
    outgoing: Vec<Outgoing>,
    /// Identifiers of PUBRELs sent on this connection that are not answered.
    pubrels: Vec<u16>,
    /// Answers to be sent, if their order is free.
    pub due: Vec<(Kind, u16)>,
}

impl Broker {
    pub fn link_lost(&mut self) {
        self.is_connected = false;
        self.is_closed = false;
        self.is_clean = false;
        self.passed = 0;
        self.newest = None;
        self.pubrels.clear();
        self.due.clear();
        self.outgoing.iter_mut().for_each(|outgoing| outgoing.is_awaited = false);
    }

    /// The session is gone. What the client sends again may arrive a second time.
    pub fn lose_session(&mut self, again: u16) {
        self.has_session = false;
        self.exposed |= again;
        self.lost |= self.outgoing.iter().fold(0, |lost, outgoing| lost | 1 << outgoing.message);
        self.outgoing.clear();
        self.unreleased.clear();
        self.orphans = 0;
        self.pubrecs.clear();
        self.passed = 0;
        self.next_id = 0;
    }

    /// The client has discarded the session, and may continue this one nevertheless.
    pub fn is_forgotten(&mut self) {
        self.is_mistaken = false;
        self.orphans = self.unreleased.len();
        self.forgotten |= self.unanswered();
    }

    /// Messages to the client that it has not answered.
    pub fn unanswered(&self) -> u16 {
        let unanswered = self.outgoing.iter().filter(|outgoing| !outgoing.is_released);
        unanswered.fold(0, |messages, outgoing| messages | 1 << outgoing.message)
    }

    pub fn owes_nothing(&self) -> bool {
        self.outgoing.is_empty() && self.due.is_empty()
    }

    pub fn keeps_nothing(&self) -> bool {
        self.unreleased.len() == self.orphans
    }

    /// Sends its next message, if it has one and the client is connected.
    pub fn publishes(&mut self, rules: &Rules, down: &mut Vec<u8>) -> bool {
        let message = usize::from(self.next);
        if !self.is_connected || self.is_closed || message >= rules.into.len() {
            return false;
        }
        self.next += 1;
        self.next_id += 1;
        let outgoing = Outgoing {
            message: message as u8,
            id: self.next_id,
            qos: rules.into[message],
            is_released: false,
            is_awaited: true,
        };
        publish(&outgoing, rules, false, down);
        self.outgoing.push(outgoing);
        true
    }

    /// Sends the first answer of this kind that is due.
    pub fn answers(&mut self, kind: Kind, rules: &Rules, down: &mut Vec<u8>) -> bool {
        let Some(at) = self.due.iter().position(|due| due.0 == kind) else { return false };
        let (_, id) = self.due.remove(at);
        send(kind, id, rules, down);
        true
    }

    fn owes(&mut self, kind: Kind, id: u16, rules: &Rules, down: &mut Vec<u8>) {
        if rules.has(Feature::Order) {
            self.due.push((kind, id));
        } else {
            send(kind, id, rules, down);
        }
    }

    /// A packet of the client has arrived.
    pub fn takes(&mut self, packet: Packet<'_>, rules: &Rules, down: &mut Vec<u8>) -> Check {
        check!(!self.is_closed, "{packet} behind DISCONNECT");
        let is_connect = matches!(packet, Packet::Connect(_));
        check!(self.is_connected != is_connect, "{packet}: CONNECT is the first packet and no other");
        match packet {
            Packet::Connect(connect) => self.connects(connect.clean_session, rules, down),
            Packet::Publish(publish) => return self.takes_publish(publish, rules, down),
            Packet::PubRel { id, .. } => return self.takes_pubrel(id.get(), rules, down),
            Packet::PubAck(id) => {
                let at = self.awaited(QoS::AtLeastOnce, false);
                check!(at.is_some_and(|at| self.outgoing[at].id == id.get()), "PUBACK {id} is not the next");
                self.outgoing.remove(at.unwrap_or_default());
            }
            Packet::PubRec(id) => {
                let at = self.awaited(QoS::ExactlyOnce, false);
                check!(at.is_some_and(|at| self.outgoing[at].id == id.get()), "PUBREC {id} is not the next");
                let outgoing = &mut self.outgoing[at.unwrap_or_default()];
                outgoing.is_released = true;
                self.pubrels.push(id.get());
                self.owes(Kind::PubRel, id.get(), rules, down);
            }
            Packet::PubComp(id) => {
                check!(self.pubrels.first() == Some(&id.get()), "PUBCOMP {id} is not the next");
                self.pubrels.remove(0);
                self.outgoing.retain(|outgoing| outgoing.id != id.get());
            }
            Packet::Subscribe(subscribe) => self.owes(Kind::SubAck, subscribe.id.get(), rules, down),
            Packet::Unsubscribe(unsubscribe) => self.owes(Kind::UnsubAck, unsubscribe.id.get(), rules, down),
            Packet::PingReq => self.owes(Kind::PingResp, 0, rules, down),
            Packet::Disconnect => self.is_closed = true,
            _ => return Err(format!("{packet} from a client")),
        }
        Ok(())
    }

    fn awaited(&self, qos: QoS, is_released: bool) -> Option<usize> {
        self.outgoing
            .iter()
            .position(|out| out.qos == qos && out.is_awaited && out.is_released == is_released)
    }

    fn connects(&mut self, clean: bool, rules: &Rules, down: &mut Vec<u8>) {
        let session_present = self.has_session && !rules.has(Feature::Mqtt31);
        (self.is_connected, self.has_session, self.is_clean) = (true, true, clean);
        encode(Packet::ConnAck(ConnAck::Accepted { session_present }), rules, down);
        for outgoing in &mut self.outgoing {
            outgoing.is_awaited = true;
            if outgoing.is_released {
                self.pubrels.push(outgoing.id);
                send(Kind::PubRel, outgoing.id, rules, down);
            } else {
                publish(outgoing, rules, true, down);
            }
        }
    }

    fn takes_publish(&mut self, publish: Publish<'_>, rules: &Rules, down: &mut Vec<u8>) -> Check {
        let message = number(publish.topic.as_str(), b'o').filter(|message| *message < rules.out.len());
        let Some(message) = message else { return Err(format!("{publish} was never published")) };
        check!(publish.delivery.qos() == rules.out[message], "{publish} has another QoS");
        check!(publish.payload == payload(message, rules.is_streamed(message)), "{publish}: its payload");
        let in_order = self.newest.is_none_or(|newest| usize::from(newest) < message);
        check!(in_order || rules.has(Feature::Retry), "message {message} again, or out of order");
        self.newest = Some(message as u8);
        match publish.delivery {
            Delivery::AtMostOnce => self.arrives(message, rules)?,
            Delivery::AtLeastOnce { id, .. } => {
                self.arrives(message, rules)?;
                self.owes(Kind::PubAck, id.get(), rules, down);
            }
            Delivery::ExactlyOnce { id, .. } => {
                let id = id.get();
                match self.unreleased.iter().find(|known| known.0 == id) {
                    Some(&(_, other)) if usize::from(other) != message => {
                        return Err(format!("message {message} has the identifier of {other}, not released"));
                    }
                    Some(_) => {}
                    None => {
                        self.unreleased.push((id, message as u8));
                        if !rules.has(Feature::AtPubrel) {
                            self.arrives(message, rules)?;
                        }
                    }
                }
                self.retain_pubrecs(|known| known != id);
                self.pubrecs.push(id);
                self.owes(Kind::PubRec, id, rules, down);
            }
        }
        Ok(())
    }

    /// PUBRELs arrive in the order of the PUBRECs (MQTT-4.6.0-4).
    fn takes_pubrel(&mut self, id: u16, rules: &Rules, down: &mut Vec<u8>) -> Check {
        // The PUBREL of a message that was given up is sent in its own place, without PUBREC.
        let is_given_up = self.given_up & (1 << id) != 0;
        let place = self.pubrecs.iter().position(|known| *known == id);
        if let Some(at) = place.filter(|_| !is_given_up) {
            let in_order = at >= self.passed || rules.has(Feature::Retry);
            check!(in_order, "PUBREL {id} behind {}", self.pubrecs[self.passed - 1]);
            self.passed = at + 1;
        }
        if let Some(at) = self.unreleased.iter().position(|known| known.0 == id) {
            let (_, message) = self.unreleased.remove(at);
            self.orphans -= usize::from(at < self.orphans);
            if rules.has(Feature::AtPubrel) {
                self.arrives(message.into(), rules)?;
            }
        }
        self.owes(Kind::PubComp, id, rules, down);
        Ok(())
    }

    /// A message is forwarded: at QoS 2 once, and in order.
    fn arrives(&mut self, message: usize, rules: &Rules) -> Check {
        let exposed = self.exposed & (1 << message) != 0 || rules.distrusts();
        let once = rules.out[message] != QoS::ExactlyOnce || !self.has_arrived(message) || exposed;
        check!(once, "message {message} of QoS 2 arrives twice");
        self.arrived |= 1 << message;
        Ok(())
    }

    pub fn has_arrived(&self, message: usize) -> bool {
        self.arrived & (1 << message) != 0
    }

    /// Removes identifiers from the order of PUBRECs.
    pub fn retain_pubrecs(&mut self, stays: impl Fn(u16) -> bool) {
        self.passed = self.pubrecs[..self.passed].iter().filter(|id| stays(**id)).count();
        self.pubrecs.retain(|id| stays(*id));
    }

    /// For the key of a state.
    pub fn key(&self, key: &mut Vec<u8>) {
        let flag = |is: bool| u8::from(is);
        key.extend([
            flag(self.is_connected),
            flag(self.is_closed),
            flag(self.has_session),
            flag(self.is_clean),
            flag(self.is_mistaken),
        ]);
        key.extend([self.next_id as u8, self.passed as u8, self.newest.map_or(0xFF, |n| n), self.next]);
        for bits in [self.arrived, self.exposed, self.lost, self.given_up, self.forgotten] {
            key.extend(bits.to_be_bytes());
        }
        key.extend([self.unreleased.len() as u8, self.orphans as u8]);
        self.unreleased.iter().for_each(|(id, message)| key.extend([*id as u8, *message]));
        key.push(self.pubrecs.len() as u8);
        key.extend(self.pubrecs.iter().map(|id| *id as u8));
        key.push(self.pubrels.len() as u8);
        key.extend(self.pubrels.iter().map(|id| *id as u8));
        key.push(self.outgoing.len() as u8);
        for out in &self.outgoing {
            key.extend([out.message, out.id as u8, flag(out.is_released), flag(out.is_awaited)]);
        }
        key.push(self.due.len() as u8);
        self.due.iter().for_each(|(kind, id)| key.extend([*kind as u8, *id as u8]));
    }
}
