//! CONNECT and the keep alive (3.1).

use baremqtt::QoS::{self, AtLeastOnce, ExactlyOnce};
use baremqtt::{Connect, ConnectError, Violation, Will};

use crate::harness::*;

/// CONNECT as the client sends it: its flags, and the payload after the variable header.
fn sent(connect: &Connect<'_>) -> (u8, Vec<u8>) {
    let mut rig = Rig::new();
    rig.connect(connect);
    rig.send_bytes(usize::MAX);
    assert_eq!(rig.wire[..9], [0x10, rig.wire.len() as u8 - 2, 0, 4, b'M', b'Q', b'T', b'T', 4]);
    (rig.wire[9], rig.wire[12..].to_vec())
}

fn refused(connect: &Connect<'_>) -> Violation {
    let mut rig = Rig::new();
    match rig.client.connect(connect) {
        Err(ConnectError::Forbidden(violation)) => violation,
        other => panic!("{other:?}"),
    }
}

const C: Connect<'static> = Connect::new("c");
const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

#[test]
fn mqtt_3_1_0_1() {
    let mut rig = Rig::new();
    rig.publish("a", b"", AtLeastOnce);
    assert!(rig.send_all().is_empty());
    rig.connect(&CONNECT);
    assert!(rig.send_all()[0].starts_with("CONNECT"));
}

#[test]
fn mqtt_3_1_2_4() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.send_all();
    rig.disconnect();
    rig.send_all();
    rig.connect(&CONNECT);
    rig.send_bytes(usize::MAX);
    assert_eq!(rig.wire[9] & 0x02, 0);
    rig.send_all();
    rig.receive_connack(true);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 dup (0 B)"], "the session was kept");
}

#[test]
fn mqtt_3_1_2_6() {
    for clean in [false, true] {
        // A clean session follows, or a session that is not clean follows a clean one.
        let mut rig = Rig::new();
        rig.go_online(&CONNECT.clean_session(!clean), false);
        rig.receive_publish("a", b"", ExactlyOnce, 7);
        rig.publish("a", b"", ExactlyOnce);
        rig.send_all();
        rig.receive(baremqtt::codec::Packet::PubRec(id(1)));
        rig.lose_link();
        rig.events();
        rig.go_online(&CONNECT.clean_session(clean), false);
        assert!(rig.send_all().is_empty(), "no PUBREL for a flow of the old session");
        rig.receive_publish("a", b"", ExactlyOnce, 7);
        assert_eq!(rig.events(), ["ended 1 Uncertain", "message a qos=2 id=7 (0 B)"]);
    }
}

#[test]
fn mqtt_3_1_2_9() {
    for qos in QOS {
        let (flags, payload) = sent(&C.will(Will::new("t", b"m").qos(qos).retain()));
        assert_eq!(flags, 0x26 | qos.bits() << 3);
        assert_eq!(payload, b"\x00\x01c\x00\x01t\x00\x01m");
    }
}

#[test]
fn mqtt_3_1_2_11() {
    let (flags, payload) = sent(&C.credentials("u", b"p"));
    assert_eq!(flags & 0x3C, 0);
    assert_eq!(payload, b"\x00\x01c\x00\x01u\x00\x01p", "no will fields");
}

#[test]
fn mqtt_3_1_2_13() {
    assert_eq!(sent(&C).0 & 0x18, 0);
}

#[test]
fn mqtt_3_1_2_14() {
    for qos in QOS {
        let will_qos = sent(&C.will(Will::new("t", b"").qos(qos))).0 >> 3 & 3;
        assert_eq!(will_qos, qos.bits());
    }
    assert_eq!(QoS::from_bits(3), None, "there is no such value");
}

#[test]
fn mqtt_3_1_2_15() {
    assert_eq!(sent(&C).0 & 0x20, 0);
}

#[test]
fn mqtt_3_1_2_18() {
    let (flags, payload) = sent(&C);
    assert_eq!(flags & 0x80, 0);
    assert_eq!(payload, b"\x00\x01c");
}

#[test]
fn mqtt_3_1_2_19() {
    let (flags, payload) = sent(&C.username("u"));
    assert_eq!(flags & 0x80, 0x80);
    assert_eq!(payload, b"\x00\x01c\x00\x01u");
    assert_eq!(sent(&C.username("")).1, b"\x00\x01c\x00\x00", "an empty one is one too");
}

