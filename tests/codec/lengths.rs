//! The remaining length (section 2.2.3) and the two-byte lengths of strings.

use baremqtt::codec::{
    self, Decoded, Delivery, FixedHeader, MAX_REMAINING_LENGTH, Packet, PacketType, Publish,
};
use baremqtt::{Connect, EncodeError, TopicName, Version, Violation, Will};

use super::{BOTH, decoded, encoded, missing, not_encoded};

/// Table 2.4 of the standard.
const BOUNDARIES: [(usize, &[u8]); 8] = [
    (0, &[0x00]),
    (127, &[0x7F]),
    (128, &[0x80, 0x01]),
    (16_383, &[0xFF, 0x7F]),
    (16_384, &[0x80, 0x80, 0x01]),
    (2_097_151, &[0xFF, 0xFF, 0x7F]),
    (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
    (MAX_REMAINING_LENGTH, &[0xFF, 0xFF, 0xFF, 0x7F]),
];

/// A PUBLISH of QoS 0 to `t` whose remaining length is 3 more than its payload.
fn publish(payload: &[u8]) -> Packet<'_> {
    let topic = TopicName::new("t").unwrap();
    Packet::Publish(Publish { topic, payload, delivery: Delivery::AtMostOnce, retain: false })
}

#[test]
fn fixed_header_at_every_boundary() {
    for (remaining_len, bytes) in BOUNDARIES {
        let packet_type = if remaining_len == 0 { PacketType::PingReq } else { PacketType::Publish };
        let first = packet_type.first_byte();
        let header_len = 1 + bytes.len();
        let expected = FixedHeader { packet_type, flags: 0, header_len, remaining_len };
        let whole = [&[first], bytes].concat();
        for version in BOTH {
            assert_eq!(FixedHeader::decode(&whole, version), Ok(Some(expected)));
            assert_eq!(expected.packet_len(), header_len + remaining_len);
            for len in 0..header_len {
                assert_eq!(FixedHeader::decode(&whole[..len], version), Ok(None));
                assert_eq!(missing(&whole[..len], version), 1);
            }
            if remaining_len > 0 {
                assert_eq!(missing(&whole, version), remaining_len);
            }
        }
    }
}

#[test]
fn fixed_header_is_written_in_the_shortest_form() {
    // Both sides of each boundary that a test can afford to allocate twice.
    for (boundary, bytes) in &BOUNDARIES[1..7] {
        let packet_len = 1 + bytes.len() + boundary;
        let payload = vec![0x55; boundary - 3];
        let packet = publish(&payload);
        assert_eq!(packet.encoded_len(), packet_len);
        for version in BOTH {
            let out = encoded(&packet, version);
            assert_eq!(&out[1..1 + bytes.len()], *bytes);
            assert_eq!(decoded(&out, version), packet);
        }
    }
}

/// 256 MiB of zeros cost nothing: they are never read or written.
#[test]
fn longest_packet() {
    let zeros = vec![0; MAX_REMAINING_LENGTH];
    let packet = publish(&zeros[..MAX_REMAINING_LENGTH - 3]);
    let needed = MAX_REMAINING_LENGTH + 5;
    assert_eq!(packet.encoded_len(), needed);
    assert_eq!(packet.encode(Version::Mqtt311, &mut [0; 64]), Err(EncodeError::BufferTooSmall { needed }));
    let one_more = publish(&zeros[..MAX_REMAINING_LENGTH - 2]);
    let too_long = EncodeError::Forbidden(Violation::TooLong);
    assert_eq!(one_more.encode(Version::Mqtt311, &mut [0; 64]), Err(too_long));
    #[cfg(feature = "std")]
    assert_eq!(one_more.encode_to_vec(Version::Mqtt311), Err(too_long));
}

#[test]
fn lengths_with_surplus_bytes_are_refused() {
    for bytes in [
        &[0x80, 0x00][..],
        &[0xFF, 0x00],
        &[0x80, 0x80, 0x00],
        &[0xFF, 0xFF, 0x00],
        &[0x80, 0x80, 0x80, 0x00],
        &[0xFF, 0xFF, 0xFF, 0x00],
        // Five bytes, and the fifth is not awaited.
        &[0x80, 0x80, 0x80, 0x80],
        &[0xFF, 0xFF, 0xFF, 0xFF],
        &[0xFF, 0xFF, 0xFF, 0x80, 0x01],
    ] {
        for packet_type in [PacketType::Publish, PacketType::PubAck, PacketType::PingReq] {
            let header = [&[packet_type.first_byte()], bytes].concat();
            for version in BOTH {
                assert_eq!(FixedHeader::decode(&header, version), Err(Violation::RemainingLength));
            }
        }
    }
}

