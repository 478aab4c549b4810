//! What an application may do while it handles an event.

use baremqtt::QoS::{AtLeastOnce, ExactlyOnce};
use baremqtt::codec::{ConnAck, Packet, SubAck, SubAckCode, SubAckCodes};
use baremqtt::{Event, Message, PacketId, QoS};

use crate::harness::*;

/// Bytes are received, and their event becomes the current one.
fn receive(rig: &mut Rig, packet: Packet<'_>) -> String {
    rig.advance();
    let len = packet.encode(rig.version, rig.client.receive_buffer()).unwrap();
    rig.client.received(len);
    let now = rig.now();
    assert!(rig.client.advance(now).unwrap());
    show(rig.client.event().unwrap())
}

fn complete(rig: &mut Rig, qos: QoS, number: u16) {
    let id = PacketId::new(number).unwrap();
    if qos == ExactlyOnce {
        rig.receive(Packet::PubRec(id));
        rig.send_all();
        assert_eq!(receive(rig, Packet::PubComp(id)), format!("published {number} qos=2"));
    } else {
        assert_eq!(receive(rig, Packet::PubAck(id)), format!("published {number} qos=1"));
    }
}

#[test]
fn a_message_published_in_the_connected_event_is_sent() {
    let mut rig = Rig::new();
    rig.connect(&CONNECT);
    rig.send_all();
    assert_eq!(
        receive(&mut rig, Packet::ConnAck(ConnAck::Accepted { session_present: false })),
        "connected present=false"
    );
    rig.publish("a", b"", AtLeastOnce);
    assert_eq!(rig.client.pending()[0] & 0xF0, 0x30);
}

/// Every way of asking gives the same answer.
fn are_under_way(rig: &mut Rig, count: usize) {
    assert_eq!((rig.client.in_flight(), rig.client.under_way().count()), (count, count));
    let outbound = rig.client.outbound();
    assert_eq!((outbound.in_flight(), outbound.under_way().count()), (count, count));
}

#[test]
fn a_request_whose_end_is_reported_is_not_under_way() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut rig = Rig::online();
        for number in 1..=3 {
            assert_eq!(rig.publish("a", b"", qos), number);
        }
        rig.send_all();
        for number in 1..=3 {
            complete(&mut rig, qos, number);
            are_under_way(&mut rig, 3 - usize::from(number));
        }
    }
    let mut rig = Rig::online();
    rig.subscribe(&[("a", AtLeastOnce)]);
    rig.send_all();
    let codes = SubAckCodes::new(&[SubAckCode::Granted(AtLeastOnce)]).unwrap();
    receive(&mut rig, Packet::SubAck(SubAck { id: id(1), codes }));
    are_under_way(&mut rig, 0);
}

/// As the errors promise, the next `Published` makes room.
#[test]
fn a_reported_end_makes_room_for_the_next_request() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        for (room, most) in [(32 + 16, 0), (1_024, 1)] {
            let mut rig: Rig = Rig::sized(64, room);
            rig.choose(|c| c.max_requests = most);
            rig.go_online(&CONNECT, false);
            for number in 1..=20 {
                let message = Message::new("a", b"12345678").qos(qos);
                assert_eq!(rig.client.publish(&message).unwrap(), PacketId::new(number));
                assert!(rig.client.publish(&message).is_err(), "there is no room for two");
                assert_eq!(rig.client.in_flight(), 1);
                rig.send_all();
                complete(&mut rig, qos, number);
            }
        }
    }
}

/// The end of the event does not remove what has taken its place either.
#[test]
fn releasing_an_event_keeps_the_next_packet() {
    let mut rig = Rig::online();
    rig.client.set_next_packet_id(id(7));
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    complete(&mut rig, AtLeastOnce, 7);
    rig.client.set_next_packet_id(id(7));
    assert_eq!(rig.publish("b", b"", AtLeastOnce), 7);
    assert!(matches!(rig.client.event(), Some(Event::Published { .. })));
    assert_eq!(rig.send_all(), ["PUBLISH b qos=1 id=7 (0 B)"]);
    assert_eq!((rig.client.in_flight(), rig.events()), (1, vec![]));
    complete(&mut rig, AtLeastOnce, 7);
}
