//! Every packet, both ways, in both versions.

use core::fmt::{self, Display, Write};

use baremqtt::codec::{
    ConnAck, Connect, Credentials, Decoded, Delivery, FixedHeader, Packet, PacketType, Publish, SubAck,
    SubAckCode, SubAckCodes, Subscribe, SubscribeFilters, Text, Unsubscribe, UnsubscribeFilters, Will,
    decode,
};
use baremqtt::{PacketId, QoS, RefusalCode, TopicName, Version};

use crate::{any, any_bytes, any_text, keep};

pub fn run() {
    let version = any(Version::Mqtt311);
    let mut out = [0; 64];
    decode_any(version);
    encode_each(version, any(&mut out));
}

fn decode_any(version: Version) {
    keep(FixedHeader::decode(any_bytes(), version).map(|header| header.map(|header| header.packet_len())));
    match decode(any_bytes(), version) {
        Ok(Decoded::Complete { packet, len }) => {
            keep((packet, len, packet.packet_type(), packet.encoded_len()));
            read(packet);
            print(packet);
        }
        Ok(Decoded::Incomplete { missing }) => keep(missing),
        Err(violation) => print(violation),
    }
}

/// Reads what a packet holds behind an iterator or a method.
fn read(packet: Packet<'_>) {
    match packet {
        Packet::Publish(publish) => {
            keep((publish.delivery.qos(), publish.delivery.id(), publish.delivery.dup()));
        }
        Packet::Subscribe(subscribe) => subscribe.filters.iter().for_each(keep),
        Packet::Unsubscribe(unsubscribe) => unsubscribe.filters.iter().for_each(keep),
        Packet::SubAck(suback) => {
            suback.codes.iter().for_each(keep);
            keep((suback.codes.get(any(0)), suback.codes.len()));
        }
        Packet::ConnAck(ConnAck::Refused(code)) => keep(code.code()),
        Packet::Connect(connect) => keep((connect.client_id.as_str(), connect.client_id == any_text())),
        _ => {}
    }
}

fn encode_each(version: Version, out: &mut [u8]) {
    let Some(id) = PacketId::new(any(1)) else { return };
    keep((id.next(), id.get()));
    keep((RefusalCode::new(any(1)).map(RefusalCode::is_reserved), Text::new(any_text()).check()));
    let Some(qos) = QoS::from_bits(any(1)) else { return };
    let dup = any(false);
    let retain = any(false);

    let will = Will { retain, ..Will::new(any_text(), any_bytes()).qos(qos) };
    let connect = Connect::new(any_text()).version(version).clean_session(any(true)).keep_alive(any(60));
    let connect = Connect {
        will: any(Some(will)),
        credentials: any(Some(Credentials::new(any_text(), any(Some(any_bytes()))))),
        ..connect
    };
    encode(Packet::Connect(connect), version, out);

    let refused = ConnAck::Refused(any(RefusalCode::NOT_AUTHORIZED));
    encode(Packet::ConnAck(refused), version, out);
    encode(Packet::ConnAck(ConnAck::Accepted { session_present: any(true) }), version, out);

    for delivery in
        [Delivery::AtMostOnce, Delivery::AtLeastOnce { id, dup }, Delivery::ExactlyOnce { id, dup }]
    {
        if let Ok(topic) = TopicName::new(any_text()) {
            let publish = Publish { topic, payload: any_bytes(), delivery: any(delivery), retain };
            encode(Packet::Publish(publish), version, out);
        }
    }
    for packet in [
        Packet::PubAck(id),
        Packet::PubRec(id),
        Packet::PubRel { id, dup },
        Packet::PubComp(id),
        Packet::UnsubAck(id),
        Packet::PingReq,
        Packet::PingResp,
        Packet::Disconnect,
    ] {
        encode(packet, version, out);
    }

    let wanted = any([(any_text(), qos), (any_text(), qos)]);
    if let Ok(filters) = SubscribeFilters::new(any(&wanted[..])) {
        encode(Packet::Subscribe(Subscribe { id, dup, filters }), version, out);
    }
    let unwanted = any([any_text(), any_text()]);
    if let Ok(filters) = UnsubscribeFilters::new(any(&unwanted[..])) {
        encode(Packet::Unsubscribe(Unsubscribe { id, dup, filters }), version, out);
    }
    let granted = any([SubAckCode::Granted(qos), SubAckCode::Failure]);
    if let Ok(codes) = SubAckCodes::new(any(&granted[..])) {
        encode(Packet::SubAck(SubAck { id, codes }), version, out);
    }
    keep(any(PacketType::Publish).first_byte());
}

fn encode(packet: Packet<'_>, version: Version, out: &mut [u8]) {
    let packet = any(packet);
    keep(packet.encoded_len());
    match packet.encode(version, out) {
        Ok(len) => keep((len, &*out)),
        Err(error) => print(error),
    }
    print(packet);
}

/// Formats with `{}`.
pub fn print(value: impl Display) {
    struct Sink;
    impl Write for Sink {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            keep(text);
            if any(true) { Ok(()) } else { Err(fmt::Error) }
        }
    }
    keep(write!(Sink, "{value}"));
}
