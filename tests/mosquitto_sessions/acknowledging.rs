//! Requests that are repeated without need, and messages that the application acknowledges itself.

use std::time::Duration;

use baremqtt::{AcknowledgeError, Event, Message, QoS, Receipt, Version};

use crate::cut_links::persistent_broker;
use crate::peer::{Peer, Setup, VERSIONS};
use crate::support::proxy::Proxy;
use crate::traffic::{receive, send};

const WAIT: Duration = Duration::from_secs(1);

/// The answers take longer than the retry interval: every request is sent several times.
///
/// If a QoS 2 message is repeated twice on one connection, Mosquitto 2.0.11 closes it, and the client reconnects.
#[test]
fn timed_retries_lose_nothing() {
    for (qos, count) in [(QoS::AtLeastOnce, 60), (QoS::ExactlyOnce, 60)] {
        let broker = persistent_broker(20);
        let proxy = Proxy::transparent(broker.addr());
        proxy.delay(Duration::from_millis(60));
        let mut observer = Peer::start(&Setup::new(broker.addr(), "observer", Version::Mqtt31));
        observer.subscribe("retry", qos);
        let setup = Setup::new(proxy.addr(), "publisher", Version::Mqtt31)
            .buffers(1024, 1024)
            .choose(|choices| choices.retry_ms = 30);
        let tally = std::thread::scope(|scope| {
            let received = scope.spawn(|| receive(&mut observer, qos, count, |_| ()));
            let mut publisher = Peer::start(&setup);
            send(&mut publisher, "retry", qos, count, |_| true, || ());
            assert!(publisher.errors.is_empty() || qos == QoS::ExactlyOnce, "{:?}", publisher.errors);
            // The retries were answered too.
            assert!(publisher.mqtt.ignored_acknowledgements() > 0);
            received.join().expect("the observer succeeds")
        });
        println!("retry, {qos:?}: {} messages, {} duplicates", tally.arrived, tally.duplicates);
        assert_eq!(tally.arrived, count);
        // The broker forwards a QoS 1 message each time that it arrives.
        assert_eq!(tally.duplicates > 0, qos == QoS::AtLeastOnce);
    }
}

/// The next message, with its receipt.
fn next_message(peer: &mut Peer) -> (u8, bool, Receipt) {
    let mut seen = None;
    while seen.is_none() {
        peer.handle_event(WAIT, |event| match event {
            Event::Message(message) => seen = Some((message.payload[0], message.delivery.dup())),
            other => panic!("{other:?}"),
        });
    }
    let (number, dup) = seen.expect("a message");
    (number, dup, peer.mqtt.receipt().expect("a receipt"))
}

#[test]
fn only_unacknowledged_messages_are_delivered_again() {
    for version in VERSIONS {
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let broker = persistent_broker(20);
            let setup = Setup::new(broker.addr(), "careful", version)
                .choose(|choices| choices.manual_acknowledgement = true);
            let mut careful = Peer::start(&setup);
            careful.subscribe("orders", qos);
            let mut publisher = Peer::start(&Setup::new(broker.addr(), "publisher", version));
            for number in 1..=6 {
                publisher.publish(&Message::new("orders", &[number]).qos(qos), |event| panic!("{event:?}"));
            }
            for _ in 1..=6 {
                publisher.handle_event(WAIT, |event| {
                    assert!(matches!(event, Event::Published { .. }), "{event:?}")
                });
            }

            let receipts: Vec<Receipt> = (1..=6)
                .map(|expected| {
                    let (number, _, receipt) = next_message(&mut careful);
                    assert_eq!(number, expected);
                    receipt
                })
                .collect();
            for receipt in &receipts[..4] {
                careful.mqtt.acknowledge(*receipt).expect("in their order");
            }
            // All of it has reached the broker before the link is lost.
            careful.wait_until_processed();
            careful.reconnect_to(broker.addr());
            let stale = careful.mqtt.acknowledge(receipts[4]);
            assert_eq!(stale, Err(AcknowledgeError::Stale));

            for expected in 5..=6 {
                let (number, dup, receipt) = next_message(&mut careful);
                assert_eq!((number, dup), (expected, true));
                careful.mqtt.acknowledge(receipt).expect("in their order");
            }
            careful.wait_until_processed();
            careful.reconnect_to(broker.addr());
            careful.handle_event(Duration::from_millis(200), |event| panic!("{event:?}"));
        }
    }
}
