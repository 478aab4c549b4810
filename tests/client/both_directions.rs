//! Both directions at once: a payload that is streamed out, and inbound messages that have to be answered. They never
//! deadlock, whatever the sizes.

use baremqtt::QoS::{self, AtLeastOnce, ExactlyOnce};
use baremqtt::StreamedMessage;
use baremqtt::codec::Packet;

use crate::harness::*;

/// Streams a payload out while this many messages arrive; the transport accepts and delivers a few bytes at a time.
fn both_ways(rx: usize, tx: usize, chunks: Chunks, qos: QoS, messages: u16) {
    let mut rig = Rig::<0>::sized(rx, tx).chunked(chunks);
    rig.go_online(&CONNECT, false);
    const LEN: usize = 3_000;
    rig.client.publish_streamed(&StreamedMessage::new("large", LEN).qos(qos).repeatable()).unwrap();
    let mut sent = Vec::new();
    let (mut left, mut published, mut received) = (LEN, false, 0);
    let mut next = 1;
    for _ in 0..200_000 {
        if next <= messages {
            let qos = if next.is_multiple_of(2) { AtLeastOnce } else { ExactlyOnce };
            rig.receive_publish("t", b"", qos, next);
            next += 1;
        }
        rig.receive_bytes(&[]);
        left -= rig.client.write_payload(&[b'x'; 50][..left.min(50)]).unwrap_or(0);
        rig.send_bytes(chunks.out);
        for line in rig.packets() {
            let id = line.split("id=").nth(1).map(|rest| rest.split(' ').next().unwrap().parse().unwrap());
            match (line.split(' ').next().unwrap(), id) {
                ("PUBLISH", Some(number)) if qos == ExactlyOnce => rig.receive(Packet::PubRec(id_of(number))),
                ("PUBLISH", Some(number)) => rig.receive(Packet::PubAck(id_of(number))),
                ("PUBREL", Some(number)) => rig.receive(Packet::PubComp(id_of(number))),
                ("PUBREC", Some(number)) => rig.receive(pubrel(number)),
                _ => {}
            }
            sent.push(line);
        }
        for event in rig.events() {
            assert!(!event.starts_with("error"), "{event} rx={rx} tx={tx} {chunks:?}");
            published |= event.starts_with("published");
            received += u16::from(event.starts_with("message"));
        }
        let answers = sent.iter().filter(|line| line.starts_with("PUBACK") || line.starts_with("PUBCOMP"));
        if published && received == messages && answers.count() == usize::from(messages) {
            return;
        }
    }
    panic!("{received} of {messages}, published: {published}; rx={rx} tx={tx} {chunks:?}");
}

fn id_of(number: u16) -> baremqtt::PacketId {
    id(number)
}

#[test]
fn a_streamed_payload_and_inbound_messages_do_not_deadlock() {
    for (rx, tx) in [(200, 200), (17, 130), (64, 160), (200, 1_000), (1_000, 200)] {
        for chunks in [CHUNKINGS[0], CHUNKINGS[1], CHUNKINGS[3], CHUNKINGS[4]] {
            for qos in [AtLeastOnce, ExactlyOnce] {
                both_ways(rx, tx, chunks, qos, 300);
            }
        }
    }
}

/// The window of a payload never shrinks below the size that its message was promised.
#[test]
fn the_window_of_a_payload_keeps_its_size() {
    let mut rig = Rig::<0>::sized(200, 200);
    rig.go_online(&CONNECT, false);
    rig.client.publish_streamed(&StreamedMessage::new("large", 100_000)).unwrap();
    assert_eq!(rig.events(), ["ready -"]);
    for number in 1..=500 {
        rig.receive_publish("t", b"", AtLeastOnce, number);
        while rig.send_bytes(usize::MAX) > 0 {}
        assert!(rig.client.write_payload(&[0; 200]).unwrap() >= 64, "after {number} messages");
    }
}
