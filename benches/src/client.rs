//! The client alone, without a transport: the cost of a message from the call that publishes it to the event that reports its end, and
//! whether that depends on how many are in flight, or on how full the buffer is.

use std::collections::VecDeque;
use std::hint::black_box;

use baremqtt::codec::{Delivery, Packet, PacketId, Publish};
use baremqtt::{Buffers, Client, Config, Connect, Event, Instant, Message, QoS, TopicName, Version};

use crate::Meter;
use crate::operations::Operation;

const TOPIC: &str = "site/b7/floor3/room1";
const PAYLOAD: [u8; 64] = [b'x'; 64];
/// The size of a PUBLISH above QoS 0.
const LEN: usize = 2 + 2 + TOPIC.len() + 2 + PAYLOAD.len();
const TIMES: u64 = 2_000;

/// As many QoS 2 messages as fit.
struct Bench;

impl Config for Bench {
    fn max_exactly_once(&self) -> u16 {
        0
    }
}

struct Rig {
    client: Client<Vec<u8>, Vec<u8>, Bench>,
    now: u32,
    events: u64,
}

/// The size of a transmit buffer with exactly this many bytes for requests.
fn tx_for(requests: usize) -> usize {
    let share = |tx: usize| ((tx / 8) & !3).clamp(32, 1024);
    (requests..).find(|tx| tx - share(*tx) >= requests).unwrap()
}

impl Rig {
    fn new(requests: usize) -> Self {
        let buffers = Buffers { rx: vec![0; 4_096], tx: vec![0; tx_for(requests)] };
        let mut rig = Rig { client: Client::with_config(buffers, Bench), now: 0, events: 0 };
        rig.connects();
        rig
    }

    fn connects(&mut self) {
        self.client.connect(&Connect::new("c").clean_session(false)).unwrap();
        self.sends();
        self.receives(&[0x20, 2, 0, 0]);
    }

    fn publish(&mut self, qos: QoS) -> u16 {
        let message = Message::new(black_box(TOPIC), black_box(&PAYLOAD)).qos(qos);
        self.client.publish(&message).unwrap().map_or(0, PacketId::get)
    }

    fn sends(&mut self) {
        loop {
            let len = black_box(self.client.pending()).len();
            if len == 0 {
                return;
            }
            self.client.sent(len);
        }
    }

    fn receives(&mut self, bytes: &[u8]) {
        self.client.receive_buffer()[..bytes.len()].copy_from_slice(bytes);
        self.client.received(bytes.len());
        self.now += 1;
        while self.advance() {}
    }

    /// Counts the event, if there is one.
    fn advance(&mut self) -> bool {
        let found = self.client.advance(Instant::from_millis(self.now)).unwrap();
        if found && matches!(self.client.event(), Some(Event::Published { .. } | Event::Message(_))) {
            self.events += 1;
        }
        found
    }

    fn answers(&mut self, first: u8, id: u16) {
        let [high, low] = id.to_be_bytes();
        self.receives(&[first, 2, high, low]);
    }
}

/// Outbound messages, `window` of them always in flight, in a buffer with `slack` more bytes than they need; acknowledged in order.
/// Returns whether each was reported as published.
fn out(meter: &mut Meter, times: u64, qos: QoS, window: usize, slack: usize) -> bool {
    let mut rig = Rig::new(window * LEN + slack);
    let (mut sent, mut released) = (VecDeque::new(), VecDeque::new());
    let mut step = |rig: &mut Rig| {
        if qos == QoS::ExactlyOnce {
            // Half of them wait for PUBREC, half for PUBCOMP.
            if sent.len() > window / 2 || sent.len() + released.len() == window {
                let id = sent.pop_front().unwrap_or(0);
                rig.answers(0x50, id);
                rig.sends();
                released.push_back(id);
            }
            if released.len() + sent.len() == window {
                rig.answers(0x70, released.pop_front().unwrap_or(0));
            }
        } else if sent.len() == window {
            rig.answers(0x40, sent.pop_front().unwrap_or(0));
        }
        sent.push_back(rig.publish(qos));
        rig.sends();
    };
    for _ in 0..4 * window {
        step(&mut rig);
    }
    rig.events = 0;
    meter.measure(times, || step(&mut rig));
    rig.events == times && rig.client.in_flight() == window
}

