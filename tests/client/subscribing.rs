//! SUBSCRIBE and UNSUBSCRIBE.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::{Packet, SubAck};
use baremqtt::{RequestError, SubAckCode, SubAckCodes, Violation};

use crate::harness::*;

const GRANTED: [SubAckCode; 3] =
    [SubAckCode::Granted(AtMostOnce), SubAckCode::Granted(AtLeastOnce), SubAckCode::Granted(ExactlyOnce)];

#[test]
fn several_filters_and_their_answers() {
    in_all_chunkings(|chunks| {
        let mut rig = Rig::online().chunked(chunks);
        let filters = [("a/+", AtMostOnce), ("b/#", ExactlyOnce), ("#", AtLeastOnce)];
        assert_eq!(rig.subscribe(&filters), 1);
        assert_eq!(rig.send_all(), ["SUBSCRIBE id=1 a/+ qos=0 b/# qos=2 # qos=1"]);
        rig.receive_suback(1, &[GRANTED[1], SubAckCode::Failure, GRANTED[0]]);
        assert_eq!(rig.events(), ["subscribed 1 1 failure 0"]);

        assert_eq!(rig.unsubscribe(&["a/+", "#"]), 2);
        assert_eq!(rig.send_all(), ["UNSUBSCRIBE id=2 a/+ #"]);
        rig.receive(Packet::UnsubAck(id(2)));
        assert_eq!(rig.events(), ["unsubscribed 2"]);
        assert_eq!(rig.client.in_flight(), 0);
    });
}

#[test]
fn suback_has_to_answer_every_filter() {
    for codes in [&GRANTED[..1], &GRANTED[..3]] {
        let mut rig = Rig::online();
        rig.subscribe(&[("a", AtMostOnce), ("b", AtMostOnce)]);
        rig.send_all();
        rig.receive_suback(1, codes);
        // The request itself ends too, with one event.
        assert_eq!(rig.events(), ["error MQTT-3.8.4-5", "ended 1 Lost"]);
        assert_eq!(rig.client.in_flight(), 0);
    }
}

#[test]
fn suback_with_a_reserved_code_is_a_violation() {
    for code in [3, 0x7F, 0x81, 0xFF] {
        let mut rig = Rig::online();
        rig.subscribe(&[("a", AtMostOnce)]);
        rig.send_all();
        rig.receive_bytes(&[0x90, 3, 0, 1, code]);
        assert_eq!(rig.events(), ["error MQTT-3.9.3-2", "ended 1 Lost"]);
    }
}

#[test]
fn answers_of_the_wrong_kind_or_identifier_are_ignored() {
    let mut rig = Rig::online();
    rig.subscribe(&[("a", AtMostOnce)]);
    rig.unsubscribe(&["b"]);
    rig.send_all();
    rig.receive_suback(2, &GRANTED[..1]);
    rig.receive_suback(9, &GRANTED[..1]);
    for packet in [Packet::UnsubAck(id(1)), Packet::UnsubAck(id(9)), Packet::PubAck(id(1))] {
        rig.receive(packet);
    }
    assert!(rig.events().is_empty());
    assert_eq!(rig.client.ignored_acknowledgements(), 5);
    rig.receive(Packet::UnsubAck(id(2)));
    rig.receive_suback(1, &GRANTED[2..]);
    assert_eq!(rig.events(), ["unsubscribed 2", "subscribed 1 2"]);
}

#[test]
fn an_answer_to_an_unsent_request_is_ignored() {
    let mut rig = Rig::online();
    rig.subscribe(&[("a", AtMostOnce)]);
    rig.send_bytes(3);
    rig.receive_suback(1, &GRANTED[..1]);
    assert!(rig.events().is_empty());
    assert_eq!(rig.send_all(), ["SUBSCRIBE id=1 a qos=0"]);
    rig.receive_suback(1, &GRANTED[..1]);
    assert_eq!(rig.events(), ["subscribed 1 0"]);
}

