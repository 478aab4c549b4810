//! A feature that the configuration turns off is refused with an error that names it, and nothing has changed;
//! calls with nothing to do do nothing.

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::{
    Config, ConnectError, LargeMessages, Message, RequestError, RestoreError, SessionLoss, Standard, State,
    StreamedMessage, Version,
};

use crate::harness::*;

#[test]
fn defaults_are_those_of_the_documentation() {
    let times = [
        Standard.connack_timeout_ms(),
        Standard.pingresp_timeout_ms(),
        Standard.ack_timeout_ms(),
        Standard.stall_timeout_ms(),
        Standard.retry_ms(),
    ];
    assert_eq!(times, [10_000, 10_000, 30_000, 30_000, 0]);
    assert_eq!((Standard.max_requests(), Standard.max_exactly_once()), (0, 19));
    assert_eq!(Standard.session_loss(), SessionLoss::Resend);
    assert_eq!(Standard.large_messages(), LargeMessages::Skip);
    assert!(Standard.mqtt31() && Standard.ping_on_silence() && Standard.reports_loss());
    assert!(Standard.assume_session_kept() && Standard.receives_exactly_once());
    assert!(!Standard.streams() && !Standard.manual_acknowledgement() && !Standard.durable());
}

#[test]
fn mqtt_3_1() {
    let mut rig = Rig::new();
    rig.choose(|c| c.mqtt31 = false);
    let old = CONNECT.version(Version::Mqtt31);
    assert_eq!(rig.client.connect(&old), Err(ConnectError::TurnedOff));
    assert!(rig.client.pending().is_empty());
    rig.go_online(&CONNECT, false);
}

#[test]
fn streams() {
    let mut rig = Rig::online();
    rig.choose(|c| c.streams = false);
    let message = StreamedMessage::new("a", 9).qos(AtLeastOnce).repeatable();
    assert_eq!(rig.client.publish_streamed(&message), Err(RequestError::TurnedOff));
    assert_eq!((rig.client.in_flight(), rig.publish("a", b"", AtLeastOnce)), (0, 1));
}

/// The image is good: another configuration can restore it.
#[test]
fn streams_in_an_image() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.client.publish_streamed(&StreamedMessage::new("a", 9).qos(AtLeastOnce).repeatable()).unwrap();
    let mut image = [0; 300];
    let len = rig.client.save(&mut image).unwrap();
    let mut rig = Rig::new();
    rig.choose(|c| c.streams = false);
    assert_eq!(rig.client.restore(&image[..len]), Err(RestoreError::TurnedOff));
    rig.choose(|c| c.streams = true);
    assert_eq!(rig.client.restore(&image[..len]), Ok(()));
}

/// QoS 2 is not requested, and a server that still sends it violates the agreement.
#[test]
fn qos_2_inbound() {
    let mut rig = Rig::online();
    rig.choose(|c| c.receives_exactly_once = false);
    assert_eq!(rig.client.subscribe(&[("a", AtMostOnce), ("b", ExactlyOnce)]), Err(RequestError::TurnedOff));
    assert_eq!(rig.subscribe(&[("a", AtLeastOnce)]), 1);
    rig.send_all();
    // A server that still has an identifier from before is told that it can forget it.
    rig.receive(pubrel(7));
    assert_eq!((rig.send_all(), rig.events()), (vec!["PUBCOMP id=7".into()], vec![]));
    rig.receive_publish("b", b"", ExactlyOnce, 7);
    assert_eq!(rig.events(), ["error MQTT-4.8.0-1", "ended 1 Lost"]);
}

#[test]
fn large_messages() {
    let mut rig: Rig = Rig::sized(32, 256);
    rig.choose(|c| c.large_messages = LargeMessages::Refuse);
    rig.go_online(&CONNECT, false);
    rig.receive_publish("a", &[0; 60], AtLeastOnce, 7);
    assert_eq!(rig.events(), ["error ReceiveBufferTooSmall { needed: 67 }"]);
}

#[test]
fn calls_that_have_nothing_to_do() {
    let mut rig = Rig::new();
    rig.client.output_lost();
    rig.client.finish();
    rig.client.disconnect();
    rig.client.link_lost();
    assert_eq!((rig.client.state(), rig.events(), rig.deadline()), (State::Offline, vec![], None));
    rig.go_online(&CONNECT, false);
    assert_eq!(rig.publish("a", b"", AtLeastOnce), 1);
}

/// Before CONNACK, too: DISCONNECT follows once the queued requests have been answered. An application that makes its requests when it is
/// connected still can.
#[test]
fn finish_while_connecting() {
    let mut rig = Rig::new();
    rig.publish("a", b"", AtLeastOnce);
    rig.connect(&CONNECT);
    rig.client.finish();
    assert_eq!(rig.send_all().len(), 1, "CONNECT");
    rig.client.receive_buffer()[..4].copy_from_slice(&[0x20, 2, 0, 0]);
    rig.client.received(4);
    let now = rig.now();
    assert_eq!(rig.client.advance(now), Ok(true), "connected");
    assert_eq!((rig.client.state(), rig.publish("b", b"", AtLeastOnce)), (State::Connected, 2));
    assert_eq!(rig.client.advance(now), Ok(false), "from now on nothing more is accepted");
    assert_eq!(rig.client.state(), State::Closing);
    assert_eq!(rig.client.publish(&Message::new("c", b"").at_least_once()), Err(RequestError::NotConnected));
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 (0 B)", "PUBLISH b qos=1 id=2 (0 B)"]);
    rig.client.finish();
    rig.receive(baremqtt::codec::Packet::PubAck(id(1)));
    rig.receive(baremqtt::codec::Packet::PubAck(id(2)));
    assert_eq!(rig.events(), ["published 1 qos=1", "published 2 qos=1"]);
    assert_eq!(rig.send_all(), ["DISCONNECT"]);
    assert_eq!(rig.client.state(), State::Offline);
}

#[test]
fn lengths_that_no_packet_can_have() {
    let mut rig = Rig::online();
    let message = StreamedMessage::new("a", 268_435_455);
    assert!(matches!(rig.client.publish_streamed(&message), Err(RequestError::Forbidden(_))));
    let message = StreamedMessage::new("a", 268_435_452).retain();
    assert_eq!(rig.client.publish_streamed(&message), Ok(None), "the longest of all");
    assert_eq!(rig.events(), ["ready -"]);
    assert_eq!(rig.client.write_payload(b"x"), Ok(1));
    assert_eq!(rig.client.pending()[..5], [0x31, 0xFF, 0xFF, 0xFF, 0x7F]);

    // Memory that is never touched costs nothing.
    let client = baremqtt::Client::new(baremqtt::Buffers { rx: [0; 64], tx: vec![0; (1 << 28) + 4_096] });
    let (mut client, payload) = (client, vec![0; (1 << 28) - 4]);
    let message = baremqtt::Message::new("a", &payload).at_least_once();
    assert_eq!(message.encoded_len(), 5 + 2 + 1 + 2 + payload.len());
    assert!(matches!(client.publish(&message), Err(RequestError::Forbidden(_))));
}
