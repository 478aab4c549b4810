//! A client that sends only what a test requests. The test fails if an expected packet does not arrive in time.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use baremqtt::codec::{
    self, ConnAck, Connect, Decoded, Delivery, Packet, PacketId, Publish, QoS, RefusalCode, SubAck,
    SubAckCode, SubAckCodes, Subscribe, SubscribeFilters, Unsubscribe, UnsubscribeFilters, Version,
};
use baremqtt::{TopicName, Will};

use crate::server::Server;

const TIMEOUT: Duration = Duration::from_secs(60);

pub struct Client {
    stream: TcpStream,
    version: Version,
    received: Vec<u8>,
}

impl Client {
    /// A connection on which nothing has been sent yet.
    pub fn open(server: &Server, version: Version) -> Client {
        let stream = TcpStream::connect(server.addr()).expect("the server listens");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout that is not 0");
        stream.set_write_timeout(Some(TIMEOUT)).expect("a timeout that is not 0");
        Client { stream, version, received: Vec::new() }
    }

    /// Sends CONNECT, and expects it to be accepted with this session present flag.
    pub fn connect(server: &Server, connect: Connect<'_>, session_present: bool) -> Client {
        let mut client = Client::open(server, connect.version);
        client.send(&Packet::Connect(connect));
        client.expect(&Packet::ConnAck(ConnAck::Accepted { session_present }));
        client
    }

    /// A client with a clean session.
    pub fn clean(server: &Server, version: Version, id: &str) -> Client {
        Client::connect(server, Connect::new(id).version(version), false)
    }

    /// Two of them: one to receive, the other to send.
    pub fn pair(server: &Server, version: Version) -> (Client, Client) {
        (Client::clean(server, version, "receiver"), Client::clean(server, version, "sender"))
    }

    /// A client with a clean session and a will.
    pub fn with_will(server: &Server, version: Version, id: &str, will: Will<'_>) -> Client {
        Client::connect(server, Connect::new(id).version(version).will(will), false)
    }

    /// Sends CONNECT, and expects it to be refused.
    pub fn expect_refused(server: &Server, connect: Connect<'_>, code: RefusalCode) {
        let mut client = Client::open(server, connect.version);
        client.send(&Packet::Connect(connect));
        client.expect(&Packet::ConnAck(ConnAck::Refused(code)));
        client.expect_closed();
    }

