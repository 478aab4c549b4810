//! What can go wrong: streams that end, fail or stall, and servers that refuse or stay silent.

use std::time::Duration;

use baremqtt::codec::{Delivery, Packet, PacketId, Publish, QoS};
use baremqtt::transport::{Error, polled};
use baremqtt::{Connect, Event, Message, RefusalCode, Timeout, TopicName};

use crate::adapters::{Async, Blocking, Choices, accepted, block_on, client as new_client, client_with};
use crate::conversation::{async_over, connect, each_over, each_without_net, end, events};
use crate::wire::Step::{Block, Fail, Move};
use crate::wire::{Fault, Wire};

#[test]
fn the_end_of_the_stream() {
    each_over(Wire::default, |name, wire, adapter| {
        connect(adapter);
        wire.0.ended.set(true);
        assert_eq!(end(adapter), "the connection is closed", "{name}");
        assert_eq!(adapter.step().unwrap_err(), "the connection is closed", "{name}: it stays closed");
    });
}

#[test]
fn errors_end_the_connection() {
    each_over(Wire::default, |name, wire, adapter| {
        connect(adapter);
        wire.0.reads.set(&[Fail(Fault::Broken)]);
        wire.peer().send(&Packet::PingResp);
        assert_eq!(end(adapter), "Broken", "{name}: read");
    });
    each_over(
        || Wire::with_steps(&[Move(9)], &[Fail(Fault::Broken)], &[Move(9)]),
        |name, _, adapter| {
            adapter.client().connect(&Connect::new("c")).unwrap();
            assert_eq!(end(adapter), "Broken", "{name}: write");
        },
    );
    each_over(
        || Wire::with_steps(&[Move(9)], &[Move(9)], &[Block, Fail(Fault::Broken)]),
        |name, _, adapter| {
            adapter.client().connect(&Connect::new("c")).unwrap();
            assert_eq!(end(adapter), "Broken", "{name}: flush");
        },
    );
}

#[test]
fn a_stuck_write_does_not_stop_reading_but_times_out() {
    each_without_net(Wire::default, |name, wire, adapter| {
        connect(adapter);
        wire.0.writes.set(&[Block]);
        adapter.client().publish(&Message::new("t", b"stuck").qos(QoS::AtLeastOnce)).unwrap();
        // More than there is room to answer: the rest fills the receive buffer.
        for number in 1..=60 {
            let delivery = Delivery::AtLeastOnce { id: PacketId::new(number).unwrap(), dup: false };
            let topic = TopicName::new("t").unwrap();
            wire.peer().send(&Packet::Publish(Publish { topic, payload: b"in", delivery, retain: false }));
        }
        assert_eq!(events(adapter, 10), ["t in AtLeastOnce"; 10], "{name}");
        assert_eq!(end(adapter), "the transport takes no bytes", "{name}");
        assert_eq!(adapter.client().in_flight(), 1, "{name}: it is kept");
    });
}

#[test]
fn a_silent_link_is_kept_alive() {
    each_without_net(Wire::default, |name, wire, adapter| {
        connect(adapter);
        for _ in 0..10 {
            wire.pass(30_000);
            assert_eq!(adapter.step(), Ok(None), "{name}");
            assert_eq!(adapter.step(), Ok(None), "{name}");
        }
        let pings = wire.peer().received.iter().filter(|packet| packet.starts_with("PINGREQ")).count();
        assert!((3..=6).contains(&pings), "{name}: {pings} in five minutes");
        wire.0.reads.set(&[Block]);
        assert_eq!(end(adapter), "no PINGRESP in time", "{name}");
    });
}

#[test]
fn a_late_call_causes_no_timeout() {
    each_without_net(Wire::default, |name, wire, adapter| {
        connect(adapter);
        adapter.client().publish(&Message::new("t", b"").qos(QoS::AtLeastOnce)).unwrap();
        assert_eq!(events(adapter, 1).len(), 1);
        wire.pass(100_000);
        assert_eq!(events(adapter, 1).len(), 1, "{name}: what was received meanwhile");
        wire.pass(100_000);
        assert_eq!(adapter.step(), Ok(None), "{name}");
    });
}

#[test]
fn refused() {
    let io = Wire::default();
    io.peer().refusal = Some(RefusalCode::NOT_AUTHORIZED);
    let clock = io.clone();
    let mut mqtt = Blocking::new(io.clone(), new_client(), || clock.now());
    mqtt.connect(&Connect::new("c")).unwrap();
    let error = mqtt.next_event(None).unwrap_err();
    assert_eq!(error.refusal(), Some(RefusalCode::NOT_AUTHORIZED));

    let Async { connection: mut mqtt, .. } = async_over(&io);
    mqtt.connect(&Connect::new("c")).unwrap();
    let error = block_on(mqtt.next_event(None)).unwrap_err();
    assert_eq!(error, Error::Client(baremqtt::Error::Refused(RefusalCode::NOT_AUTHORIZED)));
}

