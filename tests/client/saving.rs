//! The session as an image, across a reboot.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Buffers, Client, RestoreError, SaveError, Standard};

use crate::harness::*;

fn image<const N: usize>(rig: &mut Rig<N>) -> Vec<u8> {
    let mut image = vec![0; 4096];
    let len = rig.client.save(&mut image).unwrap();
    image.truncate(len);
    image
}

fn rebooted<const M: usize>(image: &[u8], tx: usize) -> Rig<M> {
    let mut rig = Rig::sized(256, tx);
    rig.client.restore(image).unwrap();
    rig
}

/// 1 was acknowledged, 2 and 4 wait, PUBREC has arrived for 3; 7 was received at QoS 2.
fn busy() -> Rig {
    let mut rig = Rig::online();
    rig.publish("a", b"one", AtLeastOnce);
    rig.publish("b", b"two", ExactlyOnce);
    rig.publish("c", b"three", ExactlyOnce);
    rig.subscribe(&[("x", AtMostOnce)]);
    rig.publish("d", b"zero", AtMostOnce);
    rig.publish("e", b"five", AtLeastOnce);
    rig.send_all();
    rig.receive(Packet::PubAck(id(1)));
    rig.receive(Packet::PubRec(id(3)));
    rig.receive_publish("in", b"", ExactlyOnce, 7);
    rig.send_all();
    rig.events();
    rig
}

#[test]
fn an_image_holds_the_whole_session() {
    for tx in [200, 1024, 4096] {
        let mut rig = rebooted::<8>(&image(&mut busy()), tx);
        assert_eq!(rig.events(), ["ended 4 Lost"], "the SUBSCRIBE");
        rig.go_online(&CONNECT, true);
        assert_eq!(
            rig.send_all(),
            [
                "PUBLISH b qos=2 id=2 dup (3 B) \"two\"",
                "PUBLISH e qos=1 id=5 dup (4 B) \"five\"",
                "PUBREL id=3"
            ]
        );
        assert_eq!(rig.publish("f", b"", AtLeastOnce), 6);
        rig.receive(publish("in", b"", ExactlyOnce, 7, true));
        assert!(rig.events().is_empty(), "no second delivery");
        rig.receive(Packet::PubComp(id(3)));
        rig.receive(Packet::PubRec(id(2)));
        assert_eq!(rig.events(), ["published 3 qos=2"]);
    }
}

/// At any moment, even with a packet half sent: a reboot finds the same state as a lost link.
#[test]
fn an_image_can_be_saved_after_any_byte() {
    for taken in 0..80 {
        let mut rig = Rig::online();
        rig.publish("a", b"payload", AtLeastOnce);
        rig.publish("z", b"", AtMostOnce);
        rig.publish("b", b"payload", ExactlyOnce);
        rig.send_bytes(taken);
        let mut rig = rebooted::<8>(&image(&mut rig), 1024);
        rig.go_online(&CONNECT, true);
        assert_eq!(
            rig.send_all(),
            ["PUBLISH a qos=1 id=1 dup (7 B) \"payload\"", "PUBLISH b qos=2 id=2 dup (7 B) \"payload\""]
        );
    }
}

#[test]
fn a_damaged_image_is_refused() {
    let image = image(&mut busy());
    for at in 0..image.len() {
        let mut damaged = image.clone();
        damaged[at] ^= 0x10;
        assert_eq!(Rig::new().client.restore(&damaged), Err(RestoreError::Corrupt), "byte {at}");
        assert_eq!(Rig::new().client.restore(&image[..at]), Err(RestoreError::Corrupt), "{at} bytes");
    }
}

