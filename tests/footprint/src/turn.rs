//! One turn of a loop around a client.

#![allow(dead_code, reason = "each program uses a part of it")]

use baremqtt::Event;

use crate::config::Mqtt;
use crate::world::{any, now, read, write};

pub fn turn(client: &mut Mqtt) {
    transfer(client);
    while let Ok(true) = client.advance(now()) {
        match client.event() {
            Some(Event::Message(message)) => {
                any((message.topic.as_bytes(), message.payload));
            }
            Some(Event::Published { id, .. } | Event::Ended { id, .. }) => {
                any(id);
            }
            _ => {}
        }
    }
    any(client.time_left());
}

/// Sends and receives.
#[inline(always)]
pub fn transfer(client: &mut Mqtt) {
    let pending = client.pending();
    if !pending.is_empty() {
        let len = write(pending);
        client.sent(len);
    }
    let buffer = client.receive_buffer();
    if !buffer.is_empty() {
        let len = read(buffer);
        client.received(len);
    }
}
