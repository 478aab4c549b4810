//! What waited for a client that was away.

use baremqtt::{Event, QoS};

use crate::cuts::persistent_broker;
use crate::peer::{Peer, Setup, VERSIONS};
use crate::traffic::{receive, send};

const MESSAGES: usize = 3_000;

/// Mosquitto 2.0.11 sends the whole backlog at once, far beyond its own limit of messages under way.
#[test]
fn three_thousand_exactly_once_reach_a_client_with_eight_slots() {
    for version in VERSIONS {
        let broker = persistent_broker(20);
        let small = Setup::new(broker.addr(), "small", version).buffers(256, 512);
        let mut client = Peer::<8>::start(&small);
        client.subscribe("backlog", QoS::ExactlyOnce);
        let client = client.leave();

        let mut publisher = Peer::<8>::start(&Setup::new(broker.addr(), "publisher", version));
        send(&mut publisher, "backlog", QoS::ExactlyOnce, MESSAGES, |_| true, || ());

        let mut client = Peer::with_client(&small, client);
        let tally = receive(&mut client, QoS::ExactlyOnce, MESSAGES, |_| ());
        assert_eq!((tally.arrived, tally.duplicates), (MESSAGES, 0));
        assert!(client.errors.is_empty(), "{:?}", client.errors);
        // Nothing is left on either side.
        let mut client = Peer::with_client(&small, client.leave());
        client.turn(std::time::Duration::from_millis(200), |event: Event<'_>| panic!("{event:?}"));
    }
}
