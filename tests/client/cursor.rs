//! Output is a single cursor: partial writes, and requests between `pending` and `sent`, at any byte.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;

use crate::harness::*;

/// One packet of each kind waits to be sent.
fn busy() -> Rig {
    let mut rig = Rig::online();
    rig.publish("a", b"zero", AtMostOnce);
    rig.publish("b", b"one", AtLeastOnce);
    rig.publish("c", b"two", ExactlyOnce);
    rig.subscribe(&[("d", AtMostOnce)]);
    rig.unsubscribe(&["e"]);
    rig
}

const BUSY: [&str; 5] = [
    "PUBLISH a qos=0 (4 B) \"zero\"",
    "PUBLISH b qos=1 id=1 (3 B) \"one\"",
    "PUBLISH c qos=2 id=2 (3 B) \"two\"",
    "SUBSCRIBE id=3 d qos=0",
    "UNSUBSCRIBE id=4 e",
];

#[test]
fn any_number_of_bytes_at_a_time() {
    for out in 1..80 {
        let mut rig = busy().chunked(Chunks { out, into: usize::MAX });
        assert_eq!(rig.send_all(), BUSY);
        assert!(rig.client.pending().is_empty());
    }
}

#[test]
fn pending_bytes_do_not_change_until_sent() {
    let mut rig = busy();
    let before = rig.client.pending().to_vec();
    assert_eq!(rig.client.pending(), before);
    rig.publish("f", b"", AtMostOnce);
    assert!(rig.client.pending().starts_with(&before));
}

/// A transport that owns the bytes (DMA, a queue of blocks) can report in parts what it has sent.
#[test]
fn sent_can_be_reported_in_parts() {
    let mut rig = busy();
    let offered = rig.client.pending().to_vec();
    for _ in &offered {
        rig.client.sent(1);
    }
    rig.wire.extend(offered);
    assert_eq!(rig.packets(), BUSY);
    assert!(rig.client.pending().is_empty());
}

#[test]
fn more_than_was_offered_cannot_be_sent() {
    let mut rig = busy();
    rig.client.sent(1);
    let offered = rig.client.pending().len();
    rig.publish("f", b"", AtMostOnce);
    rig.client.sent(usize::MAX);
    rig.client.sent(1);
    assert_eq!(rig.send_all(), ["PUBLISH f qos=0 (0 B)"], "the {offered} bytes offered, and no others");
}

/// Every byte position, and every kind of request or answer in between.
#[test]
fn packets_never_interleave() {
    let things: [fn(&mut Rig); 6] = [
        |rig| {
            rig.publish("x", b"late", AtMostOnce);
        },
        |rig| rig.receive_publish("y", b"", AtLeastOnce, 9),
        |rig| rig.receive_publish("y", b"", ExactlyOnce, 9),
        |rig| rig.receive(Packet::PubRec(id(99))),
        |rig| {
            rig.at(10_000);
        },
        |rig| rig.disconnect(),
    ];
    for thing in things {
        for taken in 0..60 {
            let mut rig = Rig::new();
            rig.go_online(&CONNECT.keep_alive(10), false);
            rig.publish("b", b"one", AtLeastOnce);
            rig.publish("a", b"zero", AtMostOnce);
            rig.publish("c", b"two", ExactlyOnce);
            let mut offered = rig.client.pending().to_vec();
            thing(&mut rig);
            rig.events();
            offered.truncate(taken);
            rig.client.sent(offered.len());
            rig.wire = offered;
            let lines = rig.send_all();
            let first = lines.iter().position(|line| line.starts_with("PUBLISH b")).unwrap();
            let second = lines.iter().position(|line| line.starts_with("PUBLISH a")).unwrap();
            let third = lines.iter().position(|line| line.starts_with("PUBLISH c")).unwrap();
            assert!(first < second && second < third);
            assert_eq!(lines.len(), 4, "{lines:?}");
            assert!(rig.wire.is_empty(), "no part of a packet is left");
        }
    }
}

/// Acknowledged messages make room: the rest is moved, even below a packet that is partly sent.
#[test]
fn compaction_moves_a_partly_sent_packet() {
    for taken in 0..=40 {
        let mut rig = Rig::<8>::sized(64, 160);
        rig.go_online(&CONNECT, false);
        let first = rig.publish("a", &[b'a'; 30], AtLeastOnce);
        let second = rig.publish("b", &[b'b'; 30], ExactlyOnce);
        rig.send_bytes(37 + taken);
        rig.receive(Packet::PubAck(id(first)));
        assert_eq!(rig.events(), ["published 1 qos=1"]);
        // 128 bytes for messages: 37 acknowledged, 37 half sent, and now 70.
        rig.publish("c", &[b'c'; 60], AtMostOnce);
        let lines = rig.send_all();
        assert_eq!(lines.len(), 3, "{taken}: {lines:?}");
        assert!(lines[1].starts_with("PUBLISH b qos=2 id=2 (30 B) \"bbbb"));
        assert!(lines[2].starts_with("PUBLISH c qos=0 (60 B) \"cccc"));
        rig.receive(Packet::PubRec(id(second)));
        assert_eq!(rig.send_all(), ["PUBREL id=2"]);
    }
}

#[test]
fn answers_are_sent_before_requests_between_two_packets() {
    let mut rig = Rig::online();
    rig.receive_publish("x", b"", AtLeastOnce, 7);
    rig.events();
    rig.publish("out", b"1", AtLeastOnce);
    rig.receive_publish("x", b"", AtLeastOnce, 8);
    rig.events();
    let len = rig.client.pending().len();
    assert_eq!(rig.send_bytes(usize::MAX), len);
    assert_eq!(rig.packets(), ["PUBACK id=7", "PUBACK id=8"]);
    assert_eq!(rig.send_all(), ["PUBLISH out qos=1 id=1 (1 B) \"1\""]);
}

#[test]
fn offline_nothing_is_pending() {
    let mut rig = Rig::new();
    rig.publish("a", b"", AtLeastOnce);
    assert!(rig.client.pending().is_empty());
    rig.connect(&CONNECT);
    assert_eq!(rig.send_all().len(), 1, "CONNECT, and nothing before CONNACK");
}

/// PUBACK arrives before the transport has reported that the PUBLISH was sent.
#[test]
fn an_answer_before_sent_is_called_is_not_lost() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    let len = rig.client.pending().len();
    rig.receive(Packet::PubAck(id(1)));
    rig.client.sent(len);
    assert_eq!(rig.events(), ["published 1 qos=1"]);
}
