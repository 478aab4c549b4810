//! One turn of a loop around a client.

use baremqtt::{Client, Event};

use crate::world::{any, now, read, write};

pub fn turn(client: &mut Client<[u8; 256], [u8; 256], 8>) {
    let pending = client.pending();
    if !pending.is_empty() {
        let len = write(pending);
        client.sent(len, now());
    }
    let buffer = client.receive_buffer();
    if !buffer.is_empty() {
        let len = read(buffer);
        client.received(len, now());
    }
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
    any(client.deadline());
}
