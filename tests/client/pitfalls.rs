//! Complaints of users of other clients, one test each: named after the row of our list, `peer_issue_what`.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Full, Message, RequestError, State, SubAckCode, Version};

use crate::harness::*;

#[test]
fn rust_mqtt_38_received_bytes_are_never_lost() {
    // Bytes are received one by one, and the caller may do anything in between.
    let mut rig = Rig::online();
    for &byte in b"\x32\x07\x00\x01a\x00\x09hi" {
        rig.receive_bytes(&[byte]);
        rig.publish("b", b"", AtMostOnce);
        rig.send_bytes(1);
    }
    assert_eq!(rig.events(), ["message a qos=1 id=9 (2 B) \"hi\""]);
}

#[test]
fn rust_mqtt_45_and_82_large_payload_and_empty_suback_do_not_panic() {
    let mut rig = Rig::<8>::sized(32, 128);
    rig.go_online(&CONNECT, false);
    rig.receive_publish("a", &[0; 5_000], AtMostOnce, 0);
    assert_eq!(rig.events(), ["skipped a qos=0 (5000 B)"]);
    rig.receive_bytes(b"\x90\x02\x00\x01");
    assert_eq!(rig.events(), ["error MQTT-3.8.4-5"]);
}

#[test]
fn rust_mqtt_42_calls_do_not_wait_for_acknowledgements() {
    let mut rig = Rig::online();
    for number in 1..=8 {
        assert_eq!(rig.publish("a", b"", ExactlyOnce), number);
    }
    assert_eq!(rig.send_all().len(), 8);
}

#[test]
fn minimq_68_partial_writes_do_not_corrupt_the_stream() {
    let mut rig = Rig::online().chunked(Chunks { out: 1, into: 1 });
    rig.publish("a", &[7; 500], AtLeastOnce);
    rig.subscribe(&[("b", AtMostOnce)]);
    let lines = rig.send_all();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("PUBLISH a qos=1 id=1 (500 B)"));
}

#[test]
fn minimq_38_a_transport_that_accepts_nothing_now_has_not_failed() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    for _ in 0..100 {
        assert_eq!(rig.send_bytes(0), 0);
    }
    assert!(rig.events().is_empty());
    assert_eq!(rig.send_all().len(), 1);
}

#[test]
fn minimq_206_connect_has_room_behind_messages_in_flight() {
    let mut rig = Rig::<8>::sized(64, 160);
    rig.go_online(&CONNECT, false);
    while rig.client.publish(&Message::new("a", b"payload").qos(AtLeastOnce)).is_ok() {}
    rig.send_all();
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all().len(), 8);
}

#[test]
fn minimq_184_rumqtt_643_pings_are_in_time_at_any_keep_alive() {
    for keep_alive in [0, 1, 2, 4, 5, 60] {
        let mut rig = Rig::new();
        rig.go_online(&CONNECT.keep_alive(keep_alive), false);
        let end = u64::from(keep_alive) * 1_000;
        assert_eq!(rig.deadline().is_some_and(|due| due < end && due >= end / 2), keep_alive > 0);
    }
}

#[test]
fn coremqtt_7_the_ping_flag_does_not_survive_a_reconnect() {
    let connect = CONNECT.keep_alive(10);
    let mut rig = Rig::new();
    rig.go_online(&connect, false);
    rig.at(10_000).send_all();
    rig.lose_link();
    rig.at(15_000).go_online(&connect, true);
    assert!(rig.at(24_000).events().is_empty(), "the PINGRESP of the old connection is not due");
    assert_eq!(rig.at(25_000).send_all(), ["PINGREQ"]);
}

#[test]
fn coremqtt_163_pingresp_is_checked_in_time() {
    let mut rig = Rig::new();
    rig.go_online(&CONNECT.keep_alive(10), false);
    rig.at(10_000).send_all();
    assert_eq!(rig.deadline(), Some(17_500), "silence again");
    assert_eq!(rig.at(20_000).events(), ["error TimedOut(PingResp)"]);
}

#[test]
fn coremqtt_288_the_clock_does_not_overflow() {
    let mut rig = Rig::new();
    rig.set_clock(u64::from(u32::MAX) - 5);
    rig.go_online(&CONNECT.keep_alive(10), false);
    assert_eq!(rig.deadline(), Some(u64::from(u32::MAX) + 7_495));
}

