//! Buffers of any kind and size; a client in a `static`, and a cloned one.

use std::sync::Mutex;

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Buffers, Client, Event, Instant, LargeMessages, Message};

use crate::harness::*;

const NOW: Instant = Instant::from_millis(0);

/// CONNECT, CONNACK, PUBLISH and its PUBACK, over any kind of buffers.
fn converse<R, T>(client: &mut Client<R, T>)
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
{
    client.connect(&CONNECT).unwrap();
    let len = client.pending().len();
    client.sent(len);
    client.receive_buffer()[..4].copy_from_slice(&[0x20, 2, 0, 0]);
    client.received(4);
    assert_eq!(client.advance(NOW), Ok(true));
    assert_eq!(client.advance(NOW), Ok(false));
    let message = Message::new("a", b"hi").qos(AtLeastOnce);
    let id = client.publish(&message).unwrap().unwrap();
    assert_eq!(client.pending()[..6], *b"\x32\x07\x00\x01a\x00");
    client.sent(9);
    assert_eq!(client.advance(NOW), Ok(false));
    client.receive_buffer()[..4].copy_from_slice(&[0x40, 2, 0, id.get() as u8]);
    client.received(4);
    assert_eq!(client.advance(NOW), Ok(true));
    assert_eq!(client.event(), Some(Event::Published { id, qos: AtLeastOnce }));
}

#[test]
fn arrays_slices_and_vectors() {
    converse(&mut Client::new(Buffers { rx: [0; 16], tx: [0; 64] }));
    converse(&mut Client::new(Buffers { rx: vec![0; 16], tx: vec![0; 64] }));
    let (mut rx, mut tx) = ([0; 16], [0; 64]);
    converse(&mut Client::new(Buffers { rx: &mut rx[..], tx: &mut tx[..] }));
    converse(&mut Client::new(Buffers { rx: vec![0_u8; 16].into_boxed_slice(), tx: [0; 64] }));
}

#[test]
fn a_client_in_a_static() {
    static CLIENT: Mutex<Client<[u8; 32], [u8; 64]>> =
        Mutex::new(Client::new(Buffers { rx: [0; 32], tx: [0; 64] }));
    converse(&mut CLIENT.lock().unwrap());
}

/// A clone continues from the same point, and the two are independent.
#[test]
fn a_clone_is_independent() {
    let mut rig = Rig::online();
    rig.publish("a", b"hi", ExactlyOnce);
    rig.send_bytes(3);
    let mut other = rig.clone();
    other.lose_link();
    assert_eq!(rig.send_all(), ["PUBLISH a qos=2 id=1 (2 B) \"hi\""]);
    other.go_online(&CONNECT, true);
    assert_eq!(other.send_all(), ["PUBLISH a qos=2 id=1 dup (2 B) \"hi\""]);
}

/// Every size that makes sense and many that do not: the calls return, and nothing panics.
#[test]
fn buffers_of_every_small_size() {
    for rx in 0..40 {
        for tx in 0..80 {
            for large in [LargeMessages::Skip, LargeMessages::Pieces] {
                let mut rig = Rig::<2>::sized(rx, tx);
                rig.choose(|c| c.large_messages = large);
                let _ = rig.client.publish(&Message::new("a", b"hi").qos(AtLeastOnce));
                if rig.client.connect(&CONNECT).is_err() {
                    continue;
                }
                rig.send_all();
                rig.receive_connack(false);
                for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
                    let _ = rig.client.publish(&Message::new("b", b"hello").qos(qos));
                    rig.receive_publish("topic", b"some payload", qos, 7);
                }
                let _ = rig.client.subscribe(&[("a", AtMostOnce)]);
                rig.send_all();
                rig.receive(Packet::PubRec(id(2)));
                rig.receive(pubrel(7));
                rig.send_all();
                rig.at(100_000);
                rig.disconnect();
                rig.send_all();
                rig.lose_link();
            }
        }
    }
}

/// The smallest sizes that do real work: 16 bytes to receive, 40 to send, eight of which are for messages.
#[test]
fn sixteen_and_forty_bytes() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::<2>::sized(16, 40).chunked(chunks);
        rig.go_online(&CONNECT, false);
        for number in 1..100 {
            assert_eq!(rig.publish("a", b"", ExactlyOnce), number);
            rig.send_all();
            rig.receive(Packet::PubRec(id(number)));
            assert_eq!(rig.send_all(), [format!("PUBREL id={number}")]);
            rig.receive(Packet::PubComp(id(number)));
            rig.receive_publish("t", b"hi", ExactlyOnce, number);
            rig.receive(pubrel(number));
            rig.send_all();
        }
        assert_eq!(rig.events().len(), 198);
    });
}
