//! The adapter of std over TLS, against Mosquitto: large messages, idle and lost links. Needs `mosquitto`.

mod common;
#[path = "../../../tests/support/round_trip.rs"]
mod round_trip;

use std::time::{Duration, Instant};

use baremqtt::transport::net::{Connection, open_tcp};
use baremqtt::{Buffers, Client, Config, Connect, Event, QoS, Version};
use baremqtt_tls::{TlsStream, config};
use common::{Authority, Broker};
use round_trip::round_trip;
use rustls::pki_types::ServerName;

const TIMEOUT: Duration = Duration::from_secs(60);
const LARGE: usize = 1 << 20;

struct ShortTimeout;

impl Config for ShortTimeout {
    fn pingresp_timeout_ms(&self) -> u32 {
        3_000
    }
}

type Mqtt = Connection<TlsStream, Vec<u8>, Vec<u8>, ShortTimeout>;

fn connect(authority: &Authority, addr: std::net::SocketAddr, connect: &Connect<'_>) -> Mqtt {
    let config = config(&authority.file("ca.crt"), None).expect("a certificate");
    let tcp = open_tcp(addr, TIMEOUT).expect("a server");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TlsStream::connect(config, name, tcp, TIMEOUT).expect("a server that can be trusted");
    let room = LARGE + 0x1_0000;
    // A message takes its room until the next event after its end.
    let client = Client::with_config(Buffers { rx: vec![0; room], tx: vec![0; 2 * room] }, ShortTimeout);
    let mut mqtt = Connection::new(stream, client);
    mqtt.connect(connect).expect("a CONNECT that fits");
    let event = mqtt.next_event(Some(TIMEOUT)).expect("CONNACK");
    assert!(matches!(event, Some(Event::Connected { .. })), "{event:?}");
    mqtt
}

#[test]
fn a_mebibyte_is_delivered_in_both_directions() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "");
    let payload: Vec<u8> = (0..LARGE).map(|index| (index ^ (index >> 8) ^ (index >> 16)) as u8).collect();
    for version in [Version::Mqtt31, Version::Mqtt311] {
        let mut mqtt = connect(&authority, broker.tls_addr(), &Connect::new("large").version(version));
        round_trip(&mut mqtt, &payload);
        mqtt.disconnect().expect("DISCONNECT is sent");
    }
}

#[test]
fn an_idle_client_stays_connected() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "");
    let mut mqtt = connect(&authority, broker.tls_addr(), &Connect::new("idle").keep_alive(2));
    assert!(mqtt.next_event(Some(Duration::from_secs(5))).expect("still connected").is_none());
    mqtt.subscribe(&[("a", QoS::AtLeastOnce)]).expect("room");
    let answer = mqtt.next_event(Some(TIMEOUT)).expect("still connected");
    assert!(matches!(answer, Some(Event::Subscribed { .. })), "{answer:?}");
    let log = broker.mosquitto.logs("connected from", 1);
    assert_eq!(log.matches("connected from").count(), 1, "{log}");
}

#[test]
fn a_killed_broker_is_detected_at_once() {
    let authority = Authority::new();
    let mut broker = Broker::start(&authority, "");
    let mut mqtt = connect(&authority, broker.tls_addr(), &Connect::new("lost").keep_alive(60));
    broker.mosquitto.kill();
    let killed = Instant::now();
    assert!(mqtt.next_event(Some(TIMEOUT)).is_err());
    assert!(killed.elapsed() < TIMEOUT / 2, "{:?}", killed.elapsed());
    assert!(!mqtt.is_open());
}

/// A link on which nothing arrives any more, without having been closed.
#[test]
fn a_dead_link_is_detected_by_a_missing_pingresp() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "");
    let proxy = common::support::proxy::Proxy::transparent(broker.tls_addr());
    let mut mqtt = connect(&authority, proxy.addr(), &Connect::new("dead").keep_alive(1));
    proxy.silence();
    let error = mqtt.next_event(Some(TIMEOUT)).expect_err("a dead link");
    assert!(error.to_string().contains("PINGRESP"), "{error}");
}
