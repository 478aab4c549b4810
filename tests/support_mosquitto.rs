//! The broker of `support/mosquitto.rs` starts, saves its state and refuses users as configured. Needs `mosquitto`.

#[path = "support/mosquitto.rs"]
#[allow(dead_code)]
mod mosquitto;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use baremqtt::codec::{
    self, ConnAck, Connect, Decoded, Delivery, Packet, Publish, Subscribe, SubscribeFilters,
};
use baremqtt::{PacketId, QoS, RefusalCode, TopicName, Version};
use mosquitto::{Config, Mosquitto, Persistence, websockets};

/// Just enough of a client to query a broker.
struct Link {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Link {
    fn connect(broker: &Mosquitto, connect: Connect<'_>) -> (Self, ConnAck) {
        let stream = TcpStream::connect(broker.addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut link = Link { stream, received: Vec::new() };
        link.send(Packet::Connect(connect));
        let answer = link.receive(|packet| match packet {
            Packet::ConnAck(answer) => *answer,
            other => panic!("{other}"),
        });
        (link, answer)
    }

    fn send(&mut self, packet: Packet<'_>) {
        let mut out = [0; 256];
        let len = packet.encode(Version::Mqtt311, &mut out).unwrap();
        self.stream.write_all(&out[..len]).unwrap();
    }

    fn receive<T>(&mut self, read: impl FnOnce(&Packet<'_>) -> T) -> T {
        loop {
            if let Decoded::Complete { packet, len } =
                codec::decode(&self.received, Version::Mqtt311).unwrap()
            {
                let seen = read(&packet);
                self.received.drain(..len);
                return seen;
            }
            let mut buffer = [0; 256];
            let n = self.stream.read(&mut buffer).expect("an answer in time");
            assert_ne!(n, 0, "the broker has closed the connection");
            self.received.extend_from_slice(&buffer[..n]);
        }
    }
}

const ID: PacketId = PacketId::FIRST;
const ACCEPTED: ConnAck = ConnAck::Accepted { session_present: false };

/// Has the broker retain a message, and returns once it has done so.
fn retain(broker: &Mosquitto) {
    let (mut link, answer) = Link::connect(broker, Connect::new("writer"));
    assert_eq!(answer, ACCEPTED);
    let delivery = Delivery::AtLeastOnce { id: ID, dup: false };
    let topic = TopicName::new("kept").unwrap();
    link.send(Packet::Publish(Publish { topic, payload: b"still here", delivery, retain: true }));
    link.receive(|packet| assert_eq!(*packet, Packet::PubAck(ID)));
    // See `Persistence::EveryChanges`.
    link.send(Packet::PingReq);
    link.receive(|packet| assert_eq!(*packet, Packet::PingResp));
    link.send(Packet::Disconnect);
}

/// Whether the broker has the retained message.
fn is_retained(broker: &Mosquitto) -> bool {
    let (mut link, answer) = Link::connect(broker, Connect::new("reader"));
    assert_eq!(answer, ACCEPTED);
    let filters = SubscribeFilters::new(&[("kept", QoS::AtMostOnce)]).unwrap();
    link.send(Packet::Subscribe(Subscribe { id: ID, dup: false, filters }));
    // PINGRESP comes after everything that the subscription brings.
    link.send(Packet::PingReq);
    let mut seen = false;
    while link.receive(|packet| {
        seen |= matches!(packet, Packet::Publish(_));
        *packet != Packet::PingResp
    }) {}
    seen
}

#[test]
fn saves_nothing_without_persistence() {
    let mut broker = Mosquitto::start(&Config::default());
    retain(&broker);
    assert!(is_retained(&broker));
    broker.restart();
    assert!(!is_retained(&broker));
}

#[test]
fn persistence_survives_a_stop_and_if_configured_a_kill() {
    for (persistence, outlives_kill) in [(Persistence::AtStop, false), (Persistence::EveryChanges(1), true)] {
        let config = Config { persistence, ..Config::default() };
        let mut broker = Mosquitto::start(&config);
        retain(&broker);
        broker.kill();
        assert!(TcpStream::connect(broker.addr()).is_err());
        broker.restart();
        assert_eq!(is_retained(&broker), outlives_kill, "{persistence:?}");
        retain(&broker);
        broker.stop();
        assert!(TcpStream::connect(broker.addr()).is_err());
        broker.restart();
        assert!(is_retained(&broker), "{persistence:?}");
    }
}

#[test]
fn users_need_their_password() {
    let broker = Mosquitto::start(&Config { users: vec![("anna", "secret")], ..Config::default() });
    let (_, answer) = Link::connect(&broker, Connect::new("a").credentials("anna", b"secret"));
    assert_eq!(answer, ACCEPTED);
    for connect in [Connect::new("b"), Connect::new("c").credentials("anna", b"guess")] {
        let (_, answer) = Link::connect(&broker, connect);
        assert_eq!(answer, ConnAck::Refused(RefusalCode::NOT_AUTHORIZED));
    }
}

#[test]
fn additional_configuration_is_used() {
    let (_broker, addr) = websockets();
    let mut stream = TcpStream::connect(addr).expect("the second listener");
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
}

/// Another process may hold a port for a moment longer.
#[test]
fn restarting_waits_for_the_port() {
    let mut broker = Mosquitto::start(&Config::default());
    broker.stop();
    let occupied = TcpListener::bind(broker.addr()).expect("a port that is free again");
    let occupying = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        drop(occupied);
    });
    broker.restart();
    occupying.join().expect("no panic");
    assert!(TcpStream::connect(broker.addr()).is_ok());
}
