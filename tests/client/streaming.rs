//! Messages whose payload passes through the transmit buffer in pieces.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{Full, Message, QoS, RequestError, StreamError, StreamedMessage};

use crate::harness::*;

/// 2,000 bytes that encode their position, for a transmit buffer of a tenth of that.
fn payload() -> Vec<u8> {
    (0..2_000).map(|n: u32| b'a' + (n % 23) as u8).collect()
}

fn online() -> Rig {
    let mut rig = Rig::sized(64, 200);
    rig.go_online(&CONNECT, false);
    rig
}

fn start_stream(rig: &mut Rig, topic: &str, qos: QoS) -> u16 {
    let message = StreamedMessage::new(topic, payload().len()).qos(qos).repeatable();
    rig.client.publish_streamed(&message).unwrap().map_or(0, |id| id.get())
}

/// Hands the payload over, up to this many bytes at a time, until the message is sent.
fn write_payload(rig: &mut Rig, piece: usize) {
    let payload = payload();
    let mut at = 0;
    while at < payload.len() {
        let end = payload.len().min(at + piece);
        at += rig.client.write_payload(&payload[at..end]).unwrap();
        while rig.send_bytes(rig.chunks.out) > 0 {}
    }
}

/// Checks the one PUBLISH that was sent, complete and with the right payload.
fn check_sent(rig: &mut Rig, line: &str) {
    let start = rig.wire.len() - payload().len();
    assert!(rig.wire[start..] == payload());
    let lines = rig.packets();
    assert!(lines.last().unwrap().starts_with(line), "{lines:?}");
}

#[test]
fn a_payload_larger_than_the_buffer_is_streamed() {
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        for piece in [1, 7, 64, 5_000] {
            in_all_chunkings(|chunks| {
                let mut rig = online().chunked(chunks);
                let number = start_stream(&mut rig, "large", qos);
                let shown = if number > 0 { number.to_string() } else { "-".into() };
                assert_eq!(rig.events(), [format!("ready {shown}")]);
                write_payload(&mut rig, piece);
                check_sent(&mut rig, &format!("PUBLISH large qos={qos}"));
                rig.publish("next", b"", AtMostOnce);
                assert_eq!(rig.send_all(), ["PUBLISH next qos=0 (0 B)"]);
            });
        }
    }
}

#[test]
fn a_streamed_message_is_sent_and_acknowledged_in_order() {
    let mut rig = online();
    rig.publish("a", b"", AtLeastOnce);
    start_stream(&mut rig, "b", ExactlyOnce);
    rig.publish("c", b"", AtLeastOnce);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 (0 B)"]);
    assert_eq!(rig.events(), ["ready 2"], "it is next to be sent");
    assert!(rig.send_all().is_empty(), "and nothing is sent before it");
    write_payload(&mut rig, 100);
    assert!(rig.packets()[0].starts_with("PUBLISH b qos=2 id=2 (2000 B)"));
    assert_eq!(rig.send_all(), Vec::<String>::new());
    rig.receive(Packet::PubRec(id(2)));
    let sent = rig.send_all();
    assert!(sent.contains(&"PUBREL id=2".into()), "{sent:?}");
    rig.receive(Packet::PubComp(id(2)));
    rig.receive(Packet::PubAck(id(1)));
    assert_eq!(rig.events(), ["published 2 qos=2", "published 1 qos=1"]);
}

#[test]
fn after_a_lost_link_the_payload_is_requested_again() {
    for handed_over in [0, 1, 500, 1_999, 2_000] {
        let mut rig = online();
        start_stream(&mut rig, "large", AtLeastOnce);
        assert_eq!(rig.events(), ["ready 1"]);
        let payload = payload();
        let mut at = 0;
        while at < handed_over {
            at += rig.client.write_payload(&payload[at..handed_over]).unwrap();
            rig.send_bytes(usize::MAX);
        }
        while rig.send_bytes(usize::MAX) > 0 {}
        rig.lose_link();
        assert_eq!(rig.client.write_payload(b"x"), Err(StreamError::NotAsked));
        rig.go_online(&CONNECT, true);
        assert_eq!(rig.events(), ["ready 1"]);
        write_payload(&mut rig, 64);
        let dup = if handed_over > 0 { " dup" } else { "" };
        check_sent(&mut rig, &format!("PUBLISH large qos=1 id=1{dup} (2000 B)"));
        rig.receive(Packet::PubAck(id(1)));
        assert_eq!(rig.events(), ["published 1 qos=1"]);
    }
}

