//! Ten thousand messages each way, over a link that is cut at any byte and a broker that is restarted in between: none is
//! lost, at QoS 2 none arrives twice, and they stay in order.

use std::collections::HashSet;
use std::iter;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant as Clock};

use baremqtt::{QoS, Version};

use crate::peer::{Peer, Setup, TIMEOUT, VERSIONS};
use crate::support::mosquitto::{Config, Mosquitto, Persistence};
use crate::support::proxy::{Cut, Direction, Proxy};
use crate::traffic::{Tally, receive, send};

const MESSAGES: usize = 10_000;
const CUTS: usize = 50;
/// The broker is restarted after these numbers of messages.
const RESTARTS: [usize; 3] = [1_500, 5_000, 8_500];
/// How far the publisher may be ahead of the client behind the proxy. When that client reconnects, Mosquitto first writes its whole
/// backlog; if the link is always cut within it, acknowledgements are never read, and there is no progress.
const BACKLOG: usize = 100;
/// More than are ever in flight. Mosquitto 2.0.11 exceeds its limit after a reconnect. Messages beyond the limit when the broker stops
/// (with a limit of 0, which means none: all messages) start over when it starts again: with the PUBLISH of a message that the client
/// has received, and whose identifier it has released.
const MAX_INFLIGHT: u16 = 1_000;
const TOPIC: &str = "cuts";

/// A broker that keeps sessions, and queues any number of messages for them.
///
/// Of the QoS 2 messages that a client has in flight, Mosquitto 2.0.11 accepts no more than `max_inflight`: it answers the others
/// with PUBREC, and discards them. (That is what `baremqtt::Config::max_exactly_once` is for.)
pub fn persistent_broker(max_inflight: u16) -> Mosquitto {
    let lines = format!("max_queued_messages 0\nmax_inflight_messages {max_inflight}");
    Mosquitto::start(&Config { persistence: Persistence::AtStop, lines, ..Config::default() })
}

/// Points where links are cut, all different: some within the first packets, most up to twice the mean of their
/// direction. The iterator ends when new points are hard to find.
pub fn points(seed: u64, to_broker: u64, to_client: u64) -> impl Iterator<Item = Option<Cut>> {
    let mut random = seed;
    let mut used = HashSet::new();
    iter::from_fn(move || {
        for _ in 0..10_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let (direction, mean) = match random % 2 {
                0 => (Direction::ToBroker, to_broker),
                _ => (Direction::ToClient, to_client),
            };
            let most = if random >> 60 == 0 { 60 } else { 2 * mean };
            let after = (random >> 8) % most;
            if used.insert((direction == Direction::ToBroker, after)) {
                return Some(Some(Cut { direction, after }));
            }
        }
        None
    })
}

