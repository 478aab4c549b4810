//! PINGREQ before either direction has been silent for the keep alive (MQTT-3.1.2-23), and what follows from it.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce};
use baremqtt::codec::Packet;
use baremqtt::{Connect, Instant, State};

use crate::harness::*;

/// Connected at 0 ms.
fn online(keep_alive: u16) -> Rig {
    let mut rig = Rig::new();
    rig.go_online(&Connect::new("c").keep_alive(keep_alive), false);
    rig
}

/// When PINGREQ is due, in ms: a quarter of the keep alive before its end, but at most 5 s before.
fn due(keep_alive: u64) -> u64 {
    keep_alive * 1_000 - (keep_alive * 250).min(5_000)
}

#[test]
fn silence_causes_a_ping_before_the_keep_alive_expires() {
    for seconds in [1, 10, 65_535] {
        let mut rig = online(seconds);
        let due = due(seconds.into());
        assert_eq!(rig.deadline(), Some(due));
        assert!(rig.at(due - 1).send_all().is_empty());
        assert_eq!(rig.at(due).send_all(), ["PINGREQ"]);
        rig.receive(Packet::PingResp);
        assert_eq!(rig.deadline(), Some(2 * due));
        assert_eq!(rig.at(2 * due).send_all(), ["PINGREQ"]);
        assert!(rig.events().is_empty());
    }
}

#[test]
fn zero_turns_the_timeout_off() {
    let mut rig = online(0);
    assert_eq!(rig.deadline(), None);
    assert!(rig.at(u64::MAX - 1).send_all().is_empty());
    assert_eq!(rig.client.state(), State::Connected);
}

/// The server's clock runs from CONNECT on, however long the server takes to answer.
#[test]
fn counts_from_the_end_of_connect() {
    let mut rig = Rig::new();
    rig.connect(&Connect::new("c").keep_alive(5));
    rig.send_all();
    rig.at(3_000).receive_connack(false);
    assert!(rig.send_all().is_empty());
    assert_eq!(rig.deadline(), Some(3_750));
    assert_eq!(rig.at(3_750).send_all(), ["PINGREQ"]);
}

#[test]
fn no_ping_is_sent_before_a_late_connack() {
    let mut rig = Rig::new();
    rig.connect(&Connect::new("c").keep_alive(1));
    rig.send_all();
    assert!(rig.at(8_000).send_all().is_empty());
    rig.receive_connack(false);
    assert_eq!(rig.send_all(), ["PINGREQ"]);
}

/// The server never sees silence for longer than the keep alive, even though the client keeps receiving from it.
#[test]
fn a_steady_inbound_stream_does_not_delay_it() {
    let mut rig = online(10);
    for second in 1..=9 {
        rig.at(second * 1_000).receive_publish("a", b"", AtMostOnce, 0);
    }
    assert_eq!(rig.at(9_000).send_all(), ["PINGREQ"]);
}

/// A half-open link: the client keeps sending, and the server is gone.
#[test]
fn a_steady_outbound_stream_does_not_delay_it() {
    let mut rig = online(10);
    for second in 1..=7 {
        rig.at(second * 1_000).publish("a", b"", AtMostOnce);
        rig.send_all();
    }
    rig.at(8_000).publish("a", b"", AtMostOnce);
    assert_eq!(rig.send_all(), ["PINGREQ", "PUBLISH a qos=0 (0 B)"]);
    for second in 9..18 {
        rig.at(second * 1_000).publish("a", b"", AtMostOnce);
        rig.send_all();
    }
    rig.at(18_000);
    assert_eq!(rig.events(), ["error TimedOut(PingResp)"]);
}

#[test]
fn no_ping_is_sent_during_traffic_in_both_directions() {
    let mut rig = online(10);
    for second in 1..100 {
        rig.at(second * 1_000).receive_publish("a", b"", AtLeastOnce, 7);
        assert_eq!(rig.send_all(), ["PUBACK id=7"]);
    }
}

