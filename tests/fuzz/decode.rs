//! Any bytes: nothing panics, and what is accepted encodes to an equal packet.

use baremqtt::Version;
use baremqtt::codec::{self, ConnAck, Decoded, FixedHeader, Packet};

/// What follows the bytes, so that longer packets are complete.
static ZEROS: [u8; 20_000] = [0; 20_000];

pub fn run(data: &[u8]) {
    let longer = [data, &ZEROS].concat();
    for version in [Version::Mqtt31, Version::Mqtt311] {
        check_header(data, &longer, version);
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

/// The same bytes are the same header, however much follows.
fn check_header(data: &[u8], longer: &[u8], version: Version) {
    let header = FixedHeader::decode(data, version);
    if header == Ok(None) {
        return;
    }
    assert_eq!(FixedHeader::decode(longer, version), header);
    match (codec::decode(longer, version), header.map(|header| header.map(|header| header.packet_len()))) {
        (Ok(Decoded::Complete { len, .. }), packet_len) => assert_eq!(packet_len, Ok(Some(len))),
        (Ok(Decoded::Incomplete { missing }), packet_len) => {
            assert_eq!(packet_len, Ok(Some(longer.len() + missing)))
        }
        // There may be several violations, and more in the body.
        (Err(_), _) => {}
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
