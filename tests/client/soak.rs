//! Tens of thousands of random steps against the strict broker of `model`: QoS 1 at least once, QoS 2 exactly once
//! while the broker keeps its session, both in order; every request ends in exactly one event.

use std::collections::{BTreeMap, BTreeSet};

use baremqtt::{Message, PacketId, QoS, SessionLoss, State, Version};

use crate::harness::*;
use crate::model::Broker;

const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

#[derive(Clone, Copy)]
enum Kind {
    Publish { number: u32, qos: QoS },
    Subscribe,
    Unsubscribe,
}

struct Soak {
    random: u64,
    rig: Rig<8>,
    broker: Broker,
    /// Requests that were accepted and have not ended.
    open: BTreeMap<u16, Kind>,
    /// Messages that were in flight when the broker lost its session: these may arrive twice.
    exposed: BTreeSet<u32>,
    next_number: u32,
    next_delivery: u32,
    /// QoS 1 and 2 messages that the broker has sent.
    expected: BTreeSet<u32>,
    /// How often each message of the broker was delivered, and the newest of each QoS.
    delivered: BTreeMap<u32, u32>,
    newest: [u32; 3],
    counts: BTreeMap<String, u32>,
}

impl Soak {
    fn new(seed: u64, version: Version, rx: usize, tx: usize) -> Self {
        let mut rig = Rig::sized(rx, tx);
        rig.version = version;
        Soak {
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            rig,
            broker: Broker::new(version),
            open: BTreeMap::new(),
            exposed: BTreeSet::new(),
            next_number: 0,
            next_delivery: 0,
            expected: BTreeSet::new(),
            delivered: BTreeMap::new(),
            newest: [0; 3],
            counts: BTreeMap::new(),
        }
    }