#[test]
fn mqtt_3_1_2_20() {
    let (flags, payload) = sent(&C.username("u"));
    assert_eq!(flags & 0x40, 0);
    assert_eq!(payload, b"\x00\x01c\x00\x01u");
}

#[test]
fn mqtt_3_1_2_21() {
    let (flags, payload) = sent(&C.credentials("u", b"p"));
    assert_eq!(flags & 0x40, 0x40);
    assert_eq!(payload, b"\x00\x01c\x00\x01u\x00\x01p");
}

/// The types do not allow a password without a user name; the decoder refuses it.
#[test]
fn mqtt_3_1_2_22() {
    for connect in [C, C.username("u"), C.credentials("u", b"p")] {
        let flags = sent(&connect).0;
        assert!(flags & 0x40 == 0 || flags & 0x80 != 0);
    }
    let packet = b"\x10\x10\x00\x04MQTT\x04\x42\x00\x00\x00\x01c\x00\x01p";
    let decoded = baremqtt::codec::decode(packet, baremqtt::Version::Mqtt311);
    assert_eq!(decoded, Err(Violation::PasswordWithoutUsername));
}

/// No gap between packets is longer than the keep alive, whatever the server does and however slow it is.
#[test]
fn mqtt_3_1_2_23() {
    for connack_after in [0, 900, 2_500] {
        let mut rig = Rig::new();
        rig.choose(|c| c.pingresp_timeout_ms = 0);
        rig.connect(&C.keep_alive(3));
        rig.send_all();
        rig.at(connack_after).receive_connack(false);
        let mut last_sent = 0;
        for tick in connack_after / 100..600 {
            rig.at(tick * 100);
            match tick % 97 {
                0..20 => rig.receive_publish("in", b"", AtLeastOnce, 7),
                20..40 => rig.receive_publish("in", b"", QoS::AtMostOnce, 0),
                50 => {
                    rig.publish("out", b"", QoS::AtMostOnce);
                }
                _ => {}
            }
            if !rig.send_all().is_empty() {
                last_sent = tick * 100;
            }
            assert!(tick * 100 - last_sent <= 3_000, "silent since {last_sent} at {}", tick * 100);
        }
    }
}

#[test]
fn mqtt_3_1_3_1() {
    let all = Connect::new("id").will(Will::new("topic", b"message")).credentials("user", b"pass");
    assert_eq!(sent(&all).1, b"\x00\x02id\x00\x05topic\x00\x07message\x00\x04user\x00\x04pass");
}

/// One client is one session: every CONNECT has the client identifier as the application gives it.
#[test]
fn mqtt_3_1_3_2() {
    for client_id in ["a", "b", "sensor-17/upstairs"] {
        let payload = sent(&Connect::new(client_id)).1;
        assert_eq!(payload[2..], *client_id.as_bytes());
    }
}

#[test]
fn mqtt_3_1_3_3() {
    assert_eq!(sent(&Connect::new("")).1, b"\x00\x00");
    assert_eq!(sent(&Connect::new("").username("u")).1, b"\x00\x00\x00\x01u");
}

#[test]
fn mqtt_3_1_3_4() {
    assert_eq!(sent(&Connect::new("ü")).1, b"\x00\x02\xC3\xBC");
    assert_eq!(refused(&Connect::new("a\0")), Violation::NulCharacter);
}

#[test]
fn mqtt_3_1_3_7() {
    assert_eq!(refused(&Connect::new("").clean_session(false)), Violation::ClientIdEmpty);
    assert_eq!(sent(&Connect::new("")).0 & 0x02, 0x02);
}

#[test]
fn mqtt_3_1_3_10() {
    assert_eq!(sent(&C.will(Will::new("ü", b""))).1, b"\x00\x01c\x00\x02\xC3\xBC\x00\x00");
    assert_eq!(refused(&C.will(Will::new("\0", b""))), Violation::NulCharacter);
}

#[test]
fn mqtt_3_1_3_11() {
    assert_eq!(sent(&C.credentials("ü", b"\xFF\x00")).1, b"\x00\x01c\x00\x02\xC3\xBC\x00\x02\xFF\x00");
    assert_eq!(refused(&C.username("\0")), Violation::NulCharacter);
}
