//! mqtt-codec-kit.

use std::hint::black_box;

use mqtt_codec_kit::common::qos::QoSWithPacketIdentifier;
use mqtt_codec_kit::common::{Decodable, Encodable, QualityOfService, TopicFilter, TopicName};
use mqtt_codec_kit::v4::packet::connect::LastWill;
use mqtt_codec_kit::v4::packet::{
    ConnectPacket, PubackPacket, PublishPacket, SubscribePacket, VariablePacket,
};

use crate::codec::Codec;
use crate::input;

pub struct CodecKit;

fn write(packet: &impl Encodable, out: &mut Vec<u8>) {
    out.clear();
    packet.encode(out).unwrap();
}

impl Codec for CodecKit {
    const NAME: &'static str = "mqtt-codec-kit";

    type Connect = ConnectPacket;
    type Publish = PublishPacket;
    type Subscribe = SubscribePacket;
    type PubAck = PubackPacket;

    fn connect(values: &'static input::Connect) -> ConnectPacket {
        let mut packet = ConnectPacket::new(values.client_id);
        packet.set_keep_alive(values.keep_alive);
        packet.set_clean_session(true);
        packet.set_will(Some(LastWill::new(values.will_topic, values.will_message.to_vec()).unwrap()));
        packet.set_will_qos(1);
        packet.set_username(Some(values.username.to_string()));
        packet.set_password(Some(values.password.to_string()));
        packet
    }

    fn publish(values: &'static input::Publish) -> PublishPacket {
        let qos = match values.id {
            0 => QoSWithPacketIdentifier::Level0,
            id => QoSWithPacketIdentifier::Level1(id),
        };
        PublishPacket::new(TopicName::new(values.topic).unwrap(), qos, values.payload)
    }

    fn subscribe(values: &'static input::Subscribe) -> SubscribePacket {
        let qos = [QualityOfService::Level0, QualityOfService::Level1, QualityOfService::Level2];
        let filter = |(filter, bits): &(&str, u8)| (TopicFilter::new(*filter).unwrap(), qos[*bits as usize]);
        SubscribePacket::new(values.id, values.filters.iter().map(filter).collect())
    }

    fn puback(id: u16) -> PubackPacket {
        PubackPacket::new(id)
    }

    type Out = Vec<u8>;

    fn out() -> Vec<u8> {
        Vec::with_capacity(20_000)
    }

    fn written(out: &Vec<u8>) -> &[u8] {
        out
    }

    fn encode_connect(packet: &ConnectPacket, out: &mut Vec<u8>) {
        write(packet, out);
    }

    fn encode_publish(packet: &PublishPacket, out: &mut Vec<u8>) {
        write(packet, out);
    }

    fn encode_subscribe(packet: &SubscribePacket, out: &mut Vec<u8>) {
        write(packet, out);
    }

    fn encode_puback(packet: &PubackPacket, out: &mut Vec<u8>) {
        write(packet, out);
    }

    type In = &'static [u8];

    fn input(bytes: &'static [u8]) -> Self::In {
        bytes
    }

    fn decode(input: &mut Self::In) {
        match &VariablePacket::decode(input) {
            Ok(packet) => black_box(packet),
            Err(_) => panic!(),
        };
    }

    fn transcode(input: &mut Self::In, out: &mut Vec<u8>) {
        write(&VariablePacket::decode(input).unwrap(), out);
    }
}