#[test]
fn after_pubrec_the_payload_is_not_needed_again() {
    let mut rig = online();
    start_stream(&mut rig, "large", ExactlyOnce);
    rig.events();
    write_payload(&mut rig, 64);
    rig.wire.clear();
    rig.receive(Packet::PubRec(id(1)));
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all(), ["PUBREL id=1"]);
    assert!(rig.events().is_empty());
}

/// QoS 0 does not survive a lost link, streamed or not.
#[test]
fn at_qos_0_a_streamed_message_is_dropped_with_the_link() {
    let mut rig = online();
    start_stream(&mut rig, "large", AtMostOnce);
    assert_eq!(rig.events(), ["ready -"]);
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    assert!(rig.events().is_empty());
    assert!(rig.send_all().is_empty());
}

/// Once part of the header is sent nothing else can be, so nothing else is accepted either.
#[test]
fn during_a_payload_other_requests_are_refused() {
    let mut rig = online();
    start_stream(&mut rig, "large", AtMostOnce);
    rig.publish("before", b"", AtMostOnce);
    rig.events();
    rig.client.write_payload(b"abc").unwrap();
    let full = Err(RequestError::Full(Full::Stream));
    assert_eq!(rig.client.publish(&Message::new("a", b"").qos(AtLeastOnce)), full);
    assert_eq!(rig.client.in_flight(), 0);
}

/// Until the first piece is handed over, a ping can be sent; after that the source must not stall.
#[test]
fn a_payload_that_stalls_causes_a_timeout() {
    let mut rig = Rig::<8>::sized(64, 200);
    rig.go_online(&CONNECT.keep_alive(10), false);
    let message = StreamedMessage::new("large", 2_000).qos(AtLeastOnce).repeatable();
    rig.client.publish_streamed(&message).unwrap();
    assert_eq!(rig.at(10_000).send_all(), ["PINGREQ"]);
    rig.receive(Packet::PingResp);
    rig.client.write_payload(b"abc").unwrap();
    while rig.send_bytes(usize::MAX) > 0 {}
    rig.choose(|c| c.pingresp_timeout_ms = 0);
    // Nothing else can be sent, which is the application's doing:
    // none of our timeouts run, and the server will end the connection.
    assert_eq!(rig.at(39_999).events(), ["ready 1"]);
    assert!(rig.at(400_000).events().is_empty());
    assert!(rig.client.waits_for_payload());
    // Disconnecting cannot wait for it.
    rig.disconnect();
    assert_eq!(rig.client.state(), baremqtt::State::Offline);
    assert!(rig.client.pending().is_empty());
}

/// It would hold DISCONNECT up.
#[test]
fn no_payload_is_requested_once_the_application_disconnects() {
    let mut rig = online();
    start_stream(&mut rig, "large", AtLeastOnce);
    rig.disconnect();
    assert!(rig.events().is_empty());
    assert_eq!(rig.send_all(), ["DISCONNECT"]);
}

#[test]
fn a_requested_payload_can_be_abandoned() {
    let mut rig = online();
    start_stream(&mut rig, "large", AtLeastOnce);
    rig.publish("next", b"", AtLeastOnce);
    rig.events();
    rig.client.abandon_payload().unwrap();
    assert_eq!(rig.events(), ["ended 1 Lost"]);
    assert_eq!(rig.send_all(), ["PUBLISH next qos=1 id=2 (0 B)"]);
    assert_eq!(rig.client.abandon_payload(), Err(StreamError::NotAsked));
}

#[test]
fn above_qos_0_the_payload_must_be_repeatable() {
    let mut rig = online();
    let message = StreamedMessage::new("large", 10).qos(AtLeastOnce);
    let refused = Err(RequestError::NotRepeatable);
    assert_eq!(rig.client.publish_streamed(&message), refused);
}

