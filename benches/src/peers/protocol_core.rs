//! mqtt-protocol-core.

use std::hint::black_box;
use std::sync::Arc;

use mqtt_protocol_core::mqtt::packet::v3_1_1::{
    Connack, Connect, Pingresp, Puback, Publish, Suback, Subscribe, Unsuback,
};
use mqtt_protocol_core::mqtt::packet::{GenericPacketTrait, Packet, Qos, SubEntry, SubOpts};
use mqtt_protocol_core::mqtt::result_code::MqttError;

use crate::codec::{Codec, packet_len};
use crate::input;

pub struct ProtocolCore;

fn qos(bits: u8) -> Qos {
    [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce][bits as usize]
}

/// It leaves the fixed header to its connections, which cannot be used without a session.
fn read(input: &mut &'static [u8]) -> Result<Packet, MqttError> {
    let (packet, rest) = input.split_at(packet_len(input));
    let first = packet[0];
    let header_len = 1 + packet[1..].iter().take_while(|byte| **byte >= 0x80).count() + 1;
    let body = &packet[header_len..];
    *input = rest;
    Ok(match first >> 4 {
        1 => Connect::parse(body)?.0.into(),
        2 => Connack::parse(body)?.0.into(),
        3 => Publish::parse(first & 0x0F, Arc::from(body))?.0.into(),
        4 => Puback::parse(body)?.0.into(),
        8 => Subscribe::parse(body)?.0.into(),
        9 => Suback::parse(body)?.0.into(),
        11 => Unsuback::parse(body)?.0.into(),
        13 => Pingresp::parse(body)?.0.into(),
        _ => panic!(),
    })
}

impl Codec for ProtocolCore {
    const NAME: &'static str = "mqtt-protocol-core";

    type Connect = Connect;
    type Publish = Publish;
    type Subscribe = Subscribe;
    type PubAck = Puback;

    fn connect(values: &'static input::Connect) -> Connect {
        Connect::builder()
            .client_id(values.client_id)
            .unwrap()
            .clean_session(true)
            .keep_alive(values.keep_alive)
            .will_message(values.will_topic, values.will_message.to_vec(), Qos::AtLeastOnce, false)
            .unwrap()
            .user_name(values.username)
            .unwrap()
            .password(values.password)
            .unwrap()
            .build()
            .unwrap()
    }

    fn publish(values: &'static input::Publish) -> Publish {
        let publish = Publish::builder().topic_name(values.topic).unwrap().payload(values.payload);
        let publish = match values.id {
            0 => publish.qos(Qos::AtMostOnce),
            id => publish.qos(Qos::AtLeastOnce).packet_id(id),
        };
        publish.build().unwrap()
    }

    fn subscribe(values: &'static input::Subscribe) -> Subscribe {
        let entry =
            |(filter, bits): &(&str, u8)| SubEntry::new(*filter, SubOpts::new().set_qos(qos(*bits))).unwrap();
        let entries = values.filters.iter().map(entry).collect::<Vec<_>>();
        Subscribe::builder().packet_id(values.id).entries(entries).build().unwrap()
    }

    fn puback(id: u16) -> Puback {
        Puback::builder().packet_id(id).build().unwrap()
    }

    type Out = Vec<u8>;

    fn out() -> Vec<u8> {
        Vec::new()
    }

    fn written(out: &Vec<u8>) -> &[u8] {
        out
    }

    fn encode_connect(packet: &Connect, out: &mut Vec<u8>) {
        *out = packet.to_continuous_buffer();
    }

    fn encode_publish(packet: &Publish, out: &mut Vec<u8>) {
        *out = packet.to_continuous_buffer();
    }

    fn encode_subscribe(packet: &Subscribe, out: &mut Vec<u8>) {
        *out = packet.to_continuous_buffer();
    }

    fn encode_puback(packet: &Puback, out: &mut Vec<u8>) {
        *out = packet.to_continuous_buffer();
    }

    type In = &'static [u8];

    fn input(bytes: &'static [u8]) -> Self::In {
        bytes
    }

    fn decode(input: &mut Self::In) {
        match &read(input) {
            Ok(packet) => black_box(packet),
            Err(_) => panic!(),
        };
    }

    fn transcode(input: &mut Self::In, out: &mut Vec<u8>) {
        *out = read(input).unwrap().to_continuous_buffer();
    }
}
