//! PUBREL is sent in the order in which PUBREC arrived (MQTT-4.6.0-4), whatever is moved, split or resent.

use baremqtt::QoS::{AtMostOnce, ExactlyOnce};
use baremqtt::Version;
use baremqtt::codec::Packet;

use crate::harness::*;

/// Connected, with messages 1 to `count` sent at QoS 2.
fn sent(count: u16, chunks: Chunks) -> Rig {
    let mut rig = Rig::online().chunked(chunks);
    for _ in 0..count {
        rig.publish("topic", b"payload", ExactlyOnce);
    }
    rig.send_all();
    rig
}

fn pubrels(ids: &[u16]) -> Vec<String> {
    ids.iter().map(|id| format!("PUBREL id={id}")).collect()
}

#[test]
fn in_the_order_of_the_pubrecs() {
    in_all_chunkings(|chunks| {
        let mut rig = sent(4, chunks);
        for number in [3, 1, 4, 2] {
            rig.receive(Packet::PubRec(id(number)));
        }
        assert_eq!(rig.send_all(), pubrels(&[3, 1, 4, 2]));
    });
}

#[test]
fn again_after_a_reconnect() {
    in_all_chunkings(|chunks| {
        let mut rig = sent(4, chunks);
        for number in [3, 1, 4, 2] {
            rig.receive(Packet::PubRec(id(number)));
        }
        for _ in 0..2 {
            rig.lose_link();
            rig.go_online(&CONNECT, true);
            assert_eq!(rig.send_all(), pubrels(&[3, 1, 4, 2]));
        }
        for number in [3, 1, 4, 2] {
            rig.receive(Packet::PubComp(id(number)));
        }
        assert_eq!(rig.events().len(), 4);
        assert_eq!(rig.client.in_flight(), 0);
    });
}

#[test]
fn again_after_compaction() {
    let mut rig = sent(4, CHUNKINGS[0]);
    for number in [4, 2] {
        rig.receive(Packet::PubRec(id(number)));
    }
    rig.send_all();
    // Messages of QoS 0 fill the buffer until the records have to move.
    for _ in 0..100 {
        rig.publish("filler", &[0; 100], AtMostOnce);
        rig.send_all();
    }
    for number in [3, 1] {
        rig.receive(Packet::PubRec(id(number)));
    }
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all(), pubrels(&[4, 2, 3, 1]));
}

/// The PUBREC of an earlier connection is the older one, even if its message is the newer one.
#[test]
fn across_a_reconnect() {
    in_all_chunkings(|chunks| {
        let mut rig = sent(3, chunks);
        rig.receive(Packet::PubRec(id(3)));
        rig.lose_link();
        rig.go_online(&CONNECT, true);
        rig.send_all();
        rig.receive(Packet::PubRec(id(2)));
        rig.receive(Packet::PubRec(id(1)));
        assert_eq!(rig.send_all(), pubrels(&[2, 1]));
        rig.lose_link();
        rig.go_online(&CONNECT, true);
        assert_eq!(rig.send_all(), pubrels(&[3, 2, 1]));
    });
}

/// As before, but PUBREC arrives while the older PUBREL still waits to be resent, or is partly sent.
#[test]
fn while_older_messages_wait_to_be_resent() {
    for taken in 0..=60 {
        let mut rig = sent(3, CHUNKINGS[0]);
        rig.receive(Packet::PubRec(id(3)));
        rig.receive(Packet::PubRec(id(2)));
        rig.lose_link();
        rig.go_online(&CONNECT, true);
        rig.send_bytes(taken);
        rig.receive(Packet::PubRec(id(1)));
        rig.send_bytes(1);
        rig.send_bytes(1);
        let mut sent = rig.send_all();
        rig.advance();
        sent.extend(rig.send_all());
        sent.retain(|line| line.starts_with("PUBREL"));
        if sent.len() == 2 {
            // This PUBREC came too early to be valid: the message had not been resent yet.
            rig.receive(Packet::PubRec(id(1)));
            sent.extend(rig.send_all());
        }
        assert_eq!(sent, pubrels(&[3, 2, 1]), "{taken}");
        for number in [3, 2, 1] {
            rig.receive(Packet::PubComp(id(number)));
        }
        assert_eq!(rig.events().len(), 3, "{taken}");
        assert_eq!(rig.client.in_flight(), 0, "{taken}");
    }
}

/// Connected with MQTT 3.1, with messages 1 to 3 sent at QoS 2, and their repetition due.
fn to_be_retried() -> Rig {
    let mut rig = Rig::new();
    rig.choose(|c| c.retry_ms = 5_000);
    rig.go_online(&CONNECT.version(Version::Mqtt31), false);
    for _ in 0..3 {
        rig.publish("topic", b"payload", ExactlyOnce);
    }
    rig.send_all();
    rig.set_clock(5_000);
    rig
}

/// The answers have arrived when the repetition is due, though nobody has looked at them yet.
#[test]
fn a_request_answered_in_time_is_not_resent() {
    let mut rig = to_be_retried();
    rig.receive_bytes(b"\x50\x02\x00\x01\x50\x02\x00\x02");
    assert_eq!(rig.send_all(), pubrels(&[1, 2]));
}

/// The server answers the first transmission only while the message is resent, and then answers that one too.
#[test]
fn while_a_timed_retry_is_under_way() {
    for (taken, between) in (0..=60).flat_map(|taken| [0, 1, 20, 40].map(|between| (taken, between))) {
        let mut rig = to_be_retried();
        rig.advance();
        rig.send_bytes(taken);
        for number in 1..=3 {
            rig.receive(Packet::PubRec(id(number)));
            rig.send_bytes(between);
        }
        let mut sent = Vec::new();
        let mut news = rig.send_all();
        while !news.is_empty() {
            for line in &news {
                let number = line.split("id=").nth(1).unwrap()[..1].parse().unwrap();
                match &line[..6] {
                    "PUBLIS" => rig.receive(Packet::PubRec(id(number))),
                    _ => rig.receive(Packet::PubComp(id(number))),
                }
            }
            sent.extend(std::mem::replace(&mut news, rig.send_all()));
        }
        let first = |what: &str, number: u16| {
            let is_it = |line: &String| line.starts_with(what) && line.contains(&format!("id={number}"));
            (sent.iter().position(is_it), sent.iter().rposition(is_it))
        };
        let [one, two, three] = [1, 2, 3].map(|number| first("PUBREL", number).0.expect("it leaves"));
        assert!(one < two && two < three, "{taken}, {between}: {sent:?}");
        for number in 1..=3 {
            assert!(first("PUBLISH", number).1 < first("PUBREL", number).0, "{taken}, {between}: {sent:?}");
        }
        assert_eq!(rig.events(), ["published 1 qos=2", "published 2 qos=2", "published 3 qos=2"]);
        assert_eq!(rig.client.in_flight(), 0, "{taken}, {between}");
    }
}
