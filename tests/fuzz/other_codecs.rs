//! Any bytes, decoded here and by two other codecs for MQTT 3.1.1. If both accept them, the packet is identical bit by bit: the other codec
//! encodes it again. If only one accepts them, the reason is one of those listed here.

use std::cell::Cell;
use std::panic::{catch_unwind, set_hook, take_hook};
use std::sync::Once;

use baremqtt::codec::{self, ConnAck, Decoded, Packet};
use baremqtt::{Version, Violation};

/// The result of another codec.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// A packet, as that codec would write it.
    Packet(Vec<u8>),
    Incomplete,
    Rejected(String),
    Panicked,
}

struct Codec {
    name: &'static str,
    decode: fn(&[u8]) -> Verdict,
    /// What it accepts although the standard forbids it.
    accepts: &'static [Violation],
    /// Whether it rejects this packet, although the standard allows it.
    rejects: fn(&Packet<'_>) -> bool,
}

const CODECS: [Codec; 2] = [
    Codec {
        name: "mqttbytes",
        decode: mqttbytes,
        accepts: &[
            Violation::HeaderFlags,             // MQTT-2.2.2-2
            Violation::RemainingLength,         // 2.2.3: longer than it needs to be
            Violation::PacketLength,            // MQTT-4.8.0-1: bytes behind the last field
            Violation::NulCharacter,            // MQTT-1.5.3-2
            Violation::PacketIdZero,            // MQTT-2.3.1-1
            Violation::ProtocolLevel,           // MQTT-3.1.2-2: MQTT with the level of 3.1
            Violation::ConnectFlags,            // MQTT-3.1.2-3
            Violation::WillFlags,               // MQTT-3.1.2-11
            Violation::PasswordWithoutUsername, // MQTT-3.1.2-22
            Violation::ClientIdEmpty,           // MQTT-3.1.3-7
            Violation::ConnAckFlags,            // 3.2.2.1
            Violation::DupAtMostOnce,           // MQTT-3.3.1-2
            Violation::TopicEmpty,              // MQTT-4.7.3-1
            Violation::WildcardInTopicName,     // MQTT-3.3.2-2
            Violation::MultiLevelWildcard,      // MQTT-4.7.1-2
            Violation::SingleLevelWildcard,     // MQTT-4.7.1-3
            Violation::NoTopicFilter,           // MQTT-3.8.3-3
            Violation::NoTopicFilterToRemove,   // MQTT-3.10.3-2
            Violation::RequestedQos,            // MQTT-3.8.3-4: reserved bits
        ],
        // It does not support MQTT 3.1, treats passwords and will messages as text, contrary to MQTT-3.1.3-11, and drops empty user
        // names and passwords.
        rejects: |packet| match packet {
            Packet::Connect(connect) => {
                let password = connect.credentials.and_then(|credentials| credentials.password);
                is_not_text(password)
                    || is_not_text(connect.will.map(|will| will.message))
                    || connect.credentials.is_some_and(|credentials| credentials.username.is_empty())
                    || password.is_some_and(<[u8]>::is_empty)
                    || connect.version == Version::Mqtt31
            }
            _ => is_reserved_refusal(packet),
        },
    },
    Codec {
        name: "mqttrs",
        decode: mqttrs,
        accepts: &[
            Violation::RemainingLength,         // 2.2.3: longer than it needs to be
            Violation::PacketLength,            // MQTT-4.8.0-1: bytes behind the last field
            Violation::Utf8,                    // MQTT-1.5.3-1: in fields of a CONNECT that it leaves out
            Violation::NulCharacter,            // MQTT-1.5.3-2
            Violation::ConnectFlags,            // MQTT-3.1.2-3
            Violation::WillFlags,               // MQTT-3.1.2-11
            Violation::WillMessage,             // 3.1 section 3.1
            Violation::PasswordWithoutUsername, // MQTT-3.1.2-22
            Violation::ClientIdEmpty,           // MQTT-3.1.3-7
            Violation::ClientIdLength,          // 3.1 section 3.1
            Violation::ConnAckFlags,            // 3.2.2.1
            Violation::DupAtMostOnce,           // MQTT-3.3.1-2
            Violation::TopicEmpty,              // MQTT-4.7.3-1
            Violation::TopicLength,             // 3.1 section 2.2
            Violation::WildcardInTopicName,     // MQTT-3.3.2-2
            Violation::MultiLevelWildcard,      // MQTT-4.7.1-2
            Violation::SingleLevelWildcard,     // MQTT-4.7.1-3
            Violation::NoTopicFilter,           // MQTT-3.8.3-3
            Violation::NoTopicFilterToRemove,   // MQTT-3.10.3-2
            Violation::SubAckCount,             // MQTT-3.8.4-5: none
        ],
        // It encodes 3.1 with another protocol name.
        rejects: |packet| match packet {
            Packet::Connect(connect) => connect.version == Version::Mqtt31,
            _ => is_reserved_refusal(packet),
        },
    },
];

/// Both reject a CONNACK with a code above 5: here it is a refusal, whatever its reason (3.2.2.3 reserves the codes).
fn is_reserved_refusal(packet: &Packet<'_>) -> bool {
    matches!(packet, Packet::ConnAck(ConnAck::Refused(code)) if code.is_reserved())
}

fn is_not_text(bytes: Option<&[u8]>) -> bool {
    bytes.is_some_and(|bytes| std::str::from_utf8(bytes).is_err())
}

pub fn run(data: &[u8]) {
    let ours = codec::decode(data, Version::Mqtt311);
    for codec in &CODECS {
        let theirs = without_panic(|| (codec.decode)(data));
        let agrees = match (&ours, &theirs) {
            (Ok(Decoded::Complete { packet, .. }), _) if (codec.rejects)(packet) => true,
            (Ok(Decoded::Complete { len, .. }), theirs) => *theirs == Verdict::Packet(data[..*len].to_vec()),
            (Ok(Decoded::Incomplete { .. }), theirs) => *theirs == Verdict::Incomplete,
            (Err(violation), Verdict::Packet(_)) => codec.accepts.contains(violation),
            // Here an invalid header is reported before the rest has arrived.
            (Err(_), Verdict::Incomplete | Verdict::Rejected(_) | Verdict::Panicked) => true,
        };
        assert!(agrees, "{}: {theirs:?}, and here {ours:?}", codec.name);
    }
}

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Another codec may panic; the fuzzer, whose hook ends the process, must not see that.
fn without_panic(decode: impl FnOnce() -> Verdict + std::panic::UnwindSafe) -> Verdict {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let default_hook = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_QUIET.get() {
                default_hook(panic)
            }
        }));
    });
    IS_QUIET.set(true);
    let verdict = catch_unwind(decode).unwrap_or(Verdict::Panicked);
    IS_QUIET.set(false);
    verdict
}

