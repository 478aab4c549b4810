//! A conversation through each adapter: every QoS in both directions.

use baremqtt::codec::QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::{Connect, Message};

use crate::adapters::{Adapter, Async, Blocking, Net, Polled, client};
use crate::wire::Step::{self, Block, Fail, Move};
use crate::wire::{Fault, Wire};

const ALL_QOS: [QoS; 3] = [AtMostOnce, AtLeastOnce, ExactlyOnce];
const ROUNDS: usize = 3;

/// Steps until this many events have been reported.
pub fn events(adapter: &mut dyn Adapter, count: usize) -> Vec<String> {
    let mut events = Vec::new();
    for _ in 0..20_000 {
        match adapter.step() {
            Ok(event) => events.extend(event),
            Err(error) => panic!("{error}, after {events:?}"),
        }
        if events.len() == count {
            return events;
        }
    }
    panic!("{events:?} instead of {count} events");
}

/// Steps until the connection has ended.
pub fn end(adapter: &mut dyn Adapter) -> String {
    for _ in 0..200_000 {
        match adapter.step() {
            Ok(_) => {}
            Err(error) => return error,
        }
    }
    panic!("the connection does not end");
}

pub fn connect(adapter: &mut dyn Adapter) {
    adapter.client().connect(&Connect::new("c").keep_alive(60)).unwrap();
    assert_eq!(events(adapter, 1), ["Connected { session_present: Some(false) }"]);
}

/// From CONNECT to DISCONNECT.
pub fn exchange_messages(adapter: &mut dyn Adapter) {
    connect(adapter);
    adapter.client().subscribe(&[("t/#", ExactlyOnce)]).unwrap();
    assert!(events(adapter, 1)[0].starts_with("Subscribed"));

    for round in 0..ROUNDS {
        let mut expected = Vec::new();
        for qos in ALL_QOS {
            let (topic, payload) = (format!("t/{round}"), format!("payload {round}"));
            let message = Message::new(&topic, payload.as_bytes()).qos(qos);
            let id = adapter.client().publish(&message).unwrap();
            expected.push(format!("{topic} {payload} {qos:?}"));
            expected.extend(id.map(|id| format!("Published {{ id: {id:?}, qos: {qos:?} }}")));
        }
        let mut events = events(adapter, expected.len());
        events.sort();
        expected.sort();
        assert_eq!(events, expected);
    }

    // Once this message is back, all answers to the earlier ones have been sent.
    adapter.client().publish(&Message::new("t/last", b"bye")).unwrap();
    assert_eq!(events(adapter, 1), ["t/last bye AtMostOnce"]);
    adapter.client().disconnect();
    assert_eq!(end(adapter), "disconnected");
}

/// The packets that the peer has received: their order may vary, their number may not.
pub fn packets(wire: &Wire) -> Vec<String> {
    let mut packets = wire.peer().received.clone();
    packets.sort();
    packets
}

/// Every adapter over this stream, one after the other. The `std` one waits for a moment where the stream does not.
pub fn each_over(wire: impl Fn() -> Wire, test: impl Fn(&str, &Wire, &mut dyn Adapter)) {
    let io = wire();
    test("net", &io, &mut Net::new(io.clone(), client()));
    each_without_net(wire, test);
}

pub fn each_without_net(wire: impl Fn() -> Wire, test: impl Fn(&str, &Wire, &mut dyn Adapter)) {
    let io = wire();
    let clock = io.clone();
    test("blocking", &io, &mut Blocking::new(io.clone(), client(), || clock.now()));
    let io = wire();
    let connection = baremqtt::transport::polled::Connection::new(io.clone(), client());
    let clock = io.clone();
    test("polled", &io, &mut Polled { connection, clock: || clock.now() });
    let io = wire();
    test("asynch", &io, &mut async_over(&io));
}

/// The async adapter over this stream.
pub fn async_over(io: &Wire) -> Async<Wire, Wire, Wire> {
    Async::new(crate::adapters::AsyncConnection::new(io.clone(), io.clone(), client(), io.clone()))
}

#[test]
fn all_adapters_report_the_same() {
    let expected = std::cell::OnceCell::new();
    each_over(Wire::default, |name, wire, adapter| {
        exchange_messages(adapter);
        let packets = packets(wire);
        assert_eq!(packets.len(), 4 + ROUNDS * 3 + ROUNDS * 4, "{name}: {packets:?}");
        assert_eq!(expected.get_or_init(|| packets.clone()), &packets, "{name}");
    });
}

#[test]
fn all_adapters_work_over_awkward_streams() {
    let patterns: [&[Step]; 6] = [
        &[Move(1)],
        &[Block, Move(3)],
        &[Move(2), Block, Block, Move(1)],
        &[Fail(Fault::Interrupted), Move(7), Fail(Fault::Interrupted), Block],
        &[Block, Block, Block, Move(100)],
        &[Move(usize::MAX)],
    ];
    for reads in patterns {
        for writes in patterns {
            for flushes in patterns {
                each_without_net(
                    || Wire::with_steps(reads, writes, flushes),
                    |_, _, adapter| exchange_messages(adapter),
                );
            }
        }
    }
    for (n, reads) in patterns.iter().enumerate() {
        let [writes, flushes] = [1, 3].map(|step| patterns[(n + step) % patterns.len()]);
        exchange_messages(&mut Net::new(Wire::with_steps(reads, writes, flushes), client()));
    }
}