#[test]
fn without_an_answer_connect_times_out() {
    let io = Wire::with_steps(&[Block], &[Move(9)], &[Move(9)]);
    let clock = io.clone();
    let mut mqtt = Blocking::new(io.clone(), new_client(), || clock.now());
    let timed_out = Err(Error::Client(baremqtt::Error::TimedOut(Timeout::ConnAck)));
    mqtt.connect(&Connect::new("c")).unwrap();
    assert_eq!(mqtt.next_event(None), timed_out);
    let Async { connection: mut mqtt, .. } = async_over(&io);
    mqtt.connect(&Connect::new("c")).unwrap();
    assert_eq!(block_on(mqtt.next_event(None)), timed_out);
}

/// Output that cannot be sent is given up, at whatever point it is stuck.
#[test]
fn a_disconnect_that_is_stuck() {
    let stall = Err(Error::Client(baremqtt::Error::TimedOut(Timeout::Stall)));
    for stuck_in_flush in [false, true] {
        let stick = |io: &Wire| if stuck_in_flush { &io.0.flushes } else { &io.0.writes }.set(&[Block]);

        let io = Wire::default();
        let clock = io.clone();
        let mut mqtt = Blocking::new(io.clone(), new_client(), || clock.now());
        accepted(&mut mqtt, &Connect::new("c")).unwrap();
        stick(&io);
        assert_eq!(mqtt.disconnect(), stall);

        let io = Wire::default();
        let Async { connection: mut mqtt, .. } = async_over(&io);
        mqtt.connect(&Connect::new("c")).unwrap();
        assert!(block_on(mqtt.next_event(None)).unwrap().is_some());
        stick(&io);
        assert_eq!(block_on(mqtt.disconnect()), stall);
    }
}

/// The same for an application that asks the client for DISCONNECT and continues its loop.
#[test]
fn a_last_flush_that_is_stuck() {
    each_without_net(Wire::default, |name, wire, adapter| {
        connect(adapter);
        wire.0.flushes.set(&[Block]);
        adapter.client().disconnect();
        assert_eq!(end(adapter), "the transport takes no bytes", "{name}");
        assert_eq!(adapter.step().unwrap_err(), "the connection is closed", "{name}: it stays closed");
    });
}

#[test]
fn a_graceful_disconnect() {
    let io = Wire::with_steps(&[Move(1)], &[Move(1), Block], &[Block, Move(1)]);
    let clock = io.clone();
    let mut mqtt = Blocking::new(io.clone(), new_client(), || clock.now());
    accepted(&mut mqtt, &Connect::new("c")).unwrap();
    mqtt.publish(&Message::new("last/words", b"bye")).unwrap();
    mqtt.disconnect().unwrap();
    assert_eq!(io.peer().received.len(), 3);
    assert!(io.peer().received[2].starts_with("DISCONNECT"));
}

/// A program that only publishes and disconnects: DISCONNECT waits for CONNACK, and the message is sent before. Then once more.
#[test]
fn disconnect_sends_what_was_queued_before_connack() {
    let message = Message::new("alarm", b"on").at_least_once();
    let check = |io: &Wire, connections: usize| {
        let kinds: Vec<_> =
            io.peer().received.iter().map(|packet| packet.split(' ').next().unwrap().to_string()).collect();
        assert_eq!(kinds, ["CONNECT", "PUBLISH", "DISCONNECT"].repeat(connections));
    };
    let io = Wire::default();
    let clock = io.clone();
    let mut mqtt = Blocking::new(io.clone(), new_client(), || clock.now());
    for connections in 1..=2 {
        mqtt.connect(&Connect::new("c").clean_session(true)).unwrap();
        mqtt.publish(&message).unwrap();
        mqtt.disconnect().unwrap();
        check(&io, connections);
        io.peer().outbox.clear();
    }

    let io = Wire::default();
    let Async { connection: mut mqtt, .. } = async_over(&io);
    for connections in 1..=2 {
        mqtt.connect(&Connect::new("c").clean_session(true)).unwrap();
        mqtt.publish(&message).unwrap();
        block_on(mqtt.disconnect()).unwrap();
        check(&io, connections);
        io.peer().outbox.clear();
    }
}

