//! Any packet that can be built: the encoder refuses it, or writes what the decoder reads.

use crate::model::Model;
use arbitrary::{Arbitrary, Unstructured};
use baremqtt::codec::{self, Decoded, Packet};
use baremqtt::{EncodeError, Version};

pub fn run(data: &[u8]) {
    let Ok(model) = Model::arbitrary_take_rest(Unstructured::new(data)) else { return };
    for version in [Version::Mqtt31, Version::Mqtt311] {
        // What cannot be built (an empty topic, an identifier of 0) has nothing to round-trip.
        let _ = model.with(version, |packet| check(packet, version));
    }
}

fn check(packet: &Packet<'_>, version: Version) {
    let needed = packet.encoded_len();
    let mut out = vec![0; needed];
    match packet.encode(version, &mut out) {
        Ok(len) => {
            assert_eq!(len, needed);
            assert_eq!(out[0] >> 4, packet.packet_type().first_byte() >> 4);
            let decoded = codec::decode(&out, version);
            assert_eq!(decoded, Ok(Decoded::Complete { packet: *packet, len }));
            // It is shown in the same way, wherever its lists are stored; long ones would only take time.
            if needed < 64 {
                assert!(format!("{decoded:?}").contains(&format!("{packet:?}")));
                assert!(!packet.to_string().contains(char::is_control));
                check_lists(packet);
            }
            let too_small = Err(EncodeError::BufferTooSmall { needed });
            assert_eq!(packet.encode(version, &mut out[..needed - 1]), too_small);
        }
        Err(EncodeError::Forbidden(violation)) => {
            assert_eq!(EncodeError::Forbidden(violation).to_string(), violation.to_string());
        }
        Err(error) => panic!("{error}"),
    }
}

/// Lists are shown alike, by themselves and by their iterators.
fn check_lists(packet: &Packet<'_>) {
    let (list, items) = match packet {
        Packet::Subscribe(packet) => {
            (format!("{:?}", packet.filters), format!("{:?}", packet.filters.into_iter()))
        }
        Packet::Unsubscribe(packet) => {
            (format!("{:?}", packet.filters), format!("{:?}", packet.filters.into_iter()))
        }
        Packet::SubAck(packet) => (format!("{:?}", packet.codes), format!("{:?}", packet.codes.into_iter())),
        _ => return,
    };
    assert_eq!(list, items);
}