#[test]
fn a_lost_link_ends_subscribe_and_unsubscribe() {
    for taken in [0, 3, usize::MAX] {
        let mut rig = Rig::online();
        rig.subscribe(&[("a", AtMostOnce)]);
        rig.unsubscribe(&["b"]);
        rig.send_bytes(taken);
        rig.lose_link();
        assert_eq!(rig.events(), ["ended 1 Lost", "ended 2 Lost"]);
        rig.go_online(&CONNECT, true);
        assert!(rig.send_all().is_empty());
        assert!(rig.events().is_empty());
    }
}

#[test]
fn offline_subscribe_and_unsubscribe_are_refused() {
    let mut rig = Rig::new();
    for _ in 0..2 {
        assert_eq!(rig.client.subscribe(&[("a", AtMostOnce)]), Err(RequestError::NotConnected));
        assert_eq!(rig.client.unsubscribe(&["a"]), Err(RequestError::NotConnected));
        if rig.deadline().is_none() {
            rig.connect(&CONNECT);
        }
    }
}

#[test]
fn forbidden_requests_are_refused() {
    let mut rig = Rig::online();
    let forbidden = |violation| Err(RequestError::Forbidden(violation));
    assert_eq!(rig.client.subscribe(&[]), forbidden(Violation::NoTopicFilter));
    assert_eq!(rig.client.unsubscribe(&[]), forbidden(Violation::NoTopicFilterToRemove));
    for (filter, violation) in [
        ("", Violation::TopicEmpty),
        ("a\0", Violation::NulCharacter),
        ("a#", Violation::MultiLevelWildcard),
        ("#/a", Violation::MultiLevelWildcard),
        ("a+", Violation::SingleLevelWildcard),
    ] {
        let filters = [("fine", AtMostOnce), (filter, AtMostOnce)];
        assert_eq!(rig.client.subscribe(&filters), forbidden(violation));
        assert_eq!(rig.client.unsubscribe(&["fine", filter]), forbidden(violation));
    }
    let many = [("a", AtMostOnce); 256];
    assert_eq!(rig.client.subscribe(&many), Err(RequestError::TooManyFilters));
    assert!(rig.send_all().is_empty());
    assert_eq!(rig.client.in_flight(), 0);
}

#[test]
fn as_many_filters_as_can_be_counted() {
    let mut rig = Rig::<2>::sized(512, 2048);
    rig.go_online(&CONNECT, false);
    rig.subscribe(&[("a", AtLeastOnce); 255]);
    rig.send_all();
    rig.receive_suback(1, &[GRANTED[1]; 255]);
    assert_eq!(rig.events(), [format!("subscribed 1{}", " 1".repeat(255))]);
}

/// With many filters, the answer has a header that is a byte longer.
#[test]
fn a_subscribe_whose_suback_does_not_fit_is_refused() {
    for count in [12, 125, 126, 127, 255] {
        let filters = vec![("a", AtLeastOnce); count];
        let codes = vec![GRANTED[1]; count];
        let answer = SubAck { id: id(1), codes: SubAckCodes::new(&codes).unwrap() };
        let len = 5 + count;
        assert!((len - 1..=len).contains(&Packet::SubAck(answer).encoded_len()));
        let mut rig = Rig::<2>::sized(len, 2048);
        rig.go_online(&CONNECT, false);
        rig.subscribe(&filters);
        rig.send_all();
        rig.receive_suback(1, &codes);
        assert_eq!(rig.events(), [format!("subscribed 1{}", " 1".repeat(count))]);

        let mut rig = Rig::<2>::sized(len - 1, 2048);
        rig.go_online(&CONNECT, false);
        assert_eq!(rig.client.subscribe(&filters), Err(RequestError::TooManyFilters), "{count}");
    }
}

/// From 16,382 filters on, the header of SUBACK has another byte.
#[test]
fn the_answer_to_so_many_filters_fits() {
    for (filters, needed) in [(1, 6), (125, 130), (126, 131), (16_381, 16_386), (16_382, 16_388)] {
        for (rx, fits) in [(needed - 1, false), (needed, true)] {
            let mut rig: Rig = Rig::sized(rx.max(32), 100_000);
            if rx < 32 {
                continue;
            }
            rig.go_online(&CONNECT, false);
            let list = vec![("a", AtMostOnce); filters];
            assert_eq!(rig.client.subscribe(&list).is_ok(), fits, "{filters} filters, {rx} bytes");
        }
    }
}
