//! A table of routes that changes at any time, a client, and a server that grants, refuses, is slow, and loses connections and sessions.
//!
//! Messages go to the handlers whose filters match, in order. In the end, on a live link, each filter is requested once and
//! granted.

use std::collections::VecDeque;

use baremqtt::codec::{self, ConnAck, Decoded, Delivery, Packet, Publish, SubAck};
use baremqtt::{
    Buffers, Client, Connect, Instant, QoS, RouteError, Routes, SubAckCode, SubAckCodes, Subscription,
    TopicName, Version,
};

use crate::topic_rules;

const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

const FILTERS: [&str; 16] = [
    "#",
    "+",
    "a",
    "a/b",
    "a/#",
    "a/+",
    "+/b",
    "a/+/c",
    "$SYS/#",
    "$share/g/a/b",
    "$share/g/#",
    "/",
    "+/+",
    "b#",
    "",
    "a/b/c",
];

const TOPICS: [&str; 8] = ["a", "a/b", "a/b/c", "b", "/", "$SYS/a", "a/", "x/b"];

/// Room for this many routes.
const ROOM: usize = 6;

pub fn run(data: &[u8]) {
    let Some((&[rx, tx, at_once], operations)) = data.split_first_chunk() else { return };
    let mut world = World {
        client: Client::new(Buffers {
            rx: vec![0; 20 + usize::from(rx % 16)],
            tx: vec![0; 64 + usize::from(tx % 64)],
        }),
        routes: Routes::new().filters_at_once(at_once % 12),
        table: Vec::new(),
        asked: VecDeque::new(),
        is_linked: false,
        number: 0,
    };
    for [code, arg] in operations.as_chunks().0 {
        world.operate(*code, *arg);
    }
    world.settle();
}

struct World {
    client: Client<Vec<u8>, Vec<u8>>,
    routes: Routes<&'static str, u32, ROOM>,
    /// What the table should be.
    table: Vec<(&'static str, QoS, u32)>,
    /// Each SUBSCRIBE that has arrived and has no answer yet: its identifier, and its filters.
    asked: VecDeque<(codec::PacketId, Vec<(String, QoS)>)>,
    is_linked: bool,
    number: u32,
}

impl World {
    fn operate(&mut self, code: u8, arg: u8) {
        match code % 8 {
            0 | 1 => self.add(FILTERS[usize::from(arg) % 16], QOS[usize::from(arg / 16) % 3]),
            2 => self.remove(FILTERS[usize::from(arg) % 16]),
            3 => self.connect(arg % 2 == 1),
            4 => self.lose_link(),
            5 => self.turn(),
            6 => self.send(usize::from(arg)),
            _ => self.answer(arg),
        }
    }

    fn add(&mut self, filter: &'static str, qos: QoS) {
        self.number += 1;
        let known = self.table.iter().position(|(other, ..)| *other == filter);
        let result = self.routes.add(filter, qos, self.number);
        if !topic_rules::is_filter(filter) {
            assert!(matches!(result, Err(RouteError::Forbidden(_))), "{result:?}");
            assert!(!result.unwrap_err().to_string().is_empty());
        } else if known.is_none() && self.table.len() == ROOM {
            assert_eq!(result, Err(RouteError::Full));
        } else {
            assert_eq!(result, Ok(()));
            let route = (filter, qos, self.number);
            match known {
                Some(at) => self.table[at] = route,
                None => self.table.push(route),
            }
            assert_eq!(self.routes.subscription(filter), Some(Subscription::Wanted));
        }
        self.check();
    }

    fn remove(&mut self, filter: &str) {
        self.routes.remove(filter);
        self.table.retain(|(other, ..)| *other != filter);
        self.check();
    }

    fn connect(&mut self, session_present: bool) {
        if self.is_linked {
            return;
        }
        self.client.connect(&Connect::new("c").clean_session(false)).unwrap();
        while !self.client.pending().is_empty() {
            let len = self.client.pending().len();
            self.client.sent(len);
        }
        self.is_linked = true;
        self.gives(&Packet::ConnAck(ConnAck::Accepted { session_present }));
    }

