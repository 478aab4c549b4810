//! What is sent again says so: DUP (MQTT-3.3.1-1).

use super::super::bytes::set;
use super::record::{DUP, Record};
use crate::codec::PacketType;

/// The record, which may have been seen, is to be sent again. In 3.1.1 only PUBLISH has DUP; in 3.1 PUBREL, SUBSCRIBE and
/// UNSUBSCRIBE have it too.
pub(super) fn again(log: &mut [u8], at: usize, record: Record, mqtt31: bool) {
    let request = record.request(log, at);
    let has_dup = mqtt31 || request >> 4 == PacketType::Publish as u8;
    set(log, record.packet(at), if has_dup { request | DUP } else { request & !DUP });
}
