//! The end of a connection: DISCONNECT (3.14), and violations (4.8).

use baremqtt::QoS::{AtLeastOnce, AtMostOnce};
use baremqtt::State;
use baremqtt::codec::Packet;

use crate::harness::*;

/// The transport is closed once the client is offline.
#[test]
fn mqtt_3_14_4_1() {
    let mut rig = Rig::online();
    rig.disconnect();
    assert_eq!(rig.client.state(), State::Closing);
    rig.send_bytes(1);
    assert_eq!(rig.client.state(), State::Closing);
    rig.send_bytes(1);
    assert_eq!(rig.client.state(), State::Offline);
}

#[test]
fn mqtt_3_14_4_2() {
    let mut rig = Rig::online();
    rig.disconnect();
    rig.send_bytes(1);
    rig.receive_publish("a", b"", AtLeastOnce, 7);
    rig.receive(Packet::PubRec(id(9)));
    assert_eq!(rig.send_all(), ["DISCONNECT"]);
    assert!(rig.client.publish(&baremqtt::Message::new("a", b"")).is_err());
    assert!(rig.client.subscribe(&[("a", AtMostOnce)]).is_err());
    assert!(rig.send_all().is_empty());
}

#[test]
fn mqtt_4_8_0_1() {
    for violation in
        [&b"\x00\x00"[..], b"\x82\x06\x00\x01\x00\x01a\x00", b"\x20\x02\x00\x00", b"\x40\x03\x00\x01\x00"]
    {
        let mut rig = Rig::online();
        rig.publish("a", b"", AtMostOnce);
        rig.receive_bytes(violation);
        assert!(rig.events()[0].starts_with("error "), "{violation:02x?}");
        assert_eq!(rig.client.state(), State::Offline);
        assert!(rig.send_all().is_empty(), "not even what was queued");
    }
}

/// No room for an inbound packet: its connection ends, and the session does not.
#[test]
fn mqtt_4_8_0_2() {
    let mut rig = Rig::<8>::sized(32, 256);
    rig.go_online(&CONNECT, false);
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    rig.receive_bytes(b"\x90\x40\x00\x01");
    assert_eq!(rig.events(), ["error ReceiveBufferTooSmall { needed: 66 }"]);
    assert_eq!(rig.client.state(), State::Offline);
    rig.go_online(&CONNECT, true);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 dup (0 B)"]);
}
