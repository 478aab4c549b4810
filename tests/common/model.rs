//! Any packet as an owned value, for property tests and fuzzing.

use arbitrary::Arbitrary;
use baremqtt::codec::{
    ConnAck, Delivery, Packet, PacketId, Publish, SubAck, Subscribe, SubscribeFilters, Unsubscribe,
    UnsubscribeFilters,
};
use baremqtt::{
    Connect, Credentials, QoS, RefusalCode, SubAckCode, SubAckCodes, TopicName, Version, Violation, Will,
};

/// One of the fourteen packets. QoS and codes are taken modulo the number of valid values.
#[derive(Arbitrary, Clone, Debug)]
pub enum Model {
    Connect {
        client_id: String,
        clean_session: bool,
        keep_alive: u16,
        will: Option<(String, Vec<u8>, u8, bool)>,
        credentials: Option<(String, Option<Vec<u8>>)>,
    },
    ConnAck {
        code: u8,
        session_present: bool,
    },
    Publish {
        topic: String,
        payload: Vec<u8>,
        qos: u8,
        id: u16,
        dup: bool,
        retain: bool,
    },
    /// PUBACK, PUBREC, PUBCOMP or UNSUBACK.
    Ack {
        kind: u8,
        id: u16,
    },
    PubRel {
        id: u16,
        dup: bool,
    },
    Subscribe {
        id: u16,
        dup: bool,
        filters: Vec<(String, u8)>,
    },
    SubAck {
        id: u16,
        codes: Vec<u8>,
    },
    Unsubscribe {
        id: u16,
        dup: bool,
        filters: Vec<String>,
    },
    /// PINGREQ, PINGRESP or DISCONNECT.
    Empty {
        kind: u8,
    },
}

impl Model {
    /// Calls `f` with the packet, or returns why it cannot be built.
    pub fn with<R>(&self, version: Version, f: impl FnOnce(&Packet<'_>) -> R) -> Result<R, Violation> {
        Ok(match self {
            Model::Connect { client_id, clean_session, keep_alive, will, credentials } => {
                f(&Packet::Connect(Connect {
                    version,
                    client_id: client_id.as_str().into(),
                    clean_session: *clean_session,
                    keep_alive: *keep_alive,
                    will: will.as_ref().map(|(topic, message, qos_bits, retain)| Will {
                        topic: topic.as_str().into(),
                        message,
                        qos: qos(*qos_bits),
                        retain: *retain,
                    }),
                    credentials: credentials
                        .as_ref()
                        .map(|(username, password)| Credentials::new(username, password.as_deref())),
                }))
            }
            Model::ConnAck { code, session_present } => f(&Packet::ConnAck(match code % 6 {
                0 => ConnAck::Accepted { session_present: *session_present },
                1 => ConnAck::Refused(RefusalCode::UNACCEPTABLE_PROTOCOL_VERSION),
                2 => ConnAck::Refused(RefusalCode::IDENTIFIER_REJECTED),
                3 => ConnAck::Refused(RefusalCode::SERVER_UNAVAILABLE),
                4 => ConnAck::Refused(RefusalCode::BAD_USER_NAME_OR_PASSWORD),
                _ => ConnAck::Refused(RefusalCode::NOT_AUTHORIZED),
            })),
            Model::Publish { topic, payload, qos, id, dup, retain } => {
                let delivery = match qos % 3 {
                    0 => Delivery::AtMostOnce,
                    1 => Delivery::AtLeastOnce { id: packet_id(*id)?, dup: *dup },
                    _ => Delivery::ExactlyOnce { id: packet_id(*id)?, dup: *dup },
                };
                f(&Packet::Publish(Publish {
                    topic: TopicName::new(topic)?,
                    payload,
                    delivery,
                    retain: *retain,
                }))
            }
            Model::Ack { kind, id } => {
                let id = packet_id(*id)?;
                f(&match kind % 4 {
                    0 => Packet::PubAck(id),
                    1 => Packet::PubRec(id),
                    2 => Packet::PubComp(id),
                    _ => Packet::UnsubAck(id),
                })
            }
            Model::PubRel { id, dup } => f(&Packet::PubRel { id: packet_id(*id)?, dup: *dup }),
            Model::Subscribe { id, dup, filters } => {
                let list: Vec<_> = filters.iter().map(|(text, bits)| (text.as_str(), qos(*bits))).collect();
                let filters = SubscribeFilters::new(&list)?;
                f(&Packet::Subscribe(Subscribe { id: packet_id(*id)?, dup: *dup, filters }))
            }
            Model::SubAck { id, codes } => {
                let list: Vec<_> = codes
                    .iter()
                    .map(|code| match code % 4 {
                        3 => SubAckCode::Failure,
                        bits => SubAckCode::Granted(qos(bits)),
                    })
                    .collect();
                f(&Packet::SubAck(SubAck { id: packet_id(*id)?, codes: SubAckCodes::new(&list)? }))
            }
            Model::Unsubscribe { id, dup, filters } => {
                let list: Vec<_> = filters.iter().map(String::as_str).collect();
                let filters = UnsubscribeFilters::new(&list)?;
                f(&Packet::Unsubscribe(Unsubscribe { id: packet_id(*id)?, dup: *dup, filters }))
            }
            Model::Empty { kind } => f(&match kind % 3 {
                0 => Packet::PingReq,
                1 => Packet::PingResp,
                _ => Packet::Disconnect,
            }),
        })
    }
}

fn qos(bits: u8) -> QoS {
    QoS::from_bits(bits % 3).unwrap()
}

fn packet_id(id: u16) -> Result<PacketId, Violation> {
    PacketId::new(id).ok_or(Violation::PacketIdZero)
}
