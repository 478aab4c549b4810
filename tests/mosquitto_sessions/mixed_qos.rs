//! Alternating messages of QoS 1 and 2, over a link that delays, splits, stalls and is cut. With Mosquitto 2.0.11 some QoS 2 messages
//! arrive out of order: the packets on the wire show which side is responsible.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use baremqtt::codec::{Delivery, Packet, PacketId};
use baremqtt::{Event, Message, QoS, Version};

use crate::cut_links::{persistent_broker, points};
use crate::peer::{Peer, Setup};
use crate::rough_links::messages;
use crate::support::order::{Order, late};
use crate::support::proxy::Proxy;
use crate::support::wire::Packets;
use crate::traffic::{number, payload};

const TOPIC: &str = "mixed";
const WAIT: Duration = Duration::from_millis(10);

fn qos(number: usize) -> QoS {
    if number.is_multiple_of(2) { QoS::ExactlyOnce } else { QoS::AtLeastOnce }
}

/// The order in which QoS 2 messages first crossed the wire in full: as PUBLISH, PUBREC and PUBREL.
#[derive(Default)]
struct Orders {
    /// The message that each identifier stands for.
    open: HashMap<PacketId, usize>,
    published: Order,
    received: Order,
    released: Order,
}

impl Orders {
    fn record(&mut self, packet: &Packet<'_>) {
        let (order, id) = match packet {
            Packet::Publish(publish) => {
                let Delivery::ExactlyOnce { id, .. } = publish.delivery else { return };
                self.open.insert(id, number(publish.payload));
                (&mut self.published, id)
            }
            Packet::PubRec(id) => (&mut self.received, *id),
            Packet::PubRel { id, .. } => (&mut self.released, *id),
            _ => return,
        };
        self.open.get(&id).into_iter().for_each(|number| order.add(*number));
    }
}

/// From a publisher to a subscriber, one of them behind the rough link. Returns what passed that link, and the QoS 2 messages in
/// the order of arrival.
fn run(outbound: bool) -> (Orders, Vec<usize>) {
    let count = messages() / 5;
    // Mosquitto's default in-flight limit. With many more it would send the QoS 1 messages again and again: a link would be cut before
    // the answer to the first of them is back.
    let broker = persistent_broker(20);
    let orders = Arc::new(Mutex::new(Orders::default()));
    let tap = {
        let (orders, packets) = (Arc::clone(&orders), Mutex::new(Packets::default()));
        Box::new(move |connection, direction, piece: &[u8]| {
            let record = |packet: &Packet<'_>| orders.lock().unwrap().record(packet);
            packets.lock().unwrap().push(connection, direction, piece, record);
        })
    };
    let cuts = if outbound { points(79, 25_000, 4_000) } else { points(83, 3_000, 20_000) };
    let proxy = Proxy::start_rough(broker.addr(), cuts, tap);
    let (publisher, subscriber) =
        if outbound { (proxy.addr(), broker.addr()) } else { (broker.addr(), proxy.addr()) };
    let timeout = crate::peer::TIMEOUT * (count / 10_000).max(1) as u32;
    let peer = |addr, id| Peer::start(&Setup::new(addr, id, Version::Mqtt311).timeout(timeout));
    let mut subscriber = peer(subscriber, "subscriber");
    subscriber.subscribe(TOPIC, QoS::ExactlyOnce);
    let arrived = thread::scope(|scope| {
        let receiving = scope.spawn(move || {
            let mut arrived = Vec::new();
            while arrived.len() < count.div_ceil(2) {
                subscriber.handle_event(WAIT, |event| match event {
                    Event::Message(message) if message.delivery.qos() == QoS::ExactlyOnce => {
                        arrived.push(number(message.payload));
                    }
                    _ => {}
                });
            }
            arrived
        });
        let mut publisher = peer(publisher, "publisher");
        for number in 0..count {
            publisher.publish(&Message::new(TOPIC, &payload(number)).qos(qos(number)), |_| ());
        }
        while publisher.mqtt.in_flight() > 0 {
            publisher.handle_event(WAIT, |_| ());
        }
        receiving.join().expect("the subscriber succeeds")
    });
    let cuts = proxy.cuts();
    drop(proxy);
    let orders = std::mem::take(&mut *orders.lock().unwrap());
    println!(
        "{}: {cuts} cuts, {} of QoS 2; late on the wire: {} PUBLISH, {} PUBREC, {} PUBREL; late where they arrived: {}",
        if outbound { "out" } else { "in" },
        arrived.len(),
        late(&orders.published.list),
        late(&orders.received.list),
        late(&orders.released.list),
        late(&arrived),
    );
    (orders, arrived)
}

#[test]
fn sent_messages_are_in_order() {
    let (orders, arrived) = run(true);
    assert_eq!(late(&orders.published.list), 0);
    // PUBRELs follow the PUBRECs (MQTT-4.6.0-4), in whatever order the broker sends those.
    assert_eq!(orders.released.list, orders.received.list);
    assert_eq!(arrived.len(), orders.published.list.len());
}

#[test]
fn messages_are_reported_in_the_order_of_arrival() {
    let (orders, arrived) = run(false);
    assert_eq!(arrived, orders.published.list);
}
