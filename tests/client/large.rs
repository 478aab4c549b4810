//! Messages larger than the receive buffer: delivered in pieces, or skipped; the link survives.

use baremqtt::QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::{Packet, Publish};
use baremqtt::{LargeMessages, State};

use crate::harness::*;

const PAYLOAD: &[u8] =
    b"a payload that is quite a bit larger than the whole receive buffer, which has 32 bytes";

fn online(large: LargeMessages, chunks: Chunks) -> Rig {
    let mut rig = Rig::sized(32, 256).chunked(chunks);
    rig.choose(|c| c.large_messages = large);
    rig.go_online(&CONNECT, false);
    rig
}

/// The pieces joined, and everything else unchanged.
fn joined(events: Vec<String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut payload = String::new();
    for event in events {
        if let Some(piece) = event.strip_prefix("piece ") {
            assert!(!piece.is_empty());
            payload += piece;
        } else {
            if !payload.is_empty() {
                lines.push(std::mem::take(&mut payload));
            }
            lines.push(event);
        }
    }
    lines.extend((!payload.is_empty()).then_some(payload));
    lines
}

fn answer(qos: QoS, number: u16) -> Vec<String> {
    match qos {
        AtMostOnce => vec![],
        AtLeastOnce => vec![format!("PUBACK id={number}")],
        ExactlyOnce => vec![format!("PUBREC id={number}")],
    }
}

#[test]
fn a_large_message_is_delivered_in_pieces() {
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        in_all_chunkings(|chunks| {
            let mut rig = online(LargeMessages::Pieces, chunks);
            rig.receive_publish("topic", PAYLOAD, qos, 7);
            rig.receive_publish("next", b"", AtMostOnce, 0);
            let text = String::from_utf8_lossy(PAYLOAD);
            assert_eq!(
                joined(rig.events()),
                [&format!("start topic qos={qos} (86 B)"), &*text, "end", "message next qos=0 (0 B)"]
            );
            assert_eq!(rig.send_all(), answer(qos, 7));
        });
    }
}

#[test]
fn a_large_message_is_skipped() {
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        in_all_chunkings(|chunks| {
            let mut rig = online(LargeMessages::Skip, chunks);
            rig.receive_publish("topic", PAYLOAD, qos, 7);
            rig.receive_publish("next", b"", AtMostOnce, 0);
            let skipped = format!("skipped topic qos={qos} (86 B)");
            assert_eq!(rig.events(), [skipped, "message next qos=0 (0 B)".into()]);
            assert_eq!(rig.send_all(), answer(qos, 7));
        });
    }
}

#[test]
fn a_retained_large_message() {
    for (large, what) in [(LargeMessages::Skip, "skipped"), (LargeMessages::Pieces, "start")] {
        let mut rig = online(large, CHUNKINGS[0]);
        let Packet::Publish(message) = publish("topic", PAYLOAD, AtLeastOnce, 7, false) else {
            unreachable!()
        };
        rig.receive(Packet::Publish(Publish { retain: true, ..message }));
        assert_eq!(rig.events()[0], format!("{what} topic qos=1 retain (86 B)"));
    }
}

/// Identifiers of QoS 2 do not affect other messages.
#[test]
fn an_unreleased_identifier_does_not_affect_qos_1() {
    let mut rig = online(LargeMessages::Skip, CHUNKINGS[0]);
    rig.receive_publish("topic", b"", ExactlyOnce, 7);
    rig.receive_publish("topic", PAYLOAD, AtLeastOnce, 7);
    assert_eq!(rig.events(), ["message topic qos=2 id=7 (0 B)", "skipped topic qos=1 (86 B)"]);
}

#[test]
fn a_topic_that_does_not_fit_is_skipped_and_answered() {
    let topic = "a/topic/that/alone/is/longer/than/the/receive/buffer";
    for large in [LargeMessages::Skip, LargeMessages::Pieces] {
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            for payload in [&b""[..], b"x", PAYLOAD] {
                in_all_chunkings(|chunks| {
                    let mut rig = online(large, chunks);
                    rig.receive_publish(topic, payload, qos, 7);
                    rig.receive_publish("next", b"", AtMostOnce, 0);
                    let skipped = format!("skipped ? qos={qos} ({} B)", payload.len());
                    assert_eq!(rig.events(), [skipped, "message next qos=0 (0 B)".into()]);
                    assert_eq!(rig.send_all(), answer(qos, 7));
                });
            }
        }
    }
}

