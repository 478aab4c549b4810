//! mqttrs, with std.

use std::hint::black_box;

use mqttrs::{
    Connect, LastWill, Packet, Pid, Protocol, Publish, QoS, QosPid, Subscribe, SubscribeTopic, decode_slice,
    encode_slice,
};

use crate::codec::{Codec, Slice, packet_len};
use crate::input;

pub struct Mqttrs;

impl Codec for Mqttrs {
    const NAME: &'static str = "mqttrs";

    type Connect = Packet<'static>;
    type Publish = Packet<'static>;
    type Subscribe = Packet<'static>;
    type PubAck = Pid;

    fn connect(values: &'static input::Connect) -> Packet<'static> {
        Packet::Connect(Connect {
            protocol: Protocol::MQTT311,
            keep_alive: values.keep_alive,
            client_id: values.client_id,
            clean_session: true,
            last_will: Some(LastWill {
                topic: values.will_topic,
                message: values.will_message,
                qos: QoS::AtLeastOnce,
                retain: false,
            }),
            username: Some(values.username),
            password: Some(values.password.as_bytes()),
        })
    }

    fn publish(values: &'static input::Publish) -> Packet<'static> {
        let qospid = match Pid::try_from(values.id) {
            Ok(pid) => QosPid::AtLeastOnce(pid),
            Err(_) => QosPid::AtMostOnce,
        };
        let (topic_name, payload) = (values.topic, values.payload);
        Packet::Publish(Publish { dup: false, qospid, retain: false, topic_name, payload })
    }

    fn subscribe(values: &'static input::Subscribe) -> Packet<'static> {
        let topic = |(filter, qos): (&str, u8)| SubscribeTopic {
            topic_path: filter.into(),
            qos: [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][qos as usize],
        };
        let topics = values.filters.iter().copied().map(topic).collect();
        Packet::Subscribe(Subscribe::new(Pid::try_from(values.id).unwrap(), topics))
    }

    fn puback(id: u16) -> Pid {
        Pid::try_from(id).unwrap()
    }

    type Out = Slice;

    fn out() -> Slice {
        Slice::new()
    }

    fn written(out: &Slice) -> &[u8] {
        out.written()
    }

    fn encode_connect(packet: &Packet<'static>, out: &mut Slice) {
        out.len = encode_slice(packet, &mut out.room).unwrap();
    }

    fn encode_publish(packet: &Packet<'static>, out: &mut Slice) {
        out.len = encode_slice(packet, &mut out.room).unwrap();
    }

    fn encode_subscribe(packet: &Packet<'static>, out: &mut Slice) {
        out.len = encode_slice(packet, &mut out.room).unwrap();
    }

    fn encode_puback(pid: &Pid, out: &mut Slice) {
        out.len = encode_slice(&Packet::Puback(*pid), &mut out.room).unwrap();
    }

    type In = &'static [u8];

    fn input(bytes: &'static [u8]) -> Self::In {
        bytes
    }

    fn decode(input: &mut Self::In) {
        match &decode_slice(input) {
            Ok(Some(packet)) => black_box(packet),
            _ => panic!(),
        };
        *input = &input[packet_len(input)..];
    }

    fn transcode(input: &mut Self::In, out: &mut Slice) {
        match &decode_slice(input) {
            Ok(Some(packet)) => out.len = encode_slice(packet, &mut out.room).unwrap(),
            _ => panic!(),
        };
        *input = &input[packet_len(input)..];
    }
}
