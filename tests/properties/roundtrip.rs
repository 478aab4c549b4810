//! Whatever is encoded is decoded to the same packet, and whatever is accepted is encoded to the same bytes.

use baremqtt::codec::{self, ConnAck, Decoded, FixedHeader, Packet};
use baremqtt::{EncodeError, Version};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::model::Model;

/// A version, and a packet that is legal in it.
fn any_packet() -> impl Strategy<Value = (Version, Model)> {
    prop_oneof![Just(Version::Mqtt31), Just(Version::Mqtt311)]
        .prop_flat_map(|version| (Just(version), packet_of(version)))
}

fn packet_of(version: Version) -> impl Strategy<Value = Model> {
    let mqtt31 = version == Version::Mqtt31;
    let id = || 1..=u16::MAX;
    // DUP in a PUBREL, SUBSCRIBE or UNSUBSCRIBE, and an answer that exists only in 3.1.1.
    let dup = || any::<bool>().prop_map(move |dup| dup && mqtt31);
    let codes = if mqtt31 { 0_u8..3 } else { 0..4 };
    prop_oneof![
        4 => connect_of(version),
        1 => (0_u8..6, any::<bool>()).prop_map(move |(code, present)| {
            Model::ConnAck { code, session_present: present && code == 0 && !mqtt31 }
        }),
        4 => (topic_name(), payload(), 0_u8..3, id(), any::<bool>(), any::<bool>()).prop_map(
            |(topic, payload, qos, id, dup, retain)| Model::Publish { topic, payload, qos, id, dup, retain }
        ),
        1 => (0_u8..4, id()).prop_map(|(kind, id)| Model::Ack { kind, id }),
        1 => (id(), dup()).prop_map(|(id, dup)| Model::PubRel { id, dup }),
        2 => (id(), dup(), vec((topic_filter(), 0_u8..3), 1..5))
            .prop_map(|(id, dup, filters)| Model::Subscribe { id, dup, filters }),
        2 => (id(), vec(codes, 1..200)).prop_map(|(id, codes)| Model::SubAck { id, codes }),
        2 => (id(), dup(), vec(topic_filter(), 1..5))
            .prop_map(|(id, dup, filters)| Model::Unsubscribe { id, dup, filters }),
        1 => (0_u8..3).prop_map(|kind| Model::Empty { kind }),
    ]
}

fn connect_of(version: Version) -> impl Strategy<Value = Model> {
    // Fields that may be any bytes in 3.1.1 are ASCII in 3.1, as its wills and passwords require.
    let (client_id, bytes) = match version {
        Version::Mqtt31 => ("[^\0]{1,23}", vec(1..0x80_u8, 0..100).boxed()),
        Version::Mqtt311 => ("[^\0]{0,40}", payload().boxed()),
    };
    let will = option::of((topic_name(), bytes.clone(), 0_u8..3, any::<bool>()));
    let credentials = option::of(("[^\0]{0,20}", option::of(bytes)));
    (client_id, any::<bool>(), any::<u16>(), will, credentials).prop_map(
        |(client_id, clean, keep_alive, will, credentials)| {
            let clean_session = clean || client_id.is_empty();
            Model::Connect { client_id, clean_session, keep_alive, will, credentials }
        },
    )
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..300)
}

fn topic_name() -> impl Strategy<Value = String> {
    prop_oneof!["[^\0+#]{1,40}", "[a-c/$]{1,12}"]
}

fn topic_filter() -> impl Strategy<Value = String> {
    (vec(prop_oneof!["[^\0+#/]{0,10}", Just("+".to_string())], 0..4), any::<bool>()).prop_map(
        |(mut levels, all)| {
            if all || levels.concat().is_empty() {
                levels.push("#".to_string());
            }
            levels.join("/")
        },
    )
}

/// The packet that all the bytes form.
fn decoded(bytes: &[u8], version: Version) -> Packet<'_> {
    match codec::decode(bytes, version) {
        Ok(Decoded::Complete { packet, len }) if len == bytes.len() => packet,
        other => panic!("{bytes:02X?} in {version}: {other:?}"),
    }
}

fn encoded(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    packet.encode_to_vec(version).unwrap_or_else(|error| panic!("{packet:?} in {version}: {error}"))
}

/// A refusal is read with any code, and with session present; it is written only as the standard specifies.
fn is_refusal(packet: &Packet<'_>) -> bool {
    matches!(packet, Packet::ConnAck(ConnAck::Refused(_)))
}

/// Every prefix of the bytes is incomplete, and the number of missing bytes is exact once the fixed header is there.
fn check_prefixes(bytes: &[u8], version: Version) {
    let header_len = 2 + bytes[1..].iter().take_while(|byte| **byte >= 0x80).count();
    for len in 0..bytes.len() {
        let expected = if len < header_len { 1 } else { bytes.len() - len };
        let decoded = codec::decode(&bytes[..len], version);
        assert_eq!(decoded, Ok(Decoded::Incomplete { missing: expected }));
    }
}

fn check_short_slices(packet: &Packet<'_>, version: Version) {
    let needed = packet.encoded_len();
    let mut out = vec![0; needed];
    for len in 0..needed {
        assert_eq!(packet.encode(version, &mut out[..len]), Err(EncodeError::BufferTooSmall { needed }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn encode_and_decode((version, model) in any_packet()) {
        model.with(version, |packet| {
            let bytes = encoded(packet, version);
            assert_eq!(decoded(&bytes, version), *packet);
            check_prefixes(&bytes, version);
            check_short_slices(packet, version);
            let mut out = vec![0; packet.encoded_len()];
            assert_eq!(packet.encode(version, &mut out), Ok(out.len()));
            assert_eq!(out, bytes);
            // A longer slice makes no difference, nor do bytes that follow.
            let mut longer = [&bytes[..], &[0xAA; 5]].concat();
            assert_eq!(packet.encode(version, &mut longer), Ok(bytes.len()));
            assert_eq!(longer, [&bytes[..], &[0xAA; 5]].concat());
            assert_eq!(
                codec::decode(&longer, version),
                Ok(Decoded::Complete { packet: *packet, len: bytes.len() })
            );
        }).unwrap();
    }

    /// A few changed bytes yield packets that our encoder would not write, most of them invalid.
    #[test]
    fn each_packet_has_one_encoding(
        (version, model) in any_packet(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = model.with(version, |packet| encoded(packet, version)).unwrap();
        for (index, value) in changes {
            *index.get_mut(&mut bytes) = value;
        }
        // If the header is refused, the packet is refused for the same reason, however much of it is there.
        if let Err(violation) = FixedHeader::decode(&bytes, version) {
            assert_eq!(codec::decode(&bytes, version), Err(violation));
        }
        if let Ok(Decoded::Complete { packet, len }) = codec::decode(&bytes, version)
            && !is_refusal(&packet)
        {
            let again = encoded(&packet, version);
            assert_eq!(decoded(&again, version), packet);
            let is_mqtt31 = match packet {
                Packet::Connect(connect) => connect.version == Version::Mqtt31,
                _ => version == Version::Mqtt31,
            };
            assert!(is_mqtt31 || again == bytes[..len]);
        }
    }

    #[test]
    fn each_packet_is_displayed_on_one_line((version, model) in any_packet()) {
        let line = model.with(version, |packet| packet.to_string()).unwrap();
        prop_assert!(!line.is_empty() && !line.contains(char::is_control), "{:?}", line);
    }
}
