//! baremqtt.

use std::hint::black_box;

use baremqtt::codec::{Decoded, Delivery, Packet, PacketId, Publish, Subscribe, SubscribeFilters, decode};
use baremqtt::{Connect, QoS, TopicName, Version, Will};

use crate::codec::{Codec, Slice};
use crate::input;

const V: Version = Version::Mqtt311;

pub struct Ours;

impl Codec for Ours {
    const NAME: &'static str = "baremqtt";

    type Connect = Connect<'static>;
    type Publish = Publish<'static>;
    type Subscribe = Subscribe<'static>;
    type PubAck = PacketId;

    fn connect(values: &'static input::Connect) -> Self::Connect {
        Connect::new(values.client_id)
            .keep_alive(values.keep_alive)
            .will(Will::new(values.will_topic, values.will_message).qos(QoS::AtLeastOnce))
            .credentials(values.username, values.password.as_bytes())
    }

    fn publish(values: &'static input::Publish) -> Self::Publish {
        let delivery = match PacketId::new(values.id) {
            Some(id) => Delivery::AtLeastOnce { id, dup: false },
            None => Delivery::AtMostOnce,
        };
        Publish {
            topic: TopicName::new(values.topic).unwrap(),
            payload: values.payload,
            delivery,
            retain: false,
        }
    }

    fn subscribe(values: &'static input::Subscribe) -> Self::Subscribe {
        // The list that an application would keep in a constant.
        static FILTERS: [(&str, QoS); 3] = [
            (input::SUBSCRIBE.filters[0].0, QoS::AtLeastOnce),
            (input::SUBSCRIBE.filters[1].0, QoS::AtMostOnce),
            (input::SUBSCRIBE.filters[2].0, QoS::ExactlyOnce),
        ];
        let filters = SubscribeFilters::new(black_box(&FILTERS)).unwrap();
        Subscribe { id: PacketId::new(values.id).unwrap(), dup: false, filters }
    }

    fn puback(id: u16) -> PacketId {
        PacketId::new(id).unwrap()
    }

    type Out = Slice;

    fn out() -> Slice {
        Slice::new()
    }

    fn written(out: &Slice) -> &[u8] {
        out.written()
    }

    fn encode_connect(packet: &Self::Connect, out: &mut Slice) {
        out.len = packet.encode(&mut out.room).unwrap();
    }

    fn encode_publish(packet: &Self::Publish, out: &mut Slice) {
        out.len = packet.encode(V, &mut out.room).unwrap();
    }

    fn encode_subscribe(packet: &Self::Subscribe, out: &mut Slice) {
        out.len = packet.encode(V, &mut out.room).unwrap();
    }

    fn encode_puback(id: &PacketId, out: &mut Slice) {
        out.len = Packet::PubAck(*id).encode(V, &mut out.room).unwrap();
    }

    type In = &'static [u8];

    fn input(bytes: &'static [u8]) -> Self::In {
        bytes
    }

    fn decode(input: &mut Self::In) {
        match &decode(input, V) {
            Ok(Decoded::Complete { packet, len }) => {
                black_box(packet);
                *input = &input[*len..];
            }
            other => panic!("{other:?}"),
        }
    }

    fn transcode(input: &mut Self::In, out: &mut Slice) {
        match &decode(input, V) {
            Ok(Decoded::Complete { packet, len }) => {
                out.len = packet.encode(V, &mut out.room).unwrap();
                *input = &input[*len..];
            }
            other => panic!("{other:?}"),
        }
    }
}
