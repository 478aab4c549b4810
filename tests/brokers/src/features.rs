//! The features: each returns `Ok` for yes, `Err` with what the broker does instead, and panics if the client misbehaves.

use std::thread::sleep;
use std::time::{Duration, Instant};

use baremqtt::QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::Version::{self, Mqtt31, Mqtt311};
use baremqtt::transport::net::Error;
use baremqtt::{Connect, Message, SubAckCode};

use crate::brokers::Running;
use crate::peer::Peer;

pub type Outcome = Result<(), String>;
pub type Check = fn(&mut Running) -> Outcome;

pub const FEATURES: [(&str, Check); 20] = [
    ("connects in 3.1.1", |broker| connects(broker, Mqtt311)),
    ("connects in 3.1", |broker| connects(broker, Mqtt31)),
    ("session present: no, no, yes, no, no", session_present),
    ("will, where the link is lost", |broker| will(broker, false)),
    ("no will after DISCONNECT", |broker| will(broker, true)),
    ("retained message", |broker| retained(broker, b"kept")),
    ("retained message removed", |broker| retained(broker, b"")),
    ("1,000 messages at QoS 0, in order", |broker| both_ways(broker, Mqtt311, AtMostOnce)),
    ("1,000 at QoS 1", |broker| both_ways(broker, Mqtt311, AtLeastOnce)),
    ("1,000 at QoS 2", |broker| both_ways(broker, Mqtt311, ExactlyOnce)),
    ("1,000 at QoS 1, in 3.1", |broker| both_ways(broker, Mqtt31, AtLeastOnce)),
    ("1,000 at QoS 2, in 3.1", |broker| both_ways(broker, Mqtt31, ExactlyOnce)),
    ("1 MiB streamed out of 8 KiB", |broker| large(broker, true)),
    ("1 MiB in pieces into 4 KiB", |broker| large(broker, false)),
    ("50 + 50 messages queued for a session", |broker| resumes(broker, Mqtt311)),
    ("the same in 3.1", |broker| resumes(broker, Mqtt31)),
    ("unsubscribed", unsubscribes),
    ("wrong password refused, right one accepted", passwords),
    ("keep alive of 1 s, idle for 5 s", idle),
    ("restart with 300 messages under way", restarts),
];

fn connects(broker: &mut Running, version: Version) -> Outcome {
    let connect = Connect::new("connects").version(version).keep_alive(30);
    match Peer::connect(broker.target, &connect) {
        Ok(peer) => {
            peer.disconnect();
            Ok(())
        }
        Err(error) => Err(format!("no: {error}")),
    }
}

/// Features in 3.1 need a broker that supports it.
fn supports(broker: &mut Running, version: Version) -> Outcome {
    connects(broker, version).map_err(|_| "no 3.1".into())
}

/// For clean and persistent sessions: clean, persistent, persistent, clean, persistent.
fn session_present(broker: &mut Running) -> Outcome {
    let persistent = Connect::new("presence").clean_session(false).keep_alive(30);
    let clean = persistent.clean_session(true);
    let mut reported = Vec::new();
    for connect in [&clean, &persistent, &persistent, &clean, &persistent] {
        match Peer::connect(broker.target, connect) {
            Ok(mut peer) => {
                reported.push(peer.session_present == Some(true));
                // Some brokers keep no session without a subscription.
                peer.subscribe("presence", AtLeastOnce);
                peer.disconnect();
            }
            Err(error) => return Err(format!("no: {error}")),
        }
    }
    let _ = Peer::connect(broker.target, &clean);
    if reported == [false, false, true, false, false] {
        return Ok(());
    }
    let reported: Vec<&str> = reported.iter().map(|reported| if *reported { "yes" } else { "no" }).collect();
    Err(format!("it reports {}", reported.join(", ")))
}

