//! Manual acknowledgement: the application returns a receipt once it has stored the message.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::{AcknowledgeError, Receipt};

use crate::harness::*;

fn online() -> Rig {
    let mut rig = Rig::sized(64, 160);
    rig.choose(|c| c.manual_acknowledgement = true);
    rig.go_online(&CONNECT, false);
    rig
}

/// Receives a message that the server has just sent, with its receipt.
fn receive(rig: &mut Rig, bytes: &[u8]) -> Option<Receipt> {
    let now = rig.now();
    rig.client.receive_buffer()[..bytes.len()].copy_from_slice(bytes);
    rig.client.received(bytes.len());
    assert_eq!(rig.client.advance(now), Ok(true));
    let receipt = rig.client.receipt();
    assert_eq!(rig.client.advance(now), Ok(false));
    receipt
}

fn qos1(id: u8) -> [u8; 7] {
    [0x32, 5, 0, 1, b'a', 0, id]
}

fn qos2(id: u16) -> [u8; 7] {
    let [high, low] = id.to_be_bytes();
    [0x34, 5, 0, 1, b'a', high, low]
}

#[test]
fn nothing_is_acknowledged_before_the_receipt_is_given_back() {
    let mut rig = online();
    let first = receive(&mut rig, &qos1(7)).unwrap();
    let second = receive(&mut rig, &qos2(8)).unwrap();
    assert_eq!(receive(&mut rig, b"\x30\x03\x00\x01a"), None, "QoS 0");
    assert!(rig.send_all().is_empty());
    rig.client.acknowledge(first).unwrap();
    assert_eq!(rig.send_all(), ["PUBACK id=7"]);
    rig.client.acknowledge(second).unwrap();
    assert_eq!(rig.send_all(), ["PUBREC id=8"]);
    rig.receive(pubrel(8));
    assert_eq!(rig.send_all(), ["PUBCOMP id=8"]);
}

#[test]
fn messages_are_acknowledged_in_order() {
    let mut rig = online();
    let first = receive(&mut rig, &qos1(7)).unwrap();
    let second = receive(&mut rig, &qos2(3)).unwrap();
    let out_of_order = Err(AcknowledgeError::OutOfOrder { oldest: id(7) });
    assert_eq!(rig.client.acknowledge(second), out_of_order);
    assert_eq!(rig.client.acknowledge(first), Ok(()));
    assert_eq!(rig.client.acknowledge(first), Err(AcknowledgeError::Stale), "only once");
    assert_eq!(rig.client.acknowledge(second), Ok(()));
}

#[test]
fn a_receipt_is_bound_to_its_connection() {
    for bytes in [qos1(7), qos2(7)] {
        let mut rig = online();
        let old = receive(&mut rig, &bytes).unwrap();
        rig.lose_link();
        assert_eq!(rig.client.acknowledge(old), Err(AcknowledgeError::Stale));
        rig.go_online(&CONNECT, true);
        let new = receive(&mut rig, &bytes).expect("it is resent, at QoS 2 too");
        assert_eq!(rig.client.acknowledge(old), Err(AcknowledgeError::Stale));
        assert_eq!(rig.client.acknowledge(new), Ok(()));
        assert_eq!(rig.send_all().len(), 1);
    }
}

#[test]
fn a_repetition_on_the_same_connection_is_dropped() {
    let mut rig = online();
    let _unused = receive(&mut rig, &qos2(7)).unwrap();
    rig.receive_bytes(&qos2(7));
    assert!(rig.events().is_empty());
    assert!(rig.send_all().is_empty(), "and not answered yet");
}

/// As many messages wait as there is room for answers; the next one pauses reading until a receipt is returned.
#[test]
fn without_room_for_the_answer_reading_pauses() {
    let mut rig = online();
    let receipts: Vec<Receipt> = (1..=8).map(|number| receive(&mut rig, &qos1(number)).unwrap()).collect();
    assert!(!rig.client.waits_for_acknowledgement());
    rig.receive_bytes(&qos1(99));
    assert!(rig.events().is_empty());
    assert!(rig.client.waits_for_acknowledgement());
    rig.client.acknowledge(receipts[0]).unwrap();
    assert_eq!(rig.send_all(), ["PUBACK id=1"]);
    assert_eq!(rig.events(), ["message a qos=1 id=99 (0 B)"]);
}

