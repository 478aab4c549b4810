//! Other people's codecs.

mod codec_kit;
mod mqtt_proto;
mod mqttbytes;
mod mqttrs;
mod mqute;
mod ntex;
mod protocol_core;
mod rumqttc;
mod tiny;

use crate::operations::{Operation, operations};

pub fn all() -> Vec<Operation> {
    let mut all = operations::<mqttrs::Mqttrs>();
    all.extend(operations::<mqttbytes::Mqttbytes>());
    all.extend(operations::<rumqttc::Rumqttc>());
    all.extend(operations::<protocol_core::ProtocolCore>());
    all.extend(operations::<mqtt_proto::MqttProto>());
    all.extend(operations::<codec_kit::CodecKit>());
    all.extend(operations::<mqute::Mqute>());
    all.extend(operations::<ntex::Ntex>());
    all.extend(operations::<tiny::Tiny>());
    all
}