/// The beginning of a packet does not count as a packet.
#[test]
fn counts_from_the_end_of_a_packet() {
    let mut rig = online(10);
    rig.publish("a", b"payload", AtMostOnce);
    rig.at(3_000).send_bytes(2);
    assert_eq!(rig.deadline(), Some(7_500));
    rig.at(4_000).receive_publish("b", b"", AtMostOnce, 0);
    rig.send_all();
    rig.at(9_000).receive_publish("b", b"", AtMostOnce, 0);
    assert_eq!(rig.deadline(), Some(11_500));
    assert_eq!(rig.at(11_500).send_all(), ["PINGREQ"]);
}

/// Nothing overtakes a packet that is partly sent.
#[test]
fn waits_for_the_end_of_a_half_sent_packet() {
    let mut rig = online(10);
    rig.publish("a", b"payload", AtMostOnce);
    rig.publish("b", b"payload", AtMostOnce);
    rig.send_bytes(2);
    rig.at(10_000);
    assert_eq!(
        rig.send_all(),
        ["PUBLISH a qos=0 (7 B) \"payload\"", "PINGREQ", "PUBLISH b qos=0 (7 B) \"payload\""]
    );
}

#[test]
fn waits_for_the_end_of_a_half_sent_answer_and_passes_the_others() {
    for taken in 0..=8 {
        let mut rig = online(10);
        for number in 1..=3 {
            rig.receive_publish("in", b"", AtLeastOnce, number);
        }
        rig.send_bytes(taken);
        rig.at(10_000);
        let mut expected = vec!["PUBACK id=1", "PUBACK id=2", "PUBACK id=3"];
        expected.insert(taken.div_ceil(4), "PINGREQ");
        assert_eq!(rig.send_all(), expected, "{taken}");
    }
}

#[test]
fn a_missing_answer_ends_the_connection() {
    let mut rig = online(60);
    rig.at(60_000).send_bytes(1);
    rig.at(61_000).send_bytes(1);
    assert_eq!(rig.deadline(), Some(71_000), "from the last byte of PINGREQ");
    rig.at(70_999);
    assert!(rig.events().is_empty());
    rig.at(71_000);
    assert_eq!(rig.events(), ["error TimedOut(PingResp)"]);
}

/// The next PINGREQ does not restart the wait for the answer to the previous one either.
#[test]
fn a_dead_link_is_detected_however_short_the_keep_alive() {
    for keep_alive in [1, 2, 5, 10, 60, 65_535] {
        for timeout in [500, 1_000, 10_000, 60_000] {
            let mut rig = online(keep_alive);
            rig.choose(|values| values.pingresp_timeout_ms = timeout);
            let end = due(keep_alive.into()) + u64::from(timeout);
            while let Some(next) = rig.deadline().filter(|next| *next < end) {
                assert_eq!(rig.at(next).send_all(), ["PINGREQ"], "{keep_alive} s, {timeout} ms");
            }
            assert_eq!(rig.at(end).events(), ["error TimedOut(PingResp)"], "{keep_alive} s, {timeout} ms");
        }
    }
}

/// If the application is slow, PINGRESP queues behind more messages than have been read.
#[test]
fn a_backlog_in_front_of_pingresp_shows_that_the_link_is_alive() {
    let mut rig = online(60);
    rig.at(due(60)).send_all();
    let mut now = due(60);
    for _ in 0..4 {
        now += 9_999;
        rig.set_clock(now);
        rig.receive_publish("a", b"", AtMostOnce, 0);
        assert_eq!(rig.events(), ["message a qos=0 (0 B)"]);
    }
    assert!(rig.at(now + 9_999).events().is_empty());
    assert_eq!(rig.at(now + 10_000).events(), ["error TimedOut(PingResp)"]);
}