#[test]
fn more_than_was_announced_is_not_accepted() {
    let mut rig = online();
    rig.client.publish_streamed(&StreamedMessage::new("t", 3)).unwrap();
    rig.events();
    assert_eq!(rig.client.write_payload(b"abcdef"), Ok(3));
    assert_eq!(rig.client.write_payload(b"def"), Ok(0));
    assert_eq!(rig.send_all(), ["PUBLISH t qos=0 (3 B) \"abc\""]);
    assert_eq!(rig.client.write_payload(b"def"), Err(StreamError::NotAsked));
}

#[test]
fn an_empty_payload_is_a_payload() {
    let mut rig = online();
    rig.client.publish_streamed(&StreamedMessage::new("t", 0)).unwrap();
    assert_eq!(rig.events(), ["ready -"]);
    assert_eq!(rig.client.write_payload(b""), Ok(0));
    assert_eq!(rig.send_all(), ["PUBLISH t qos=0 (0 B)"]);
}

/// The pending answer to the event that is held, and PINGREQ, need 6 bytes before the payload's room.
#[test]
fn an_answer_does_not_interrupt_a_streamed_payload() {
    for topic_len in 1..9 {
        let mut rig: Rig = Rig::sized(64, 200);
        rig.go_online(&CONNECT.keep_alive(10), false);
        let topic = "t".repeat(topic_len);
        let payload = [b'x'; 500];
        let now = rig.now();
        rig.client.publish_streamed(&StreamedMessage::new(&topic, 500)).unwrap();
        assert_eq!(rig.events(), ["ready -"]);
        // The transport accepts nothing, and answers queue up.
        for number in 1..60 {
            let mut fork = rig.clone();
            let bytes = [0x32, 5, 0, 1, b'a', 0, number as u8];
            let room = fork.client.receive_buffer();
            if room.len() < bytes.len() {
                break;
            }
            room[..bytes.len()].copy_from_slice(&bytes);
            fork.client.received(bytes.len());
            if !fork.client.advance(now).unwrap() {
                break;
            }
            // The message is the current event: its PUBACK is pending.
            let mut at = fork.client.write_payload(&payload).unwrap();
            fork.set_clock(10_000);
            fork.advance();
            while at < payload.len() {
                let sent = fork.send_bytes(usize::MAX);
                let taken = fork.client.write_payload(&payload[at..]).unwrap();
                assert!(sent + taken > 0, "stuck");
                at += taken;
            }
            while fork.send_bytes(usize::MAX) > 0 {}
            let x = fork.wire.iter().filter(|b| **b == b'x').count();
            assert_eq!(x, 500, "topic of {topic_len}, message {number}");
            fork.packets();
            rig.receive_publish("a", b"", AtLeastOnce, number);
        }
    }
}

/// 65,536 streamed messages at QoS 0 in a large buffer.
#[test]
fn many_streamed_messages_are_counted() {
    let mut rig: Rig = Rig::sized(64, 2_000_000);
    rig.go_online(&CONNECT, false);
    let mut taken = 0;
    while taken < 65_536 {
        match rig.client.publish_streamed(&StreamedMessage::new("t", 5)) {
            Ok(_) => taken += 1,
            Err(_) => break,
        }
    }
    assert_eq!(rig.client.pending().first(), None, "after {taken}");
}

