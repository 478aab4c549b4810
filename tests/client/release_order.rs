//! PUBREL goes out in the order in which PUBREC came (MQTT-4.6.0-4), whatever is moved, cut or sent again.

use baremqtt::QoS::{AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;

use crate::harness::*;

/// Connected, with messages 1 to `count` sent at QoS 2.
fn sent(count: u16, chunks: Chunks) -> Rig {
    let mut rig = Rig::online().chunked(chunks);
    for _ in 0..count {
        rig.publishes("topic", b"payload", ExactlyOnce);
    }
    rig.sends();
    rig
}

fn pubrels(ids: &[u16]) -> Vec<String> {
    ids.iter().map(|id| format!("PUBREL id={id}")).collect()
}

#[test]
fn as_pubrec_comes() {
    in_all_chunkings(|chunks| {
        let mut rig = sent(4, chunks);
        for number in [3, 1, 4, 2] {
            rig.gives(Packet::PubRec(id(number)));
        }
        assert_eq!(rig.sends(), pubrels(&[3, 1, 4, 2]));
    });
}

#[test]
fn again_after_a_reconnect() {
    in_all_chunkings(|chunks| {
        let mut rig = sent(4, chunks);
        for number in [3, 1, 4, 2] {
            rig.gives(Packet::PubRec(id(number)));
        }
        for _ in 0..2 {
            rig.cut();
            rig.comes_online(&CONNECT, true);
            assert_eq!(rig.sends(), pubrels(&[3, 1, 4, 2]));
        }
        for number in [3, 1, 4, 2] {
            rig.gives(Packet::PubComp(id(number)));
        }
        assert_eq!(rig.events().len(), 4);
        assert_eq!(rig.client.in_flight(), 0);
    });
}

#[test]
fn again_after_compaction() {
    let mut rig = sent(4, CHUNKINGS[0]);
    for number in [4, 2] {
        rig.gives(Packet::PubRec(id(number)));
    }
    rig.sends();
    // Messages of QoS 0 fill the buffer until the records have to move.
    for _ in 0..100 {
        rig.publishes("filler", &[0; 100], AtMostOnce);
        rig.sends();
    }
    for number in [3, 1] {
        rig.gives(Packet::PubRec(id(number)));
    }
    rig.cut();
    rig.comes_online(&CONNECT, true);
    assert_eq!(rig.sends(), pubrels(&[4, 2, 3, 1]));
}

/// The PUBREC of an earlier connection is the older one, though its message is the younger.
#[test]
fn across_a_reconnect() {
    in_all_chunkings(|chunks| {
        let mut rig = sent(3, chunks);
        rig.gives(Packet::PubRec(id(3)));
        rig.cut();
        rig.comes_online(&CONNECT, true);
        rig.sends();
        rig.gives(Packet::PubRec(id(2)));
        rig.gives(Packet::PubRec(id(1)));
        assert_eq!(rig.sends(), pubrels(&[2, 1]));
        rig.cut();
        rig.comes_online(&CONNECT, true);
        assert_eq!(rig.sends(), pubrels(&[3, 2, 1]));
    });
}

/// As before, but PUBREC comes while the older PUBREL still waits to be sent again, or has left in part.
#[test]
fn while_older_ones_wait_to_be_sent_again() {
    for taken in 0..=60 {
        let mut rig = sent(3, CHUNKINGS[0]);
        rig.gives(Packet::PubRec(id(3)));
        rig.gives(Packet::PubRec(id(2)));
        rig.cut();
        rig.comes_online(&CONNECT, true);
        rig.takes(taken);
        rig.gives(Packet::PubRec(id(1)));
        rig.takes(1);
        rig.takes(1);
        let mut sent = rig.sends();
        rig.advances();
        sent.extend(rig.sends());
        sent.retain(|line| line.starts_with("PUBREL"));
        if sent.len() == 2 {
            // PUBREC came too early to be true: the message was not sent again yet.
            rig.gives(Packet::PubRec(id(1)));
            sent.extend(rig.sends());
        }
        assert_eq!(sent, pubrels(&[3, 2, 1]), "{taken}");
        for number in [3, 2, 1] {
            rig.gives(Packet::PubComp(id(number)));
        }
        assert_eq!(rig.events().len(), 3, "{taken}");
        assert_eq!(rig.client.in_flight(), 0, "{taken}");
    }
}