/// An application that sleeps as long as it may learns of a failed write, of a link that is lost, and when to reconnect.
#[test]
fn time_left_includes_what_only_the_adapter_knows() {
    let io = Wire::default();
    let mut mqtt = polled::Connection::new(io.clone(), new_client());
    mqtt.connect(&Connect::new("c").keep_alive(0)).unwrap();
    while !matches!(mqtt.poll(io.now()), Ok(Event::Connected { .. })) {}
    while mqtt.poll(io.now()).is_ok() {}
    assert_eq!(mqtt.time_left(io.now()), 1 << 30, "there is nothing to do");
    io.0.writes.set(&[Fail(Fault::Broken)]);
    mqtt.publish(&Message::new("a", b"").at_least_once()).unwrap();
    assert!(matches!(mqtt.poll(io.now()), Err(nb::Error::WouldBlock)), "there may be more to read");
    let left = mqtt.time_left(io.now());
    assert!(left <= 1_000, "{left}");
    io.pass(left);
    assert!(matches!(mqtt.poll(io.now()), Err(nb::Error::Other(Error::Io(Fault::Broken)))));
}

#[test]
fn the_session_continues_over_another_stream() {
    let io = Wire::default();
    let Async { connection: mut mqtt, .. } = async_over(&io);
    let connect = Connect::new("c").clean_session(false);
    mqtt.connect(&connect).unwrap();
    assert!(block_on(mqtt.next_event(None)).unwrap().is_some());
    mqtt.publish(&Message::new("t", b"kept").qos(QoS::AtLeastOnce)).unwrap();
    io.0.ended.set(true);
    assert_eq!(block_on(mqtt.next_event(None)), Err(Error::Closed));

    let next = Wire::default();
    mqtt.reopen(next.clone(), next.clone());
    mqtt.connect(&connect).unwrap();
    assert!(block_on(mqtt.next_event(None)).unwrap().is_some());
    while !matches!(block_on(mqtt.next_event(None)), Ok(Some(Event::Published { .. }))) {}
    assert_eq!(next.peer().payloads, [b"kept"]);
    let (client, ..) = mqtt.into_parts();
    assert_eq!(client.in_flight(), 0);
}

#[test]
fn a_wait_times_out() {
    let io = Wire::default();
    let clock = io.clone();
    let mut mqtt = Blocking::new(io.clone(), new_client(), || clock.now());
    accepted(&mut mqtt, &Connect::new("c")).unwrap();
    let before = io.now();
    assert_eq!(mqtt.next_event(Some(Duration::from_millis(500))), Ok(None));
    assert!((500..600).contains(&io.now().since(before)));

    let Async { connection: mut mqtt, .. } = async_over(&io);
    mqtt.connect(&Connect::new("c")).unwrap();
    assert!(block_on(mqtt.next_event(None)).unwrap().is_some());
    let before = io.now();
    assert_eq!(block_on(mqtt.next_event(Some(Duration::from_millis(500)))), Ok(None));
    assert!((500..600).contains(&io.now().since(before)));
    assert_eq!(block_on(mqtt.next_event(Some(Duration::ZERO))), Ok(None));
}

/// With manual acknowledgement, everything can wait for the application itself. An error reports that.
#[test]
fn an_application_that_does_not_acknowledge_is_informed() {
    let hold = |wire: &Wire| {
        for number in 1..=200 {
            // Scattered identifiers, so that the receipts take up as much room as they can.
            let delivery = Delivery::AtLeastOnce { id: PacketId::new(number * 64).unwrap(), dup: false };
            let topic = TopicName::new("t").unwrap();
            wire.peer().send(&Packet::Publish(Publish { topic, payload: b"", delivery, retain: false }));
        }
    };
    let client = client_with(Choices { manual_acknowledgement: true });

    let io = Wire::default();
    let clock = io.clone();
    let mut mqtt = Blocking::new(io.clone(), client.clone(), || clock.now());
    accepted(&mut mqtt, &Connect::new("c")).unwrap();
    hold(&io);
    while mqtt.next_event(None).unwrap().is_some() {}
    assert!(mqtt.waits_for_acknowledgement());

    let io = Wire::default();
    let mut mqtt = crate::adapters::AsyncConnection::new(io.clone(), io.clone(), client, io.clone());
    mqtt.connect(&Connect::new("c")).unwrap();
    assert!(block_on(mqtt.next_event(None)).unwrap().is_some());
    hold(&io);
    while block_on(mqtt.next_event(None)).unwrap().is_some() {}
    assert!(mqtt.waits_for_acknowledgement());
}

#[test]
fn serial_moves_byte_by_byte() {
    let io = Wire::default();
    let (mut input, mut output) = (io.clone(), io.clone());
    let serial = polled::Serial {
        read: || {
            let mut byte = [0];
            polled::Stream::read(&mut input, &mut byte).map(|_| byte[0])
        },
        write: |byte| {
            polled::Stream::write(&mut output, &[byte])?;
            polled::Stream::flush(&mut output)
        },
    };
    let connection = polled::Connection::new(serial, new_client());
    let clock = io.clone();
    crate::conversation::exchange_messages(&mut crate::adapters::Polled {
        connection,
        clock: || clock.now(),
    });
    assert_eq!(io.peer().payloads.len(), 10);
}

