//! The codec: what is accepted, what is refused and why, what is written. One file per subject.

mod display;
mod exhaustive;
mod lengths;
mod mqtt31;
mod phpmqtt;
mod pitfalls;
mod strings;
mod topics;
mod values;

use baremqtt::codec::{self, ConnAck, Decoded, Packet, PacketId};
use baremqtt::{EncodeError, Version, Violation};

const BOTH: [Version; 2] = [Version::Mqtt31, Version::Mqtt311];

/// Bytes from hexadecimal digits; spaces are ignored.
fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).expect("a hexadecimal digit"))
        .collect();
    assert!(digits.len().is_multiple_of(2));
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

fn id(id: u16) -> PacketId {
    PacketId::new(id).unwrap()
}

/// The packet that all the bytes form.
#[track_caller]
fn decoded(bytes: &[u8], version: Version) -> Packet<'_> {
    match codec::decode(bytes, version) {
        Ok(Decoded::Complete { packet, len }) if len == bytes.len() => packet,
        other => panic!("{bytes:02X?} in {version}: {other:?}"),
    }
}

/// Why the bytes are refused.
#[track_caller]
fn refused(bytes: &[u8], version: Version) -> Violation {
    match codec::decode(bytes, version) {
        Err(violation) => violation,
        other => panic!("{bytes:02X?} in {version}: {other:?}"),
    }
}

#[track_caller]
fn refused_in_both(digits: &str, violation: Violation) {
    for version in BOTH {
        assert_eq!(refused(&hex(digits), version), violation, "{digits} in {version}");
    }
}

/// How many bytes are missing from an incomplete packet.
#[track_caller]
fn missing(bytes: &[u8], version: Version) -> usize {
    match codec::decode(bytes, version) {
        Ok(Decoded::Incomplete { missing }) => missing,
        other => panic!("{bytes:02X?} in {version}: {other:?}"),
    }
}

#[track_caller]
fn encoded(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut out = vec![0; packet.encoded_len()];
    assert_eq!(packet.encode(version, &mut out), Ok(out.len()), "{packet:?} in {version}");
    out
}

/// Why the packet cannot be encoded, however large the slice.
#[track_caller]
fn not_encoded(packet: &Packet<'_>, version: Version) -> Violation {
    match packet.encode(version, &mut vec![0; packet.encoded_len()]) {
        Err(EncodeError::Forbidden(violation)) => violation,
        other => panic!("{packet:?} in {version}: {other:?}"),
    }
}

/// A refusal is read with any code, and with session present; it is written only as the standard specifies.
fn is_refusal(packet: &Packet<'_>) -> bool {
    matches!(packet, Packet::ConnAck(ConnAck::Refused(_)))
}

/// A CONNECT with a keep alive of 10 s and these flags and fields, whether they are consistent or not.
fn raw_connect(version: Version, flags: u8, fields: &[&[u8]]) -> Vec<u8> {
    let mut body = match version {
        Version::Mqtt31 => b"\0\x06MQIsdp\x03".to_vec(),
        Version::Mqtt311 => b"\0\x04MQTT\x04".to_vec(),
    };
    body.extend([flags, 0, 10]);
    for field in fields {
        body.extend((field.len() as u16).to_be_bytes());
        body.extend(*field);
    }
    assert!(body.len() < 128);
    [&[0x10, body.len() as u8], &body[..]].concat()
}
