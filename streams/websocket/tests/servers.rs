//! The stream against Mosquitto's WebSocket listener, and against the example broker. Needs `mosquitto`.

mod common;
#[path = "../../../tests/support/round_trip.rs"]
mod round_trip;
#[path = "../../../examples/broker/server/mod.rs"]
mod server;
#[path = "../../../tests/support/mod.rs"]
mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use baremqtt::transport::net::Connection;
use baremqtt::{Buffers, Client, Connect, Event, Message, QoS, Version};
use common::{Mqtt, TIMEOUT, client, open, serve};
use round_trip::round_trip;
use support::mosquitto::websockets;

fn connect(addr: SocketAddr, connect: &Connect<'_>) -> Mqtt {
    let mut mqtt = client(open(addr).expect("a WebSocket"));
    common::connect(&mut mqtt, connect).expect("CONNACK");
    mqtt
}

fn mebibyte() -> Vec<u8> {
    (0..1_usize << 20).map(|index| (index ^ (index >> 8) ^ (index >> 16)) as u8).collect()
}

#[test]
fn an_unsupported_subprotocol_is_reported() {
    let (_broker, addr) = websockets();
    let error = common::open_as(addr, "chat", TIMEOUT).expect_err("no WebSocket");
    assert!(error.to_string().contains("it does not speak chat"), "{error}");
}

/// Out of a WebSocket, into TCP.
#[test]
fn a_mebibyte_is_delivered_to_mosquitto() {
    let (broker, addr) = websockets();
    let buffers = Buffers { rx: vec![0; 2 << 20], tx: vec![0; 1 << 10] };
    let mut observer = Connection::tcp(broker.addr(), TIMEOUT, Client::new(buffers)).expect("TCP");
    observer.connect(&Connect::new("observer")).expect("a CONNECT that fits");
    assert!(matches!(observer.next_event(Some(TIMEOUT)), Ok(Some(Event::Connected { .. }))));
    observer.subscribe(&[("large", QoS::ExactlyOnce)]).expect("room");
    assert!(matches!(observer.next_event(Some(TIMEOUT)), Ok(Some(Event::Subscribed { .. }))));
    let payload = mebibyte();
    for version in [Version::Mqtt31, Version::Mqtt311] {
        let mut mqtt = connect(addr, &Connect::new("large").version(version));
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            mqtt.publish(&Message::new("large", &payload).qos(qos)).expect("room");
            let event = mqtt.next_event(Some(TIMEOUT)).expect("a link");
            assert!(matches!(event, Some(Event::Published { .. })), "{event:?}");
            match observer.next_event(Some(TIMEOUT)).expect("a link") {
                Some(Event::Message(message)) => assert!(message.payload == payload),
                other => panic!("{other:?}"),
            }
        }
        mqtt.disconnect().expect("DISCONNECT is sent");
    }
}

/// Mosquitto (seen with 2.0.11) sends 20 KB/s over a WebSocket, to whatever client.
#[test]
fn a_message_of_many_reads_is_received_from_mosquitto() {
    let (_broker, addr) = websockets();
    round_trip(&mut connect(addr, &Connect::new("long")), &mebibyte()[..20_000]);
}

#[test]
fn an_idle_client_stays_connected() {
    let (broker, addr) = websockets();
    let mut mqtt = connect(addr, &Connect::new("idle").keep_alive(2));
    assert!(mqtt.next_event(Some(Duration::from_secs(5))).expect("still connected").is_none());
    round_trip(&mut mqtt, b"still here");
    let log = broker.logs("connected from", 1);
    assert_eq!(log.matches("connected from").count(), 1, "{log}");
}

#[test]
fn a_killed_broker_is_detected_at_once() {
    let (mut broker, addr) = websockets();
    let mut mqtt = connect(addr, &Connect::new("lost"));
    broker.kill();
    let killed = Instant::now();
    assert!(mqtt.next_event(Some(TIMEOUT)).is_err());
    assert!(killed.elapsed() < TIMEOUT / 2, "{:?}", killed.elapsed());
}

/// The example broker supports TCP only: a gateway accepts the WebSocket, and forwards the contents of its frames.
#[test]
fn the_example_broker_behind_a_gateway() {
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let options = server::Options { listen, ..server::Options::default() };
    let broker = server::Server::start(options).expect("a port");
    let at = broker.addr();
    let (addr, gateway) = serve(move |mut socket| {
        let tcp = TcpStream::connect(at).expect("the broker");
        for stream in [socket.get_ref(), &tcp] {
            stream.set_read_timeout(Some(Duration::from_millis(1))).expect("a socket");
        }
        let mut buffer = [0; 0x1_0000];
        loop {
            match socket.read() {
                Ok(tungstenite::Message::Binary(bytes)) => (&tcp).write_all(&bytes).expect("the broker"),
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {}
                // Close, and what follows.
                _ => return,
            }
            match (&tcp).read(&mut buffer) {
                Ok(0) => return,
                Ok(len) => socket
                    .send(tungstenite::Message::binary(buffer.get(..len).unwrap_or_default().to_vec()))
                    .expect("a client"),
                Err(_) => {}
            }
        }
    });
    let mut mqtt = connect(addr, &Connect::new("gate").version(Version::Mqtt31));
    round_trip(&mut mqtt, &mebibyte());
    mqtt.disconnect().expect("DISCONNECT is sent");
    gateway.join().expect("a gateway");
}