fn will(broker: &mut Running, in_order: bool) -> Outcome {
    let mut observer = Peer::start(broker.target, "will-observer", Mqtt311);
    observer.subscribe("will/#", AtLeastOnce);
    let topic = format!("will/{in_order}");
    let connect =
        Connect::new("will-owner").keep_alive(30).will(baremqtt::Will::new(&topic, b"gone").qos(AtLeastOnce));
    let mut owner = Peer::connect(broker.target, &connect).unwrap();
    if in_order {
        owner.mqtt.disconnect().unwrap();
        observer.run_for(Duration::from_secs(1)).unwrap();
        return if observer.received.is_empty() { Ok(()) } else { Err("no".into()) };
    }
    owner.mqtt.stream().unwrap().shutdown(std::net::Shutdown::Both).unwrap();
    observer.run_until("the will", |peer| !peer.received.is_empty());
    assert_eq!(observer.received[0].payload, b"gone");
    Ok(())
}

fn retained(broker: &mut Running, payload: &[u8]) -> Outcome {
    let mut publisher = Peer::start(broker.target, "retainer", Mqtt311);
    publisher.publish(&Message::new("retained/x", b"kept").at_least_once().retain());
    publisher.publish(&Message::new("retained/x", payload).at_least_once().retain());
    publisher.run_until("PUBACK", |peer| peer.published == 2);
    let mut later = Peer::start(broker.target, "later", Mqtt311);
    later.subscribe("retained/x", AtLeastOnce);
    later.run_for(Duration::from_millis(700)).unwrap();
    match (payload, &later.received[..]) {
        (b"", []) => Ok(()),
        ([_, ..], [one]) if one.retain && one.payload == payload => Ok(()),
        (_, other) => Err(format!("no: {} messages", other.len())),
    }
}

/// From one client to another and, since both do the same, each way.
fn both_ways(broker: &mut Running, version: Version, qos: QoS) -> Outcome {
    const COUNT: usize = 1_000;
    supports(broker, version)?;
    let topic = format!("both/{version:?}/{qos:?}");
    let mut subscriber = Peer::start(broker.target, "both-in", version);
    let granted = subscriber.subscribe(&topic, qos);
    let SubAckCode::Granted(reached) = granted else { return Err(format!("no: {granted:?}")) };
    let mut publisher = Peer::start(broker.target, "both-out", version);
    for number in 0..COUNT {
        publisher.publish(&Message::new(&topic, number.to_string().as_bytes()).qos(qos));
        // No more than brokers queue for a client; they would drop QoS 0 messages beyond that.
        if number % 50 == 49 {
            if qos != AtMostOnce {
                publisher.run_until("acknowledgements", |peer| peer.published > number);
            }
            publisher.flush();
            subscriber.run_until("messages", |peer| peer.received.len() > number);
        }
    }
    let numbers: Vec<String> =
        subscriber.received.iter().map(|one| String::from_utf8_lossy(&one.payload).into_owned()).collect();
    assert!(numbers.iter().enumerate().all(|(at, number)| *number == at.to_string()), "order: {numbers:?}");
    subscriber.run_for(Duration::from_millis(200)).unwrap();
    assert_eq!(subscriber.received.len(), COUNT, "none arrives twice");
    if reached == qos { Ok(()) } else { Err(format!("as QoS {reached}")) }
}

fn large(broker: &mut Running, out: bool) -> Outcome {
    let topic = format!("large/{out}");
    let payload: Vec<u8> = (0..1 << 20).map(|at: u32| (at ^ (at >> 9)) as u8).collect();
    let mut subscriber = Peer::start(broker.target, "large-in", Mqtt311);
    subscriber.subscribe(&topic, AtLeastOnce);
    let mut publisher = Peer::start(broker.target, "large-out", Mqtt311);
    publisher.publish_streamed(&topic, payload.clone());
    let end = Instant::now() + Duration::from_secs(20);
    while publisher.published == 0 {
        if let Err(error) = publisher.step(Duration::from_millis(1)) {
            return Err(format!("no: {error}"));
        }
        subscriber.step(Duration::from_millis(1)).unwrap();
        assert!(Instant::now() < end, "not in time");
    }
    if out {
        return Ok(());
    }
    subscriber.run_until("the payload", |peer| {
        peer.received.first().is_some_and(|one| one.payload.len() == payload.len())
    });
    assert!(subscriber.received[0].payload == payload);
    Ok(())
}