/// PINGRESP cannot arrive before the rest of the packet that is being received.
#[test]
fn bytes_of_a_large_packet_restart_the_timeout() {
    let mut rig = online(10);
    rig.at(10_000).send_all();
    rig.receive_bytes(b"\x30\x16\x00\x01a");
    for second in 1..=19 {
        rig.at(10_000 + second * 5_000).receive_bytes(b"x");
        assert!(!rig.events().iter().any(|line| line.starts_with("error")));
        rig.send_all();
    }
    rig.receive(Packet::PingResp);
    rig.at(115_000);
    assert_eq!(rig.client.state(), State::Connected);
}

/// Only one PINGREQ at a time waits to be sent, however long that takes.
#[test]
fn pings_do_not_repeat_endlessly() {
    let mut rig = online(1);
    for second in 1..29 {
        rig.at(second * 1_000);
        assert!(rig.deadline().is_none_or(|deadline| deadline > second * 1_000));
    }
    assert_eq!(rig.send_all(), ["PINGREQ"]);
}

/// An application that waits forever for PINGRESP still sends one PINGREQ per keep alive.
#[test]
fn without_a_timeout_it_waits_indefinitely() {
    let mut rig = online(10);
    rig.choose(|c| c.pingresp_timeout_ms = 0);
    for second in [10, 20, 30] {
        assert_eq!(rig.at(second * 1_000).send_all(), ["PINGREQ"]);
    }
    assert!(rig.events().is_empty());
}

#[test]
fn no_keep_alive_state_survives_a_reconnect() {
    for taken in 0..=2 {
        let mut rig = online(10);
        rig.at(10_000).send_bytes(taken);
        rig.lose_link();
        assert_eq!(rig.deadline(), None);
        rig.at(30_000).go_online(&Connect::new("c").keep_alive(10), false);
        assert!(rig.send_all().is_empty());
        assert_eq!(rig.deadline(), Some(37_500));
        assert_eq!(rig.at(37_500).send_all(), ["PINGREQ"]);
        rig.receive(Packet::PingResp);
        assert!(rig.events().is_empty());
    }
}

#[test]
fn an_unexpected_answer_is_ignored() {
    let mut rig = online(10);
    rig.receive(Packet::PingResp);
    assert!(rig.events().is_empty());
    assert_eq!(rig.client.state(), State::Connected);
}

/// A client that was offline for longer than the keep alive has not been silent for that long.
#[test]
fn time_before_connect_does_not_count() {
    let client = &mut Rig::new().client;
    client.connect(&Connect::new("c").keep_alive(60)).unwrap();
    let len = client.pending().len();
    client.sent(len);
    assert_eq!(client.advance(Instant::from_millis(3_600_000)), Ok(false));
    client.receive_buffer()[..4].copy_from_slice(&[0x20, 2, 0, 0]);
    client.received(4);
    assert_eq!(client.advance(Instant::from_millis(3_600_001)), Ok(true));
    assert_eq!(client.advance(Instant::from_millis(3_600_001)), Ok(false));
    assert!(client.pending().is_empty());
    assert_eq!(client.time_left(), Some(54_999));
}

/// The server's clock runs from PINGREQ on, whenever the client next reads its own.
#[test]
fn counts_from_the_end_of_pingreq() {
    let mut rig = Rig::new();
    rig.choose(|c| (c.pingresp_timeout_ms, c.ping_on_silence) = (0, false));
    rig.go_online(&Connect::new("c").keep_alive(10), false);
    rig.at(7_500);
    assert_eq!(rig.send_all(), ["PINGREQ"]);
    rig.set_clock(10_000);
    assert_eq!(rig.deadline(), Some(15_000));
}

/// It does not matter either how long the application takes to handle the first event.
#[test]
fn continues_while_connected_is_being_reported() {
    let mut rig = Rig::new();
    rig.connect(&Connect::new("c").keep_alive(10));
    rig.send_all();
    let connack = [0x20, 2, 0, 0];
    rig.client.receive_buffer()[..4].copy_from_slice(&connack);
    rig.client.received(4);
    assert_eq!(rig.client.advance(Instant::from_millis(0)), Ok(true));
    rig.set_clock(3_000);
    assert_eq!(rig.deadline(), Some(7_500));
}