/// Inbound QoS 2 messages, `window` of them always between PUBREC and PUBREL.
fn exactly_once_in(meter: &mut Meter, times: u64, window: u16) -> bool {
    let mut rig = Rig::new(1_024);
    let mut next = PacketId::FIRST;
    let mut under_way = VecDeque::new();
    let mut packet = [0; LEN];
    let mut step = |rig: &mut Rig| {
        let delivery = Delivery::ExactlyOnce { id: next, dup: false };
        let publish =
            Publish { topic: TopicName::new(TOPIC).unwrap(), payload: &PAYLOAD, delivery, retain: false };
        Packet::Publish(publish).encode(Version::Mqtt311, &mut packet).unwrap();
        rig.receives(&packet);
        rig.sends();
        under_way.push_back(next);
        next = next.next();
        if under_way.len() > usize::from(window) {
            rig.answers(0x62, under_way.pop_front().map_or(0, PacketId::get));
            rig.sends();
        }
    };
    for _ in 0..2 * window {
        step(&mut rig);
    }
    rig.events = 0;
    meter.measure(times, || step(&mut rig));
    rig.events == times
}

fn refused(meter: &mut Meter, times: u64) -> bool {
    let mut rig = Rig::new(1_024 * LEN);
    for _ in 0..1_024 {
        rig.publish(QoS::AtLeastOnce);
    }
    rig.sends();
    let message = Message::new(TOPIC, &PAYLOAD).at_least_once();
    let mut refused = 0;
    meter.measure(times, || refused += u64::from(rig.client.publish(black_box(&message)).is_err()));
    refused == times
}

fn idle(meter: &mut Meter, times: u64) -> bool {
    let mut rig = Rig::new(1_024);
    let mut idle = 0;
    meter.measure(times, || {
        rig.now += 1;
        idle += u64::from(rig.client.advance(Instant::from_millis(rig.now)) == Ok(false));
    });
    idle == times
}

macro_rules! operation {
    ($name:expr, $times:expr, |$meter:ident, $n:ident| $run:expr) => {
        Operation {
            group: "client",
            name: $name,
            codec: "baremqtt",
            times: $times,
            run: |$meter, $n| {
                $run;
            },
            check: || {
                let ($meter, $n) = (&mut Meter::off(), 100);
                $run
            },
        }
    };
}

const ROOMY: usize = 64 * 1024;

pub fn all() -> Vec<Operation> {
    use QoS::{AtLeastOnce, ExactlyOnce};
    vec![
        operation!("QoS 1 out, 1 under way", TIMES, |meter, n| out(meter, n, AtLeastOnce, 1, ROOMY)),
        operation!("QoS 1 out, 8 under way", TIMES, |meter, n| out(meter, n, AtLeastOnce, 8, ROOMY)),
        operation!("QoS 1 out, 64 under way", TIMES, |meter, n| out(meter, n, AtLeastOnce, 64, ROOMY)),
        operation!("QoS 1 out, 1,024 under way", TIMES, |meter, n| out(meter, n, AtLeastOnce, 1_024, ROOMY)),
        operation!("QoS 1 out, 8 under way, buffer just full", TIMES, |meter, n| out(
            meter,
            n,
            AtLeastOnce,
            8,
            0
        )),
        operation!("QoS 1 out, 64 under way, buffer just full", TIMES, |meter, n| out(
            meter,
            n,
            AtLeastOnce,
            64,
            0
        )),
        operation!("QoS 1 out, 1,024 under way, an eighth of slack", TIMES, |meter, n| out(
            meter,
            n,
            AtLeastOnce,
            1_024,
            128 * LEN
        )),
        operation!("QoS 2 out, 1 under way", TIMES, |meter, n| out(meter, n, ExactlyOnce, 1, ROOMY)),
        operation!("QoS 2 out, 8 under way", TIMES, |meter, n| out(meter, n, ExactlyOnce, 8, ROOMY)),
        operation!("QoS 2 out, 64 under way", TIMES, |meter, n| out(meter, n, ExactlyOnce, 64, ROOMY)),
        operation!("QoS 2 out, 1,024 under way", TIMES, |meter, n| out(meter, n, ExactlyOnce, 1_024, ROOMY)),
        operation!("QoS 2 out, 8 under way, buffer just full", TIMES, |meter, n| out(
            meter,
            n,
            ExactlyOnce,
            8,
            0
        )),
        operation!("QoS 2 out, 64 under way, buffer just full", TIMES, |meter, n| out(
            meter,
            n,
            ExactlyOnce,
            64,
            0
        )),
        operation!("QoS 2 out, 1,024 under way, an eighth of slack", TIMES, |meter, n| out(
            meter,
            n,
            ExactlyOnce,
            1_024,
            128 * LEN
        )),
        operation!("QoS 2 in, 1 under way", TIMES, |meter, n| exactly_once_in(meter, n, 1)),
        operation!("QoS 2 in, 64 under way", TIMES, |meter, n| exactly_once_in(meter, n, 64)),
        operation!("QoS 2 in, 1,024 under way", TIMES, |meter, n| exactly_once_in(meter, n, 1_024)),
        operation!("a publish that is refused, 1,024 under way", TIMES, |meter, n| refused(meter, n)),
        operation!("advance with nothing to do", TIMES, |meter, n| idle(meter, n)),
    ]
}

