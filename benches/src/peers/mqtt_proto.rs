//! mqtt-proto.

use std::hint::black_box;
use std::sync::Arc;

use mqtt_proto::v3::{Connect, LastWill, Packet, Publish, Subscribe};
use mqtt_proto::{Error, Pid, Protocol, QoS, QosPid, TopicFilter, TopicName, VarBytes};

use crate::codec::{Codec, packet_len};
use crate::input;

pub struct MqttProto;

fn read(input: &mut &'static [u8]) -> Result<Option<Packet>, Error> {
    let packet = Packet::decode(input);
    *input = &input[packet_len(input)..];
    packet
}

impl Codec for MqttProto {
    const NAME: &'static str = "mqtt-proto";

    type Connect = Packet;
    type Publish = Packet;
    type Subscribe = Packet;
    type PubAck = Pid;

    fn connect(values: &'static input::Connect) -> Packet {
        let topic = TopicName::try_from(values.will_topic).unwrap();
        Packet::Connect(Connect {
            protocol: Protocol::V311,
            clean_session: true,
            keep_alive: values.keep_alive,
            client_id: Arc::from(values.client_id),
            last_will: Some(LastWill::new(QoS::Level1, topic, values.will_message.to_vec().into())),
            username: Some(Arc::from(values.username)),
            password: Some(values.password.as_bytes().to_vec().into()),
        })
    }

    fn publish(values: &'static input::Publish) -> Packet {
        let topic = TopicName::try_from(values.topic).unwrap();
        let qos_pid = match Pid::try_from(values.id) {
            Ok(pid) => QosPid::Level1(pid),
            Err(_) => QosPid::Level0,
        };
        Packet::Publish(Publish::new(qos_pid, topic, values.payload.to_vec().into()))
    }

    fn subscribe(values: &'static input::Subscribe) -> Packet {
        let topic = |(filter, qos): &(&str, u8)| {
            (TopicFilter::try_from(*filter).unwrap(), QoS::from_u8(*qos).unwrap())
        };
        let topics = values.filters.iter().map(topic).collect();
        Packet::Subscribe(Subscribe::new(Pid::try_from(values.id).unwrap(), topics))
    }

    fn puback(id: u16) -> Pid {
        Pid::try_from(id).unwrap()
    }

    type Out = VarBytes;

    fn out() -> VarBytes {
        VarBytes::Fixed2([0; 2])
    }

    fn written(out: &VarBytes) -> &[u8] {
        out.as_ref()
    }

    fn encode_connect(packet: &Packet, out: &mut VarBytes) {
        *out = packet.encode().unwrap();
    }

    fn encode_publish(packet: &Packet, out: &mut VarBytes) {
        *out = packet.encode().unwrap();
    }

    fn encode_subscribe(packet: &Packet, out: &mut VarBytes) {
        *out = packet.encode().unwrap();
    }

    fn encode_puback(pid: &Pid, out: &mut VarBytes) {
        *out = Packet::Puback(*pid).encode().unwrap();
    }

    type In = &'static [u8];

    fn input(bytes: &'static [u8]) -> Self::In {
        bytes
    }

    fn decode(input: &mut Self::In) {
        match &read(input) {
            Ok(Some(packet)) => black_box(packet),
            _ => panic!(),
        };
    }

    fn transcode(input: &mut Self::In, out: &mut VarBytes) {
        *out = read(input).unwrap().unwrap().encode().unwrap();
    }
}
