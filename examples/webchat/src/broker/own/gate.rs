//! A gate in front of a broker that supports neither WebSocket nor access rights: it checks every packet of a browser.
//!
//! What a password file and an access list do in Mosquitto is done here, using only the codec.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use baremqtt::Version;
use baremqtt::codec::{self, ConnAck, Connect, Decoded, Packet, RefusalCode};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use super::Users;
use crate::chat::presence;

/// A browser sends nothing longer.
const MAX_PACKET: usize = 4 << 10;

/// Who is admitted, and what they may do.
pub(super) struct House {
    pub(super) users: Arc<Users>,
    /// Topic filters that everybody may subscribe to.
    pub(super) may_read: Vec<String>,
    /// The credentials with which the gate connects to the broker.
    pub(super) server: (String, String),
}

/// Forwards packets in both directions, until one side ends, the browser does something forbidden, or its user is dismissed.
pub(super) async fn serve(socket: WebSocket, broker: SocketAddr, house: House) {
    let Ok(stream) = TcpStream::connect(broker).await else { return };
    let (from_broker, to_broker) = stream.into_split();
    let (mut to_browser, from_browser) = socket.split();
    let LastWords(bytes) = tokio::select! {
        last_words = inward(from_browser, to_broker, Gate::new(house)) => last_words,
        last_words = outward(from_broker, &mut to_browser) => last_words,
    };
    if !bytes.is_empty() {
        let _ = to_browser.send(Message::Binary(bytes.into())).await;
    }
    let _ = to_browser.close().await;
}

/// Why the browser is disconnected, with the packet that it is sent before, if any.
#[derive(Debug, PartialEq, Eq)]
struct LastWords(Vec<u8>);

const NONE: LastWords = LastWords(Vec::new());

