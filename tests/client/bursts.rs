//! More than the client can hold at once: reading pauses, nothing is lost, and there is no deadlock.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;

use crate::harness::*;

/// The numbers in "id=..." of the lines that start with `start`.
fn ids(lines: &[String], start: &str) -> Vec<u16> {
    let matching = lines.iter().filter(|line| line.starts_with(start));
    matching
        .map(|line| line.split("id=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap())
        .collect()
}

/// The control queue has 32 bytes here: seven answers. A transport that accepts nothing fills it.
#[test]
fn without_room_for_answers_reading_pauses() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        in_all_chunkings(|chunks| {
            let mut rig = Rig::<8>::sized(64, 160).chunked(chunks);
            rig.go_online(&CONNECT, false);
            for number in 1..=100 {
                rig.receive_publish("t", b"", qos, number);
            }
            assert!(rig.client.receive_buffer().is_empty(), "do not read");
            assert!(!rig.client.pending().is_empty(), "but send");
            let mut answers = Vec::new();
            while ids(&answers, "PUB").len() < 100 {
                answers.extend(rig.send_all());
                rig.receive_bytes(&[]);
            }
            assert_eq!(ids(&rig.events(), "message"), (1..=100).collect::<Vec<_>>());
            assert_eq!(ids(&answers, "PUB"), (1..=100).collect::<Vec<_>>());
        });
    }
}

/// PINGREQ has room of its own.
#[test]
fn a_ping_is_sent_while_the_queue_is_full() {
    let mut rig = Rig::<8>::sized(64, 160);
    rig.go_online(&CONNECT.keep_alive(10), false);
    for number in 1..=50 {
        rig.receive_publish("t", b"", AtLeastOnce, number);
    }
    rig.at(10_000);
    assert!(rig.send_all().contains(&"PINGREQ".to_string()));
}

/// Messages in the buffer take no room away from answers.
#[test]
fn a_full_transmit_buffer_does_not_delay_answers() {
    let mut rig = Rig::<8>::sized(64, 160);
    rig.go_online(&CONNECT, false);
    rig.publish("a", &[0; 120], AtMostOnce);
    rig.send_bytes(1);
    rig.receive_publish("t", b"", ExactlyOnce, 7);
    rig.receive(pubrel(7));
    rig.receive(Packet::PubRec(id(99)));
    assert_eq!(rig.events().len(), 1);
    assert_eq!(rig.send_all()[1..], ["PUBREC id=7", "PUBCOMP id=7", "PUBREL id=99"]);
}

/// A broker that resumes a session sends everything it has queued, far beyond any in-flight limit.
#[test]
fn three_thousand_qos_2_messages_in_a_burst() {
    for (mut rig, count) in [(Rig::<8>::sized(256, 512), 3_000), (Rig::sized(256, 4096), 3_000)] {
        rig.go_online(&CONNECT, true);
        for number in 1..=count {
            rig.receive_publish("t", b"payload", ExactlyOnce, number);
            if number % 100 == 0 {
                rig.send_all();
            }
        }
        while !rig.send_all().is_empty() {
            rig.receive_bytes(&[]);
        }
        for number in 1..=count {
            rig.receive(pubrel(number));
            if number % 50 == 0 {
                assert!(!rig.send_all().is_empty());
            }
        }
        while !rig.send_all().is_empty() {
            rig.receive_bytes(&[]);
        }
        assert_eq!(ids(&rig.events(), "message"), (1..=count).collect::<Vec<_>>());
    }
}

/// Identifiers so scattered that the set of them is full: the outstanding answers are sent, then there is a typed error; and after the
/// reconnect the server can complete what it had begun.
#[test]
fn a_full_inbound_set_is_an_error_and_then_progress() {
    let mut rig = Rig::online();
    let scattered: Vec<u16> = (1..=18).map(|number| number * 1_000).collect();
    for &number in &scattered {
        rig.receive_publish("t", b"", ExactlyOnce, number);
    }
    // After the first message without a place, nothing is accepted that would need an answer.
    rig.receive_publish("u", b"", AtLeastOnce, 30_000);
    let delivered = ids(&rig.events(), "message");
    assert_eq!(delivered, scattered[..17], "no error yet: answers are queued");
    assert_eq!(ids(&rig.send_all(), "PUBREC"), scattered[..17]);
    // PUBRELs are still answered.
    rig.receive(pubrel(1_000));
    assert_eq!(ids(&rig.send_all(), "PUBCOMP"), [1_000]);
    for &number in &scattered[1..17] {
        rig.receive(pubrel(number));
    }
    assert!(rig.events().is_empty(), "answers are queued");
    assert_eq!(ids(&rig.send_all(), "PUBCOMP"), scattered[1..17]);
    assert_eq!(rig.events(), ["error InboundFull"]);

    rig.go_online(&CONNECT, true);
    rig.receive(publish("t", b"", ExactlyOnce, scattered[17], true));
    assert_eq!(ids(&rig.events(), "message"), [scattered[17]]);
    assert_eq!(rig.send_all().len(), 1);
}

/// The window of a server that answers out of order moves on forever in the same few entries.
#[test]
fn a_window_of_thirty_qos_2_messages_again_and_again() {
    let mut rig = Rig::online();
    let mut open: Vec<u16> = Vec::new();
    let mut random = 7_u32;
    for number in (1..=u16::MAX).chain(1..=20_000) {
        rig.receive_publish("t", b"", ExactlyOnce, number);
        open.push(number);
        rig.send_bytes(usize::MAX);
        rig.wire.clear();
        if open.len() > 20 {
            random = random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            let index = (random >> 16) as usize % open.len().min(8);
            rig.receive(pubrel(open.remove(index)));
        }
        if number % 1_000 == 0 {
            assert!(rig.events().iter().all(|line| line.starts_with("message")));
        }
    }
}
