//! A gate in front of a broker that knows neither WebSocket nor rights: it looks at every packet of a browser.
//!
//! What a file of passwords and an access list do in Mosquitto is done here on the codec alone.

use std::net::SocketAddr;

use axum::extract::ws::{Message, WebSocket};
use baremqtt::Version;
use baremqtt::codec::{self, Connect, Credentials, Decoded, Packet};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::presence;

/// A browser sends nothing longer.
const MAX_PACKET: usize = 4 << 10;

/// Whether this is a user, with the right password.
pub type Knows = Box<dyn Fn(&str, &[u8]) -> bool + Send>;

/// What a browser may do.
pub struct Guest {
    pub knows: Knows,
    /// Topic filters that everybody may subscribe to.
    pub may_read: Vec<String>,
    /// As whom the gate connects to the broker.
    pub server: (String, String),
}

/// Passes packets on in both directions, until one side ends or the browser does what it may not.
pub async fn serve(socket: WebSocket, broker: SocketAddr, guest: Guest) {
    let Ok(stream) = TcpStream::connect(broker).await else { return };
    let (from_broker, to_broker) = stream.into_split();
    let (to_browser, from_browser) = socket.split();
    let gate = Gate { guest, name: None, version: Version::default(), received: Vec::new() };
    tokio::select! {
        () = inward(from_browser, to_broker, gate) => {}
        () = outward(from_broker, to_browser) => {}
    }
}

async fn inward<E>(
    mut browser: impl Stream<Item = Result<Message, E>> + Unpin,
    mut broker: OwnedWriteHalf,
    mut gate: Gate,
) {
    while let Some(Ok(message)) = browser.next().await {
        let passed = match message {
            Message::Binary(bytes) => gate.pass(&bytes),
            Message::Text(_) | Message::Close(_) => return,
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        let Some(bytes) = passed else { return };
        if broker.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn outward(mut broker: OwnedReadHalf, mut browser: impl Sink<Message> + Unpin) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(len @ 1..) = broker.read(&mut buffer).await {
        let Some(bytes) = buffer.get(..len) else { return };
        if browser.send(Message::Binary(bytes.to_vec().into())).await.is_err() {
            return;
        }
    }
}

/// One browser's packets.
struct Gate {
    guest: Guest,
    /// Who it is, after CONNECT.
    name: Option<String>,
    version: Version,
    received: Vec<u8>,
}

impl Gate {
    /// Takes bytes in, and says which go on to the broker; `None`: the browser has to go.
    fn pass(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut received = std::mem::take(&mut self.received);
        received.extend_from_slice(bytes);
        let (mut passed, mut rest) = (Vec::new(), received.as_slice());
        while let Decoded::Complete { packet, len } = codec::decode(rest, self.version).ok()? {
            let (whole, behind) = rest.split_at_checked(len)?;
            match packet {
                Packet::Connect(connect) => passed.extend(self.connect(&connect)?),
                packet if self.allows(&packet) => passed.extend_from_slice(whole),
                _ => return None,
            }
            rest = behind;
        }
        self.received = rest.to_vec();
        (self.received.len() <= MAX_PACKET).then_some(passed)
    }

    /// The browser's CONNECT, with the credentials of this server in place of those that were checked here.
    fn connect(&mut self, connect: &Connect<'_>) -> Option<Vec<u8>> {
        let Credentials { username, password } = connect.credentials?;
        let own_presence = presence::topic(username);
        let known = self.name.is_none() && (self.guest.knows)(username, password?);
        if !known || connect.will.is_some_and(|will| will.topic != own_presence) {
            return None;
        }
        self.name = Some(username.to_owned());
        self.version = connect.version;
        let (username, password) = &self.guest.server;
        let connect = Packet::Connect(connect.credentials(username, password.as_bytes()));
        let mut bytes = vec![0; connect.encoded_len()];
        connect.encode(self.version, &mut bytes).ok()?;
        Some(bytes)
    }

    /// Whether somebody may do that: read what is written to them and to all, write whether they are there.
    fn allows(&self, packet: &Packet<'_>) -> bool {
        let Some(name) = &self.name else { return false };
        match packet {
            Packet::Publish(publish) => publish.topic.as_str() == presence::topic(name),
            Packet::Subscribe(subscribe) => subscribe.filters.into_iter().all(|(filter, _)| {
                filter.as_str() == name || self.guest.may_read.iter().any(|known| known == filter.as_str())
            }),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baremqtt::codec::{Delivery, Publish};
    use baremqtt::{TopicName, Will};

    fn gate() -> Gate {
        let guest = Guest {
            knows: Box::new(|name, password| name == "Alice" && password == b"secret"),
            may_read: vec!["all".into(), "presence/+".into()],
            server: ("server".into(), "other".into()),
        };
        Gate { guest, name: None, version: Version::default(), received: Vec::new() }
    }

    fn bytes(packet: Packet<'_>) -> Vec<u8> {
        let mut bytes = vec![0; packet.encoded_len()];
        packet.encode(Version::default(), &mut bytes).expect("a packet that can be sent");
        bytes
    }

    fn connect(password: &'static [u8], will: &'static str) -> Vec<u8> {
        let connect = Connect::new("x").credentials("Alice", password).will(Will::new(will, b"off"));
        bytes(Packet::Connect(connect))
    }

    fn publish(topic: &str) -> Vec<u8> {
        let topic = TopicName::new(topic).expect("a topic");
        bytes(Packet::Publish(Publish {
            topic,
            payload: b"on",
            delivery: Delivery::AtMostOnce,
            retain: true,
        }))
    }

    #[test]
    fn lets_in_who_is_known_as_the_server() {
        let passed = gate().pass(&connect(b"secret", "presence/Alice")).expect("passes");
        let Ok(Decoded::Complete { packet: Packet::Connect(connect), .. }) =
            codec::decode(&passed, Version::default())
        else {
            panic!("not a CONNECT");
        };
        let expected = Credentials { username: "server", password: Some(b"other") };
        assert_eq!((connect.client_id, connect.credentials), ("x", Some(expected)));
        assert!(gate().pass(&self::connect(b"wrong", "presence/Alice")).is_none());
        assert!(gate().pass(&bytes(Packet::Connect(Connect::new("x")))).is_none());
    }

    #[test]
    fn nobody_writes_for_another() {
        assert!(gate().pass(&connect(b"secret", "presence/Bob")).is_none());
        assert!(gate().pass(&publish("presence/Alice")).is_none());
        for (topic, allowed) in
            [("presence/Alice", true), ("presence/Bob", false), ("Bob", false), ("all", false)]
        {
            let mut gate = gate();
            assert!(gate.pass(&connect(b"secret", "presence/Alice")).is_some());
            assert_eq!(gate.pass(&publish(topic)).is_some(), allowed, "{topic}");
        }
    }

    #[test]
    fn nobody_reads_what_is_anothers() {
        for (filter, allowed) in
            [("Alice", true), ("all", true), ("presence/+", true), ("Bob", false), ("#", false), ("+", false)]
        {
            let mut gate = gate();
            assert!(gate.pass(&connect(b"secret", "presence/Alice")).is_some());
            let mut subscribe = vec![0x82, 5 + filter.len() as u8, 0, 1, 0, filter.len() as u8];
            subscribe.extend_from_slice(filter.as_bytes());
            subscribe.push(1);
            // In two pieces, as a WebSocket may bring it.
            let (first, second) = subscribe.split_at(3);
            assert_eq!(gate.pass(first), Some(Vec::new()));
            assert_eq!(gate.pass(second).is_some(), allowed, "{filter}");
        }
    }
}
