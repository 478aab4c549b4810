//! A broker that dies without having saved anything.

use std::time::Duration;

use baremqtt::Outcome;
use baremqtt::{Event, Message, QoS, SessionLoss, Version};

use crate::cuts::persistent_broker;
use crate::peer::{PATIENCE, Peer, Setup, VERSIONS};
use crate::support::mosquitto::Mosquitto;
use crate::support::proxy::Proxy;

const TURN: Duration = Duration::from_secs(1);

fn wait_published(peer: &mut Peer, qos: QoS) {
    let mut done = false;
    while !done {
        peer.turn(TURN, |event| match event {
            Event::Published { qos: reached, .. } => {
                assert_eq!(reached, qos);
                done = true;
            }
            Event::Message(_) => {}
            other => panic!("{other:?}"),
        });
    }
}

#[test]
fn the_client_finds_back_and_says_that_the_session_is_gone() {
    for version in VERSIONS {
        let mut broker = persistent_broker(20);
        let mut client = Peer::start(&Setup::new(broker.addr(), "client", version));
        client.subscribe("echo", QoS::AtLeastOnce);
        client.publish(&Message::new("echo", b"before").qos(QoS::AtLeastOnce), |_| ());
        wait_published(&mut client, QoS::AtLeastOnce);

        broker.kill();
        broker.restart();
        // The end of the stream, and the reconnect.
        while client.sessions.len() < 2 {
            client.turn(TURN, |event| assert!(matches!(event, Event::Message(_)), "{event:?}"));
        }
        let gone = (version == Version::Mqtt311).then_some(false);
        assert_eq!(client.sessions, [gone, gone]);

        client.subscribe("echo", QoS::AtLeastOnce);
        client.publish(&Message::new("echo", b"after").qos(QoS::AtLeastOnce), |_| ());
        let mut echoed = false;
        while !echoed {
            client.turn(TURN, |event| {
                if let Event::Message(message) = event {
                    echoed = message.payload == b"after";
                }
            });
        }
    }
}

/// A client whose message at this QoS was sent, and answered with PUBREC or not at all, when the broker dies.
fn interrupted(broker: &mut Mosquitto, client: &mut Peer, answered: bool) {
    let proxy = Proxy::transparent(broker.addr());
    client.move_to(proxy.addr());
    client.publish(&Message::new("under/way", b"once").qos(QoS::ExactlyOnce), |_| ());
    if answered {
        // PUBLISH is sent, PUBREC arrives, and PUBREL is lost.
        assert!(client.mqtt.flush().expect("a link"));
        let stream = client.mqtt.stream().expect("a link");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        assert!(stream.peek(&mut [0]).is_ok_and(|len| len > 0), "PUBREC");
        proxy.silence();
        client.turn(Duration::from_millis(100), |event| panic!("{event:?}"));
    } else {
        proxy.silence();
        client.turn(Duration::from_millis(100), |event| panic!("{event:?}"));
    }
    broker.kill();
    broker.restart();
    client.move_to(broker.addr());
}

#[test]
fn unanswered_messages_are_sent_again_or_given_up_as_the_caller_has_chosen() {
    use SessionLoss::{Drop, Resend};
    for (choice, answered, expected) in [
        (Resend, false, None),
        (Resend, true, Some(Outcome::Uncertain)),
        (Drop, false, Some(Outcome::Lost)),
        (Drop, true, Some(Outcome::Uncertain)),
    ] {
        let mut broker = persistent_broker(20);
        let setup = Setup::new(broker.addr(), "client", Version::Mqtt311)
            .choose(|choices| choices.session_loss = choice);
        let mut client = Peer::start(&setup);
        interrupted(&mut broker, &mut client, answered);
        assert_eq!(client.sessions.last(), Some(&Some(false)));
        let mut end = None;
        while end.is_none() {
            client.turn(TURN, |event| match event {
                Event::Published { .. } => end = Some(None),
                Event::Ended { outcome, .. } => end = Some(Some(outcome)),
                other => panic!("{other:?}"),
            });
        }
        assert_eq!(end, Some(expected), "{choice:?}, PUBREC seen: {answered}");
        client.turn(Duration::from_millis(100), |event| panic!("{event:?}"));
        assert_eq!(client.mqtt.in_flight(), 0);
    }
}
