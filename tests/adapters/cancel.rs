//! The async adapter, cancelled at every await point: nothing is lost, nothing is delivered twice.

use std::pin::pin;
use std::task::Poll;

use baremqtt::codec::Version;
use baremqtt::{Connect, Event, Message, QoS, StreamedMessage};

use crate::adapters::{AsyncConnection, block_on, client, poll};
use crate::conversation::{async_over, exchange_messages, packets};
use crate::wire::Step::{Block, Move};
use crate::wire::Wire;

/// Every operation waits at least once, so that there is a point at which to cancel it.
fn wire() -> Wire {
    Wire::with_steps(&[Block, Move(5)], &[Block, Move(7), Move(3)], &[Block, Block, Move(1)])
}

/// The packets of a conversation without cancellation.
fn packets_without_cancellation() -> Vec<String> {
    let io = wire();
    let mut adapter = async_over(&io);
    adapter.most_polls = usize::MAX;
    exchange_messages(&mut adapter);
    packets(&io)
}

#[test]
fn every_future_can_be_dropped_after_a_number_of_polls() {
    let expected = packets_without_cancellation();
    for most_polls in 1..=40 {
        let io = wire();
        let mut adapter = async_over(&io);
        adapter.most_polls = most_polls;
        exchange_messages(&mut adapter);
        assert_eq!(packets(&io), expected, "{most_polls} polls");
    }
}

#[test]
fn any_single_future_can_be_dropped() {
    let expected = packets_without_cancellation();
    for drop_at in 1.. {
        let io = wire();
        let mut adapter = async_over(&io);
        (adapter.most_polls, adapter.drop_at) = (usize::MAX, drop_at);
        exchange_messages(&mut adapter);
        assert_eq!(packets(&io), expected, "poll {drop_at}");
        if adapter.polls < drop_at {
            assert!(drop_at > 50, "there are few await points: {drop_at}");
            return;
        }
    }
}

type Connection = AsyncConnection<Wire, Wire, Wire>;

/// Runs a method to completion, with futures that are dropped after a number of polls.
macro_rules! with_drops {
    ($polls:expr, $future:expr) => {{
        let mut result = None;
        while result.is_none() {
            let mut future = pin!($future);
            for _ in 0..$polls {
                if let Poll::Ready(value) = poll(future.as_mut()) {
                    result = Some(value);
                    break;
                }
            }
        }
        result.unwrap()
    }};
}

fn connection(io: &Wire) -> Connection {
    Connection::new(io.clone(), io.clone(), client(), io.clone())
}

#[test]
fn connect_survives_a_dropped_future() {
    for polls in 0..30 {
        let io = wire();
        let mut mqtt = connection(&io);
        let connect = Connect::new("c");
        {
            mqtt.connect(&connect).unwrap();
            let mut future = pin!(mqtt.next_event(None));
            if (0..polls).any(|_| poll(future.as_mut()).is_ready()) {
                assert!(polls > 2, "there is something to wait for");
                return;
            }
        }
        let event = with_drops!(3, async { mqtt.next_event(None).await.map(|event| event.is_some()) });
        assert_eq!(event, Ok(true), "{polls} polls");
        assert_eq!(mqtt.event(), Some(Event::Connected { session_present: Some(false) }));
        assert_eq!(io.peer().received.len(), 1, "one CONNECT");
    }
    panic!("connect does not complete");
}

#[test]
fn a_streamed_payload_is_flushed_piece_by_piece() {
    let payload: Vec<u8> = (0..3_000_u32).map(|n| n as u8).collect();
    for polls in 1..12 {
        let io = wire();
        let mut mqtt = connection(&io);
        mqtt.connect(&Connect::new("c")).unwrap();
        assert!(block_on(mqtt.next_event(None)).unwrap().is_some());
        let message = StreamedMessage::new("large", payload.len()).qos(QoS::AtLeastOnce).repeatable();
        mqtt.publish_streamed(&message).unwrap();
        let event = with_drops!(polls, async { mqtt.next_event(None).await.map(|event| event.is_some()) });
        assert_eq!(event, Ok(true));
        let mut rest = &payload[..];
        while !rest.is_empty() {
            rest = &rest[mqtt.write_payload(rest).unwrap()..];
            with_drops!(polls, mqtt.flush()).unwrap();
        }
        assert_eq!(io.peer().payloads, std::slice::from_ref(&payload), "{polls} polls");
    }
}

#[test]
fn disconnect_can_be_called_again_after_cancellation() {
    for polls in 1..12 {
        let io = wire();
        let mut mqtt = connection(&io);
        mqtt.connect(&Connect::new("c").version(Version::Mqtt311)).unwrap();
        assert!(block_on(mqtt.next_event(None)).unwrap().is_some());
        mqtt.publish(&Message::new("last/words", b"bye")).unwrap();
        with_drops!(polls, mqtt.disconnect()).unwrap();
        let seen = io.peer().received.clone();
        assert_eq!(seen.len(), 3, "{seen:?}");
        assert!(seen[1].starts_with("PUBLISH") && seen[2].starts_with("DISCONNECT"), "{seen:?}");
        assert!(!mqtt.is_open());
    }
}
