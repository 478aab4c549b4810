//! Messages of 8 MiB: in one buffer, streamed out through 4 KiB, and received through 4 KiB.

use std::time::Duration;

use baremqtt::{Event, LargeMessages, Message, QoS, StreamedMessage, Version};

use crate::peer::{Peer, Setup, VERSIONS};
use crate::support::mosquitto::{Config, Mosquitto};
use crate::support::proxy::{Cut, Proxy};

const LEN: usize = 8 << 20;
const SMALL: usize = 4 << 10;
const TOPIC: &str = "large";
const WAIT: Duration = Duration::from_secs(1);
const ALL_QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

fn byte(index: usize) -> u8 {
    (index ^ (index >> 8) ^ (index >> 16)) as u8
}

fn payload() -> Vec<u8> {
    (0..LEN).map(byte).collect()
}

fn broker() -> Mosquitto {
    Mosquitto::start(&Config::default())
}

/// A client with room for all of it.
fn start_with_large_buffers(broker: &Mosquitto, id: &'static str, version: Version) -> Peer {
    // An eighth of the transmit buffer, at most 1,024 bytes, is reserved for answers.
    Peer::start(&Setup::new(broker.addr(), id, version).buffers(LEN + SMALL, LEN + SMALL))
}

/// Waits for the message, complete and exactly once.
fn receive(observer: &mut Peer, qos: QoS, expected: &[u8]) {
    let mut arrived = false;
    while !arrived {
        observer.handle_event(WAIT, |event| match event {
            Event::Message(message) => {
                assert_eq!(message.delivery.qos(), qos);
                // Not `assert_eq!`: it would print eight megabytes.
                assert!(message.payload == expected, "{} bytes", message.payload.len());
                arrived = true;
            }
            other => panic!("{other:?}"),
        });
    }
}

fn wait_published(peer: &mut Peer, qos: QoS) {
    let mut done = qos == QoS::AtMostOnce;
    while !done {
        peer.handle_event(WAIT, |event| match event {
            Event::Published { qos: reached, .. } => done = reached == qos,
            other => panic!("{other:?}"),
        });
    }
    while !peer.mqtt.flush().expect("a link") {}
}

#[test]
fn a_message_of_eight_mebibytes_is_delivered() {
    for version in VERSIONS {
        let broker = broker();
        let mut observer = start_with_large_buffers(&broker, "observer", version);
        observer.subscribe(TOPIC, QoS::ExactlyOnce);
        let mut publisher = start_with_large_buffers(&broker, "publisher", version);
        let payload = payload();
        for qos in ALL_QOS {
            publisher.publish(&Message::new(TOPIC, &payload).qos(qos), |event| panic!("{event:?}"));
            wait_published(&mut publisher, qos);
            receive(&mut observer, qos, &payload);
        }
        assert!(publisher.errors.is_empty() && observer.errors.is_empty());
    }
}

/// Publishes a streamed message; returns how often its payload was requested.
fn stream_out(peer: &mut Peer, qos: QoS, payload: &[u8]) -> usize {
    let message = StreamedMessage::new(TOPIC, payload.len()).qos(qos).repeatable();
    let id = peer.mqtt.publish_streamed(&message).expect("room");
    let mut payload_requests = 0;
    let mut given = None;
    let mut done = false;
    while !done {
        while let Some(from) = given.filter(|from| *from < payload.len()) {
            given = peer.mqtt.write_payload(&payload[from..]).ok().map(|taken| from + taken);
            match peer.mqtt.flush() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => peer.reconnect(error),
            }
        }
        if qos == QoS::AtMostOnce && given == Some(payload.len()) {
            return payload_requests;
        }
        peer.handle_event(WAIT, |event| match event {
            Event::StreamReady { id: wanted } => {
                assert_eq!(wanted, id);
                payload_requests += 1;
                given = Some(0);
            }
            Event::Published { id: published, qos: reached } => {
                assert_eq!((Some(published), reached), (id, qos));
                done = true;
            }
            other => panic!("{other:?}"),
        });
    }
    peer.handle_event(Duration::from_millis(1), |event| panic!("{event:?}"));
    assert_eq!(peer.mqtt.in_flight(), 0);
    payload_requests
}

#[test]
fn a_streamed_payload_is_delivered_through_a_small_buffer() {
    let payload = payload();
    for version in VERSIONS {
        let broker = broker();
        let mut observer = start_with_large_buffers(&broker, "observer", version);
        observer.subscribe(TOPIC, QoS::ExactlyOnce);
        let mut peer = Peer::start(&Setup::new(broker.addr(), "streamer", version).buffers(SMALL, SMALL));
        for qos in ALL_QOS {
            assert_eq!(stream_out(&mut peer, qos, &payload), 1);
            receive(&mut observer, qos, &payload);
        }
        assert!(peer.errors.is_empty(), "{:?}", peer.errors);
    }
}

