//! The codec of ntex-mqtt. It consumes the packets that it encodes:
//! if a packet is needed again it is cloned, which copies no text.

use std::hint::black_box;
use std::num::NonZeroU16;

use ntex_bytes::{BytePages, ByteString, Bytes, BytesMut};
use ntex_codec::{Decoder, Encoder};
use ntex_mqtt::v3::codec::{Codec as Mqtt, Connect, Decoded, Encoded, LastWill, Packet, Publish, QoS};

use crate::codec::Codec;
use crate::input;

pub struct Ntex;

pub struct Out {
    codec: Mqtt,
    pages: BytePages,
}

fn write(packet: Encoded, out: &mut Out) {
    out.pages.clear();
    out.codec.encodev(packet, &mut out.pages).unwrap();
}

fn encoded(decoded: Decoded) -> Encoded {
    match decoded {
        Decoded::Packet(packet, _) => Encoded::Packet(packet),
        Decoded::Publish(publish, payload, _) => Encoded::Publish(publish, Some(payload)),
        Decoded::PayloadChunk(..) => panic!(),
    }
}

fn qos(bits: u8) -> QoS {
    [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][bits as usize]
}

impl Codec for Ntex {
    const NAME: &'static str = "ntex-mqtt";

    type Connect = Encoded;
    type Publish = Encoded;
    type Subscribe = Encoded;
    type PubAck = NonZeroU16;

    fn connect(values: &'static input::Connect) -> Encoded {
        let will = LastWill {
            qos: QoS::AtLeastOnce,
            retain: false,
            topic: ByteString::from(values.will_topic),
            message: Bytes::copy_from_slice(values.will_message),
        };
        Encoded::Packet(Packet::from(Connect {
            clean_session: true,
            keep_alive: values.keep_alive,
            last_will: Some(will),
            client_id: ByteString::from(values.client_id),
            username: Some(ByteString::from(values.username)),
            password: Some(Bytes::copy_from_slice(values.password.as_bytes())),
        }))
    }

    fn publish(values: &'static input::Publish) -> Encoded {
        let packet_id = NonZeroU16::new(values.id);
        let publish = Publish {
            dup: false,
            retain: false,
            qos: if packet_id.is_some() { QoS::AtLeastOnce } else { QoS::AtMostOnce },
            topic: ByteString::from(values.topic),
            packet_id,
            payload_size: values.payload.len() as u32,
        };
        Encoded::Publish(publish, Some(Bytes::copy_from_slice(values.payload)))
    }

    fn subscribe(values: &'static input::Subscribe) -> Encoded {
        let filter = |(filter, bits): &(&str, u8)| (ByteString::from(*filter), qos(*bits));
        Encoded::Packet(Packet::Subscribe {
            packet_id: NonZeroU16::new(values.id).unwrap(),
            topic_filters: values.filters.iter().map(filter).collect(),
        })
    }

    fn puback(id: u16) -> NonZeroU16 {
        NonZeroU16::new(id).unwrap()
    }

    type Out = Out;

    fn out() -> Out {
        Out { codec: Mqtt::new(), pages: BytePages::default() }
    }

    fn written(out: &Out) -> &[u8] {
        out.pages.clone().freeze().to_vec().leak()
    }

    fn encode_connect(packet: &Encoded, out: &mut Out) {
        write(packet.clone(), out);
    }

    fn encode_publish(packet: &Encoded, out: &mut Out) {
        write(packet.clone(), out);
    }

    fn encode_subscribe(packet: &Encoded, out: &mut Out) {
        write(packet.clone(), out);
    }

    fn encode_puback(id: &NonZeroU16, out: &mut Out) {
        write(Encoded::Packet(Packet::PublishAck { packet_id: *id }), out);
    }

    type In = (Mqtt, BytesMut);

    fn input(bytes: &'static [u8]) -> Self::In {
        (Mqtt::new(), BytesMut::copy_from_slice(bytes))
    }

    fn decode((codec, input): &mut Self::In) {
        match &codec.decode(input) {
            Ok(Some(packet)) => black_box(packet),
            _ => panic!(),
        };
    }

    fn transcode((codec, input): &mut Self::In, out: &mut Out) {
        write(encoded(codec.decode(input).unwrap().unwrap()), out);
    }
}
