//! How a client interprets the server's bytes when they arrive one by one, and everything that it has for the server is sent at
//! once.

use baremqtt::{Connect, Instant};

use super::Buffered;

/// Events that depend only on what the server sends, whatever the application requests, and when.
pub fn is_caused_by_server(event: &str) -> bool {
    event.starts_with("Message") || event.starts_with("Connected")
}

/// These events, up to the end of the bytes or of the connection.
pub fn messages(mut client: Buffered, mut bytes: &[u8]) -> Vec<String> {
    let now = Instant::from_millis(0);
    let mut events = Vec::new();
    client.connect(&Connect::new("c").keep_alive(30)).unwrap();
    loop {
        let sent = client.pending().len();
        client.sent(sent);
        let room = client.receive_buffer();
        let len = room.len().min(bytes.len());
        room[..len].copy_from_slice(&bytes[..len]);
        bytes = &bytes[len..];
        client.received(len);
        loop {
            match client.advance(now) {
                Ok(true) => events.extend(client.event().map(|event| format!("{event:?}"))),
                Ok(false) => break,
                Err(_) => return only_caused_by_server(events),
            }
        }
        if len == 0 && client.pending().is_empty() {
            return only_caused_by_server(events);
        }
    }
}

fn only_caused_by_server(mut events: Vec<String>) -> Vec<String> {
    events.retain(|event| is_caused_by_server(event));
    events
}
