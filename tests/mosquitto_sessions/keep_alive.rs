//! Links that are idle, busy in one direction, or dead without having been closed.

use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant as Clock};

use baremqtt::transport::net::Error;
use baremqtt::{Event, Message, QoS, Timeout};

use crate::peer::{Peer, Setup, TIMEOUT, VERSIONS};
use crate::support::mosquitto::{Config, Mosquitto};
use crate::support::proxy::Proxy;

/// The server drops a client after one and a half times the keep alive; Mosquitto checks about every five seconds.
const OBSERVATION: Duration = Duration::from_millis(4_500);
/// The interval between messages of a steady stream.
const PACE: Duration = Duration::from_millis(50);

/// A broker that logs each packet.
fn broker() -> Mosquitto {
    Mosquitto::start(&Config { lines: "log_type all".into(), ..Config::default() })
}

/// Checks that the client has pinged all the time.
fn check_pings(broker: &Mosquitto, id: &str, keep_alive: u16) {
    // Half of the number that fits into the time.
    let least = OBSERVATION.as_millis() as usize / usize::from(keep_alive) / 2_000;
    broker.logs(&format!("Received PINGREQ from {id}\n"), least.max(1));
}

fn setup(broker: &Mosquitto, id: &'static str, keep_alive: u16) -> Setup {
    Setup { keep_alive, clean_session: true, ..Setup::new(broker.addr(), id, VERSIONS[0]) }.buffers(512, 512)
}

/// The client stays connected while `each` is called repeatedly.
fn check_stays_connected(peer: &mut Peer, mut each: impl FnMut(&mut Peer)) {
    let end = Clock::now() + OBSERVATION;
    while Clock::now() < end {
        each(peer);
    }
    assert!(peer.errors.is_empty(), "{:?}", peer.errors);
    assert_eq!(peer.sessions.len(), 1);
}

#[test]
fn an_idle_client_stays_connected() {
    let broker = broker();
    std::thread::scope(|scope| {
        for (id, keep_alive) in [("one", 1), ("two", 2)] {
            let broker = &broker;
            scope.spawn(move || {
                let mut peer = Peer::start(&setup(broker, id, keep_alive));
                check_stays_connected(&mut peer, |peer| {
                    peer.handle_event(Duration::from_millis(500), |event| panic!("{event:?}"));
                });
                check_pings(broker, id, keep_alive);
            });
        }
    });
}

/// Nothing but pings is sent, because QoS 0 messages are not answered. Without them the broker would end the connection.
#[test]
fn a_steady_stream_to_the_client_does_not_starve_the_ping() {
    let broker = broker();
    std::thread::scope(|scope| {
        let broker = &broker;
        let receivers = [("one", 1), ("two", 2)].map(|(id, keep_alive)| {
            scope.spawn(move || {
                let mut peer = Peer::start(&setup(broker, id, keep_alive));
                peer.subscribe("stream", QoS::AtMostOnce);
                check_receives_steadily(&mut peer, Duration::from_secs(keep_alive.into()));
                check_pings(broker, id, keep_alive);
            })
        });
        let mut publisher = Peer::start(&setup(broker, "publisher", 60));
        while !receivers.iter().all(ScopedJoinHandle::is_finished) {
            publisher.publish(&Message::new("stream", b"21.5"), |event| panic!("{event:?}"));
            publisher.handle_event(PACE, |event| panic!("{event:?}"));
        }
    });
}

/// The client receives and stays connected, and is never without a message for its keep alive. If the machine holds up the
/// stream for that long, the time starts over.
fn check_receives_steadily(peer: &mut Peer, keep_alive: Duration) {
    let (started, mut since, mut last) = (Clock::now(), Clock::now(), Clock::now());
    while last - since < OBSERVATION {
        assert!(started.elapsed() < TIMEOUT, "the stream is not steady");
        peer.handle_event(keep_alive, |event| assert!(matches!(event, Event::Message(_)), "{event:?}"));
        if last.elapsed() >= keep_alive {
            since = Clock::now();
        }
        last = Clock::now();
    }
    assert!(peer.errors.is_empty(), "{:?}", peer.errors);
    assert_eq!(peer.sessions.len(), 1);
}

/// The broker does not answer QoS 0, but answers pings: without one, the client could not detect a dead link.
#[test]
fn a_steady_stream_from_the_client_does_not_starve_the_ping() {
    let broker = broker();
    std::thread::scope(|scope| {
        for (id, keep_alive) in [("one", 1), ("two", 2)] {
            let broker = &broker;
            scope.spawn(move || {
                let proxy = Proxy::transparent(broker.addr());
                let setup = Setup { addr: proxy.addr(), ..setup(broker, id, keep_alive) }
                    .choose(|choices| choices.pingresp_timeout_ms = 1_000);
                let mut peer = Peer::start(&setup);
                let publish = |peer: &mut Peer| {
                    peer.publish(&Message::new("stream", b"21.5"), |event| panic!("{event:?}"));
                    peer.handle_event(PACE, |event| panic!("{event:?}"));
                };
                check_stays_connected(&mut peer, publish);
                check_pings(broker, id, keep_alive);
                proxy.silence();
                let silent = Clock::now();
                while peer.errors.is_empty() {
                    publish(&mut peer);
                }
                check_timeout(&peer, silent, keep_alive);
            });
        }
    });
}

/// The client detected the dead link by a missing PINGRESP: after the keep alive and its timeout of a second, plus any delay
/// of a busy machine.
fn check_timeout(peer: &Peer, silent: Clock, keep_alive: u16) {
    let [Error::Client(baremqtt::Error::TimedOut(Timeout::PingResp))] = peer.errors[..] else {
        panic!("{:?}", peer.errors)
    };
    let took = silent.elapsed();
    assert!(took < Duration::from_secs(u64::from(keep_alive) + 1 + 30), "{took:?}");
    // It has reconnected, over a link of its own.
    assert_eq!(peer.sessions.len(), 2);
}

#[test]
fn an_idle_client_detects_a_dead_link() {
    let broker = broker();
    let proxy = Proxy::transparent(broker.addr());
    let setup = Setup { addr: proxy.addr(), ..setup(&broker, "idle", 1) }
        .choose(|choices| choices.pingresp_timeout_ms = 1_000);
    let mut peer = Peer::start(&setup);
    proxy.silence();
    let silent = Clock::now();
    while peer.errors.is_empty() {
        peer.handle_event(Duration::from_secs(5), |event| panic!("{event:?}"));
    }
    check_timeout(&peer, silent, 1);
}