fn mqttbytes(data: &[u8]) -> Verdict {
    use ::mqttbytes::{Error, v4};
    let mut out = bytes::BytesMut::new();
    let written = match v4::read(&mut bytes::BytesMut::from(data), usize::MAX) {
        Err(Error::InsufficientBytes(_)) => return Verdict::Incomplete,
        Err(error) => return Verdict::Rejected(format!("{error:?}")),
        Ok(v4::Packet::Connect(packet)) => packet.write(&mut out),
        Ok(v4::Packet::ConnAck(packet)) => packet.write(&mut out),
        Ok(v4::Packet::Publish(packet)) => packet.write(&mut out),
        Ok(v4::Packet::PubAck(packet)) => packet.write(&mut out),
        Ok(v4::Packet::PubRec(packet)) => packet.write(&mut out),
        Ok(v4::Packet::PubRel(packet)) => packet.write(&mut out),
        Ok(v4::Packet::PubComp(packet)) => packet.write(&mut out),
        Ok(v4::Packet::Subscribe(packet)) => packet.write(&mut out),
        Ok(v4::Packet::SubAck(packet)) => packet.write(&mut out),
        Ok(v4::Packet::Unsubscribe(packet)) => packet.write(&mut out),
        Ok(v4::Packet::UnsubAck(packet)) => packet.write(&mut out),
        Ok(v4::Packet::PingReq) => v4::PingReq.write(&mut out),
        Ok(v4::Packet::PingResp) => v4::PingResp.write(&mut out),
        Ok(v4::Packet::Disconnect) => v4::Disconnect.write(&mut out),
    };
    match written {
        Ok(_) => Verdict::Packet(out.to_vec()),
        Err(error) => Verdict::Rejected(format!("{error:?}")),
    }
}

fn mqttrs(data: &[u8]) -> Verdict {
    match ::mqttrs::decode_slice(data) {
        Ok(None) => Verdict::Incomplete,
        Err(error) => Verdict::Rejected(format!("{error:?}")),
        Ok(Some(packet)) => {
            let mut out = vec![0; data.len() + 16];
            match ::mqttrs::encode_slice(&packet, &mut out) {
                Ok(len) => Verdict::Packet(out[..len].to_vec()),
                Err(error) => Verdict::Rejected(format!("{error:?}")),
            }
        }
    }
}