/// The answer follows the last byte, not the first.
#[test]
fn a_large_message_is_not_acknowledged_before_its_end() {
    let mut rig = online(LargeMessages::Pieces, CHUNKINGS[0]);
    let mut bytes = vec![0; 200];
    let len = publish("t", PAYLOAD, AtLeastOnce, 7, false).encode(rig.version, &mut bytes).unwrap();
    for &byte in &bytes[..len - 1] {
        rig.receive_bytes(&[byte]);
        assert!(rig.send_all().is_empty());
    }
    rig.receive_bytes(&bytes[len - 1..len]);
    assert_eq!(rig.send_all(), ["PUBACK id=7"]);
}

#[test]
fn a_repetition_is_answered_and_not_delivered() {
    for large in [LargeMessages::Skip, LargeMessages::Pieces] {
        in_all_chunkings(|chunks| {
            let mut rig = online(large, chunks);
            rig.receive_publish("t", PAYLOAD, ExactlyOnce, 7);
            assert!(!rig.events().is_empty());
            rig.send_all();
            rig.receive(publish("t", PAYLOAD, ExactlyOnce, 7, true));
            assert!(rig.events().is_empty());
            assert_eq!(rig.send_all(), ["PUBREC id=7"]);
            rig.receive(pubrel(7));
            assert_eq!(rig.send_all(), ["PUBCOMP id=7"]);
        });
    }
}

/// A cut within a message: the application is informed, and the repetition starts over, at QoS 2 too.
#[test]
fn a_lost_link_aborts_a_large_message() {
    let mut bytes = vec![0; 200];
    let len = publish("t", PAYLOAD, ExactlyOnce, 7, false).encode(CONNECT.version, &mut bytes).unwrap();
    for cut in 1..len {
        let mut rig = online(LargeMessages::Pieces, CHUNKINGS[0]);
        rig.receive_bytes(&bytes[..cut]);
        let started = rig.events().contains(&"start t qos=2 (86 B)".to_string());
        rig.lose_link();
        assert_eq!(rig.events(), if started { vec!["aborted"] } else { vec![] }, "{cut}");
        rig.go_online(&CONNECT, true);
        rig.receive(publish("t", PAYLOAD, ExactlyOnce, 7, true));
        assert_eq!(joined(rig.events()).len(), 3, "{cut}: start, payload, end");
        assert_eq!(rig.send_all(), ["PUBREC id=7"]);
    }
}

/// Delivered in pieces, but then not accepted: the application is informed that it is incomplete.
#[test]
fn a_message_that_is_not_accepted_at_its_end_is_aborted() {
    // There is no room for the identifier.
    let mut rig = online(LargeMessages::Pieces, CHUNKINGS[0]);
    for number in 1..=17 {
        rig.receive_publish("t", b"", ExactlyOnce, number * 100);
        assert_eq!(rig.events().len() + rig.send_all().len(), 2, "message and PUBREC");
    }
    rig.receive_publish("t", PAYLOAD, ExactlyOnce, 9_000);
    assert_eq!(joined(rig.events()).last().unwrap(), "aborted");

    // The output was lost meanwhile, so that the application cannot acknowledge.
    let mut rig = online(LargeMessages::Pieces, CHUNKINGS[0]);
    rig.choose(|c| c.manual_acknowledgement = true);
    let mut bytes = vec![0; 200];
    let len = publish("t", PAYLOAD, ExactlyOnce, 7, false).encode(CONNECT.version, &mut bytes).unwrap();
    rig.receive_bytes(&bytes[..len - 1]);
    rig.client.output_lost();
    rig.receive_bytes(&bytes[len - 1..len]);
    assert_eq!(joined(rig.events()).last().unwrap(), "aborted");
    rig.lose_link();
    assert!(rig.events().is_empty(), "once");
}

