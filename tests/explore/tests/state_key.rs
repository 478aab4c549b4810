//! The key that distinguishes states: equal for clients that will behave the same, whatever unused bytes contain, and different for those
//! that will not.

#[path = "../../common/choices.rs"]
mod choices;
#[path = "../../client/harness.rs"]
mod harness;

use std::hash::{DefaultHasher, Hasher};

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Buffers, Client, StreamedMessage};

use crate::harness::*;

fn key(rig: &Rig) -> u64 {
    let mut key = DefaultHasher::new();
    rig.client.state_key(&mut key);
    key.finish()
}

/// (The code for small machines leaves traces that make equal states look different.)
#[test]
fn completed_exchanges_do_not_change_the_key() {
    let mut rig = Rig::online();
    let before = key(&rig);
    for (number, qos) in [(1, AtLeastOnce), (2, ExactlyOnce), (3, ExactlyOnce)] {
        rig.publish("a", b"out", qos);
        rig.send_all();
        match qos {
            AtLeastOnce => rig.receive(Packet::PubAck(id(number))),
            _ => {
                rig.receive(Packet::PubRec(id(number)));
                rig.send_all();
                rig.receive(Packet::PubComp(id(number)));
            }
        }
        rig.receive_publish("b", b"in", qos, number);
        rig.send_all();
        if qos == ExactlyOnce {
            rig.receive(pubrel(number));
            rig.send_all();
        }
    }
    rig.events();
    // The next identifier is part of it: the server sees it.
    rig.client.set_next_packet_id(id(1));
    let mut other = Rig::online();
    other.client.set_next_packet_id(id(1));
    assert_eq!(key(&rig), key(&other));
    assert_eq!(key(&Rig::online()), before);
}

#[test]
fn unused_bytes_do_not_change_the_key() {
    let dirty = Client::with_config(Buffers { rx: vec![0xAA; 256], tx: vec![0x55; 1024] }, Choices::new());
    let mut rig = Rig::new();
    rig.client = dirty;
    rig.choose(|c| {
        c.max_requests = 8;
        c.streams = true;
    });
    let mut clean = Rig::new();
    for rig in [&mut rig, &mut clean] {
        rig.go_online(&CONNECT, false);
        rig.publish("a", b"payload", AtLeastOnce);
        rig.receive_publish("b", b"payload", ExactlyOnce, 5);
    }
    assert_eq!(key(&rig), key(&clean));
}

#[test]
fn clients_that_behave_differently_have_different_keys() {
    type Step = fn(&mut Rig);
    let steps: [Step; 14] = [
        |_| {},
        |rig| {
            rig.publish("a", b"", AtMostOnce);
        },
        |rig| {
            rig.publish("a", b"", AtLeastOnce);
        },
        |rig| {
            rig.publish("a", b"", ExactlyOnce);
        },
        |rig| {
            rig.publish("a", b"x", ExactlyOnce);
        },
        |rig| {
            rig.subscribe(&[("a", AtMostOnce)]);
        },
        |rig| {
            rig.publish("a", b"", AtLeastOnce);
            rig.send_all();
        },
        |rig| {
            rig.publish("a", b"", AtLeastOnce);
            rig.send_bytes(1);
        },
        |rig| {
            rig.client.publish_streamed(&StreamedMessage::new("a", 9)).unwrap();
        },
        |rig| rig.receive_publish("a", b"", AtLeastOnce, 1),
        |rig| rig.receive_publish("a", b"", ExactlyOnce, 1),
        |rig| rig.receive_bytes(&[0x30, 5]),
        |rig| rig.client.disconnect(),
        |rig| rig.lose_link(),
    ];
    let keys: Vec<_> = steps
        .iter()
        .map(|step| {
            let mut rig = Rig::online();
            step(&mut rig);
            key(&rig)
        })
        .collect();
    for (at, one) in keys.iter().enumerate() {
        for (other, two) in keys.iter().enumerate().skip(at + 1) {
            assert_ne!(one, two, "{at} and {other}");
        }
    }
}
