//! PUBLISH and its answers (3.3, 4.3), redelivery (4.4), order (4.6).

use baremqtt::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use baremqtt::codec::Packet;

use crate::harness::*;

/// Loses the link, and reconnects to a server that has kept the session.
fn reconnect(rig: &mut Rig) -> Vec<String> {
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    rig.send_all()
}

#[test]
fn mqtt_3_3_1_1() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("b", b"", ExactlyOnce);
    rig.send_all();
    let dup = ["PUBLISH a qos=1 id=1 dup (0 B)", "PUBLISH b qos=2 id=2 dup (0 B)"];
    assert_eq!(reconnect(&mut rig), dup);
    assert_eq!(reconnect(&mut rig), dup);
}

#[test]
fn mqtt_3_3_1_2() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtMostOnce);
    rig.send_bytes(2);
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    rig.publish("a", b"", AtMostOnce);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=0 (0 B)"]);
    rig.receive_bytes(b"\x38\x03\x00\x01a");
    assert_eq!(rig.events(), ["error MQTT-3.3.1-2"]);
}

#[test]
fn mqtt_3_3_1_4() {
    for first in [0x36, 0x3E, 0x37] {
        let mut rig = Rig::online();
        rig.receive_bytes(&[first, 5, 0, 1, b'a', 0, 1]);
        assert_eq!(rig.events(), ["error MQTT-3.3.1-4"]);
    }
}

#[test]
fn mqtt_3_3_4_1() {
    for (qos, answer) in
        [(AtMostOnce, None), (AtLeastOnce, Some("PUBACK id=7")), (ExactlyOnce, Some("PUBREC id=7"))]
    {
        let mut rig = Rig::online();
        rig.receive_publish("a", b"", qos, 7);
        assert_eq!(rig.send_all(), Vec::from_iter(answer));
    }
}

#[test]
fn mqtt_4_1_0_1() {
    let mut rig = Rig::online();
    rig.receive_publish("in", b"", ExactlyOnce, 7);
    rig.publish("out", b"", ExactlyOnce);
    rig.send_all();
    for hours in 1..5 {
        rig.lose_link();
        rig.at(hours * 3_600_000).go_online(&CONNECT, true);
        assert_eq!(rig.send_all(), ["PUBLISH out qos=2 id=1 dup (0 B)"]);
        rig.receive(publish("in", b"", ExactlyOnce, 7, true));
        assert_eq!(rig.send_all(), ["PUBREC id=7"]);
    }
    assert_eq!(rig.events().len(), 1, "one delivery");
}

/// A clean session also lasts as long as its connection.
#[test]
fn mqtt_4_1_0_2() {
    let mut rig = Rig::new();
    rig.choose(|c| c.ack_timeout_ms = 0);
    rig.go_online(&CONNECT.clean_session(true), false);
    rig.receive_publish("in", b"", ExactlyOnce, 7);
    rig.publish("out", b"", ExactlyOnce);
    rig.send_all();
    rig.at(30 * 24 * 3_600_000);
    rig.receive(publish("in", b"", ExactlyOnce, 7, true));
    rig.receive(Packet::PubRec(id(1)));
    assert_eq!(rig.send_all(), ["PUBREC id=7", "PUBREL id=1"]);
    assert_eq!(rig.events().len(), 1);
}

#[test]
fn mqtt_4_3_1_1() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtMostOnce);
    rig.send_bytes(usize::MAX);
    assert_eq!(rig.wire, b"\x30\x03\x00\x01a");
}

#[test]
fn mqtt_4_3_2_1() {
    let mut rig = Rig::online();
    assert_eq!(rig.publish("a", b"", AtLeastOnce), 1);
    assert_eq!(rig.publish("b", b"", AtLeastOnce), 2, "an unused identifier");
    assert_eq!(rig.send_all(), ["PUBLISH a qos=1 id=1 (0 B)", "PUBLISH b qos=1 id=2 (0 B)"], "DUP 0");
    assert_eq!(reconnect(&mut rig).len(), 2, "unacknowledged until PUBACK");
    rig.receive(Packet::PubAck(id(1)));
    assert_eq!(reconnect(&mut rig), ["PUBLISH b qos=1 id=2 dup (0 B)"]);
}

#[test]
fn mqtt_4_3_2_2() {
    let mut rig = Rig::online();
    for dup in [false, true] {
        rig.receive(publish("a", b"", AtLeastOnce, 7, dup));
        assert_eq!(rig.send_all(), ["PUBACK id=7"]);
    }
    assert_eq!(rig.events().len(), 2, "a new message, whatever DUP says");
}

