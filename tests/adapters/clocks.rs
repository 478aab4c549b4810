//! Six kinds of clocks, through every adapter that takes one: with each, a conversation completes, PINGREQ is sent in time,
//! and nothing that is answered times out.

use baremqtt::QoS::ExactlyOnce;
use baremqtt::{Connect, Instant, Message};

use crate::adapters::{Adapter, Async, AsyncConnection, Blocking, Polled, client};
use crate::conversation::{end, events, exchange_messages};
use crate::wire::Step::Block;
use crate::wire::Wire;

/// What a clock shows after this many milliseconds.
type ClockModel = fn(u32) -> u32;

const CLOCKS: [(&str, ClockModel); 6] = [
    ("of one millisecond", |ms| ms),
    ("wraps in 32 bits", |ms| ms.wrapping_add(u32::MAX - 20_000)),
    ("ticks once a second", |ms| ms / 1_000 * 1_000),
    // Set back repeatedly, by a time server for instance: the time that has passed since then counts.
    ("steps back", |ms| ms.wrapping_sub(ms / 10_000 * 300)),
    ("jumps ahead", |ms| ms.wrapping_add(ms / 10_000 * 3_000)),
    ("begins in the middle, and is sometimes late", |ms| {
        0x8000_0000_u32.wrapping_sub(5_000).wrapping_add(ms - ms % 7)
    }),
];

/// A wire whose time is shown by a different clock.
#[derive(Clone)]
struct Clock(Wire, ClockModel);

impl Clock {
    fn now(&self) -> Instant {
        let real = self.0.now().since(Instant::from_millis(0));
        Instant::from_millis((self.1)(real))
    }
}

impl baremqtt::transport::asynch::Timer for Clock {
    fn now(&self) -> Instant {
        Clock::now(self)
    }

    /// The timer uses the same clock.
    async fn sleep(&self, ms: u32) {
        let start = Clock::now(self);
        std::future::poll_fn(|_| {
            let is_over = Clock::now(self).since(start) >= ms;
            if is_over { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}

fn with_each_clock(test: impl Fn(&str, &Wire, &mut dyn Adapter)) {
    for (kind, model) in CLOCKS {
        let new = || (Wire::default(), kind.to_string());
        let (io, kind) = new();
        let clock = Clock(io.clone(), model);
        test(&format!("blocking, {kind}"), &io, &mut Blocking::new(io.clone(), client(), || clock.now()));
        let (io, kind) = new();
        let clock = Clock(io.clone(), model);
        let connection = baremqtt::transport::polled::Connection::new(io.clone(), client());
        test(&format!("polled, {kind}"), &io, &mut Polled { connection, clock: || clock.now() });
        let (io, kind) = new();
        let clock = Clock(io.clone(), model);
        let connection = AsyncConnection::new(io.clone(), io.clone(), client(), clock);
        test(&format!("async, {kind}"), &io, &mut Async::new(connection));
    }
}

#[test]
fn a_conversation_completes() {
    with_each_clock(|_, _, adapter| exchange_messages(adapter));
}

/// For an hour, one PINGREQ per keep alive (60 s), whatever the clock shows. Stepping back costs 0.3 s every 10 s.
#[test]
fn pings_are_sent_in_time_for_an_hour() {
    with_each_clock(|name, wire, adapter| {
        adapter.client().connect(&Connect::new("c").keep_alive(60)).unwrap();
        events(adapter, 1);
        wire.peer().received.clear();
        let begun = wire.now();
        let mut pings = 0;
        let mut longest = 0;
        let mut last = begun;
        while wire.now().since(begun) < 3_600_000 {
            wire.pass(100);
            assert_eq!(adapter.step(), Ok(None), "{name}");
            let seen = wire.peer().received.len();
            if seen > pings {
                pings = seen;
                longest = longest.max(wire.now().since(last));
                last = wire.now();
            }
        }
        assert!(longest <= 62_000, "{name}: {longest} ms between two packets");
        assert!((58..=140).contains(&pings), "{name}: {pings} in an hour");
    });
}

/// And a request that is not answered does time out.
#[test]
fn a_request_without_an_answer_times_out() {
    with_each_clock(|name, wire, adapter| {
        adapter.client().connect(&Connect::new("c").keep_alive(60)).unwrap();
        events(adapter, 1);
        wire.0.reads.set(&[Block]);
        adapter.client().publish(&Message::new("t", b"").qos(ExactlyOnce)).unwrap();
        let begun = wire.now();
        assert_eq!(end(adapter), "no answer to a request in time", "{name}");
        let waited = wire.now().since(begun);
        assert!((20_000..=32_000).contains(&waited), "{name}: {waited} ms");
    });
}