#[test]
fn coremqtt_a_steady_qos_0_stream_does_not_starve_the_ping() {
    let mut rig = Rig::new();
    rig.go_online(&CONNECT.keep_alive(5), false);
    let mut pings = 0;
    for tick in 1..=100 {
        rig.at(tick * 100).publish("a", b"", AtMostOnce);
        pings += rig.send_all().iter().filter(|line| *line == "PINGREQ").count();
    }
    assert!(pings > 0);
}

#[test]
fn coremqtt_161_rumqtt_924_a_packet_over_the_buffer_is_acknowledged_and_the_link_lives() {
    for large in [baremqtt::LargeMessages::Skip, baremqtt::LargeMessages::Pieces] {
        let mut rig = Rig::<8>::sized(64, 160);
        rig.choose(|c| c.large_messages = large);
        rig.go_online(&CONNECT, false);
        rig.receive_publish("a", &[b'x'; 1_000], AtLeastOnce, 7);
        assert_eq!(rig.send_all(), ["PUBACK id=7"]);
        assert_eq!(rig.client.state(), State::Connected);
    }
}

#[test]
fn coremqtt_271_rumqtt_664_an_unknown_pubrel_is_not_fatal() {
    let mut rig = Rig::online();
    rig.receive(pubrel(4_711));
    rig.receive(Packet::PubRec(id(4_712)));
    assert_eq!(rig.send_all(), ["PUBCOMP id=4711", "PUBREL id=4712"]);
    assert_eq!(rig.client.state(), State::Connected);
}

#[test]
fn coremqtt_83_a_redelivery_without_dup_is_accepted() {
    let mut rig = Rig::online();
    rig.receive_publish("a", b"", ExactlyOnce, 7);
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    rig.receive(publish("a", b"", ExactlyOnce, 7, false));
    assert_eq!(rig.send_all(), ["PUBREC id=7"]);
    assert_eq!(rig.events().len(), 1);
}

/// An identifier that is in use is skipped.
#[test]
fn rumqtt_1014_an_identifier_collision_does_not_block() {
    let mut rig = Rig::<2>::sized(64, 256);
    rig.go_online(&CONNECT, false);
    assert_eq!(rig.publish("old", b"", AtLeastOnce), 1);
    rig.client.set_next_packet_id(id(65_534));
    for number in [65_534, 65_535, 2, 3, 4] {
        assert_eq!(rig.publish("new", b"", AtLeastOnce), number);
        rig.send_all();
        rig.receive(Packet::PubAck(id(number)));
    }
    let full = rig.client.publish(&Message::new("x", b"").qos(AtLeastOnce));
    assert_eq!(full, Ok(Some(id(5))));
}

#[test]
fn rumqtt_1057_wolfmqtt_505_an_identifier_is_not_reused_before_pubcomp() {
    let mut rig = Rig::<4>::sized(64, 256);
    rig.go_online(&CONNECT, false);
    rig.publish("a", b"", ExactlyOnce);
    rig.send_all();
    rig.receive(Packet::PubRec(id(1)));
    for _ in 0..70_000 {
        let number = rig.publish("b", b"", AtLeastOnce);
        assert_ne!(number, 1);
        rig.send_bytes(usize::MAX);
        rig.wire.clear();
        rig.receive(Packet::PubAck(id(number)));
    }
}

#[test]
fn mqtt_lib_116_inbound_and_outbound_identifiers_do_not_mix() {
    let mut rig = Rig::online();
    rig.receive_publish("in", b"", ExactlyOnce, 1);
    rig.publish("out", b"", ExactlyOnce);
    rig.send_all();
    rig.receive(pubrel(1));
    assert_eq!(rig.client.in_flight(), 1);
    rig.receive(Packet::PubRec(id(1)));
    assert_eq!(rig.send_all(), ["PUBCOMP id=1", "PUBREL id=1"]);
}

#[test]
fn mqtt_lib_118_the_dedupe_set_goes_with_the_session() {
    let mut rig = Rig::online();
    rig.receive_publish("a", b"", ExactlyOnce, 7);
    rig.lose_link();
    rig.go_online(&CONNECT, false);
    rig.receive_publish("a", b"", ExactlyOnce, 7);
    assert_eq!(rig.events().len(), 2);
}

