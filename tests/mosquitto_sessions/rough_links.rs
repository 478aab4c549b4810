//! Twenty thousand messages of QoS 1 and of QoS 2, each way, over a link that delays, splits, stalls and is cut. They are counted on
//! arrival and on the wire, so that a loss by the broker can be distinguished from one by the client. `MESSAGES=1000000` makes it a
//! million of each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant as Clock;

use baremqtt::codec::{Delivery, Packet, PacketId};
use baremqtt::{QoS, Version};

use crate::cut_links::{persistent_broker, points};
use crate::peer::{Peer, Setup};
use crate::support::proxy::{Direction, Proxy};
use crate::support::wire::Packets;
use crate::traffic::{Tally, number, receive, send};

const TOPIC: &str = "rough";

pub fn messages() -> usize {
    std::env::var("MESSAGES").map_or(20_000, |count| count.parse().expect("a number"))
}

/// The traffic of the link, packet by packet.
struct Wire {
    /// The message that each identifier stands for, by direction.
    open: HashMap<(bool, PacketId), usize>,
    /// How often each message has passed, and whether its PUBACK or PUBREC has.
    seen: Vec<(u16, bool)>,
}

impl Wire {
    fn new(count: usize) -> Self {
        Wire { open: HashMap::new(), seen: vec![(0, false); count] }
    }

    fn record(&mut self, up: bool, packet: &Packet<'_>) {
        match packet {
            Packet::Publish(publish) if publish.topic == TOPIC => {
                let number = number(publish.payload);
                self.seen[number].0 += 1;
                if let Delivery::AtLeastOnce { id, .. } | Delivery::ExactlyOnce { id, .. } = publish.delivery
                {
                    self.open.insert((up, id), number);
                }
            }
            Packet::PubAck(id) | Packet::PubRec(id) => {
                if let Some(number) = self.open.remove(&(!up, *id)) {
                    self.seen[number].1 = true;
                }
            }
            _ => {}
        }
    }

    /// How many messages have crossed the wire, and how often in all.
    fn count(&self) -> (usize, usize) {
        let crossed = self.seen.iter().filter(|(times, _)| *times > 0).count();
        (crossed, self.seen.iter().map(|(times, _)| usize::from(*times)).sum())
    }
}

/// From a publisher to a subscriber, one of them behind the rough link.
fn run(qos: QoS, outbound: bool) {
    let (count, started) = (messages(), Clock::now());
    let broker = persistent_broker(1_000);
    let wire = Arc::new(Mutex::new(Wire::new(count)));
    let tap = {
        let (wire, packets) = (Arc::clone(&wire), Mutex::new(Packets::default()));
        Box::new(move |connection, direction, piece: &[u8]| {
            let up = direction == Direction::ToBroker;
            let record = |packet: &Packet<'_>| wire.lock().unwrap().record(up, packet);
            packets.lock().unwrap().push(connection, direction, piece, record);
        })
    };
    let cuts = if outbound { points(71, 25_000, 4_000) } else { points(73, 3_000, 20_000) };
    let proxy = Proxy::start_rough(broker.addr(), cuts, tap);
    let (publisher_addr, subscriber_addr) =
        if outbound { (proxy.addr(), broker.addr()) } else { (broker.addr(), proxy.addr()) };
    let timeout = crate::peer::TIMEOUT * (count / 10_000).max(1) as u32;
    let mut subscriber =
        Peer::start(&Setup::new(subscriber_addr, "subscriber", Version::Mqtt311).timeout(timeout));
    subscriber.subscribe(TOPIC, qos);
    let setup = Setup::new(publisher_addr, "publisher", Version::Mqtt311).timeout(timeout);
    let arrived = std::sync::atomic::AtomicUsize::new(0);
    let tally = thread::scope(|scope| {
        let received = scope.spawn(|| {
            receive(&mut subscriber, qos, count, |now| {
                arrived.store(now, std::sync::atomic::Ordering::SeqCst)
            })
        });
        // No further ahead than the broker's in-flight limit: after a cut it reorders messages beyond that.
        let may_send = |number| number < arrived.load(std::sync::atomic::Ordering::SeqCst) + 400;
        send(&mut Peer::start(&setup), TOPIC, qos, count, may_send, || ());
        received.join().expect("the subscriber succeeds")
    });
    report(qos, outbound, &tally, &wire.lock().unwrap(), proxy.cuts(), started);
}

fn report(qos: QoS, outbound: bool, tally: &Tally, wire: &Wire, cuts: usize, started: Clock) {
    let (crossed, times) = wire.count();
    println!(
        "{} {qos:?}: {} arrived, {} twice; on the wire {crossed}, {times} times; {cuts} cuts; {:.0} s",
        if outbound { "out" } else { "in" },
        tally.arrived,
        tally.duplicates,
        started.elapsed().as_secs_f64()
    );
    let count = messages();
    let lost: Vec<_> = (tally.arrived..count).take(9).map(|number| (number, wire.seen[number])).collect();
    assert_eq!(tally.arrived, count, "number, how often on the wire, acknowledged there: {lost:?}");
    assert_eq!(crossed, count);
    assert!(qos != QoS::ExactlyOnce || tally.duplicates == 0);
    assert!(cuts >= 20, "{cuts} cuts");
}

#[test]
fn publish_at_least_once() {
    run(QoS::AtLeastOnce, true);
}

#[test]
fn publish_exactly_once() {
    run(QoS::ExactlyOnce, true);
}

#[test]
fn receive_at_least_once() {
    run(QoS::AtLeastOnce, false);
}

#[test]
fn receive_exactly_once() {
    run(QoS::ExactlyOnce, false);
}
