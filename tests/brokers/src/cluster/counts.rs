//! What has happened to numbered messages: as reported to the application, and as seen on the wire.

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
pub struct Reported {
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
    pub received: Vec<usize>,
    /// Messages that the broker has answered, and those that the client has.
    pub acknowledged_by_broker: HashSet<usize>,
    pub acknowledged_by_client: HashSet<usize>,
}

impl Wire {
    pub fn record(&mut self, up: bool, packet: &Packet<'_>) {
        match packet {
            Packet::Publish(publish) => {
                let number = number(publish.payload);
                if up { &mut self.sent } else { &mut self.received }.push(number);
                if let Delivery::AtLeastOnce { id, .. } | Delivery::ExactlyOnce { id, .. } = publish.delivery
                {
                    self.open.insert((up, id), number);
                }
            }
            Packet::PubAck(id) | Packet::PubRec(id) => {
                let acknowledged =
                    if up { &mut self.acknowledged_by_client } else { &mut self.acknowledged_by_broker };
                acknowledged.extend(self.open.remove(&(!up, *id)));
            }
            _ => {}
        }
    }

    /// What the client has done wrong.
    pub fn faults(&self, reported: &Reported) -> Vec<String> {
        let mut faults = Vec::new();
        let arrived: HashSet<_> = reported.arrived.iter().collect();
        let unreported =
            self.acknowledged_by_client.iter().filter(|number| !arrived.contains(number)).count();
        let unconfirmed =
            reported.published.iter().filter(|number| !self.acknowledged_by_broker.contains(number)).count();
        let mut received = self.received.iter();
        for (what, count) in [
            ("acknowledged but not reported", unreported),
            ("reported as published without an acknowledgement", unconfirmed),
            ("reported as published twice", reported.unknown),
            ("never reported as published", reported.open.len()),
            ("given up", reported.ended.len()),
            (
                "reported in another order than that of arrival",
                reported.arrived.iter().filter(|number| !received.any(|other| other == *number)).count(),
            ),
            (
                "sent in another order than that of publishing",
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
