//! A `std` connection over any stream, to a broker that sends back what it receives.

use std::time::Duration;

use baremqtt::transport::net::{Connection, Stream};
use baremqtt::{Config, Event, Message, QoS};

const TIMEOUT: Duration = Duration::from_secs(60);

/// Publishes at each QoS to a topic that this client has subscribed to.
pub fn round_trip<S: Stream, C: Config>(mqtt: &mut Connection<S, Vec<u8>, Vec<u8>, C>, payload: &[u8]) {
    mqtt.subscribe(&[("round_trip", QoS::ExactlyOnce)]).expect("room");
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        mqtt.publish(&Message::new("round_trip", payload).qos(qos)).expect("room");
        let (mut published, mut returned) = (qos == QoS::AtMostOnce, false);
        while !(published && returned) {
            match mqtt.next_event(Some(TIMEOUT)).expect("a link") {
                Some(Event::Message(message)) => {
                    assert_eq!(message.delivery.qos(), qos);
                    // Not `assert_eq!`: it would print a megabyte.
                    assert!(message.payload == payload, "{} bytes", message.payload.len());
                    returned = true;
                }
                Some(Event::Published { .. }) => published = true,
                Some(Event::Subscribed { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}
