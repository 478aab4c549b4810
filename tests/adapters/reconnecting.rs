//! Connections that are re-established automatically, over `embedded-io` and `nb`.

use std::fmt::Debug;
use std::time::Duration;

use baremqtt::transport::{Error, GaveUp, Update, blocking, polled};
use baremqtt::{
    Backoff, Connect, ConnectError, Error as ClientError, Event, Message, QoS, RefusalCode, Routes,
};

use crate::adapters::{Buffered, client};
use crate::wire::Step::{Block, Fail, Move};
use crate::wire::{Fault, Wire};

const CONNECT: Connect<'static> = Connect::new("c").clean_session(false).keep_alive(60);
const BACKOFF: Backoff = Backoff::new(100, 60_000);

type StepResult<'a> = Result<Option<Update<'a, Fault>>, GaveUp<Fault>>;

/// Both adapters.
trait Reconnecting {
    fn step(&mut self, connect: &Connect<'_>) -> StepResult<'_>;
    fn client(&mut self) -> &mut Buffered;
    fn time_left(&mut self, wire: &Wire) -> u32;
}

/// Reopens the stream, and counts how often. The first of three attempts fails or takes time.
fn opener(wire: &Wire) -> impl FnMut(&mut Wire) -> nb::Result<(), Fault> + use<> {
    let wire = wire.clone();
    let mut attempts = 0_u32;
    move |_| {
        attempts += 1;
        match attempts {
            1 => return Err(nb::Error::WouldBlock),
            2 => return Err(nb::Error::Other(Fault::Broken)),
            _ => {}
        }
        wire.0.ended.set(false);
        wire.peer().outbox.clear();
        Ok(())
    }
}

struct Blocking<F>(F);

impl<K, F> Reconnecting
    for Blocking<blocking::Reconnect<Wire, K, F, Vec<u8>, Vec<u8>, crate::adapters::Choices>>
where
    K: FnMut() -> baremqtt::Instant,
    F: FnMut(&mut Wire) -> Result<(), Fault>,
{
    fn step(&mut self, connect: &Connect<'_>) -> StepResult<'_> {
        self.0.next_event(connect, Some(Duration::from_millis(50)))
    }

    fn client(&mut self) -> &mut Buffered {
        &mut self.0
    }

    fn time_left(&mut self, _: &Wire) -> u32 {
        self.0.time_left()
    }
}

struct Polled<F>(F, Wire);

impl<F> Reconnecting for Polled<polled::Reconnect<Wire, F, Vec<u8>, Vec<u8>, crate::adapters::Choices>>
where
    F: FnMut(&mut Wire) -> nb::Result<(), Fault>,
{
    fn step(&mut self, connect: &Connect<'_>) -> StepResult<'_> {
        match self.0.poll(connect, self.1.now()) {
            Ok(update) => Ok(Some(update)),
            Err(nb::Error::WouldBlock) => Ok(None),
            Err(nb::Error::Other(error)) => Err(error),
        }
    }

    fn client(&mut self) -> &mut Buffered {
        &mut self.0
    }

    fn time_left(&mut self, wire: &Wire) -> u32 {
        self.0.time_left(wire.now())
    }
}

/// Runs the test with each adapter, over a wire of its own.
fn with_each_adapter(backoff: &Backoff, test: impl Fn(&mut dyn Reconnecting, &Wire)) {
    let wire = Wire::default();
    let clock = wire.clone();
    let connection = blocking::Connection::new(wire.clone(), client(), move || clock.now());
    let mut opens = opener(&wire);
    let blocks = move |stream: &mut Wire| nb::block!(opens(stream));
    let mut mqtt = Blocking(blocking::Reconnect::new(connection, blocks, backoff.clone()));
    test(&mut mqtt, &wire);

    let wire = Wire::default();
    let connection = polled::Connection::new(wire.clone(), client());
    let opens = opener(&wire);
    test(&mut Polled(polled::Reconnect::new(connection, opens, backoff.clone()), wire.clone()), &wire);
}

/// Turns until `f` returns a value for an update.
fn step_until<V: Debug>(mqtt: &mut dyn Reconnecting, mut f: impl FnMut(Update<'_, Fault>) -> Option<V>) -> V {
    for _ in 0..1_000_000 {
        if let Some(value) = mqtt.step(&CONNECT).unwrap().and_then(&mut f) {
            return value;
        }
    }
    panic!("there was no such update");
}

fn connected(update: &Update<'_, Fault>) -> bool {
    matches!(update, Update::Event(Event::Connected { .. }))
}

#[test]
fn a_reconnect_keeps_session_and_subscriptions() {
    with_each_adapter(&BACKOFF, |mqtt, wire| {
        let mut routes = Routes::<_, (), 1>::new();
        routes.add("t", QoS::AtLeastOnce, ()).unwrap();
        for link in 0..3 {
            let mut lost = Vec::new();
            step_until(mqtt, |update| {
                if let Update::LinkLost { error, .. } = update {
                    lost.push(error);
                    return None;
                }
                connected(&update).then(|| {
                    if let Update::Event(event) = update {
                        routes.note(&event);
                    }
                })
            });
            let expected = if link == 0 { Error::Io(Fault::Broken) } else { Error::Closed };
            assert_eq!(lost, [expected]);
            routes.subscribe(&mut mqtt.client().outbound()).unwrap();
            let id = mqtt.client().publish(&Message::new("t", b"kept").at_least_once()).unwrap();
            let mut granted = false;
            step_until(mqtt, |update| match update {
                Update::Event(Event::Published { id: published, .. }) => {
                    (Some(published) == id).then_some(())
                }
                Update::Event(Event::Subscribed { .. }) => {
                    granted = true;
                    None
                }
                _ => None,
            });
            assert!(granted, "requested again on link {link}");
            wire.0.ended.set(true);
        }
    });
}

#[test]
fn retry_delays_grow_with_a_server_that_accepts_and_closes() {
    with_each_adapter(&BACKOFF, |mqtt, wire| {
        let mut connections = 0;
        while wire.now().as_millis() < 60_000 {
            if mqtt.step(&CONNECT).unwrap().is_some_and(|update| connected(&update)) {
                connections += 1;
                wire.0.ended.set(true);
            }
        }
        assert!((5..=15).contains(&connections), "{connections} in a minute");
    });
}

/// Even for longer than half the range of the clock.
#[test]
fn after_a_connection_of_a_month_the_next_attempt_is_soon() {
    with_each_adapter(&BACKOFF, |mqtt, wire| {
        let mut delays = Vec::new();
        for link in 0..6 {
            step_until(mqtt, |update| connected(&update).then_some(()));
            if link == 5 {
                for _ in 0..30 {
                    wire.pass(86_400_000);
                    while mqtt.step(&CONNECT).unwrap().is_some() {}
                }
            }
            wire.0.ended.set(true);
            delays.push(step_until(mqtt, |update| match update {
                Update::LinkLost { retry_in, .. } => Some(retry_in),
                _ => None,
            }));
        }
        assert!(delays[4] >= Duration::from_secs(1), "{delays:?}");
        assert!(delays[5] <= Duration::from_millis(100), "{delays:?}");
    });
}

#[test]
fn giving_up_is_reported() {
    let end = |mqtt: &mut dyn Reconnecting, connect: &Connect<'_>| loop {
        if let Err(error) = mqtt.step(connect) {
            return error;
        }
    };
    with_each_adapter(&BACKOFF, |mqtt, wire| {
        wire.peer().refusal = Some(RefusalCode::NOT_AUTHORIZED);
        assert_eq!(end(mqtt, &CONNECT), GaveUp::Refused(RefusalCode::NOT_AUTHORIZED));
    });
    with_each_adapter(&BACKOFF.limit(3), |mqtt, wire| {
        wire.peer().refusal = Some(RefusalCode::SERVER_UNAVAILABLE);
        let refused = Error::Client(ClientError::Refused(RefusalCode::SERVER_UNAVAILABLE));
        assert_eq!(end(mqtt, &CONNECT), GaveUp::Limit(refused));
    });
    with_each_adapter(&BACKOFF, |mqtt, _| {
        let long = "x".repeat(100);
        assert!(matches!(end(mqtt, &Connect::new(&long)), GaveUp::Connect(ConnectError::TooLarge { .. })));
    });
    with_each_adapter(&BACKOFF, |mqtt, wire| {
        step_until(mqtt, |update| connected(&update).then_some(()));
        mqtt.client().disconnect();
        assert_eq!(end(mqtt, &CONNECT), GaveUp::Disconnected);
        assert!(wire.peer().received.last().unwrap().starts_with("DISCONNECT"));
    });
}

/// Not from the beginning of the attempt.
#[test]
fn the_delay_counts_from_the_failure_of_a_slow_attempt() {
    let wire = Wire::default();
    let clock = wire.clone();
    let connection = blocking::Connection::new(wire.clone(), client(), move || clock.now());
    let dialled = std::cell::RefCell::new(Vec::new());
    let dial = |wire: &mut Wire| {
        dialled.borrow_mut().push(wire.now());
        wire.pass(30_000);
        Err(Fault::Broken)
    };
    let mut mqtt = blocking::Reconnect::new(connection, dial, Backoff::new(20_000, 20_000));
    for _ in 0..4 {
        let update = mqtt.next_event(&CONNECT, None).unwrap();
        assert!(matches!(update, Some(Update::LinkLost { .. })), "{update:?}");
        let left = mqtt.time_left();
        assert!((9_900..=20_000).contains(&left), "{left}");
    }
    for times in dialled.borrow().windows(2) {
        assert!(times[1].since(times[0]) >= 40_000);
    }
}

/// Whatever happens to the connection meanwhile. The next turn after the end connects again.
#[test]
fn finish_and_disconnect_end_the_loop() {
    let confirmed = Message::new("t", b"").at_least_once();
    let end = |mqtt: &mut dyn Reconnecting| {
        for _ in 0..1_000_000 {
            if let Err(error) = mqtt.step(&CONNECT) {
                return error;
            }
        }
        panic!("it does not end");
    };
    with_each_adapter(&BACKOFF, |mqtt, wire| {
        // Offline, with nothing under way, while the next attempt is waited for.
        for disconnects in [false, true] {
            step_until(mqtt, |update| matches!(update, Update::LinkLost { .. }).then_some(()));
            wire.peer().received.clear();
            if disconnects {
                mqtt.client().disconnect()
            } else {
                mqtt.client().finish()
            }
            assert_eq!(mqtt.time_left(wire), 0);
            assert_eq!(end(mqtt), GaveUp::Disconnected);
            assert!(wire.peer().received.is_empty());
            step_until(mqtt, |update| connected(&update).then_some(()));
            wire.0.ended.set(true);
        }
        step_until(mqtt, |update| matches!(update, Update::LinkLost { .. }).then_some(()));

        // A message from before the end of the connection is delivered on the next one.
        wire.peer().received.clear();
        step_until(mqtt, |update| connected(&update).then_some(()));
        wire.0.writes.set(&[Block]);
        mqtt.client().publish(&confirmed).unwrap();
        mqtt.client().finish();
        assert!(mqtt.client().publish(&confirmed).is_err());
        wire.0.ended.set(true);
        step_until(mqtt, |update| matches!(update, Update::LinkLost { .. }).then_some(()));
        wire.0.writes.set(&[Move(9)]);
        assert_eq!(end(mqtt), GaveUp::Disconnected);
        let received = wire.peer().received.clone();
        assert_eq!(received.iter().filter(|packet| packet.starts_with("CONNECT")).count(), 2, "{received:?}");
        assert!(received.last().unwrap().starts_with("DISCONNECT"), "{received:?}");
        assert_eq!(mqtt.client().in_flight(), 0);

        // So is one that was queued offline.
        mqtt.client().publish(&confirmed).unwrap();
        mqtt.client().finish();
        assert_eq!(end(mqtt), GaveUp::Disconnected);
        assert_eq!(mqtt.client().in_flight(), 0);

        // Without output DISCONNECT cannot be sent.
        step_until(mqtt, |update| connected(&update).then_some(()));
        wire.peer().received.clear();
        wire.0.writes.set(&[Fail(Fault::Broken)]);
        mqtt.client().publish(&confirmed).unwrap();
        assert!(mqtt.step(&CONNECT).unwrap().is_none());
        mqtt.client().disconnect();
        assert_eq!(end(mqtt), GaveUp::Disconnected);
        assert!(wire.peer().received.is_empty());
    });
}

#[test]
fn after_a_failed_write_received_messages_are_delivered_before_the_error() {
    with_each_adapter(&BACKOFF, |mqtt, wire| {
        step_until(mqtt, |update| connected(&update).then_some(()));
        mqtt.client().publish(&Message::new("t", b"back")).unwrap();
        let mut reported = step_until(mqtt, |update| match update {
            Update::Event(Event::Message(_)) => Some(vec!["message"]),
            _ => None,
        });
        // The next message is received only in part, and then nothing can be written any more.
        mqtt.client().publish(&Message::new("t", b"again")).unwrap();
        while wire.peer().outbox.is_empty() {
            wire.0.reads.set(&[Block]);
            assert!(mqtt.step(&CONNECT).unwrap().is_none());
        }
        wire.0.reads.set(&[Move(3)]);
        wire.0.writes.set(&[Fail(Fault::Broken)]);
        mqtt.client().publish(&Message::new("t", b"never").at_least_once()).unwrap();
        step_until(mqtt, |update| {
            reported.push(match update {
                Update::Event(Event::Message(_)) => "message",
                Update::LinkLost { error: Error::Io(Fault::Broken), .. } => "broken",
                _ => return None,
            });
            (reported.len() == 3).then_some(())
        });
        assert_eq!(reported, ["message", "message", "broken"]);
        wire.0.writes.set(&[Move(9)]);
        step_until(mqtt, |update| matches!(update, Update::Event(Event::Published { .. })).then_some(()));
    });
}
