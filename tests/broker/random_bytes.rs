//! Bytes that no client would send: the server closes the connection, and continues to serve the others.

use std::net::Shutdown;

use baremqtt::codec::{Connect, Delivery, Packet, QoS, Version};

use crate::client::Client;
use crate::{VERSIONS, start};

/// A valid conversation, which is damaged in each round.
const PACKETS: &[&[u8]] = &[
    b"\x82\x08\x00\x01\x00\x03a/#\x02",
    b"\x30\x06\x00\x03a/bx",
    b"\x32\x08\x00\x03a/b\x00\x02y",
    b"\x34\x08\x00\x03a/b\x00\x03z",
    b"\x62\x02\x00\x03",
    b"\x40\x02\x00\x01",
    b"\x50\x02\x00\x02",
    b"\x70\x02\x00\x02",
    b"\xa2\x07\x00\x04\x00\x03a/#",
    b"\xc0\x00",
];

/// xorshift32: the same bytes in every run.
struct Random(u32);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % bound
    }

    /// A conversation with some packets repeated or left out and some bytes changed.
    fn conversation(&mut self, version: Version) -> Vec<u8> {
        let connect = Packet::Connect(Connect::new("faulty").version(version).clean_session(false));
        let mut bytes = vec![0; connect.encoded_len()];
        connect.encode(version, &mut bytes).expect("a good CONNECT");
        let damage_connect = self.below(4) == 0;
        let start = if damage_connect { 0 } else { bytes.len() };
        for _ in 0..self.below(20) {
            bytes.extend_from_slice(PACKETS[self.below(PACKETS.len())]);
        }
        for _ in 0..self.below(4) {
            let index = start + self.below(bytes.len() - start + 1);
            if let Some(byte) = bytes.get_mut(index) {
                *byte = self.below(256) as u8;
            }
        }
        bytes
    }
}

#[test]
fn one_client_does_not_affect_others() {
    let server = start();
    let mut bystander = Client::clean(&server, Version::Mqtt311, "bystander");
    bystander.subscribe("fine", QoS::AtMostOnce);
    let mut random = Random(0x2545_F491);
    for _ in 0..500 {
        for version in VERSIONS {
            let mut client = Client::open(&server, version);
            client.send_bytes(&random.conversation(version));
            client.shut_down(Shutdown::Write);
            while !client.at_end() {}
        }
    }
    bystander.publish("fine", b"x", Delivery::AtMostOnce, false);
    bystander.expect_publish("fine", b"x", Delivery::AtMostOnce);
    Client::clean(&server, Version::Mqtt311, "faulty").disconnect();
}