/// However much has been received, the same bytes are the same header.
#[test]
fn a_length_means_the_same_however_much_follows() {
    const BYTES: [u8; 7] = [0x00, 0x01, 0x05, 0x7F, 0x80, 0x85, 0xFF];
    let mut bytes = vec![0; 2_200_000];
    bytes[0] = PacketType::Publish.first_byte();
    for (len, index) in (1..=4).flat_map(|len| (0..BYTES.len().pow(len)).map(move |index| (len, index))) {
        let length = (0..len).map(|place| BYTES[index / BYTES.len().pow(place) % BYTES.len()]);
        let start: Vec<u8> = length.chain(*b"\x00\x01t\x00").collect();
        bytes[1..=start.len()].copy_from_slice(&start);
        for version in BOTH {
            let header = FixedHeader::decode(&bytes[..5], version);
            assert_eq!(FixedHeader::decode(&bytes, version), header);
            match (codec::decode(&bytes, version), header.map(|header| header.unwrap().packet_len())) {
                (Ok(Decoded::Complete { len, .. }), packet_len) => {
                    assert_eq!(packet_len, Ok(len), "{start:02X?}")
                }
                (Ok(Decoded::Incomplete { missing }), packet_len) => {
                    assert_eq!(packet_len, Ok(bytes.len() + missing))
                }
                (Err(violation), Err(expected)) => assert_eq!(violation, expected, "{start:02X?}"),
                (Err(violation), Ok(_)) => assert_ne!(violation, Violation::RemainingLength, "{start:02X?}"),
            }
        }
    }
}

#[test]
fn strings_of_65_535_bytes_and_of_one_more() {
    let text = "x".repeat(65_536);
    let (longest, too_long) = (&text[..65_535], &text[..]);
    for (connect, allowed) in [
        (Connect::new(longest), true),
        (Connect::new(too_long), false),
        (Connect::new("c").credentials(longest, longest.as_bytes()), true),
        (Connect::new("c").username(too_long), false),
        (Connect::new("c").credentials("u", too_long.as_bytes()), false),
        (Connect::new("c").will(Will::new(longest, longest.as_bytes())), true),
        (Connect::new("c").will(Will::new(too_long, b"")), false),
        (Connect::new("c").will(Will::new("t", too_long.as_bytes())), false),
    ] {
        let packet = Packet::Connect(connect);
        if allowed {
            assert_eq!(decoded(&encoded(&packet, Version::Mqtt311), Version::Mqtt311), packet);
        } else {
            assert_eq!(not_encoded(&packet, Version::Mqtt311), Violation::TooLong);
        }
    }
    let other = format!("{}ä", "x".repeat(65_533));
    assert!(TopicName::new(longest).is_ok() && TopicName::new(&other).is_ok());
    assert_eq!(TopicName::new(too_long), Err(Violation::TooLong));
    assert_eq!(TopicName::new(&(other + "x")), Err(Violation::TooLong));
}

/// The byte after the length is not part of it, although it looks like it could be, whatever follows.
#[test]
fn the_byte_after_a_length_is_not_part_of_it() {
    let bytes = [&[0x90, 0x82, 0x01, 1, 1], &[0; 128][..], &[0; 40_000]].concat();
    let whole = codec::decode(&bytes, Version::Mqtt311);
    assert!(matches!(whole, Ok(Decoded::Complete { len: 133, .. })), "{whole:?}");
}

/// Each bit of a remaining length counts, however many bytes it has.
#[test]
fn every_bit_of_a_length_is_decoded() {
    for len in (2..22).flat_map(|bit| [1_usize << bit, (1 << bit) + 1, (1 << bit) + 42, (2 << bit) - 1]) {
        let payload = vec![b'x'; len - 3];
        let packet = publish(&payload);
        let bytes = encoded(&packet, Version::Mqtt311);
        assert_eq!(
            bytes.len(),
            len + 1 + 1 + usize::from(len > 127) + usize::from(len > 16_383) + usize::from(len > 2_097_151)
        );
        // With nothing after the packet, and with more than a wrong length could cover.
        for more in [0, 300, 40_000].map(|len| vec![b'y'; len]) {
            let bytes = [&bytes[..], &more].concat();
            let whole = codec::decode(&bytes, Version::Mqtt311);
            assert_eq!(whole, Ok(Decoded::Complete { packet, len: bytes.len() - more.len() }));
        }
        assert_eq!(missing(&bytes[..bytes.len() - 1], Version::Mqtt311), 1);
    }
}
