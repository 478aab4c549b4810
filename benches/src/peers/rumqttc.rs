//! The codec of rumqttc.

use std::hint::black_box;

use bytes::BytesMut;
use rumqttc::{Connect, LastWill, Packet, PubAck, Publish, QoS, Subscribe, SubscribeFilter};

use crate::codec::Codec;
use crate::input;

pub struct Rumqttc;

fn qos(qos: u8) -> QoS {
    [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][qos as usize]
}

impl Codec for Rumqttc {
    const NAME: &'static str = "rumqttc";

    type Connect = Connect;
    type Publish = Publish;
    type Subscribe = Subscribe;
    type PubAck = PubAck;

    fn connect(values: &'static input::Connect) -> Connect {
        let mut connect = Connect::new(values.client_id);
        connect.keep_alive = values.keep_alive;
        connect.last_will =
            Some(LastWill::new(values.will_topic, values.will_message, QoS::AtLeastOnce, false));
        connect.set_login(values.username, values.password);
        connect
    }

    fn publish(values: &'static input::Publish) -> Publish {
        let qos = if values.id == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
        let mut publish = Publish::new(values.topic, qos, values.payload);
        publish.pkid = values.id;
        publish
    }

    fn subscribe(values: &'static input::Subscribe) -> Subscribe {
        let filter = |(path, bits): &(&str, u8)| SubscribeFilter::new(path.to_string(), qos(*bits));
        let mut subscribe = Subscribe::new_many(values.filters.iter().map(filter));
        subscribe.pkid = values.id;
        subscribe
    }

    fn puback(id: u16) -> PubAck {
        PubAck::new(id)
    }

    type Out = BytesMut;

    fn out() -> BytesMut {
        BytesMut::with_capacity(20_000)
    }

    fn written(out: &BytesMut) -> &[u8] {
        out
    }

    fn encode_connect(packet: &Connect, out: &mut BytesMut) {
        out.clear();
        packet.write(out).unwrap();
    }

    fn encode_publish(packet: &Publish, out: &mut BytesMut) {
        out.clear();
        packet.write(out).unwrap();
    }

    fn encode_subscribe(packet: &Subscribe, out: &mut BytesMut) {
        out.clear();
        packet.write(out).unwrap();
    }

    fn encode_puback(packet: &PubAck, out: &mut BytesMut) {
        out.clear();
        packet.write(out).unwrap();
    }

    type In = BytesMut;

    fn input(bytes: &'static [u8]) -> BytesMut {
        BytesMut::from(bytes)
    }

    fn decode(input: &mut BytesMut) {
        match &Packet::read(input, 1 << 20) {
            Ok(packet) => black_box(packet),
            Err(_) => panic!(),
        };
    }

    fn transcode(input: &mut BytesMut, out: &mut BytesMut) {
        out.clear();
        Packet::read(input, 1 << 20).unwrap().write(out, 1 << 20).unwrap();
    }
}
