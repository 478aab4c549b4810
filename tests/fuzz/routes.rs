//! A table of routes that changes at any time, a client, and a server that grants, refuses, is slow, and loses connections and sessions.
//!
//! Messages go to the handlers whose filters match, in order. In the end, on a connection that stays open, each filter is requested once
//! and granted.

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
const MAX_ROUTES: usize = 6;

pub fn run(data: &[u8]) {
    let Some((&[rx, tx, at_once], operations)) = data.split_first_chunk() else { return };
    let mut world = World {
        client: Client::new(Buffers {
            rx: vec![0; 20 + usize::from(rx % 16)],
            tx: vec![0; 64 + usize::from(tx % 64)],
        }),
        routes: Routes::new().filters_at_once(at_once % 12),
        expected_routes: Vec::new(),
        unanswered: VecDeque::new(),
        is_connected: false,
        number: 0,
    };
    for [code, arg] in operations.as_chunks().0 {
        world.run_operation(*code, *arg);
    }
    world.check_final_state();
}

struct World {
    client: Client<Vec<u8>, Vec<u8>>,
    routes: Routes<&'static str, u32, MAX_ROUTES>,
    /// What the routes should contain.
    expected_routes: Vec<(&'static str, QoS, u32)>,
    /// Each SUBSCRIBE that has arrived and has no answer yet: its identifier, and its filters.
    unanswered: VecDeque<(codec::PacketId, Vec<(String, QoS)>)>,
    is_connected: bool,
    number: u32,
}

impl World {
    fn run_operation(&mut self, code: u8, arg: u8) {
        match code % 8 {
            0 | 1 => self.add(FILTERS[usize::from(arg) % 16], QOS[usize::from(arg / 16) % 3]),
            2 => self.remove(FILTERS[usize::from(arg) % 16]),
            3 => self.connect(arg % 2 == 1),
            4 => self.lose_connection(),
            5 => self.process(),
            6 => self.send(usize::from(arg)),
            _ => self.answer(arg),
        }
    }

    fn add(&mut self, filter: &'static str, qos: QoS) {
        self.number += 1;
        let known = self.expected_routes.iter().position(|(other, ..)| *other == filter);
        let result = self.routes.add(filter, qos, self.number);
        if !topic_rules::is_filter(filter) {
            assert!(matches!(result, Err(RouteError::Forbidden(_))), "{result:?}");
            assert!(!result.unwrap_err().to_string().is_empty());
        } else if known.is_none() && self.expected_routes.len() == MAX_ROUTES {
            assert_eq!(result, Err(RouteError::Full));
        } else {
            assert_eq!(result, Ok(()));
            let route = (filter, qos, self.number);
            match known {
                Some(at) => self.expected_routes[at] = route,
                None => self.expected_routes.push(route),
            }
            assert_eq!(self.routes.subscription(filter), Some(Subscription::Wanted));
        }
        self.check();
    }

    fn remove(&mut self, filter: &str) {
        self.routes.remove(filter);
        self.expected_routes.retain(|(other, ..)| *other != filter);
        self.check();
    }

    fn connect(&mut self, session_present: bool) {
        if self.is_connected {
            return;
        }
        self.client.connect(&Connect::new("c").clean_session(false)).unwrap();
        while !self.client.pending().is_empty() {
            let len = self.client.pending().len();
            self.client.sent(len);
        }
        self.is_connected = true;
        self.deliver(&Packet::ConnAck(ConnAck::Accepted { session_present }));
    }

    fn lose_connection(&mut self) {
        self.client.link_lost();
        self.unanswered.clear();
        self.is_connected = false;
        self.process();
    }

    /// The application handles what has happened, and lets the routes request missing subscriptions.
    fn process(&mut self) {
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
            self.unanswered.push_back((subscribe.id, filters));
            len += more;
        }
        self.client.sent(len);
    }

    /// The oldest SUBSCRIBE is answered: each filter granted, or refused if the bit of its position is set. If there is none, a message
    /// is sent.
    fn answer(&mut self, refused: u8) {
        let Some((id, filters)) = self.unanswered.pop_front() else {
            if self.is_connected {
                let (topic, delivery) = (TopicName::new("a").unwrap(), Delivery::AtMostOnce);
                self.deliver(&Packet::Publish(Publish { topic, payload: b"", delivery, retain: false }));
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
        self.deliver(&Packet::SubAck(SubAck { id, codes: SubAckCodes::new(&codes).unwrap() }));
        self.process();
    }

    fn deliver(&mut self, packet: &Packet<'_>) {
        let len = packet.encode(Version::Mqtt311, self.client.receive_buffer()).unwrap();
        self.client.received(len);
        self.process();
    }

    fn check(&self) {
        for topic in TOPICS {
            let name = TopicName::new(topic).unwrap();
            let expected: Vec<_> = self
                .expected_routes
                .iter()
                .filter(|(filter, ..)| topic_rules::matches(without_share_prefix(filter), topic))
                .map(|(.., number)| *number)
                .collect();
            assert_eq!(self.routes.matching(name).copied().collect::<Vec<_>>(), expected, "{topic}");
        }
        for filter in FILTERS {
            let known = self.expected_routes.iter().any(|(other, ..)| *other == filter);
            assert_eq!(self.routes.subscription(filter).is_some(), known, "{filter}");
        }
    }

    /// A new session on a connection that stays open: everything is requested once, and granted.
    fn check_final_state(&mut self) {
        self.lose_connection();
        self.connect(false);
        let mut seen = Vec::new();
        for _ in 0..=2 * MAX_ROUTES {
            self.process();
            self.send(usize::MAX);
            seen.extend(self.unanswered.iter().flat_map(|(_, filters)| filters.clone()));
            while !self.unanswered.is_empty() {
                self.answer(0);
            }
        }
        let mut expected: Vec<_> =
            self.expected_routes.iter().map(|(filter, qos, _)| (filter.to_string(), *qos)).collect();
        seen.sort();
        expected.sort();
        assert_eq!(seen, expected);
        for (filter, qos, _) in &self.expected_routes {
            assert_eq!(
                self.routes.subscription(filter),
                Some(Subscription::Granted { qos: *qos }),
                "{filter}"
            );
        }
    }
}

/// The filter without `$share/` and the name of its group.
fn without_share_prefix(filter: &str) -> &str {
    match filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/')) {
        Some((_, rest)) if !rest.is_empty() => rest,
        _ => filter,
    }
}