#[test]
fn answers_that_wait_to_be_sent_are_not_waited_for_by_the_application() {
    let mut rig: Rig = Rig::sized(256, 256);
    rig.go_online(&CONNECT, false);
    for number in 1..=9 {
        rig.receive_bytes(&qos1(number));
        assert!(!rig.client.waits_for_acknowledgement());
    }
    assert_eq!(rig.events().len(), 8, "there is no room for the answer to the last one");
    assert!(!rig.client.waits_for_acknowledgement());
}

/// These numbers are in `docs/server.md`.
#[test]
fn how_many_messages_wait_depends_on_the_transmit_buffer_and_at_qos_2_on_the_identifiers() {
    for (tx, at_qos1, at_qos2) in [(160, 8, 8), (512, 16, 15), (4_096, 128, 15), (65_536, 256, 15)] {
        for (first, expected) in [(0x32, at_qos1), (0x34, at_qos2)] {
            let mut rig: Rig = Rig::sized(64, tx);
            rig.choose(|c| c.manual_acknowledgement = true);
            rig.go_online(&CONNECT, false);
            let messages =
                (1_u16..).map(u16::to_be_bytes).map(|[high, low]| [first, 5, 0, 1, b'a', high, low]);
            let is_delivered = |message: &[u8; 7]| {
                rig.receive_bytes(message);
                !rig.events().is_empty()
            };
            assert_eq!(messages.take_while(is_delivered).count(), expected, "{first:#x}, {tx}");
        }
    }
}

/// A withheld answer has its room reserved already.
#[test]
fn a_message_can_be_acknowledged_while_the_buffer_is_full() {
    let mut rig = online();
    rig.publish("a", &[0; 160 - 32 - 5], AtMostOnce);
    let waiting: Vec<Receipt> = (1..=8).map(|number| receive(&mut rig, &qos1(number)).unwrap()).collect();
    for receipt in waiting {
        assert_eq!(rig.client.acknowledge(receipt), Ok(()));
    }
    assert_eq!(rig.send_all().len(), 1 + 8);
}

#[test]
fn by_default_there_is_no_receipt() {
    let mut rig = Rig::online();
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        rig.receive_publish("a", b"", qos, 7);
        assert_eq!(rig.client.receipt(), None);
    }
}

/// Identifiers so scattered that those of messages in flight take all entries: the packet that would make room for the next message is
/// behind it. The connection ends, and the next one makes progress.
#[test]
fn without_room_for_identifiers_there_is_an_error_and_then_progress() {
    let mut rig = Rig::online();
    rig.choose(|c| c.manual_acknowledgement = true);
    let scattered: Vec<u16> = (1..=20).map(|number| number * 1_000).collect();
    for &number in &scattered[..17] {
        let receipt = receive(&mut rig, &qos2(number)).unwrap();
        assert_eq!(rig.client.acknowledge(receipt), Ok(()));
    }
    rig.receive_bytes(&qos2(18_000));
    assert!(rig.events().is_empty());
    assert_eq!(rig.send_all().len(), 17);
    let now = rig.now().as_millis();
    assert_eq!(rig.at(u64::from(now) + 2_000).events(), ["error InboundFull"]);

    rig.go_online(&CONNECT, true);
    for &number in &scattered[..17] {
        rig.receive(pubrel(number));
    }
    for &number in &scattered[17..] {
        let receipt = receive(&mut rig, &qos2(number)).unwrap();
        assert_eq!(rig.client.acknowledge(receipt), Ok(()));
    }
    assert_eq!(rig.send_all().len(), 20);
}

#[test]
fn without_manual_acknowledgement_there_is_no_receipt() {
    let mut rig = Rig::online();
    assert_eq!(receive(&mut rig, &qos1(7)), None);
    assert_eq!(receive(&mut rig, &qos2(8)), None);
}
