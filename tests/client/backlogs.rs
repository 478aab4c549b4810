//! Everything that a server has stored for a client, sent at once: identifiers count upwards, and each message has QoS 1 or 2.

use baremqtt::QoS::{AtLeastOnce, ExactlyOnce};

use crate::harness::*;

/// A generator that yields the same numbers each time.
fn random(mut state: u32) -> impl FnMut(u32) -> u32 {
    move |below| {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        (state >> 16) % below
    }
}

/// All PUBLISH packets are sent before all PUBREL packets.
fn backlog(count: u16, one_in: u32, first: u16) {
    let mut rig: Rig = Rig::sized(128, 512).chunked(CHUNKINGS[4]);
    rig.go_online(&CONNECT, true);
    let mut random = random(7 + one_in);
    let numbers: Vec<u16> =
        (0..=count).map(|n| first.wrapping_add(n)).filter(|&n| n != 0).take(usize::from(count)).collect();
    let mut exactly_once = Vec::new();
    for &number in &numbers {
        let qos = if random(one_in) == 0 { ExactlyOnce } else { AtLeastOnce };
        if qos == ExactlyOnce {
            exactly_once.push(number);
        }
        rig.receive_publish("topic", &u32::from(number).to_be_bytes(), qos, number);
        rig.send_all();
    }
    for &number in &exactly_once {
        rig.receive(pubrel(number));
        rig.send_all();
    }
    rig.receive_bytes(&[]);
    assert!(!rig.events().iter().any(|line| line.starts_with("error")), "one in {one_in} from {first}");
    assert_eq!(rig.numbers, numbers.iter().map(|&n| u32::from(n)).collect::<Vec<_>>());
}

#[test]
fn a_thousand_messages_of_random_qos() {
    for one_in in [2, 10, 33] {
        for first in [1, 60, 65_000] {
            backlog(1_000, one_in, first);
        }
    }
}

#[test]
fn three_thousand_in_sequence() {
    for first in [1, 64_000] {
        backlog(3_000, 1, first);
    }
}

/// Even without enough room each connection makes progress, also if the server repeats all PUBLISH before all PUBREL packets.
#[test]
fn without_room_each_connection_makes_progress() {
    let numbers: Vec<u16> = (1..=120).map(|n| n * 500).collect();
    let mut rig: Rig = Rig::sized(64, 512);
    let (mut open, mut released): (Vec<u16>, Vec<u16>) = (numbers.clone(), Vec::new());
    let mut received = Vec::new();
    for connection in 0..12 {
        rig.go_online(&CONNECT, true);
        for &number in &open {
            rig.receive(publish("t", &u32::from(number).to_be_bytes(), ExactlyOnce, number, connection > 0));
        }
        for &number in &released {
            rig.receive(pubrel(number));
        }
        let before = (open.len(), released.len());
        for _ in 0..200 {
            for line in rig.send_all() {
                let number: u16 = line.split("id=").nth(1).unwrap().parse().unwrap();
                if line.starts_with("PUBREC") {
                    open.retain(|&n| n != number);
                    if !released.contains(&number) {
                        released.push(number);
                    }
                    rig.receive(pubrel(number));
                } else {
                    assert!(line.starts_with("PUBCOMP"), "{line}");
                    released.retain(|&n| n != number);
                }
            }
            received.extend(rig.numbers.drain(..));
        }
        let now = u64::from(rig.now().as_millis());
        let events = rig.at(now + 2_000).events();
        if open.is_empty() && released.is_empty() {
            break;
        }
        assert!(events.contains(&"error InboundFull".to_string()), "{events:?}");
        assert_ne!(before, (open.len(), released.len()), "connection {connection} got no further");
        rig.lose_link();
    }
    assert!(open.is_empty() && released.is_empty());
    assert_eq!(received, numbers.iter().map(|&n| u32::from(n)).collect::<Vec<_>>(), "each once, in order");
}

/// Mosquitto counts QoS 1 messages towards its quota of 20 too: by default, one place is kept free for that.
#[test]
fn one_place_is_reserved_for_qos_1_beside_qos_2() {
    let mut rig = Rig::<0>::sized(64, 8_192);
    rig.go_online(&CONNECT, false);
    let mut under_way = 0;
    while rig.client.publish(&baremqtt::Message::new("a", b"").exactly_once()).is_ok() {
        under_way += 1;
    }
    assert_eq!(under_way, 19);
}
