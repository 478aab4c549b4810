//! Every input of up to three bytes, in both versions.

use baremqtt::Version;
use baremqtt::codec::{self, Decoded};

use super::{BOTH, is_refusal};

type DecodeResult<'a> = Result<Decoded<'a>, baremqtt::Violation>;

/// Decodes, and checks what must hold for every result.
fn decode(bytes: &[u8], version: Version) -> DecodeResult<'_> {
    let result = codec::decode(bytes, version);
    match &result {
        Ok(Decoded::Complete { packet, .. }) if is_refusal(packet) => {}
        Ok(Decoded::Complete { packet, len }) => {
            let mut out = [0; 4];
            let written = packet.encode(version, &mut out).unwrap();
            assert_eq!(written, packet.encoded_len());
            // 3.1 has bits that are ignored, and which we send as in the standard's tables.
            if version == Version::Mqtt311 {
                assert_eq!(Some(&out[..written]), bytes.get(..*len), "{bytes:02X?}");
            }
            assert_eq!(codec::decode(&out[..written], version), result, "{bytes:02X?}");
        }
        Ok(Decoded::Incomplete { missing }) => assert!(*missing >= 1, "{bytes:02X?}"),
        Err(_) => {}
    }
    result
}

/// Once the result is known, more bytes do not change it.
fn check_longer(result: DecodeResult<'_>, longer: DecodeResult<'_>, bytes: &[u8]) {
    match (result, longer) {
        (Ok(Decoded::Incomplete { missing }), Ok(Decoded::Incomplete { missing: still })) => {
            assert!(missing == 1 || still == missing - 1, "{bytes:02X?}");
        }
        (Ok(Decoded::Incomplete { missing }), Ok(Decoded::Complete { len, .. })) => {
            assert_eq!((missing, len), (1, bytes.len()), "{bytes:02X?}");
        }
        (Ok(Decoded::Incomplete { .. }), Err(_)) => {}
        (result, longer) => assert_eq!(result, longer, "{bytes:02X?}"),
    }
}

fn check_all_that_begin_with(first: u8, version: Version) {
    let bytes = [first];
    let one = decode(&bytes, version);
    for second in 0..=255 {
        let bytes = [first, second];
        let two = decode(&bytes, version);
        check_longer(one, two, &bytes);
        for third in 0..=255 {
            let bytes = [first, second, third];
            check_longer(two, decode(&bytes, version), &bytes);
        }
    }
}

/// CONNACK, the six packets that hold only an identifier, and anything else that announces two bytes.
#[test]
fn every_packet_with_a_body_of_two_bytes() {
    for version in BOTH {
        for first in 0..=255 {
            for body in 0..=u16::MAX {
                let [high, low] = body.to_be_bytes();
                let bytes = [first, 2, high, low];
                let result = decode(&bytes, version);
                assert!(!matches!(result, Ok(Decoded::Incomplete { .. })), "{bytes:02X?}");
            }
        }
    }
}

#[test]
fn every_input_of_up_to_three_bytes() {
    std::thread::scope(|scope| {
        for version in BOTH {
            scope.spawn(move || {
                assert_eq!(decode(&[], version), Ok(Decoded::Incomplete { missing: 1 }));
                (0..=255).for_each(|first| check_all_that_begin_with(first, version));
            });
        }
    });
}
