//! How many writes and reads the adapter needs for bytes that belong together.

use std::thread;
use std::time::{Duration, Instant};

use baremqtt::QoS::AtLeastOnce;
use baremqtt::{Event, Message};

use crate::{Buffered, CONNECT, SHORT, Stream, online};

const PAUSE: Duration = Duration::from_millis(200);

const MESSAGES: [u8; 27] = *b"\x32\x07\0\x01a\0\x01hi\x32\x07\0\x01a\0\x02hi\x32\x07\0\x01a\0\x03hi";

#[test]
fn answers_and_requests_of_one_read_are_sent_in_one_write() {
    // On a busy machine it can take longer than the few milliseconds that they may wait.
    let is_together = || {
        let (stream, mut mqtt) = online(&CONNECT);
        stream.server_sends(&MESSAGES);
        for _ in 0..3 {
            assert!(matches!(mqtt.next_event(None).unwrap(), Some(Event::Message(_))));
            mqtt.publish(&Message::new("b", b"").qos(AtLeastOnce)).unwrap();
        }
        let waits = stream.0.offered.borrow().is_empty();
        assert!(mqtt.next_event(SHORT).unwrap().is_none());
        let sent = stream.sent();
        assert_eq!(sent.iter().filter(|packet| packet.starts_with("PUBACK")).count(), 3, "{sent:?}");
        assert_eq!(sent.iter().filter(|packet| packet.starts_with("PUBLISH")).count(), 3, "{sent:?}");
        waits && stream.0.offered.borrow().len() <= 2
    };
    assert!((0..100).any(|_| is_together()));
}

#[test]
fn a_slow_application_does_not_delay_pings() {
    let (stream, mut mqtt) = online(&CONNECT);
    stream.server_sends(&MESSAGES);
    for answered in [0, 1, 2] {
        assert!(matches!(mqtt.next_event(None).unwrap(), Some(Event::Message(_))));
        // A message is acknowledged by the call for the next event, so its PUBACK is sent with the call after that.
        assert!(stream.sent().len() + 1 >= answered, "{:?}", stream.sent());
        thread::sleep(Duration::from_millis(6));
    }
}

const GATHERING_TIME: Duration = Duration::from_micros(50);

/// The minimum time to get the first of `count` messages that have already arrived.
fn shortest_wait(stream: &Stream, mqtt: &mut Buffered<Stream>, count: usize) -> Duration {
    let wait = |_| {
        stream.server_sends(&b"\x30\x03\0\x01a".repeat(count));
        let began = Instant::now();
        assert!(matches!(mqtt.next_event(None).unwrap(), Some(Event::Message(_))));
        let took = began.elapsed();
        for _ in 1..count {
            assert!(matches!(mqtt.next_event(None).unwrap(), Some(Event::Message(_))));
        }
        took
    };
    (0..100).map(wait).min().unwrap()
}

#[test]
fn acknowledgements_of_many_messages_are_read_together() {
    let (stream, mut mqtt) = online(&CONNECT);
    for _ in 0..7 {
        mqtt.publish(&Message::new("a", b"").qos(AtLeastOnce)).unwrap();
    }
    assert!(
        shortest_wait(&stream, &mut mqtt, 1) < GATHERING_TIME,
        "the application may be waiting for these"
    );
    mqtt.publish(&Message::new("a", b"").qos(AtLeastOnce)).unwrap();
    assert!(shortest_wait(&stream, &mut mqtt, 1) >= GATHERING_TIME);
    mqtt.coalesce(Duration::ZERO);
    assert!(shortest_wait(&stream, &mut mqtt, 1) < GATHERING_TIME, "turned off");
}

#[test]
fn many_messages_at_once_are_read_in_large_reads() {
    let (stream, mut mqtt) = online(&CONNECT);
    assert!(shortest_wait(&stream, &mut mqtt, 7) < GATHERING_TIME);
    // Except for the first one.
    shortest_wait(&stream, &mut mqtt, 8);
    assert!(shortest_wait(&stream, &mut mqtt, 8) >= GATHERING_TIME);
}

#[test]
fn input_that_arrives_within_the_pause_is_read_at_once() {
    // As above.
    let is_in_time = || {
        let (stream, mut mqtt) = online(&CONNECT);
        mqtt.coalesce(PAUSE);
        let began = Instant::now();
        stream.server_sends(&MESSAGES);
        assert!(matches!(mqtt.next_event(None).unwrap(), Some(Event::Message(_))));
        assert!(began.elapsed() >= PAUSE);
        let began = Instant::now();
        assert!(mqtt.next_event(None).unwrap().is_some() && mqtt.next_event(None).unwrap().is_some());
        let is_reported_at_once = began.elapsed() < PAUSE;
        let began = Instant::now();
        assert!(mqtt.next_event(SHORT).unwrap().is_none());
        let respects_its_timeout = began.elapsed() < PAUSE;
        is_reported_at_once && respects_its_timeout
    };
    assert!((0..100).any(|_| is_in_time()));
}