#[test]
fn received_messages_are_delivered_after_a_failed_write() {
    each_over(Wire::default, |name, wire, adapter| {
        connect(adapter);
        assert_eq!(adapter.step(), Ok(None));
        wire.0.writes.set(&[Fail(Fault::Broken)]);
        for number in 1..=5 {
            let delivery = Delivery::AtLeastOnce { id: PacketId::new(number).unwrap(), dup: false };
            let topic = TopicName::new("t").unwrap();
            wire.peer().send(&Packet::Publish(Publish { topic, payload: b"in", delivery, retain: false }));
        }
        adapter.client().publish(&Message::new("t", b"out").qos(QoS::AtLeastOnce)).unwrap();
        assert_eq!(events(adapter, 5), ["t in AtLeastOnce"; 5], "{name}");
        assert_eq!(end(adapter), "Broken", "{name}");
        assert_eq!(adapter.client().in_flight(), 1, "{name}: it is kept");
    });
}

/// With a clock that wraps after 49.7 days.
#[test]
fn waits_and_pings_work_when_the_clock_wraps() {
    for before in [0, 200, 900, 61_000] {
        let start = |io: &Wire| io.pass(u32::MAX - before);
        let io = Wire::default();
        start(&io);
        let clock = io.clone();
        let mut mqtt = Blocking::new(io.clone(), new_client(), || clock.now());
        accepted(&mut mqtt, &Connect::new("c").keep_alive(60)).unwrap();
        let began = io.now();
        assert_eq!(mqtt.next_event(Some(Duration::from_secs(1))), Ok(None));
        assert!((1_000..1_100).contains(&io.now().since(began)));
        assert_eq!(mqtt.next_event(Some(Duration::from_secs(180))), Ok(None));
        let pings = io.peer().received.iter().filter(|packet| packet.starts_with("PINGREQ")).count();
        assert_eq!(pings, 3, "{before}");

        let io = Wire::default();
        start(&io);
        let Async { connection: mut mqtt, .. } = async_over(&io);
        mqtt.connect(&Connect::new("c").keep_alive(60)).unwrap();
        assert!(block_on(mqtt.next_event(None)).unwrap().is_some());
        assert_eq!(block_on(mqtt.next_event(Some(Duration::from_secs(180)))), Ok(None));
        let pings = io.peer().received.iter().filter(|packet| packet.starts_with("PINGREQ")).count();
        assert_eq!(pings, 3, "{before}");
    }
}

/// A single `?` carries any error, and each text appears once.
#[test]
fn errors_of_every_call_are_errors_of_the_connection() {
    fn misuse(mqtt: &mut crate::adapters::Buffered) -> Result<(), Error<Fault>> {
        mqtt.subscribe(&[("a#", QoS::AtMostOnce)])?;
        Ok(())
    }
    let error = misuse(&mut new_client()).unwrap_err();
    assert!(!error.is_end());
    let expected = new_client().subscribe(&[("a#", QoS::AtMostOnce)]).unwrap_err().to_string();
    assert_eq!(error.to_string(), expected);
    assert!(std::error::Error::source(&error).is_none());
    let io = Error::Io(Fault::Broken);
    assert_eq!((io.to_string().as_str(), io.is_end()), ("Broken", true));
}

#[test]
fn connections_implement_debug() {
    let Async { connection, .. } = async_over(&Wire::default());
    assert_eq!(format!("{connection:?}"), "Connection { state: Offline, in_flight: 0, .. }");
}

/// Until the end of the stream, or until the time is up.
#[test]
fn remaining_input_can_be_drained() {
    let minute = Duration::from_secs(60);
    for ended in [true, false] {
        let ready = |io: &Wire| {
            io.peer().outbox.extend([0; 1_000]);
            io.0.ended.set(ended);
        };
        let io = Wire::default();
        ready(&io);
        let clock = io.clone();
        Blocking::new(io.clone(), new_client(), || clock.now()).drain(minute);
        assert!(io.peer().outbox.is_empty());
        assert_eq!(io.now().since(baremqtt::Instant::from_millis(0)) < 60_000, ended);

        let io = Wire::default();
        ready(&io);
        let Async { connection: mut mqtt, .. } = async_over(&io);
        block_on(mqtt.drain(minute));
        assert!(io.peer().outbox.is_empty());
        assert_eq!(io.now().since(baremqtt::Instant::from_millis(0)) < 60_000, ended);
    }
}