/// A stream of inbound QoS 0 messages, read into a buffer of `rx` bytes.
fn stream_in(meter: &mut Meter, times: u64, rx: usize) -> bool {
    let mut rig = Rig::new(1_024);
    let publish = Publish {
        topic: TopicName::new(TOPIC).unwrap(),
        payload: &PAYLOAD,
        delivery: Delivery::AtMostOnce,
        retain: false,
    };
    let mut packet = [0; LEN];
    let len = Packet::Publish(publish).encode(Version::Mqtt311, &mut packet).unwrap();
    let stream = packet[..len].repeat(rx / len + 2);
    let client = Client::with_config(Buffers { rx: vec![0; rx], tx: vec![0; 1_024] }, Bench);
    rig.client = client;
    rig.connects();
    let mut at = 0;
    meter.measure(times, || {
        while !rig.advance() {
            let room = rig.client.receive_buffer();
            let came = room.len();
            room.copy_from_slice(&stream[at..at + came]);
            rig.client.received(came);
            at = (at + came) % len;
        }
    });
    rig.events == times
}

macro_rules! curve {
    ($name:literal, [$($at:literal)*], |$meter:ident, $n:ident, $x:ident| $run:expr) => {
        [$(operation!(concat!($name, "=", $at), TIMES, |$meter, $n| { let $x = $at; $run })),*]
    };
}

/// The cost of a message over how many are in flight, and over the size of a buffer.
pub fn curves() -> Vec<Operation> {
    use QoS::{AtLeastOnce, ExactlyOnce};
    let mut all = vec![];
    all.extend(curve!("QoS 1 out", [1 2 4 8 16 32 64 128 256 512 1024 2048 4096], |meter, n, x| out(
        meter,
        n,
        AtLeastOnce,
        x,
        x * LEN
    )));
    all.extend(curve!("QoS 2 out", [1 2 4 8 16 32 64 128 256 512 1024 2048 4096], |meter, n, x| out(
        meter,
        n,
        ExactlyOnce,
        x,
        x * LEN
    )));
    all.extend(curve!("QoS 2 in", [1 2 4 8 16 32 64 128 256 512 1024 2048 4096], |meter, n, x| {
        exactly_once_in(meter, n, x)
    }));
    // 64 in flight take 5,888 bytes.
    all.extend(curve!(
        "tx, QoS 1 out, 64 under way",
        [0 184 368 736 1472 2944 5888 11776 23552 47104 94208],
        |meter, n, x| out(meter, n, AtLeastOnce, 64, x)
    ));
    all.extend(
        curve!("rx, QoS 0 in", [96 128 192 256 512 1024 2048 4096 8192 16384 32768 65536], |meter, n, x| {
            stream_in(meter, n, x)
        }),
    );
    all.into_iter().map(|operation| Operation { group: "curve", ..operation }).collect()
}