    fn lose_link(&mut self) {
        self.client.link_lost();
        self.asked.clear();
        self.is_linked = false;
        self.turn();
    }

    /// The application handles what has happened, and lets the routes request missing subscriptions.
    fn turn(&mut self) {
        while self.client.advance(Instant::from_millis(0)).unwrap() {
            self.routes.note(&self.client.event().unwrap());
        }
        self.routes.subscribe(&mut self.client.outbound()).unwrap();
    }

    /// This many bytes reach the server, and complete packets are checked.
    fn send(&mut self, most: usize) {
        let pending = self.client.pending();
        let mut len = 0;
        while let Ok(Decoded::Complete { packet: Packet::Subscribe(subscribe), len: more }) =
            codec::decode(&pending[len..], Version::Mqtt311)
        {
            if len + more > most {
                break;
            }
            let filters = subscribe.filters.iter();
            let filters: Vec<_> = filters.map(|(filter, qos)| (filter.as_str().to_string(), qos)).collect();
            self.asked.push_back((subscribe.id, filters));
            len += more;
        }
        self.client.sent(len);
    }

    /// The oldest SUBSCRIBE is answered: each filter granted, or refused if the bit of its position is set. If there is none, a message
    /// is sent.
    fn answer(&mut self, refused: u8) {
        let Some((id, filters)) = self.asked.pop_front() else {
            if self.is_linked {
                let (topic, delivery) = (TopicName::new("a").unwrap(), Delivery::AtMostOnce);
                self.gives(&Packet::Publish(Publish { topic, payload: b"", delivery, retain: false }));
            }
            return;
        };
        let codes: Vec<_> =
            filters
                .iter()
                .enumerate()
                .map(|(at, (_, qos))| {
                    if refused >> (at % 8) & 1 == 1 { SubAckCode::Failure } else { SubAckCode::Granted(*qos) }
                })
                .collect();
        self.gives(&Packet::SubAck(SubAck { id, codes: SubAckCodes::new(&codes).unwrap() }));
        self.turn();
    }

    fn gives(&mut self, packet: &Packet<'_>) {
        let len = packet.encode(Version::Mqtt311, self.client.receive_buffer()).unwrap();
        self.client.received(len);
        self.turn();
    }

    fn check(&self) {
        for topic in TOPICS {
            let name = TopicName::new(topic).unwrap();
            let expected: Vec<_> = self
                .table
                .iter()
                .filter(|(filter, ..)| topic_rules::matches(without_share(filter), topic))
                .map(|(.., number)| *number)
                .collect();
            assert_eq!(self.routes.matching(name).copied().collect::<Vec<_>>(), expected, "{topic}");
        }
        for filter in FILTERS {
            let known = self.table.iter().any(|(other, ..)| *other == filter);
            assert_eq!(self.routes.subscription(filter).is_some(), known, "{filter}");
        }
    }

    /// A new session on a live link: everything is requested once, and granted.
    fn settle(&mut self) {
        self.lose_link();
        self.connect(false);
        let mut seen = Vec::new();
        for _ in 0..=2 * ROOM {
            self.turn();
            self.send(usize::MAX);
            seen.extend(self.asked.iter().flat_map(|(_, filters)| filters.clone()));
            while !self.asked.is_empty() {
                self.answer(0);
            }
        }
        let mut expected: Vec<_> =
            self.table.iter().map(|(filter, qos, _)| (filter.to_string(), *qos)).collect();
        seen.sort();
        expected.sort();
        assert_eq!(seen, expected);
        for (filter, qos, _) in &self.table {
            assert_eq!(
                self.routes.subscription(filter),
                Some(Subscription::Granted { qos: *qos }),
                "{filter}"
            );
        }
    }
}

/// The filter without the name of its group.
fn without_share(filter: &str) -> &str {
    match filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/')) {
        Some((_, rest)) if !rest.is_empty() => rest,
        _ => filter,
    }
}
