//! A broker that is killed, and has saved nothing.

use std::time::Duration;

use baremqtt::Outcome;
use baremqtt::{Event, Message, QoS, SessionLoss, Version};

use crate::cut_links::persistent_broker;
use crate::peer::{Peer, Setup, TIMEOUT, VERSIONS};
use crate::support::mosquitto::Mosquitto;
use crate::support::proxy::Proxy;

const WAIT: Duration = Duration::from_secs(1);

fn wait_published(peer: &mut Peer, qos: QoS) {
    let mut done = false;
    while !done {
        peer.handle_event(WAIT, |event| match event {
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
fn the_client_reconnects_and_reports_that_the_session_is_lost() {
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
            client.handle_event(WAIT, |event| assert!(matches!(event, Event::Message(_)), "{event:?}"));
        }
        let gone = (version == Version::Mqtt311).then_some(false);
        assert_eq!(client.sessions, [gone, gone]);

        client.subscribe("echo", QoS::AtLeastOnce);
        client.publish(&Message::new("echo", b"after").qos(QoS::AtLeastOnce), |_| ());
        let mut echoed = false;
        while !echoed {
            client.handle_event(WAIT, |event| {
                if let Event::Message(message) = event {
                    echoed = message.payload == b"after";
                }
            });
        }
    }
}

/// A client whose message at this QoS was sent, and answered with PUBREC or not at all, when the broker dies.
fn kill_broker_during_publish(broker: &mut Mosquitto, client: &mut Peer, answered: bool) {
    let proxy = Proxy::transparent(broker.addr());
    client.reconnect_to(proxy.addr());
    client.publish(&Message::new("under/way", b"once").qos(QoS::ExactlyOnce), |_| ());
    if answered {
        // PUBLISH is sent, PUBREC arrives, and PUBREL is lost.
        assert!(client.mqtt.flush().expect("a link"));
        let stream = client.mqtt.stream().expect("a link");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a socket");
        assert!(stream.peek(&mut [0]).is_ok_and(|len| len > 0), "PUBREC");
        proxy.silence();
        client.handle_event(Duration::from_millis(100), |event| panic!("{event:?}"));
    } else {
        proxy.silence();
        client.handle_event(Duration::from_millis(100), |event| panic!("{event:?}"));
    }
    broker.kill();
    broker.restart();
    client.reconnect_to(broker.addr());
}

#[test]
fn unacknowledged_messages_are_resent_or_dropped_as_configured() {
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
        kill_broker_during_publish(&mut broker, &mut client, answered);
        assert_eq!(client.sessions.last(), Some(&Some(false)));
        let mut end = None;
        while end.is_none() {
            client.handle_event(WAIT, |event| match event {
                Event::Published { .. } => end = Some(None),
                Event::Ended { outcome, .. } => end = Some(Some(outcome)),
                other => panic!("{other:?}"),
            });
        }
        assert_eq!(end, Some(expected), "{choice:?}, PUBREC seen: {answered}");
        client.handle_event(Duration::from_millis(100), |event| panic!("{event:?}"));
        assert_eq!(client.mqtt.in_flight(), 0);
    }
}
