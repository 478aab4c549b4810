//! Images with contents that no client has written, under a valid checksum: refused, and nothing has changed.

#[path = "../common/image.rs"]
mod image;

use baremqtt::QoS::{AtLeastOnce, ExactlyOnce};
use baremqtt::RestoreError::{self, Corrupt, TooLarge};
use image::seal;

use crate::harness::*;

/// An image with these identifier entries and these requests.
fn image(entries: u16, ids: &[u8], requests: &[u8]) -> Vec<u8> {
    let mut body = b"BMQ\x02\0\0\x09".to_vec();
    body.extend(entries.to_be_bytes());
    body.extend(ids);
    body.extend(requests);
    seal(&body)
}

fn restored(rig: &mut Rig, image: &[u8]) -> Result<(), RestoreError> {
    let result = rig.client.restore(image);
    if result.is_err() {
        assert_eq!(rig.client.in_flight(), 0);
        assert_eq!(rig.client.under_way().count(), 0);
    }
    result
}

/// A PUBLISH of QoS 1 with an empty payload.
const PUBLISH: [u8; 7] = [0x32, 5, 0, 1, b'a', 0, 1];
const PUBREL: [u8; 4] = [0x62, 2, 0, 2];

#[test]
fn images_written_by_a_client() {
    let requests = [&PUBLISH[..], &PUBREL, &[0xE1, 2, 0, 3], &[0xE3, 2, 0, 4]].concat();
    let mut rig = Rig::new();
    assert_eq!(restored(&mut rig, &image(0, b"", &requests)), Ok(()));
    assert_eq!(rig.client.in_flight(), 4);
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.events(), ["ended 3 Uncertain", "published 4 qos=2"]);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 dup (0 B)", "PUBREL id=2"]);
}

#[test]
fn images_that_no_client_writes() {
    let two = |first: &[u8], second: &[u8]| [first, second].concat();
    let bad: [(&str, Vec<u8>); 19] = [
        ("cut off", PUBLISH[..6].to_vec()),
        ("a header that goes on", vec![0x32, 0xFF]),
        ("identifier 0", vec![0x32, 5, 0, 1, b'a', 0, 0]),
        ("QoS 0", vec![0x30, 3, 0, 1, b'a']),
        ("QoS 3", vec![0x36, 5, 0, 1, b'a', 0, 1]),
        ("one identifier twice", two(&PUBLISH, &PUBLISH)),
        ("in both kinds", two(&PUBLISH, &[0x62, 2, 0, 1])),
        ("SUBSCRIBE", vec![0x82, 6, 0, 1, 0, 1, b'a', 0]),
        ("PUBACK", vec![0x40, 2, 0, 1]),
        ("a topic that is longer than the packet", vec![0x32, 5, 0, 9, b'a', 0, 1]),
        ("a topic with a wildcard", vec![0x32, 5, 0, 1, b'#', 0, 1]),
        ("a long PUBREL", vec![0x62, 3, 0, 2, 0]),
        ("a PUBREL with a length of two bytes", two(&[0x62, 0x81, 0, 9], &PUBREL)),
        ("an end with a length of two bytes", two(&[0xE2, 0x81, 0, 9], &PUBREL)),
        ("a PUBLISH with a length of two bytes", vec![0x32, 0x85, 0, 0, 1, b'a', 0, 1]),
        ("a head behind a length of two bytes", vec![0xF0, 0x87, 0, 0x32, 9, 0, 1, b'a', 0, 1]),
        ("a streamed PUBREL", two(&[0xF0, 4], &PUBREL)),
        ("a head with a payload", vec![0xF0, 8, 0x32, 6, 0, 1, b'a', 0, 1, b'x']),
        ("a head of another length", vec![0xF0, 7, 0x32, 4, 0, 1, b'a', 0, 1]),
    ];
    for (what, requests) in bad {
        assert_eq!(restored(&mut Rig::new(), &image(0, b"", &requests)), Err(Corrupt), "{what}");
    }
    // An entry without an identifier in it; more entries than bytes.
    assert_eq!(restored(&mut Rig::new(), &image(1, &[0; 10], b"")), Err(Corrupt));
    assert_eq!(restored(&mut Rig::new(), &image(9, &[0; 10], b"")), Err(Corrupt));
    for len in 0..13 {
        assert_eq!(restored(&mut Rig::new(), &image(0, b"", b"")[..len]), Err(Corrupt));
    }
    for (at, byte) in [(0, b'b'), (3, 1), (4, 2), (6, 0)] {
        let mut body = b"BMQ\x02\0\0\x09\0\0".to_vec();
        body[at] = byte;
        assert_eq!(restored(&mut Rig::new(), &seal(&body)), Err(Corrupt), "{at}");
    }
}

/// A streamed message needs room for its window as well, however short its header is.
#[test]
fn requests_without_room() {
    for (tx, expected) in [(32 + 6, Err(TooLarge)), (32 + 7, Ok(()))] {
        let mut rig: Rig = Rig::sized(64, tx);
        assert_eq!(restored(&mut rig, &image(0, b"", &PUBLISH)), expected, "{tx}");
    }
    let head = [0xF0, 7, 0x32, 69, 0, 1, b'a', 0, 1];
    for (tx, expected) in [(32 + 9, Err(TooLarge)), (32 + 9 + 64, Ok(()))] {
        let mut rig: Rig = Rig::sized(64, tx);
        assert_eq!(restored(&mut rig, &image(0, b"", &head)), expected, "{tx}");
    }
    let mut rig: Rig = Rig::sized(64, 32 + 8);
    assert_eq!(restored(&mut rig, &image(0, b"", &head)), Err(TooLarge));
    rig.go_online(&CONNECT, false);
    rig.publish("b", b"", AtLeastOnce);
    assert_eq!(rig.send_all(), ["PUBLISH b qos=1 id=1 (0 B)"], "as good as new");
}

#[test]
fn restore_only_into_a_new_client() {
    let in_use = |rig: &mut Rig| {
        assert_eq!(rig.client.restore(&image(0, b"", &PUBLISH)), Err(RestoreError::InUse));
    };
    in_use(&mut Rig::online());
    let mut with_a_request = Rig::new();
    with_a_request.publish("a", b"", AtLeastOnce);
    in_use(&mut with_a_request);
    let mut with_an_identifier = Rig::online();
    with_an_identifier.receive_publish("a", b"", ExactlyOnce, 7);
    with_an_identifier.lose_link();
    in_use(&mut with_an_identifier);
}

/// The image records that the session was clean.
#[test]
fn a_restored_session_is_saved_unchanged() {
    for clean in [0, 1] {
        let body = [b'B', b'M', b'Q', 2, clean, 0, 9, 0, 0];
        let image = seal(&[&body[..], &PUBLISH].concat());
        let mut rig = Rig::new();
        assert_eq!(restored(&mut rig, &image), Ok(()));
        let mut saved = [0; 64];
        let len = rig.client.save(&mut saved).unwrap();
        assert_eq!(saved[..len], image);
    }
}

/// A restored session is durable, even if that is reported once more.
#[test]
fn restored_messages_are_not_held_back() {
    let mut rig = Rig::new();
    rig.choose(|c| c.durable = true);
    assert_eq!(restored(&mut rig, &image(0, b"", &PUBLISH)), Ok(()));
    rig.client.saved(rig.client.revision());
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 dup (0 B)"]);
}
