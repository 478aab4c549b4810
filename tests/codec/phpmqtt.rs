//! The bytes of phpMQTT, which this project replaces: where they are correct we write the same, where they are wrong we
//! report the violation.

#[path = "../data/phpmqtt.rs"]
mod data;

use baremqtt::codec::{
    ConnAck, Decoded, Delivery, Packet, Publish, SubAck, Subscribe, SubscribeFilters, decode,
};
use baremqtt::{Connect, QoS, SubAckCode, SubAckCodes, TopicName, Version, Violation, Will};

use super::{decoded, encoded, hex, id, missing, refused};

use Version::{Mqtt31, Mqtt311};

/// What phpMQTT sends for this call.
fn sent(name: &str) -> Vec<u8> {
    let (_, _, digits) = data::CLIENT_TO_SERVER.iter().find(|(this, ..)| *this == name).expect(name);
    hex(digits)
}

fn publish<'a>(topic: &'a str, payload: &'a [u8], delivery: Delivery, retain: bool) -> Packet<'a> {
    Packet::Publish(Publish { topic: TopicName::new(topic).unwrap(), payload, delivery, retain })
}

fn at_least_once(number: u16) -> Delivery {
    Delivery::AtLeastOnce { id: id(number), dup: false }
}

fn exactly_once(number: u16) -> Delivery {
    Delivery::ExactlyOnce { id: id(number), dup: false }
}

#[test]
fn correct_packets() {
    let connect = |client_id| Connect::new(client_id).version(Mqtt31);
    let will = Will::new("will/t", b"bye").qos(QoS::AtLeastOnce).retain();
    let with_all = connect("php-1").keep_alive(10).will(will).credentials("user", b"pass");
    let packets = [
        ("connect_will_user_pass", Packet::Connect(with_all)),
        ("connect_minimal", Packet::Connect(connect("php-recv").keep_alive(10))),
        ("publish_qos0", publish("t/0", b"hello", Delivery::AtMostOnce, false)),
        ("publish_qos1", publish("t/1", b"hello", at_least_once(1), false)),
        ("publish_qos2", publish("t/2", b"hello", exactly_once(2), false)),
        ("publish_qos0_retain", publish("t/r", b"retained", Delivery::AtMostOnce, true)),
        ("publish_qos0_200_bytes", publish("t/long", &[b'x'; 200], Delivery::AtMostOnce, false)),
        ("ping", Packet::PingReq),
        ("disconnect", Packet::Disconnect),
    ];
    for (name, packet) in packets {
        let bytes = sent(name);
        assert_eq!(decoded(&bytes, Mqtt31), packet, "{name}");
        assert_eq!(encoded(&packet, Mqtt31), bytes, "{name}");
    }
}

/// phpMQTT sends 80 instead of 82. Servers accept it in 3.1, and so do we; what we send is right.
#[test]
fn subscribe_with_the_flags_that_phpmqtt_sends() {
    let mut bytes = sent("subscribe_2_topics");
    let filters = [("a/b", QoS::AtMostOnce), ("c/#", QoS::AtLeastOnce)];
    let filters = SubscribeFilters::new(&filters).unwrap();
    let subscribe = Packet::Subscribe(Subscribe { id: id(1), dup: false, filters });
    assert_eq!(decoded(&bytes, Mqtt31), subscribe);
    assert_eq!(refused(&bytes, Mqtt311), Violation::HeaderFlags);
    bytes[0] = 0x82;
    assert_eq!(encoded(&subscribe, Mqtt31), bytes);
}

/// Bug 1: the remaining length is one raw byte. From 128 on that byte and the next one, which belongs to the body,
/// are read as the length: here always one that is longer than necessary.
#[test]
fn bodies_of_more_than_127_bytes() {
    assert_eq!(refused(&sent("BAD_connect_over_127"), Mqtt31), Violation::RemainingLength);
    assert_eq!(refused(&sent("BAD_subscribe_over_127"), Mqtt31), Violation::RemainingLength);
    // Modulo 256 the length ends inside the will message.
    assert_eq!(refused(&sent("BAD_connect_over_255"), Mqtt31), Violation::PacketLength);
    let message = [b'w'; 300];
    let connect = Connect::new("php-long").version(Mqtt31).will(Will::new("will/t", &message));
    let right = encoded(&Packet::Connect(connect), Mqtt31);
    assert_eq!(decoded(&right, Mqtt31), Packet::Connect(connect));
}

/// Bug 4: the identifier after 65,535 is 0.
#[test]
fn packet_id_after_65_535() {
    let bytes = sent("BAD_message_id_wrap");
    let packet = publish("w/t", b"x", at_least_once(65_535), false);
    assert_eq!(decode(&bytes, Mqtt31), Ok(Decoded::Complete { packet, len: 10 }));
    assert_eq!(refused(&bytes[10..], Mqtt31), Violation::PacketIdZero);
    assert_eq!(id(65_535).next(), id(1));
}

/// Bug 11.
#[test]
fn password_without_user_name() {
    let bytes = sent("BAD_password_without_username");
    assert_eq!(refused(&bytes, Mqtt31), Violation::PasswordWithoutUsername);
    // A user name "0", which phpMQTT drops, is a user name.
    let connect = Packet::Connect(Connect::new("php-np").version(Mqtt31).credentials("0", b"secret"));
    assert_eq!(decoded(&encoded(&connect, Mqtt31), Mqtt31), connect);
}

#[test]
fn packets_from_the_server() {
    let granted = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce].map(SubAckCode::Granted);
    let packets = [
        Packet::ConnAck(ConnAck::Accepted { session_present: false }),
        Packet::SubAck(SubAck { id: id(1), codes: SubAckCodes::new(&granted).unwrap() }),
        publish("a.b/x", b"dot", Delivery::AtMostOnce, false),
        // Bug 5: phpMQTT leaves the identifier at the front of the payload.
        publish("c/1", b"one", at_least_once(1), false),
        publish("c", b"parent", at_least_once(2), false),
        publish("d", b"two", exactly_once(3), false),
        publish("c/0", b"zero", Delivery::AtMostOnce, false),
        publish("c/e", b"", Delivery::AtMostOnce, false),
    ];
    assert_eq!(packets.len(), data::SERVER_TO_CLIENT.len());
    // The server does not differ between the versions here.
    for version in [Mqtt31, Mqtt311] {
        for (digits, packet) in data::SERVER_TO_CLIENT.iter().zip(&packets) {
            let bytes = hex(digits);
            assert_eq!(decoded(&bytes, version), *packet);
            assert_eq!(encoded(packet, version), bytes);
        }
    }
}

/// Bug 13: header and body are sent in two writes, which must not matter to the receiver.
#[test]
fn header_and_body_in_two_writes() {
    for (name, call, digits) in data::CLIENT_TO_SERVER {
        let bytes = hex(digits);
        let header_len = if bytes[1] < 0x80 { 2 } else { 3 };
        if !name.starts_with("BAD") && bytes.len() > header_len {
            assert_eq!(missing(&bytes[..header_len], Mqtt31), bytes.len() - header_len, "{call}");
        }
    }
}
