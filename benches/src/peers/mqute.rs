//! mqute-codec.

use std::hint::black_box;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use mqute_codec::codec::{Encode, PacketCodec};
use mqute_codec::protocol::v4::{Connect, Packet, PubAck, Publish, Subscribe, TopicQosFilter, Will};
use mqute_codec::protocol::{Credentials, Flags, QoS};

use crate::codec::Codec;
use crate::input;

pub struct Mqute;

fn write(packet: &impl Encode, out: &mut BytesMut) {
    out.clear();
    packet.encode(out).unwrap();
}

fn read(input: &mut BytesMut) -> Result<Packet, mqute_codec::Error> {
    Packet::decode(PacketCodec::new(None, None).try_decode(input)?)
}

impl Codec for Mqute {
    const NAME: &'static str = "mqute-codec";

    type Connect = Connect;
    type Publish = Publish;
    type Subscribe = Subscribe;
    type PubAck = PubAck;

    fn connect(values: &'static input::Connect) -> Connect {
        let will = Will::new(
            values.will_topic,
            Bytes::copy_from_slice(values.will_message),
            QoS::AtLeastOnce,
            false,
        );
        let credentials = Credentials::full(values.username, values.password);
        let keep_alive = Duration::from_secs(values.keep_alive.into());
        Connect::new(values.client_id, Some(credentials), Some(will), keep_alive, true)
    }

    fn publish(values: &'static input::Publish) -> Publish {
        let qos = if values.id == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
        let payload = Bytes::copy_from_slice(values.payload);
        Publish::new(values.topic, values.id, payload, Flags::new(qos))
    }

    fn subscribe(values: &'static input::Subscribe) -> Subscribe {
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];
        let filter = |(filter, bits): &(&str, u8)| TopicQosFilter::new(*filter, qos[*bits as usize]);
        Subscribe::new(values.id, values.filters.iter().map(filter))
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
        write(packet, out);
    }

    fn encode_publish(packet: &Publish, out: &mut BytesMut) {
        write(packet, out);
    }

    fn encode_subscribe(packet: &Subscribe, out: &mut BytesMut) {
        write(packet, out);
    }

    fn encode_puback(packet: &PubAck, out: &mut BytesMut) {
        write(packet, out);
    }

    type In = BytesMut;

    fn input(bytes: &'static [u8]) -> BytesMut {
        BytesMut::from(bytes)
    }

    fn decode(input: &mut BytesMut) {
        match &read(input) {
            Ok(packet) => black_box(packet),
            Err(_) => panic!(),
        };
    }

    fn transcode(input: &mut BytesMut, out: &mut BytesMut) {
        out.clear();
        read(input).unwrap().encode(out).unwrap();
    }
}