#[test]
fn an_image_that_does_not_fit_is_refused() {
    let image = image(&mut busy());
    let too_large = Err(RestoreError::TooLarge);
    assert_eq!(Rig::<8>::sized(64, 60).client.restore(&image), too_large);
    // No room for inbound identifiers either.
    let buffers = Buffers { rx: [0; 64], tx: [0; 1024] };
    let mut client = Client::with_inbound_ids(buffers, Standard, [0; 9]);
    assert_eq!(client.restore(&image), too_large);
    assert_eq!(client.in_flight(), 0);

    // A refused image changes nothing: as much fits as before.
    let mut rig = Rig::<0>::sized(64, 60);
    rig.go_online(&CONNECT, false);
    rig.lose_link();
    assert_eq!(rig.client.restore(&image), too_large);
    assert!(rig.events().is_empty());
    assert_eq!(rig.publish("a", &[0; 28 - 7], AtLeastOnce), 1);
}

#[test]
fn restore_into_a_client_with_a_session_is_refused() {
    let image = image(&mut busy());
    assert_eq!(busy().client.restore(&image), Err(RestoreError::InUse));
}

#[test]
fn a_buffer_that_is_too_small_is_reported() {
    let mut rig = busy();
    let needed = image(&mut rig).len();
    let too_small = Err(SaveError::BufferTooSmall { needed });
    assert_eq!(rig.client.save(&mut vec![0; needed - 1]), too_small);
    assert_eq!(rig.client.save(&mut []), too_small);
}

/// The revision shows when an image has to be written: before bytes are sent that reveal something new.
#[test]
fn the_revision_counts_what_must_be_durable() {
    let mut rig = Rig::online();
    let mut last = rig.client.revision();
    let mut changed = |rig: &Rig, what: &str, expected: bool| {
        let revision = rig.client.revision();
        assert_eq!(revision != last, expected, "{what}");
        last = revision;
    };
    rig.publish("a", b"", AtMostOnce);
    changed(&rig, "QoS 0", false);
    rig.publish("a", b"", ExactlyOnce);
    changed(&rig, "a new message", true);
    rig.send_all();
    changed(&rig, "bytes that leave", false);
    rig.receive(Packet::PubRec(id(1)));
    changed(&rig, "PUBREC", true);
    rig.send_all();
    rig.receive(Packet::PubComp(id(1)));
    changed(&rig, "PUBCOMP", false);
    rig.receive_publish("in", b"", AtLeastOnce, 6);
    changed(&rig, "QoS 1 comes in", false);
    rig.receive_publish("in", b"", ExactlyOnce, 7);
    changed(&rig, "QoS 2 comes in", true);
    rig.receive(publish("in", b"", ExactlyOnce, 7, true));
    changed(&rig, "a repetition", false);
    rig.receive(pubrel(7));
    changed(&rig, "PUBREL", true);
    rig.receive(pubrel(7));
    changed(&rig, "a repeated PUBREL", false);
}

#[test]
fn the_payload_of_a_streamed_message_is_requested_again() {
    let mut rig = Rig::online();
    let message = baremqtt::StreamedMessage::new("large", 3).qos(AtLeastOnce).repeatable();
    rig.client.publish_streamed(&message).unwrap();
    let mut rig = rebooted::<8>(&image(&mut rig), 1024);
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.events(), ["ready 1"]);
    assert_eq!(rig.client.write_payload(b"abc"), Ok(3));
    assert_eq!(rig.send_all(), ["PUBLISH large qos=1 id=1 dup (3 B) \"abc\""]);
}

/// Requests that end with the connection are not in the image if their end would not be reported.
#[test]
fn an_image_has_no_end_that_is_not_reported() {
    for reports_loss in [true, false] {
        let mut rig = Rig::online();
        rig.choose(|c| c.reports_loss = reports_loss);
        rig.subscribe(&[("a", AtMostOnce)]);
        rig.publish("b", b"", AtLeastOnce);
        rig.send_all();
        rig.client.give_up(id(2)).unwrap();
        let mut rebooted: Rig = rebooted(&image(&mut rig), 1_024);
        let expected: &[&str] = if reports_loss { &["ended 1 Lost", "ended 2 Lost"] } else { &[] };
        assert_eq!(rebooted.events(), expected);
    }
}
