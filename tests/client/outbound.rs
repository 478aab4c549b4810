//! The outbound half: each of its methods does the same as the client's.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;
use baremqtt::{
    AcknowledgeError, GiveUpError, Message, PacketId, QoS, Receipt, StreamError, StreamedMessage,
};

use crate::harness::*;

/// The calls of both, one of which is used.
macro_rules! calls {
    ($(fn $name:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)?;)*) => {
        $(fn $name(rig: &mut Rig, half: bool $(, $argument: $kind)*) $(-> $result)? {
            if half { rig.client.outbound().$name($($argument),*) } else { rig.client.$name($($argument),*) }
        })*
    };
}

calls! {
    fn publish(message: &Message<'_>) -> Result<Option<PacketId>, baremqtt::RequestError>;
    fn subscribe(filters: &[(&str, QoS)]) -> Result<PacketId, baremqtt::RequestError>;
    fn unsubscribe(filters: &[&str]) -> Result<PacketId, baremqtt::RequestError>;
    fn publish_streamed(message: &StreamedMessage<'_>) -> Result<Option<PacketId>, baremqtt::RequestError>;
    fn write_payload(payload: &[u8]) -> Result<usize, StreamError>;
    fn abandon_payload() -> Result<(), StreamError>;
    fn acknowledge(receipt: Receipt) -> Result<(), AcknowledgeError>;
    fn give_up(id: PacketId) -> Result<(), GiveUpError>;
    fn finish();
    fn disconnect();
}

/// Everything sent and reported in a conversation that uses every call.
fn conversation(half: bool) -> Vec<String> {
    let mut rig = Rig::new();
    rig.choose(|c| c.manual_acknowledgement = true);
    rig.go_online(&CONNECT, false);
    let mut lines = Vec::new();
    let mut look = |rig: &mut Rig| {
        lines.extend(rig.send_all());
        lines.extend(rig.events());
        let outbound = rig.client.outbound();
        lines.push(format!("{:?} {}", outbound.state(), outbound.in_flight()));
        lines.extend(outbound.under_way().map(|request| format!("{request:?}")));
    };
    assert_eq!(subscribe(&mut rig, half, &[("a", ExactlyOnce)]), Ok(id(1)));
    assert_eq!(unsubscribe(&mut rig, half, &["b"]), Ok(id(2)));
    assert_eq!(publish(&mut rig, half, &Message::new("c", b"0")), Ok(None));
    assert_eq!(publish(&mut rig, half, &Message::new("c", b"1").at_least_once()), Ok(Some(id(3))));
    look(&mut rig);
    assert_eq!(give_up(&mut rig, half, id(3)), Ok(()));
    assert_eq!(give_up(&mut rig, half, id(3)), Err(GiveUpError::Unknown));
    look(&mut rig);
    let streamed = StreamedMessage::new("d", 4).qos(AtLeastOnce).repeatable();
    assert_eq!(publish_streamed(&mut rig, half, &streamed), Ok(Some(id(4))));
    look(&mut rig);
    assert_eq!(write_payload(&mut rig, half, b"body"), Ok(4));
    assert_eq!(write_payload(&mut rig, half, b"more"), Ok(0), "that was all");
    look(&mut rig);
    assert_eq!(write_payload(&mut rig, half, b"more"), Err(StreamError::NotAsked));
    assert_eq!(abandon_payload(&mut rig, half), Err(StreamError::NotAsked));

    rig.backlog.extend([0x32, 5, 0, 1, b'a', 0, 9]);
    let room = rig.client.receive_buffer();
    room[..7].copy_from_slice(&rig.backlog.drain(..).collect::<Vec<_>>());
    rig.client.received(7);
    let now = rig.now();
    assert_eq!(rig.client.advance(now), Ok(true));
    let receipt = rig.client.receipt().unwrap();
    assert_eq!(receipt.id(), id(9));
    look(&mut rig);
    assert_eq!(acknowledge(&mut rig, half, receipt), Ok(()));
    assert_eq!(acknowledge(&mut rig, half, receipt), Err(AcknowledgeError::Stale));
    look(&mut rig);
    finish(&mut rig, half);
    look(&mut rig);
    assert!(publish(&mut rig, half, &Message::new("c", b"")).is_err());
    for number in [3, 4] {
        rig.receive(Packet::PubAck(id(number)));
    }
    rig.receive_suback(1, &[baremqtt::SubAckCode::Granted(AtMostOnce)]);
    look(&mut rig);
    disconnect(&mut rig, half);
    look(&mut rig);
    lines
}

#[test]
fn client_and_outbound_report_the_same() {
    let (client, half) = (conversation(false), conversation(true));
    assert_eq!(client, half);
    for expected in
        ["SUBSCRIBE", "UNSUBSCRIBE", "PUBLISH c qos=1", "PUBLISH d qos=1", "PUBACK id=9", "DISCONNECT"]
    {
        assert!(half.iter().any(|line| line.starts_with(expected)), "{expected}: {half:#?}");
    }
}

#[test]
fn a_payload_is_abandoned() {
    for half in [false, true] {
        let mut rig = Rig::online();
        publish_streamed(&mut rig, half, &StreamedMessage::new("d", 4)).unwrap();
        rig.send_all();
        assert_eq!(rig.events(), ["ready -"]);
        assert_eq!(abandon_payload(&mut rig, half), Ok(()));
        assert!(rig.client.pending().is_empty(), "the link has to be closed");
    }
}

#[test]
fn client_and_outbound_show_and_save_the_same() {
    let mut rig = Rig::new();
    rig.choose(|c| (c.manual_acknowledgement, c.durable) = (true, true));
    rig.go_online(&CONNECT, false);
    let len = crate::harness::publish("in", b"", AtLeastOnce, 5, false)
        .encode(rig.version, rig.client.receive_buffer())
        .unwrap();
    rig.client.received(len);
    let now = rig.now();
    assert!(rig.client.advance(now).unwrap());
    let receipt = rig.client.receipt();
    assert!(receipt.is_some_and(|receipt| receipt.id() == id(5)));
    assert_eq!(rig.client.outbound().receipt(), receipt);

    rig.publish("a", b"", AtLeastOnce);
    let revision = rig.client.revision();
    assert_eq!(rig.client.outbound().revision(), revision);
    let (mut one, mut other) = ([0; 64], [0; 64]);
    let len = rig.client.save(&mut one).unwrap();
    assert_eq!(rig.client.outbound().save(&mut other), Ok(len));
    assert_eq!(one, other);
    assert!(rig.send_all().is_empty());
    rig.client.outbound().saved(revision);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 (0 B)"]);

    assert_eq!(format!("{:?}", rig.client), "Client { state: Connected, in_flight: 1, .. }");
    assert_eq!(format!("{:?}", rig.client.outbound()), "Outbound { state: Connected, in_flight: 1, .. }");
}