/// Restarts the broker at each of these counts.
fn restart_at(broker: &mut Mosquitto, progress: &AtomicUsize, others: &[&ScopedJoinHandle<'_, Tally>]) {
    let end = Clock::now() + TIMEOUT;
    for count in RESTARTS {
        while progress.load(SeqCst) < count {
            assert!(Clock::now() < end, "{} of {count} messages", progress.load(SeqCst));
            if others.iter().any(|other| other.is_finished()) {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        broker.restart();
    }
}

struct Run {
    version: Version,
    qos: QoS,
    started: Clock,
}

impl Run {
    fn new(version: Version, qos: QoS) -> Self {
        Run { version, qos, started: Clock::now() }
    }

    fn report(&self, what: &str, tally: &Tally, proxy: &Proxy) {
        let (version, qos, cuts) = (self.version, self.qos, proxy.cuts());
        println!(
            "{what}, {version:?}, {qos:?}: {} messages, {cuts} cuts, {} broker restarts, {} duplicates, {:.1} s",
            tally.arrived,
            RESTARTS.len(),
            tally.duplicates,
            self.started.elapsed().as_secs_f64()
        );
        assert_eq!(tally.arrived, MESSAGES);
        assert!(cuts >= CUTS, "{cuts} cuts");
        if qos == QoS::ExactlyOnce {
            assert_eq!(tally.duplicates, 0);
        }
    }
}

/// From the client behind the proxy to an observer that is not cut, with this many requests in flight, and this many of QoS 2.
fn publish_over_cut_links(version: Version, qos: QoS, most: u16, buffers: usize, window: u16) {
    let run = Run::new(version, qos);
    let mut broker = persistent_broker(MAX_INFLIGHT);
    let proxy = Proxy::start(broker.addr(), points(17 + u64::from(most), 4_500, 700));
    let progress = AtomicUsize::new(0);
    let mut observer = Peer::start(&Setup::new(broker.addr(), "observer", version));
    observer.subscribe(TOPIC, qos);
    let setup = Setup::new(proxy.addr(), "publisher", version)
        .buffers(buffers, buffers)
        .choose(|choices| (choices.max_requests, choices.max_exactly_once) = (most, window));
    let tally = thread::scope(|scope| {
        let received = scope.spawn(|| receive(&mut observer, qos, MESSAGES, |_| ()));
        let sent = scope.spawn(|| {
            let done = || _ = progress.fetch_add(1, SeqCst);
            send(&mut Peer::start(&setup), TOPIC, qos, MESSAGES, |_| true, done);
            Tally::default()
        });
        restart_at(&mut broker, &progress, &[&received, &sent]);
        sent.join().expect("the publisher succeeds");
        received.join().expect("the observer succeeds")
    });
    run.report(&format!("out, {most} requests"), &tally, &proxy);
}

/// From a publisher that is not cut to the client behind the proxy.
fn receive_over_cut_links(version: Version, qos: QoS, buffers: usize) {
    let run = Run::new(version, qos);
    let mut broker = persistent_broker(MAX_INFLIGHT);
    let cuts = points(29 + buffers as u64, 900, 6_000);
    // If a write fails while Mosquitto 2.0.11 sends PUBRELs again, it continues on the following connection with a PUBLISH instead of
    // PUBREL: the client gets a message twice that it has received and forgotten.
    // So the proxy makes none of its writes fail here.
    let proxy = match qos {
        QoS::ExactlyOnce => Proxy::start_gentle(broker.addr(), cuts),
        _ => Proxy::start(broker.addr(), cuts),
    };
    let progress = AtomicUsize::new(0);
    let mut subscriber =
        Peer::start(&Setup::new(proxy.addr(), "subscriber", version).buffers(buffers, buffers));
    subscriber.subscribe(TOPIC, qos);
    let setup = Setup::new(broker.addr(), "publisher", version);
    let tally = thread::scope(|scope| {
        let received =
            scope.spawn(|| receive(&mut subscriber, qos, MESSAGES, |count| progress.store(count, SeqCst)));
        let sent = scope.spawn(|| {
            let may_send = |number| number < progress.load(SeqCst) + BACKLOG;
            send(&mut Peer::start(&setup), TOPIC, qos, MESSAGES, may_send, || ());
            Tally::default()
        });
        restart_at(&mut broker, &progress, &[&received]);
        sent.join().expect("the publisher succeeds");
        received.join().expect("the subscriber succeeds")
    });
    run.report(&format!("in, {buffers} bytes"), &tally, &proxy);
}

#[test]
fn publish_at_least_once() {
    for version in VERSIONS {
        publish_over_cut_links(version, QoS::AtLeastOnce, 8, 1024, 20);
        publish_over_cut_links(version, QoS::AtLeastOnce, 64, 2048, 20);
    }
}

#[test]
fn publish_exactly_once() {
    for version in VERSIONS {
        publish_over_cut_links(version, QoS::ExactlyOnce, 8, 1024, 20);
        publish_over_cut_links(version, QoS::ExactlyOnce, 64, 2048, 20);
        publish_over_cut_links(version, QoS::ExactlyOnce, 64, 2048, 64);
    }
}

#[test]
fn receive_at_least_once() {
    for version in VERSIONS {
        receive_over_cut_links(version, QoS::AtLeastOnce, 1024);
        receive_over_cut_links(version, QoS::AtLeastOnce, 2048);
    }
}

#[test]
fn receive_exactly_once() {
    for version in VERSIONS {
        receive_over_cut_links(version, QoS::ExactlyOnce, 1024);
        receive_over_cut_links(version, QoS::ExactlyOnce, 2048);
    }
}