/// After each lost link the payload is requested again, from its start; the message arrives once.
#[test]
fn a_streamed_payload_starts_over_after_a_lost_link() {
    let payload = payload();
    for version in VERSIONS {
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let broker = broker();
            let mut observer = start_with_large_buffers(&broker, "observer", version);
            observer.subscribe(TOPIC, QoS::ExactlyOnce);
            // Within the payload, within the header, and right before the last byte: 5 bytes of fixed header, 7 of
            // topic, 2 of identifier.
            let connect = if version == Version::Mqtt31 { 14 + 10 } else { 12 + 10 };
            let whole = (connect + 14 + LEN) as u64;
            let cuts = [3_000_000, connect as u64 + 9, whole - 1].map(|after| Some(Cut::to_broker(after)));
            let proxy = Proxy::start(broker.addr(), cuts);
            let setup = Setup::new(proxy.addr(), "streamer", version).buffers(SMALL, SMALL);
            let payload_requests = stream_out(&mut Peer::start(&setup), qos, &payload);
            assert_eq!((payload_requests, proxy.cuts()), (4, 3));
            receive(&mut observer, qos, &payload);
            observer.handle_event(Duration::from_millis(200), |event| panic!("{event:?}"));
        }
    }
}

/// A client with a small receive buffer, and a large message queued for it, followed by a small one.
fn small_receiver(version: Version, choice: LargeMessages) -> (Mosquitto, Peer, Peer) {
    let broker = broker();
    let setup = Setup::new(broker.addr(), "small", version)
        .buffers(SMALL, SMALL)
        .choose(|choices| choices.large_messages = choice);
    let mut receiver = Peer::start(&setup);
    receiver.subscribe("#", QoS::ExactlyOnce);
    let publisher = start_with_large_buffers(&broker, "publisher", version);
    (broker, receiver, publisher)
}

/// After a lost link nothing is resent: the message was acknowledged.
fn check_nothing_is_resent(receiver: &mut Peer, addr: std::net::SocketAddr) {
    assert!(receiver.errors.is_empty(), "{:?}", receiver.errors);
    receiver.handle_event(Duration::from_millis(50), |event| panic!("{event:?}"));
    receiver.reconnect_to(addr);
    receiver.handle_event(Duration::from_millis(200), |event| panic!("{event:?}"));
}

#[test]
fn a_message_larger_than_the_buffer_is_delivered_in_pieces() {
    let payload = payload();
    for version in VERSIONS {
        let (broker, mut receiver, mut publisher) = small_receiver(version, LargeMessages::Pieces);
        for qos in ALL_QOS {
            publisher.publish(&Message::new(TOPIC, &payload).qos(qos), |event| panic!("{event:?}"));
            wait_published(&mut publisher, qos);
            publisher.publish(&Message::new("small", b"after").qos(qos), |event| panic!("{event:?}"));
            wait_published(&mut publisher, qos);
            let (mut begun, mut ended, mut after) = (false, false, false);
            let mut at = 0;
            while !after {
                receiver.handle_event(WAIT, |event| match event {
                    Event::MessageStart(start) => {
                        assert_eq!(start.topic.map(|topic| topic.as_str() == TOPIC), Some(true));
                        assert_eq!((start.delivery.qos(), start.payload_len), (qos, LEN));
                        assert!(!begun);
                        begun = true;
                    }
                    Event::MessagePiece(piece) => {
                        assert!(begun && !ended && piece == &payload[at..at + piece.len()]);
                        at += piece.len();
                    }
                    Event::MessageEnd => {
                        assert_eq!(at, LEN);
                        ended = true;
                    }
                    Event::Message(message) => {
                        assert!(ended && message.payload == b"after");
                        after = true;
                    }
                    other => panic!("{other:?}"),
                });
            }
        }
        check_nothing_is_resent(&mut receiver, broker.addr());
    }
}

#[test]
fn a_message_larger_than_the_buffer_is_skipped_reported_and_acknowledged() {
    let payload = payload();
    for version in VERSIONS {
        let (broker, mut receiver, mut publisher) = small_receiver(version, LargeMessages::Skip);
        for qos in ALL_QOS {
            publisher.publish(&Message::new(TOPIC, &payload).qos(qos), |event| panic!("{event:?}"));
            wait_published(&mut publisher, qos);
            publisher.publish(&Message::new("small", b"after").qos(qos), |event| panic!("{event:?}"));
            wait_published(&mut publisher, qos);
            let (mut skipped, mut after) = (false, false);
            while !after {
                receiver.handle_event(WAIT, |event| match event {
                    Event::MessageSkipped(message) => {
                        assert_eq!((message.delivery.qos(), message.payload_len), (qos, LEN));
                        assert!(!skipped);
                        skipped = true;
                    }
                    Event::Message(message) => {
                        assert!(skipped && message.payload == b"after");
                        after = true;
                    }
                    other => panic!("{other:?}"),
                });
            }
        }
        check_nothing_is_resent(&mut receiver, broker.addr());
    }
}
