//! Packets, reassembled from the pieces that pass a proxy.

use std::collections::HashMap;

use baremqtt::Version;
use baremqtt::codec::{self, Decoded, Packet};

use super::proxy::Direction;

/// The bytes of each connection and direction that are not a whole packet yet.
#[derive(Default)]
pub struct Packets(HashMap<(usize, bool), Vec<u8>>);

impl Packets {
    /// Passes `on_packet` the MQTT 3.1.1 packets that this piece completes.
    pub fn push(
        &mut self,
        connection: usize,
        direction: Direction,
        piece: &[u8],
        mut on_packet: impl FnMut(&Packet<'_>),
    ) {
        let bytes = self.0.entry((connection, direction == Direction::ToBroker)).or_default();
        bytes.extend(piece);
        let mut at = 0;
        while let Decoded::Complete { packet, len } = codec::decode(&bytes[at..], Version::Mqtt311).unwrap() {
            on_packet(&packet);
            at += len;
        }
        bytes.drain(..at);
    }
}
