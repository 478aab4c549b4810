//! More messages than there is room for: those queued for a client that was offline, and those that a client wants to send.

use std::time::Duration;

use baremqtt::QoS;

use crate::cut_links::persistent_broker;
use crate::peer::{Peer, Setup, VERSIONS};
use crate::traffic::{receive, send};

const MESSAGES: usize = 3_000;

/// Mosquitto 2.0.11 sends the whole backlog at once, far beyond its own in-flight limit.
#[test]
fn a_client_with_small_buffers_receives_3000_qos_2_messages() {
    for version in VERSIONS {
        let broker = persistent_broker(20);
        let small = Setup::new(broker.addr(), "small", version).buffers(256, 512);
        let mut client = Peer::start(&small);
        client.subscribe("backlog", QoS::ExactlyOnce);
        let client = client.disconnect();

        let mut publisher = Peer::start(&Setup::new(broker.addr(), "publisher", version));
        send(&mut publisher, "backlog", QoS::ExactlyOnce, MESSAGES, |_| true, || ());

        let mut client = Peer::with_client(&small, client);
        let tally = receive(&mut client, QoS::ExactlyOnce, MESSAGES, |_| ());
        assert_eq!((tally.arrived, tally.duplicates), (MESSAGES, 0));
        assert!(client.errors.is_empty(), "{:?}", client.errors);
        // Nothing is left on either side.
        let mut client = Peer::with_client(&small, client.disconnect());
        client.handle_event(Duration::from_millis(200), |event| panic!("{event:?}"));
    }
}

/// Mosquitto 2.0.11 acknowledges and then loses messages beyond its limit of 20: the client stays within that.
#[test]
fn a_client_with_large_buffers_does_not_overrun_mosquitto() {
    for version in VERSIONS {
        let broker = persistent_broker(20);
        let mut observer = Peer::start(&Setup::new(broker.addr(), "observer", version));
        observer.subscribe("many", QoS::ExactlyOnce);
        let mut publisher = Peer::start(&Setup::new(broker.addr(), "publisher", version));
        send(&mut publisher, "many", QoS::ExactlyOnce, MESSAGES, |_| true, || ());
        let tally = receive(&mut observer, QoS::ExactlyOnce, MESSAGES, |_| ());
        assert_eq!((tally.arrived, tally.duplicates), (MESSAGES, 0));
    }
}
