//! Any bytes: nothing panics, and what is accepted encodes to an equal packet.

use baremqtt::Version;
use baremqtt::codec::{self, ConnAck, Decoded, Packet};

pub fn run(data: &[u8]) {
    for version in [Version::Mqtt31, Version::Mqtt311] {
        match codec::decode(data, version) {
            // A refusal is read with any code, but written only with those of the standard.
            Ok(Decoded::Complete { packet: Packet::ConnAck(ConnAck::Refused(code)), .. }) => {
                assert!(code.to_string().ends_with(&format!("({})", code.code())));
            }
            Ok(Decoded::Complete { packet, len }) => check(packet, &data[..len], version),
            Ok(Decoded::Incomplete { missing }) => assert!(missing >= 1),
            Err(violation) => assert!(!violation.to_string().is_empty()),
        }
    }
}

fn check(packet: Packet<'_>, bytes: &[u8], version: Version) {
    let mut out = vec![0; packet.encoded_len()];
    let len = packet.encode(version, &mut out).unwrap();
    assert_eq!(len, out.len());
    assert_eq!(codec::decode(&out, version), Ok(Decoded::Complete { packet, len }));
    let is_mqtt31 = match packet {
        Packet::Connect(connect) => connect.version == Version::Mqtt31,
        _ => version == Version::Mqtt31,
    };
    // 3.1 has bits that are ignored; 3.1.1 has only one encoding for each packet.
    assert!(is_mqtt31 || out == bytes);
    for cut in 0..bytes.len().min(64) {
        assert!(matches!(codec::decode(&bytes[..cut], version), Ok(Decoded::Incomplete { .. })));
    }
    assert!(!packet.to_string().contains(char::is_control));
}