async fn inward<E>(
    mut browser: impl Stream<Item = Result<Message, E>> + Unpin,
    mut broker: OwnedWriteHalf,
    mut gate: Gate,
) -> LastWords {
    loop {
        let message = tokio::select! {
            message = browser.next() => message,
            () = gate.dismissed() => return NONE,
        };
        let passed = match message {
            Some(Ok(Message::Binary(bytes))) => gate.pass(&bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            _ => return NONE,
        };
        match passed {
            Ok(bytes) if broker.write_all(&bytes).await.is_ok() => {}
            Ok(_) => return NONE,
            Err(last_words) => return last_words,
        }
    }
}

async fn outward(mut broker: OwnedReadHalf, browser: &mut (impl Sink<Message> + Unpin)) -> LastWords {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(len @ 1..) = broker.read(&mut buffer).await {
        let Some(bytes) = buffer.get(..len) else { break };
        if browser.send(Message::Binary(bytes.to_vec().into())).await.is_err() {
            break;
        }
    }
    NONE
}

/// One browser's packets.
struct Gate {
    house: House,
    /// The user, once CONNECT has arrived, and how long they may stay.
    guest: Option<(String, watch::Receiver<()>)>,
    version: Version,
    received: Vec<u8>,
}

impl Gate {
    fn new(house: House) -> Self {
        Gate { house, guest: None, version: Version::default(), received: Vec::new() }
    }

    /// Waits until the user may stay no longer.
    async fn dismissed(&mut self) {
        match &mut self.guest {
            Some((_, stay)) => while stay.changed().await.is_ok() {},
            None => std::future::pending().await,
        }
    }

    /// Takes bytes from the browser, and returns those to forward to the broker.
    fn pass(&mut self, bytes: &[u8]) -> Result<Vec<u8>, LastWords> {
        let mut received = std::mem::take(&mut self.received);
        received.extend_from_slice(bytes);
        let (mut passed, mut rest) = (Vec::new(), received.as_slice());
        while let Decoded::Complete { packet, len } = codec::decode(rest, self.version).map_err(|_| NONE)? {
            let (whole, behind) = rest.split_at_checked(len).ok_or(NONE)?;
            match packet {
                Packet::Connect(connect) => passed.extend(self.connect(&connect)?),
                packet if self.allows(&packet) => passed.extend_from_slice(whole),
                _ => return Err(NONE),
            }
            rest = behind;
        }
        self.received = rest.to_vec();
        if self.received.len() <= MAX_PACKET { Ok(passed) } else { Err(NONE) }
    }

    /// The browser's CONNECT, with the credentials of this server in place of those that were checked here.
    fn connect(&mut self, connect: &Connect<'_>) -> Result<Vec<u8>, LastWords> {
        if self.guest.is_some() {
            return Err(NONE);
        }
        self.version = connect.version;
        let credentials = connect.credentials.ok_or_else(|| self.refusal(RefusalCode::NOT_AUTHORIZED))?;
        let (name, password) = (credentials.username.as_str(), credentials.password.unwrap_or_default());
        let stay = self.house.users.let_in(name, password);
        let stay = stay.ok_or_else(|| self.refusal(RefusalCode::BAD_USER_NAME_OR_PASSWORD))?;
        let own_presence = presence::topic(name);
        if connect.will.is_some_and(|will| will.topic != *own_presence) {
            return Err(self.refusal(RefusalCode::NOT_AUTHORIZED));
        }
        self.guest = Some((name.to_owned(), stay));
        let (username, password) = &self.house.server;
        encode(&Packet::Connect(connect.credentials(username, password.as_bytes())), self.version).ok_or(NONE)
    }

    fn refusal(&self, code: RefusalCode) -> LastWords {
        let packet = Packet::ConnAck(ConnAck::Refused(code));
        encode(&packet, self.version).map_or(NONE, LastWords)
    }

    /// Whether somebody may do that: read messages to themselves and to all, and write their own presence.
    fn allows(&self, packet: &Packet<'_>) -> bool {
        let Some((name, _)) = &self.guest else { return false };
        match packet {
            Packet::Publish(publish) => publish.topic.as_str() == presence::topic(name),
            Packet::Subscribe(subscribe) => subscribe.filters.into_iter().all(|(filter, _)| {
                filter.as_str() == name || self.house.may_read.iter().any(|known| known == filter.as_str())
            }),
            _ => true,
        }
    }
}

fn encode(packet: &Packet<'_>, version: Version) -> Option<Vec<u8>> {
    let mut bytes = vec![0; packet.encoded_len()];
    packet.encode(version, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use baremqtt::codec::{Credentials, Delivery, Publish};
    use baremqtt::{TopicName, Will};

    fn gate() -> Gate {
        let users = Users::default();
        let alice = super::super::User { password: "secret".into(), stay: watch::Sender::new(()) };
        crate::lock(&users.0).insert("Alice".into(), alice);
        Gate::new(House {
            users: Arc::new(users),
            may_read: vec!["all".into(), presence::FILTER.into()],
            server: ("server".into(), "other".into()),
        })
    }

    fn bytes(packet: Packet<'_>) -> Vec<u8> {
        encode(&packet, Version::default()).expect("a packet that can be sent")
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
        let expected = Credentials::new("server", Some(b"other"));
        assert_eq!((connect.client_id.as_str(), connect.credentials), ("x", Some(expected)));
        assert_eq!(
            gate().pass(&self::connect(b"wrong", "presence/Alice")),
            Err(LastWords(vec![0x20, 2, 0, 4]))
        );
        let nobody = bytes(Packet::Connect(Connect::new("x")));
        assert_eq!(gate().pass(&nobody), Err(LastWords(vec![0x20, 2, 0, 5])));
    }

    #[test]
    fn nobody_writes_for_another() {
        assert!(gate().pass(&connect(b"secret", "presence/Bob")).is_err());
        assert!(gate().pass(&publish("presence/Alice")).is_err());
        for (topic, allowed) in
            [("presence/Alice", true), ("presence/Bob", false), ("Bob", false), ("all", false)]
        {
            let mut gate = gate();
            assert!(gate.pass(&connect(b"secret", "presence/Alice")).is_ok());
            assert_eq!(gate.pass(&publish(topic)).is_ok(), allowed, "{topic}");
        }
    }

    #[test]
    fn nobody_reads_what_is_anothers() {
        for (filter, allowed) in
            [("Alice", true), ("all", true), ("presence/+", true), ("Bob", false), ("#", false), ("+", false)]
        {
            let mut gate = gate();
            assert!(gate.pass(&connect(b"secret", "presence/Alice")).is_ok());
            let mut subscribe = vec![0x82, 5 + filter.len() as u8, 0, 1, 0, filter.len() as u8];
            subscribe.extend_from_slice(filter.as_bytes());
            subscribe.push(1);
            // In two pieces, as a WebSocket may deliver it.
            let (first, second) = subscribe.split_at(3);
            assert_eq!(gate.pass(first), Ok(Vec::new()));
            assert_eq!(gate.pass(second).is_ok(), allowed, "{filter}");
        }
    }
}
