//! mqtt-tiny, with std. Encoding consumes its packets: if a packet is needed again it is cloned.

use std::hint::black_box;

use mqtt_tiny::packets::TryFromIterator;
use mqtt_tiny::{Connect, Packet, Puback, Publish, Subscribe};

use crate::codec::Codec;
use crate::input;

pub struct Tiny;

fn write(packet: &(impl IntoIterator<Item = u8> + Clone), out: &mut Vec<u8>) {
    out.clear();
    out.extend(packet.clone());
}

/// Decodes a packet, and returns how many bytes it took.
fn read(input: &mut &'static [u8]) -> Result<Packet, mqtt_tiny::error::DecoderError> {
    let mut bytes = input.iter();
    let packet = Packet::try_from_iter((&mut bytes).copied());
    *input = bytes.as_slice();
    packet
}

impl Codec for Tiny {
    const NAME: &'static str = "mqtt-tiny";

    type Connect = Connect;
    type Publish = Publish;
    type Subscribe = Subscribe;
    type PubAck = Puback;

    fn connect(values: &'static input::Connect) -> Connect {
        Connect::new(values.keep_alive, true, values.client_id)
            .and_then(|connect| connect.with_will(values.will_topic, values.will_message, 1, false))
            .and_then(|connect| connect.with_username_password(values.username, values.password))
            .unwrap()
    }

    fn publish(values: &'static input::Publish) -> Publish {
        let publish = Publish::new(values.topic, values.payload, false).unwrap();
        if values.id == 0 { publish } else { publish.with_qos(1, values.id, false) }
    }

    fn subscribe(values: &'static input::Subscribe) -> Subscribe {
        Subscribe::new(values.id, values.filters).unwrap()
    }

    fn puback(id: u16) -> Puback {
        Puback::new(id)
    }

    type Out = Vec<u8>;

    fn out() -> Vec<u8> {
        Vec::with_capacity(20_000)
    }

    fn written(out: &Vec<u8>) -> &[u8] {
        out
    }

    fn encode_connect(packet: &Connect, out: &mut Vec<u8>) {
        write(packet, out);
    }

    fn encode_publish(packet: &Publish, out: &mut Vec<u8>) {
        write(packet, out);
    }

    fn encode_subscribe(packet: &Subscribe, out: &mut Vec<u8>) {
        write(packet, out);
    }

    fn encode_puback(packet: &Puback, out: &mut Vec<u8>) {
        write(packet, out);
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
        out.clear();
        match read(input).unwrap() {
            Packet::Connect(packet) => out.extend(packet),
            Packet::Connack(packet) => out.extend(packet),
            Packet::Publish(packet) => out.extend(packet),
            Packet::Puback(packet) => out.extend(packet),
            Packet::Subscribe(packet) => out.extend(packet),
            Packet::Suback(packet) => out.extend(packet),
            Packet::Unsuback(packet) => out.extend(packet),
            Packet::Pingresp(packet) => out.extend(packet),
            _ => panic!(),
        }
    }
}
