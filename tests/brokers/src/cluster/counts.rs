//! What has become of numbered messages: as reported to the application, and as seen on the wire.

use std::collections::{HashMap, HashSet};
use std::fmt;

use baremqtt::codec::{Delivery, Packet, PacketId};
use baremqtt::{Outcome, QoS};

use crate::support::order::{Order, late};

/// Messages alternate between QoS 1 and 2.
pub fn qos(number: usize) -> QoS {
    if number.is_multiple_of(2) { QoS::AtLeastOnce } else { QoS::ExactlyOnce }
}

pub fn topic(number: usize) -> &'static str {
    if number.is_multiple_of(2) { "cluster/1" } else { "cluster/2" }
}

/// The number in a payload.
pub fn number(payload: &[u8]) -> usize {
    std::str::from_utf8(payload).unwrap().parse().unwrap()
}

/// What was reported to the application.
#[derive(Default)]
pub struct Told {
    /// Messages whose end has not been reported yet.
    pub open: HashMap<PacketId, usize>,
    pub published: Vec<usize>,
    /// Ends of messages that are not open.
    pub unknown: usize,
    pub ended: Vec<(usize, Outcome)>,
    pub arrived: Vec<usize>,
}

/// The traffic on the wire, over all links.
#[derive(Default)]
pub struct Wire {
    /// The message that each identifier stands for, by direction.
    open: HashMap<(bool, PacketId), usize>,
    pub sent: Vec<usize>,
    pub came: Vec<usize>,
    /// Messages that the broker has answered, and those that the client has.
    pub taken_by_broker: HashSet<usize>,
    pub taken_by_client: HashSet<usize>,
}

impl Wire {
    pub fn note(&mut self, up: bool, packet: &Packet<'_>) {
        match packet {
            Packet::Publish(publish) => {
                let number = number(publish.payload);
                if up { &mut self.sent } else { &mut self.came }.push(number);
                if let Delivery::AtLeastOnce { id, .. } | Delivery::ExactlyOnce { id, .. } = publish.delivery
                {
                    self.open.insert((up, id), number);
                }
            }
            Packet::PubAck(id) | Packet::PubRec(id) => {
                let taken = if up { &mut self.taken_by_client } else { &mut self.taken_by_broker };
                taken.extend(self.open.remove(&(!up, *id)));
            }
            _ => {}
        }
    }

    /// What the client has done wrong.
    pub fn faults(&self, told: &Told) -> Vec<String> {
        let mut faults = Vec::new();
        let arrived: HashSet<_> = told.arrived.iter().collect();
        let swallowed = self.taken_by_client.iter().filter(|number| !arrived.contains(number)).count();
        let invented = told.published.iter().filter(|number| !self.taken_by_broker.contains(number)).count();
        let mut came = self.came.iter();
        for (what, count) in [
            ("acknowledged and not told", swallowed),
            ("told as published without an answer", invented),
            ("told as published twice", told.unknown),
            ("never told as published", told.open.len()),
            ("given up", told.ended.len()),
            (
                "told in another order than they came in",
                told.arrived.iter().filter(|number| !came.any(|other| other == *number)).count(),
            ),
            (
                "sent in another order than they were published in",
                [0, 1].map(|parity| counts(&self.sent, parity, 0).late).iter().sum(),
            ),
        ] {
            if count > 0 {
                faults.push(format!("{count} {what}"));
            }
        }
        faults
    }
}

/// Lost, twice, out of order.
#[derive(Clone, Copy, PartialEq)]
pub struct Counts {
    pub lost: usize,
    pub twice: usize,
    pub late: usize,
}

/// The counts for one QoS in a list of numbers, of which `count` were expected.
pub fn counts(list: &[usize], parity: usize, count: usize) -> Counts {
    let of_qos = || list.iter().copied().filter(|number| number % 2 == parity);
    let mut order = Order::default();
    of_qos().for_each(|number| order.add(number));
    Counts {
        lost: count.saturating_sub(order.list.len()),
        twice: of_qos().count() - order.list.len(),
        late: late(&order.list),
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", self.lost, self.twice, self.late)
    }
}