/// PUBREL follows a payload that has begun, and PUBREC waits until then.
#[test]
fn pubrec_waits_for_a_started_payload() {
    in_all_chunkings(|chunks| {
        let mut rig = online().chunked(chunks);
        rig.publish("a", b"", ExactlyOnce);
        start_stream(&mut rig, "large", AtLeastOnce);
        assert_eq!(rig.send_all(), ["PUBLISH a qos=2 id=1 (0 B)"]);
        assert_eq!(rig.events(), ["ready 2"]);
        let begun = rig.client.write_payload(&payload()[..50]).unwrap();
        while rig.send_bytes(rig.chunks.out) > 0 {}
        rig.receive(Packet::PubRec(id(1)));
        rig.receive_publish("in", b"", AtMostOnce, 0);
        assert!(rig.events().is_empty());
        let mut rest = &payload()[begun..];
        while !rest.is_empty() {
            rest = &rest[rig.client.write_payload(rest).unwrap()..];
            while rig.send_bytes(rig.chunks.out) > 0 {}
        }
        assert_eq!(rig.events(), ["message in qos=0 (0 B)"]);
        let sent = rig.send_all();
        assert!(sent[0].starts_with("PUBLISH large qos=1 id=2 (2000 B)"), "{sent:?}");
        assert_eq!(sent[1..], ["PUBREL id=1"]);
    });
}

/// The payload is still requested when a later message is given up.
#[test]
fn giving_up_another_message_does_not_affect_a_streamed_one() {
    let mut rig = online();
    start_stream(&mut rig, "large", AtLeastOnce);
    assert_eq!(rig.events(), ["ready 1"]);
    rig.publish("b", b"", AtLeastOnce);
    rig.client.give_up(id(2)).unwrap();
    assert!(rig.events().is_empty());
    write_payload(&mut rig, 100);
    check_sent(&mut rig, "PUBLISH large qos=1 id=1");
    assert!(rig.send_all().is_empty());
}

/// From the request for the payload until all of it is handed over.
#[test]
fn the_client_reports_that_it_waits_for_a_payload() {
    let mut rig = online();
    assert!(!rig.client.waits_for_payload());
    rig.publish("a", b"", AtLeastOnce);
    start_stream(&mut rig, "large", AtMostOnce);
    assert!(!rig.client.waits_for_payload(), "it is not next to be sent");
    rig.send_all();
    assert_eq!(rig.events(), ["ready -"]);
    assert!(rig.client.waits_for_payload());
    let payload = payload();
    let mut at = 0;
    while at < payload.len() {
        assert!(rig.client.waits_for_payload());
        at += rig.client.write_payload(&payload[at..]).unwrap();
        while rig.send_bytes(rig.chunks.out) > 0 {}
    }
    assert!(!rig.client.waits_for_payload());
}

/// No end is reported at QoS 0, or if the application does not want to be informed.
#[test]
fn the_end_of_an_abandoned_message_is_reported_above_qos_0() {
    for (qos, reports_loss, expected) in
        [(AtMostOnce, true, vec![]), (AtLeastOnce, false, vec![]), (AtLeastOnce, true, vec!["ended 1 Lost"])]
    {
        let mut rig = online();
        rig.choose(|c| c.reports_loss = reports_loss);
        start_stream(&mut rig, "large", qos);
        rig.events();
        rig.client.abandon_payload().unwrap();
        assert_eq!(rig.client.in_flight(), expected.len());
        assert_eq!(rig.events(), expected);
        assert!(rig.send_all().is_empty());
    }
}

/// A payload may be slow to arrive.
#[test]
fn pubrel_is_sent_before_a_payload_that_has_not_started() {
    let mut rig = online();
    rig.publish("a", b"", ExactlyOnce);
    start_stream(&mut rig, "large", AtLeastOnce);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=2 id=1 (0 B)"]);
    assert_eq!(rig.events(), ["ready 2"]);
    rig.receive(Packet::PubRec(id(1)));
    assert_eq!(rig.send_all(), ["PUBREL id=1"]);
    write_payload(&mut rig, 100);
    check_sent(&mut rig, "PUBLISH large qos=1 id=2");
}

/// Its payload has been asked for, but nothing of it has been sent: it would hold DISCONNECT back for as long as the application likes.
#[test]
fn after_disconnect_no_payload_is_begun() {
    let mut rig = online();
    start_stream(&mut rig, "a", AtMostOnce);
    assert_eq!(rig.events(), ["ready -"]);
    rig.disconnect();
    assert!(!rig.client.waits_for_payload());
    assert_eq!(rig.client.write_payload(b"x"), Err(StreamError::NotAsked));
    assert_eq!(rig.send_all(), ["DISCONNECT"]);
}