fn resumes(broker: &mut Running, version: Version) -> Outcome {
    supports(broker, version)?;
    let name = format!("resumes-{version:?}");
    let connect = Connect::new(&name).version(version).clean_session(false).keep_alive(30);
    let mut subscriber = Peer::connect(broker.target, &connect).unwrap();
    let mut levels = 2;
    if subscriber.subscribe(&name, ExactlyOnce) != SubAckCode::Granted(ExactlyOnce) {
        levels = 1;
    }
    let client = subscriber.disconnect();
    let mut publisher = Peer::start(broker.target, "resumes-out", version);
    for number in 0..100 {
        let qos = if number % 2 == 1 && levels == 2 { ExactlyOnce } else { AtLeastOnce };
        publisher.publish(&Message::new(&name, &[number]).qos(qos));
    }
    publisher.run_until("acknowledgements", |peer| peer.published == 100);
    let mut subscriber = Peer::resume(broker.target, client, &connect);
    let _ = subscriber.run_for(Duration::from_secs(1));
    let mut numbers: Vec<u8> = subscriber.received.iter().map(|one| one.payload[0]).collect();
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    let outcome = format!("no: {} of 100 messages, {} twice", numbers.len(), count - numbers.len());
    let _ = Peer::connect(broker.target, &connect.clean_session(true));
    if numbers.len() == 100 && count == 100 { Ok(()) } else { Err(outcome) }
}

fn unsubscribes(broker: &mut Running) -> Outcome {
    let mut peer = Peer::start(broker.target, "unsubscriber", Mqtt311);
    peer.subscribe("un/a", AtMostOnce);
    peer.subscribe("un/b", AtMostOnce);
    peer.unsubscribe("un/a");
    for topic in ["un/a", "un/b"] {
        peer.publish(&Message::new(topic, b"").at_least_once());
    }
    peer.run_until("a message", |peer| !peer.received.is_empty() && peer.published == 2);
    peer.run_for(Duration::from_millis(300)).unwrap();
    let topics: Vec<&str> = peer.received.iter().map(|one| one.topic.as_str()).collect();
    if topics == ["un/b"] { Ok(()) } else { Err(format!("no: {topics:?}")) }
}

fn passwords(broker: &mut Running) -> Outcome {
    let (user, password) = broker.user;
    let connect = Connect::new("passwords").keep_alive(30);
    let wrong = Peer::connect(broker.target, &connect.credentials(user, b"wrong")).err();
    let right = Peer::connect(broker.target, &connect.credentials(user, password.as_bytes())).err();
    match (wrong, right) {
        (Some(Error::Client(baremqtt::Error::Refused(_))), None) => Ok(()),
        (Some(error), None) => Err(format!("yes, without a number ({error})")),
        (wrong, right) => Err(format!("no: {wrong:?}, {right:?}")),
    }
}

/// On a busy machine the client may wake up too late: one success is enough.
fn idle(broker: &mut Running) -> Outcome {
    let mut outcome = Ok(());
    for _ in 0..5 {
        let mut peer = Peer::connect(broker.target, &Connect::new("idle").keep_alive(1)).unwrap();
        outcome = peer.run_for(Duration::from_secs(5)).map_err(|error| format!("no: {error}"));
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// Each message ends, although the broker is killed while they are in flight.
fn restarts(broker: &mut Running) -> Outcome {
    let connect = Connect::new("restarts").clean_session(false).keep_alive(30);
    let mut peer = Peer::connect(broker.target, &connect).unwrap();
    for number in 0..300_u16 {
        peer.publish(&Message::new("restarts", &number.to_be_bytes()[..1]).at_least_once());
        if number == 150 {
            broker.stop();
            break;
        }
    }
    while peer.mqtt.publish(&Message::new("restarts", b"x").at_least_once()).is_ok() {}
    while peer.step(Duration::from_millis(50)).is_ok() {}
    let (published, left) = (peer.published, peer.mqtt.in_flight());
    broker.restart().map_err(|error| format!("it does not start again: {error}"))?;
    sleep(Duration::from_millis(200));
    let mut peer = Peer::resume(broker.target, peer.mqtt.into_client(), &connect);
    peer.run_until("acknowledgements", |peer| peer.mqtt.in_flight() == 0);
    assert_eq!(peer.published, left, "after {published}");
    Ok(())
}