    pub fn send(&mut self, packet: &Packet<'_>) {
        let mut bytes = vec![0; packet.encoded_len()];
        packet.encode(self.version, &mut bytes).expect("a test sends what the standard allows");
        self.send_bytes(&bytes);
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    pub fn shut_down(&mut self, how: Shutdown) {
        let _ = self.stream.shutdown(how);
    }

    /// The next packet from the server is this one.
    pub fn expect(&mut self, expected: &Packet<'_>) {
        self.receive(|packet| assert_eq!(packet, expected));
    }

    /// Passes the next packet from the server to `look`.
    pub fn receive<R>(&mut self, look: impl FnOnce(&Packet<'_>) -> R) -> R {
        let missing = |bytes: &[u8], version| match codec::decode(bytes, version) {
            Ok(Decoded::Complete { .. }) => false,
            Ok(Decoded::Incomplete { .. }) => true,
            Err(violation) => panic!("the server sent {bytes:02x?}: {violation}"),
        };
        while missing(&self.received, self.version) {
            assert!(self.read() > 0, "the server closed the connection");
        }
        let Ok(Decoded::Complete { packet, len }) = codec::decode(&self.received, self.version) else {
            unreachable!("decoded before")
        };
        let seen = look(&packet);
        self.received.drain(..len);
        seen
    }

    /// Reads some bytes; 0 is the end of the connection.
    fn read(&mut self) -> usize {
        let mut chunk = [0; 4096];
        match self.stream.read(&mut chunk) {
            Ok(count) => {
                self.received.extend_from_slice(&chunk[..count]);
                count
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("nothing from the server: {error}"),
        }
    }

    /// Whether the connection has ended; input is not examined.
    pub fn at_end(&mut self) -> bool {
        self.received.clear();
        self.read() == 0
    }

    /// The server sends nothing more, and closes.
    pub fn expect_closed(&mut self) {
        while self.read() > 0 {}
        assert_eq!(self.received, [], "something was received before the connection was closed");
    }

    /// The server has sent nothing so far: the next packet is PINGRESP.
    pub fn expect_nothing(&mut self) {
        self.send(&Packet::PingReq);
        self.expect(&Packet::PingResp);
    }

    pub fn publish(&mut self, topic: &str, payload: &[u8], delivery: Delivery, retain: bool) {
        self.send(&publish(topic, payload, delivery, retain));
    }

    /// The next packet from the server is this message, not retained.
    pub fn expect_publish(&mut self, topic: &str, payload: &[u8], delivery: Delivery) {
        self.expect(&publish(topic, payload, delivery, false));
    }

    /// The next packet from the server is this retained message.
    pub fn expect_retained(&mut self, topic: &str, payload: &[u8], delivery: Delivery) {
        self.expect(&publish(topic, payload, delivery, true));
    }

    /// Publishes at QoS 1 and waits for PUBACK: everything that follows from it has happened by then.
    pub fn publish_and_wait(&mut self, topic: &str, payload: &[u8], retain: bool) {
        self.publish(topic, payload, at_least_once(777), retain);
        self.expect(&Packet::PubAck(crate::id(777)));
    }

    /// Subscribes to one filter, which the server grants.
    pub fn subscribe(&mut self, filter: &str, qos: QoS) {
        self.subscribe_all(&[(filter, qos)]);
    }

    /// Subscribes to several filters in one SUBSCRIBE; the server grants all of them.
    pub fn subscribe_all(&mut self, filters: &[(&str, QoS)]) {
        let id = crate::id(4321);
        let codes: Vec<_> = filters.iter().map(|(_, qos)| SubAckCode::Granted(*qos)).collect();
        let filters = SubscribeFilters::new(filters).expect("valid filters");
        self.send(&Packet::Subscribe(Subscribe { id, dup: false, filters }));
        let codes = SubAckCodes::new(&codes).expect("not empty");
        self.expect(&Packet::SubAck(SubAck { id, codes }));
    }

    pub fn unsubscribe(&mut self, filter: &str) {
        let (id, list) = (crate::id(4322), [filter]);
        let filters = UnsubscribeFilters::new(&list).expect("valid filters");
        self.send(&Packet::Unsubscribe(Unsubscribe { id, dup: false, filters }));
        self.expect(&Packet::UnsubAck(id));
    }

    /// The receiver's part of a QoS 2 handshake, after its PUBLISH.
    pub fn complete_exactly_once(&mut self, id: PacketId) {
        self.send(&Packet::PubRec(id));
        self.expect(&Packet::PubRel { id, dup: false });
        self.send(&Packet::PubComp(id));
    }

    /// The sender's part, after PUBREC.
    pub fn release(&mut self, id: PacketId) {
        self.send(&Packet::PubRel { id, dup: false });
        self.expect(&Packet::PubComp(id));
    }

    /// Sends DISCONNECT, and the server closes.
    pub fn disconnect(mut self) {
        self.send(&Packet::Disconnect);
        self.expect_closed();
    }
}

pub fn publish<'a>(topic: &'a str, payload: &'a [u8], delivery: Delivery, retain: bool) -> Packet<'a> {
    let topic = TopicName::new(topic).expect("a valid topic name");
    Packet::Publish(Publish { topic, payload, delivery, retain })
}

pub fn at_least_once(id: u16) -> Delivery {
    Delivery::AtLeastOnce { id: crate::id(id), dup: false }
}

pub fn exactly_once(id: u16) -> Delivery {
    Delivery::ExactlyOnce { id: crate::id(id), dup: false }
}

/// The same delivery with DUP.
pub fn with_dup(delivery: Delivery) -> Delivery {
    match delivery {
        Delivery::AtMostOnce => delivery,
        Delivery::AtLeastOnce { id, .. } => Delivery::AtLeastOnce { id, dup: true },
        Delivery::ExactlyOnce { id, .. } => Delivery::ExactlyOnce { id, dup: true },
    }
}