/// A 3.1 server may repeat a message on the same connection while the application has not acknowledged it.
#[test]
fn a_repetition_before_the_receipt_is_not_delivered() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut rig = online(LargeMessages::Pieces, CHUNKINGS[0]);
        rig.choose(|c| c.manual_acknowledgement = true);
        rig.receive_publish("t", PAYLOAD, qos, 7);
        assert_eq!(joined(rig.events()).last().unwrap(), "end");
        rig.receive(publish("t", PAYLOAD, qos, 7, true));
        assert!(rig.events().is_empty(), "{qos}");
    }
}

#[test]
fn a_skipped_message_is_resent_after_a_lost_link() {
    let mut rig = online(LargeMessages::Skip, CHUNKINGS[0]);
    rig.receive_bytes(b"\x32\x7F\x00\x01t\x00\x07xxx yyy zzz xxx yyy zzz xxx yyy zzz");
    assert_eq!(rig.events(), ["skipped t qos=1 (122 B)"]);
    rig.lose_link();
    assert!(rig.events().is_empty());
    rig.go_online(&CONNECT, true);
    assert!(rig.send_all().is_empty(), "and was not acknowledged");
}

/// No room for the answer: the end of the message is held back, and follows later.
#[test]
fn a_large_message_waits_for_room_for_its_answer() {
    for large in [LargeMessages::Skip, LargeMessages::Pieces] {
        let mut rig = online(large, CHUNKINGS[0]);
        for number in 1..=7 {
            rig.receive_publish("t", b"", AtLeastOnce, number);
        }
        rig.receive_publish("t", PAYLOAD, AtLeastOnce, 8);
        rig.receive_publish("u", b"", AtMostOnce, 0);
        let mut answers = rig.send_all();
        while answers.len() < 8 {
            rig.receive_bytes(&[]);
            answers.extend(rig.send_all());
        }
        assert_eq!(answers[7], "PUBACK id=8");
        assert_eq!(rig.events().last().unwrap(), "message u qos=0 (0 B)");
    }
}

#[test]
fn any_other_packet_that_large_is_an_error() {
    let mut rig = online(LargeMessages::Skip, CHUNKINGS[0]);
    rig.receive_bytes(b"\x90\x21\x00\x01\x00\x00\x00");
    assert_eq!(rig.events(), ["error ReceiveBufferTooSmall { needed: 35 }"]);
}

#[test]
fn a_broken_head_is_a_violation() {
    for (bytes, clause) in [
        (&b"\x30\x7F\x00\x80"[..], "MQTT-4.8.0-1"),
        (b"\x30\x7F\x00\x00", "MQTT-4.7.3-1"),
        (b"\x30\x7F\x00\x01#", "MQTT-3.3.2-2"),
        (b"\x36\x7F\x00\x01a\x00\x01", "MQTT-3.3.1-4"),
        (b"\x32\x7F\x00\x01a\x00\x00", "MQTT-2.3.1-1"),
        (b"\x38\x7F\x00\x01a", "MQTT-3.3.1-2"),
    ] {
        for large in [LargeMessages::Skip, LargeMessages::Pieces] {
            let mut rig = online(large, CHUNKINGS[1]);
            rig.receive_bytes(bytes);
            assert_eq!(rig.events(), [format!("error {clause}")]);
            assert_eq!(rig.client.state(), State::Offline);
        }
    }
}

/// The largest length that MQTT allows, in a receive buffer of 32 bytes.
#[test]
fn a_message_of_the_maximum_length_can_start() {
    let mut rig = online(LargeMessages::Pieces, CHUNKINGS[0]);
    rig.receive_bytes(b"\x30\xFF\xFF\xFF\x7F\x00\x01tpayload");
    assert_eq!(rig.events(), ["start t qos=0 (268435452 B)", "piece payload"]);
    rig.receive(Packet::PingResp);
    assert_eq!(rig.events().len(), 1, "that was payload too");
}
