//! `wss`: a WebSocket over TLS, against Mosquitto, for a connection and for a runner. Needs `mosquitto`.

mod common;
#[path = "../../../tests/support/round_trip.rs"]
mod round_trip;
#[path = "../../../tests/support/runner_check.rs"]
mod runner_check;

use std::io;
use std::time::Duration;

use baremqtt::transport::net::Connection;
use baremqtt::{Buffers, Client, Connect, Event, Message};
use baremqtt_tls::TlsStream;
use baremqtt_websocket::WebSocketStream;
use baremqtt_websocket::tungstenite::http::Uri;
use common::support::mosquitto::WEBSOCKETS;
use common::{Authority, Broker};
use round_trip::round_trip;

const TIMEOUT: Duration = Duration::from_secs(60);

/// A Mosquitto that accepts only `wss` on that port, and a function that connects to it.
fn mosquitto()
-> (Authority, Broker, impl FnOnce() -> io::Result<WebSocketStream<TlsStream>> + Clone + Send + 'static) {
    let authority = Authority::new();
    let broker = Broker::start(&authority, WEBSOCKETS);
    let config = baremqtt_tls::config(&authority.file("ca.crt"), None).expect("a certificate");
    let port = broker.tls_port;
    let url: Uri = format!("wss://localhost:{port}/mqtt").parse().expect("a URL");
    let open = move || {
        let tls = baremqtt_tls::open("localhost", port, &config, TIMEOUT)?;
        WebSocketStream::connect(&url, "mqtt", tls, TIMEOUT)
    };
    (authority, broker, open)
}

#[test]
fn a_connection_publishes_to_itself_at_each_qos() {
    let (_authority, broker, open) = mosquitto();
    let client = Client::new(Buffers { rx: vec![0; 0x1_0000], tx: vec![0; 0x1_0000] });
    let mut mqtt = Connection::new(open().expect("a WebSocket"), client);
    mqtt.connect(&Connect::new("wss")).expect("a CONNECT that fits");
    let event = mqtt.next_event(Some(TIMEOUT)).expect("CONNACK");
    assert!(matches!(event, Some(Event::Connected { .. })), "{event:?}");
    round_trip(&mut mqtt, &[7; 10_000]);
    mqtt.disconnect().expect("DISCONNECT is sent");
    let log = broker.mosquitto.logs(" disconnected.\n", 1);
    assert!(!log.contains("error"), "{log}");
}

#[test]
fn threads_share_a_connection_that_does_not_wake_up_while_idle() {
    let (_authority, broker, open) = mosquitto();
    runner_check::check_runner(open, &Message::new("t", &[0; 50]).exactly_once(), 11);
    broker.mosquitto.logs(" disconnected.\n", 1);
}
