//! What `defmt` writes for our values. The logger used here keeps the bytes; text is written to it as it is.

use baremqtt::codec::{Packet, QoS, Subscribe, SubscribeFilters};
use baremqtt::{Connect, Message, PacketId, RefusalCode, TopicFilter, TopicName};

use crate::adapters::client;

/// What is written for a value.
macro_rules! formatted {
    ($value:expr) => {{
        defmt::export::fetch_bytes();
        defmt::println!("{}", $value);
        defmt::export::fetch_bytes()
    }};
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn passwords_are_left_out() {
    let connect = Connect::new("the-client").credentials("the-user", b"the-password");
    let bytes = formatted!(connect);
    assert!(holds(&bytes, b"the-client") && holds(&bytes, b"the-user"));
    assert!(!holds(&bytes, b"the-password"));
    let bytes = formatted!(Packet::Connect(connect));
    assert!(holds(&bytes, b"the-user") && !holds(&bytes, b"the-password"));

    // The client keeps CONNECT in a buffer.
    let mut client = client();
    client.connect(&connect).unwrap();
    assert!(!holds(&formatted!(client), b"the-password"));
    assert!(!holds(&formatted!(client.outbound()), b"the-password"));
}

#[test]
fn values_are_formatted_completely() {
    assert!(holds(&formatted!(TopicName::new("a/topic").unwrap()), b"a/topic"));
    assert!(holds(&formatted!(TopicFilter::new("a/+").unwrap()), b"a/+"));
    assert!(holds(&formatted!(Message::new("a/topic", b"payload")), b"payload"));
    // After the indices of the strings, and before the end of the line.
    assert!(formatted!(PacketId::new(0x1234).unwrap()).ends_with(&[0x34, 0x12, 0, 0]));
    assert!(formatted!(RefusalCode::NOT_AUTHORIZED).ends_with(&[5, 0, 0]));
    let filters = [("one/#", QoS::AtMostOnce), ("two/+", QoS::ExactlyOnce)];
    let filters = SubscribeFilters::new(&filters).unwrap();
    let bytes =
        formatted!(Packet::Subscribe(Subscribe { id: PacketId::new(7).unwrap(), filters, dup: false }));
    assert!(holds(&bytes, b"one/#") && holds(&bytes, b"two/+"));
}