    fn below(&mut self, limit: u64) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % limit) as usize
    }

    fn step(&mut self) {
        match self.below(100) {
            0..20 => self.publish(),
            20..26 => self.subscribe_or_unsubscribe(),
            26..52 => {
                let most = [1, 3, 10, 1_000][self.below(4)];
                self.send(most);
            }
            52..78 => self.receive(),
            78..91 => {
                self.next_delivery += 1;
                let qos = QOS[self.below(3)];
                if self.broker.publish(self.next_delivery, qos) && qos != QoS::AtMostOnce {
                    self.expected.insert(self.next_delivery);
                }
            }
            91 => self.lose_link(),
            93 if self.below(4) == 0 => {
                self.rig.disconnect();
            }
            94 if self.below(10) == 0 && self.rig.version == Version::Mqtt311 => self.lose_session(),
            _ => self.reconnect_if_offline(),
        }
        self.handle_events();
    }

    fn publish(&mut self) {
        let qos = QOS[self.below(3)];
        let number = self.next_number + 1;
        let mut payload = number.to_be_bytes().to_vec();
        payload.resize(4 + self.below(30), 0);
        if let Ok(id) = self.rig.client.publish(&Message::new("to/broker", &payload).qos(qos)) {
            self.next_number = number;
            assert_eq!(id.is_none(), qos == QoS::AtMostOnce);
            self.record_request(id, Kind::Publish { number, qos });
        }
    }

    fn subscribe_or_unsubscribe(&mut self) {
        if self.below(2) == 0 {
            if let Ok(id) = self.rig.client.subscribe(&[("a/#", QoS::ExactlyOnce)]) {
                self.record_request(Some(id), Kind::Subscribe);
            }
        } else if let Ok(id) = self.rig.client.unsubscribe(&["a/#"]) {
            self.record_request(Some(id), Kind::Unsubscribe);
        }
    }

    fn record_request(&mut self, id: Option<PacketId>, kind: Kind) {
        if let Some(id) = id {
            assert!(self.open.insert(id.get(), kind).is_none(), "{id} is in use");
        }
    }

    fn send(&mut self, most: usize) {
        self.rig.send_bytes(most);
        if self.broker.receive(&mut self.rig.wire) {
            assert_eq!(self.rig.client.state(), State::Offline);
            self.rig.lose_link();
        }
    }

    fn receive(&mut self) {
        let count = self.below(4);
        let mut bytes: Vec<u8> = Vec::new();
        for _ in 0..count {
            bytes.extend(self.broker.replies.pop_front().unwrap_or_default());
        }
        self.rig.chunks.into = 1 + self.below(40);
        self.rig.receive_bytes(&bytes);
    }

    fn lose_link(&mut self) {
        self.rig.lose_link();
        self.broker.link_lost();
    }

    fn lose_session(&mut self) {
        self.lose_link();
        self.broker.lose_session();
        self.exposed.extend(self.open.values().filter_map(|kind| match kind {
            Kind::Publish { number, .. } => Some(*number),
            _ => None,
        }));
    }

    fn reconnect_if_offline(&mut self) {
        if self.rig.client.state() == State::Offline {
            self.lose_link();
            self.rig.connect(&CONNECT.version(self.rig.version));
        }
    }

    /// Handles the events.
    fn handle_events(&mut self) {
        for line in self.rig.events() {
            let words: Vec<&str> = line.split(' ').collect();
            *self.counts.entry(words[0].into()).or_default() += 1;
            match words[0] {
                "connected" => {}
                "message" => self.count_delivery(&line),
                "error" => panic!("{line}"),
                _ => self.end_request(&words),
            }
        }
    }

    fn end_request(&mut self, words: &[&str]) {
        let id: u16 = words[1].parse().unwrap();
        match (words[0], self.open.remove(&id).expect("a request ends once")) {
            ("published", Kind::Publish { number, qos }) => {
                assert_eq!(words[2], format!("qos={qos}"));
                let times = self.broker.arrived.get(&number).copied().unwrap_or(0);
                assert!(times > 0, "message {number} never arrived");
                let once = qos == QoS::AtLeastOnce || self.exposed.contains(&number);
                assert!(times == 1 || once, "message {number} arrived {times} times");
            }
            ("subscribed", Kind::Subscribe) | ("unsubscribed", Kind::Unsubscribe) => {}
            ("ended", Kind::Subscribe | Kind::Unsubscribe) => assert_eq!(words[2], "Lost"),
            ("ended", Kind::Publish { number, qos }) => {
                assert!(self.exposed.contains(&number), "only the loss of the session ends a message");
                assert!(words[2] == "Lost" || qos == QoS::ExactlyOnce);
            }
            _ => panic!("{words:?}"),
        }
    }

    /// "message to/client qos=2 id=5 (4 B) 00000001"
    fn count_delivery(&mut self, line: &str) {
        let qos: usize = line.split("qos=").nth(1).unwrap()[..1].parse().unwrap();
        let number = self.rig.numbers.pop_front().expect("a number for each message");
        let times = self.delivered.entry(number).or_default();
        *times += 1;
        assert!(*times == 1 || qos == 1, "{line}: {number} is delivered twice");
        if *times == 1 {
            assert!(self.newest[qos] < number, "{number} is delivered after {}", self.newest[qos]);
            self.newest[qos] = number;
        }
    }

    /// Lets everything complete, and checks that nothing is left.
    fn finish(&mut self) {
        for _ in 0..10_000 {
            self.reconnect_if_offline();
            self.send(usize::MAX);
            self.receive();
            self.handle_events();
        }
        assert!(self.open.is_empty(), "all requests have ended");
        assert!(self.broker.is_idle(), "the client has answered everything");
        assert_eq!(self.rig.client.in_flight(), 0);
        for number in &self.expected {
            let known = self.delivered.contains_key(number) || self.broker.given_up.contains(number);
            assert!(known, "message {number} was lost");
        }
        for event in ["connected", "published", "subscribed", "unsubscribed", "ended", "message"] {
            assert!(self.counts.get(event).is_some_and(|&count| count > 10), "{event}: {:?}", self.counts);
        }
    }
}

#[test]
fn nothing_is_lost_duplicated_or_reordered() {
    let mut seed = 0;
    for version in [Version::Mqtt311, Version::Mqtt31] {
        for (rx, tx) in [(64, 160), (128, 300), (256, 2_048)] {
            for loss in [SessionLoss::Resend, SessionLoss::Drop] {
                seed += 1;
                println!("seed {seed}: {version}, {rx} + {tx} bytes, {loss:?}");
                let mut soak = Soak::new(seed, version, rx, tx);
                soak.rig.choose(|c| c.session_loss = loss);
                for _ in 0..60_000 {
                    soak.step();
                }
                soak.finish();
            }
        }
    }
}