#[test]
fn mqtt_4_3_3_1() {
    let mut rig = Rig::online();
    assert_eq!(rig.publish("a", b"", ExactlyOnce), 1);
    assert_eq!(rig.send_all(), ["PUBLISH a qos=2 id=1 (0 B)"], "DUP 0");
    assert_eq!(reconnect(&mut rig), ["PUBLISH a qos=2 id=1 dup (0 B)"], "unacknowledged until PUBREC");
    rig.receive(Packet::PubRec(id(1)));
    assert_eq!(rig.send_all(), ["PUBREL id=1"]);
    assert_eq!(reconnect(&mut rig), ["PUBREL id=1"], "PUBLISH no more, PUBREL until PUBCOMP");
    rig.receive(Packet::PubComp(id(1)));
    assert!(reconnect(&mut rig).is_empty());
    assert_eq!(rig.events(), ["published 1 qos=2"]);
}

/// No PUBLISH again after PUBREL, even if PUBREC arrives before the PUBLISH is resent.
#[test]
fn mqtt_4_3_3_1_no_publish_after_pubrel() {
    let mut rig = Rig::online();
    rig.publish("a", b"", ExactlyOnce);
    rig.send_all();
    rig.lose_link();
    rig.go_online(&CONNECT, true);
    rig.receive(Packet::PubRec(id(1)));
    let sent = rig.send_all();
    let publish = sent.iter().rposition(|line| line.starts_with("PUBLISH"));
    let pubrel = sent.iter().position(|line| line.starts_with("PUBREL"));
    assert!(pubrel.is_none() || publish < pubrel, "{sent:?}");
}

#[test]
fn mqtt_4_3_3_2() {
    let mut rig = Rig::online();
    for dup in [false, true, true] {
        rig.receive(publish("a", b"", ExactlyOnce, 7, dup));
        assert_eq!(rig.send_all(), ["PUBREC id=7"]);
    }
    assert_eq!(rig.events().len(), 1, "no second delivery before PUBREL");
    rig.receive(pubrel(7));
    assert_eq!(rig.send_all(), ["PUBCOMP id=7"]);
    rig.receive(publish("a", b"", ExactlyOnce, 7, false));
    assert_eq!(rig.events().len(), 1, "the same identifier is a new message then");
}

#[test]
fn mqtt_4_4_0_1() {
    let mut rig = Rig::online();
    rig.publish("a", b"", AtLeastOnce);
    rig.publish("b", b"", ExactlyOnce);
    rig.publish("c", b"", ExactlyOnce);
    rig.send_all();
    rig.receive(Packet::PubRec(id(3)));
    rig.send_all();
    let again = ["PUBLISH a qos=1 id=1 dup (0 B)", "PUBLISH b qos=2 id=2 dup (0 B)", "PUBREL id=3"];
    assert_eq!(reconnect(&mut rig), again);
}

/// Messages that the application does not want (too large, and skipped) are still acknowledged.
#[test]
fn mqtt_4_5_0_2() {
    let mut rig = Rig::<8>::sized(32, 256);
    rig.go_online(&CONNECT, false);
    rig.receive_publish("nobody/asked", &[0; 100], AtLeastOnce, 7);
    rig.receive_publish("nobody/asked", &[0; 100], ExactlyOnce, 8);
    rig.receive(pubrel(8));
    assert_eq!(rig.send_all(), ["PUBACK id=7", "PUBREC id=8", "PUBCOMP id=8"]);
}

#[test]
fn mqtt_4_6_0_1() {
    let mut rig = Rig::online();
    for (n, qos) in [AtLeastOnce, ExactlyOnce, AtLeastOnce, ExactlyOnce, AtLeastOnce].into_iter().enumerate()
    {
        rig.publish(&n.to_string(), b"", qos);
    }
    rig.send_all();
    rig.receive(Packet::PubAck(id(3)));
    let topics: Vec<String> = reconnect(&mut rig).iter().map(|line| line[8..9].into()).collect();
    assert_eq!(topics, ["0", "1", "3", "4"]);
}

#[test]
fn mqtt_4_6_0_2() {
    let mut rig = Rig::online();
    for number in [9, 3, 7, 1] {
        rig.receive_publish("a", b"", AtLeastOnce, number);
    }
    assert_eq!(rig.send_all(), ["PUBACK id=9", "PUBACK id=3", "PUBACK id=7", "PUBACK id=1"]);
}

#[test]
fn mqtt_4_6_0_3() {
    let mut rig = Rig::online();
    for number in [9, 3, 7, 1] {
        rig.receive_publish("a", b"", ExactlyOnce, number);
    }
    assert_eq!(rig.send_all(), ["PUBREC id=9", "PUBREC id=3", "PUBREC id=7", "PUBREC id=1"]);
}

#[test]
fn mqtt_4_6_0_4() {
    let mut rig = Rig::online();
    for _ in 0..4 {
        rig.publish("a", b"", ExactlyOnce);
    }
    rig.send_all();
    for number in [4, 1, 3] {
        rig.receive(Packet::PubRec(id(number)));
    }
    assert_eq!(rig.send_all(), ["PUBREL id=4", "PUBREL id=1", "PUBREL id=3"]);
    let again = reconnect(&mut rig);
    let pubrels: Vec<&String> = again.iter().filter(|line| line.starts_with("PUBREL")).collect();
    assert_eq!(pubrels, ["PUBREL id=4", "PUBREL id=1", "PUBREL id=3"]);
}
