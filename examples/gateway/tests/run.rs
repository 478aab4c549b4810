//! The gateway as a user runs it. Needs `mosquitto`, for TLS.

#[path = "../../../streams/tls/tests/common/mod.rs"]
mod common;
#[path = "../../broker/server/mod.rs"]
mod server;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use baremqtt::transport::net::Connection;
use baremqtt::{Buffers, Client, Connect, Event, Message, QoS};
use common::support::mosquitto::{free_port, once_free};
use common::{Authority, Broker, text};
use server::{Options, Server};

const TIMEOUT: Duration = Duration::from_secs(60);

type Operator = Connection<std::net::TcpStream>;

struct Gateway(Child);

impl Gateway {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
        Gateway(command.args(arguments).stdout(Stdio::null()).spawn().expect("the example is built"))
    }

    /// Waits until it has ended successfully.
    fn wait_for_success(mut self) {
        let started = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().expect("a child") {
                assert!(status.success(), "{status}");
                return;
            }
            assert!(started.elapsed() < TIMEOUT, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn operator(address: SocketAddr) -> Operator {
    let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 1024] });
    let mut mqtt = Connection::tcp(address, TIMEOUT, client).expect("a server");
    mqtt.connect(&Connect::new("operator")).expect("a CONNECT that fits");
    assert!(matches!(mqtt.next_event(Some(TIMEOUT)), Ok(Some(Event::Connected { .. }))));
    mqtt.subscribe(&[("gateway/#", QoS::AtMostOnce)]).expect("room");
    mqtt
}

/// Waits until the gateway has published each of these.
fn wait_for_messages(mqtt: &mut Operator, expected: &[(&str, &[u8])]) {
    let (mut left, started) = (expected.to_vec(), Instant::now());
    while !left.is_empty() {
        assert!(started.elapsed() < TIMEOUT, "{left:?} are not heard");
        if let Some(Event::Message(message)) = mqtt.next_event(Some(TIMEOUT)).expect("a connection") {
            left.retain(|(topic, payload)| {
                message.topic.as_str() != *topic || !message.payload.starts_with(payload)
            });
        }
    }
}

const ALL: [(&str, &[u8]); 4] = [
    ("gateway/status", b"online"),
    ("gateway/sensor/1", b""),
    ("gateway/sensor/2", b""),
    ("gateway/sensor/3", b""),
];

fn stop(mut mqtt: Operator, gateway: Gateway) {
    mqtt.publish(&Message::new("gateway/set/stop", b"").at_least_once()).expect("room");
    // This is the gateway's last message, not its will.
    wait_for_messages(&mut mqtt, &[("gateway/status", b"offline")]);
    gateway.wait_for_success();
    while let Some(event) = mqtt.next_event(Some(Duration::from_millis(200))).expect("a connection") {
        if let Event::Message(message) = event {
            assert_ne!(message.payload, b"offline", "DISCONNECT discards the will");
        }
    }
}

#[test]
fn reconnects_and_resubscribes() {
    let address: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()).into();
    let start = || once_free(|| Server::start(Options { listen: address, ..Options::default() }));
    let server = start();
    let gateway = Gateway::start(&["127.0.0.1", &address.port().to_string()]);
    wait_for_messages(&mut operator(address), &ALL);
    // The server forgets all sessions.
    server.stop();
    let server = start();
    let mut mqtt = operator(server.addr());
    wait_for_messages(&mut mqtt, &ALL);
    stop(mqtt, gateway);
}

#[test]
fn publishes_over_tls() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "");
    let gateway =
        Gateway::start(&["localhost", &broker.tls_port.to_string(), text(&authority.file("ca.crt"))]);
    let mut mqtt = operator(broker.mosquitto.addr());
    wait_for_messages(&mut mqtt, &ALL);
    stop(mqtt, gateway);
}