#[test]
fn rumqtt_849_a_stale_acknowledgement_does_not_disconnect() {
    let mut rig = Rig::online();
    for packet in [Packet::PubAck(id(9)), Packet::PubComp(id(9)), Packet::UnsubAck(id(9))] {
        rig.receive(packet);
    }
    rig.receive_suback(9, &[SubAckCode::Failure]);
    assert_eq!(rig.client.state(), State::Connected);
    assert_eq!(rig.client.ignored_acknowledgements(), 4);
}

#[test]
fn rumqtt_349_publish_returns_the_identifier_and_an_event_reports_the_end() {
    let mut rig = Rig::online();
    let number = rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    rig.receive(Packet::PubAck(id(number)));
    assert_eq!(rig.events(), [format!("published {number} qos=1")]);
}

#[test]
fn rumqtt_263_a_full_queue_is_reported_at_once() {
    let mut rig = Rig::<1>::sized(64, 256);
    rig.go_online(&CONNECT, false);
    rig.publish("a", b"", AtLeastOnce);
    let again = rig.client.publish(&Message::new("a", b"").qos(AtLeastOnce));
    assert_eq!(again, Err(RequestError::Full(Full::Requests)));
}

#[test]
fn rumqtt_250_a_lost_session_cannot_be_missed() {
    let mut rig = Rig::online();
    rig.lose_link();
    rig.connect(&CONNECT);
    rig.send_all();
    rig.receive_connack(false);
    assert_eq!(rig.events(), ["connected present=false"]);
}

#[test]
fn wolfmqtt_597_the_session_is_replayed() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("b", b"", ExactlyOnce);
    rig.send_all();
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all().len(), 2);
}

#[test]
fn wolfmqtt_596_qos_0_is_not_replayed() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtMostOnce);
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    assert!(rig.send_all().is_empty());
}

#[test]
fn mosquitto_3600_an_unknown_suback_is_not_accepted() {
    let mut rig = Rig::online();
    rig.subscribe(&[("a", AtMostOnce)]);
    rig.send_all();
    rig.receive_suback(2, &[SubAckCode::Granted(AtMostOnce)]);
    assert!(rig.events().is_empty());
    assert_eq!(rig.client.in_flight(), 1);
}

#[test]
fn mosquitto_1450_a_qos_2_message_is_not_delivered_twice() {
    let mut rig = Rig::online();
    rig.receive_publish("a", b"", ExactlyOnce, 7);
    rig.receive(publish("a", b"", ExactlyOnce, 7, true));
    assert_eq!(rig.events().len(), 1);
}

#[test]
fn mqttrust_3_a_missing_answer_is_detected() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    assert_eq!(rig.at(30_000).events(), ["error TimedOut(Ack)"]);
}

#[test]
fn mqttrust_39_qos_0_bypasses_the_window() {
    let mut rig = Rig::<1>::sized(64, 256);
    rig.go_online(&CONNECT, false);
    rig.publish("a", b"", AtLeastOnce);
    for _ in 0..5 {
        rig.publish("b", b"", AtMostOnce);
    }
    assert_eq!(rig.send_all().len(), 6);
}

#[test]
fn minimq_165_the_version_is_chosen_at_run_time() {
    for version in [Version::Mqtt31, Version::Mqtt311] {
        let mut rig = Rig::new();
        rig.connect(&CONNECT.version(version));
        assert!(rig.send_all()[0].starts_with(&format!("CONNECT {version} ")));
    }
}

#[test]
fn phpmqtt_39_qos_1_is_acknowledged_and_500_messages_arrive() {
    let mut rig = Rig::online();
    for number in 1..=500 {
        rig.receive_publish("a", b"", AtLeastOnce, number);
        assert_eq!(rig.send_all(), [format!("PUBACK id={number}")]);
    }
    assert_eq!(rig.events().len(), 500);
}

#[test]
fn phpmqtt_112_a_partial_read_is_not_the_end_of_the_stream() {
    let mut rig = Rig::online().chunked(CHUNKINGS[1]);
    for _ in 0..50 {
        rig.receive_publish("a", b"burst", AtMostOnce, 0);
    }
    assert_eq!(rig.events().len(), 50);
    assert_eq!(rig.client.state(), State::Connected);
}
