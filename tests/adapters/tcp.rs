//! The same conversation with the example broker.

use std::time::Duration;

use baremqtt::transport::net::open_tcp;
use baremqtt::transport::polled;

use crate::adapters::{Async, AsyncConnection, Blocking, Net, Polled, client};
use crate::conversation::exchange_messages;
use crate::nonblocking::{Clock, Tcp};
use crate::server::{Options, Server};

fn start() -> Server {
    Server::start(Options { listen: ([127, 0, 0, 1], 0).into(), ..Options::default() }).expect("a free port")
}

#[test]
fn net() {
    let server = start();
    let stream = open_tcp(server.addr(), Duration::from_secs(5)).unwrap();
    exchange_messages(&mut Net::new(stream, client()));
}

#[test]
fn blocking() {
    let (server, clock) = (start(), Clock::start());
    exchange_messages(&mut Blocking::new(Tcp::open(server.addr()), client(), || clock.now()));
}

#[test]
fn nb() {
    let (server, clock) = (start(), Clock::start());
    let connection = polled::Connection::new(Tcp::open(server.addr()), client());
    exchange_messages(&mut Polled { connection, clock: || clock.now() });
}

#[test]
fn asynch() {
    let (server, clock) = (start(), Clock::start());
    let tcp = Tcp::open(server.addr());
    exchange_messages(&mut Async::new(AsyncConnection::new(tcp.clone(), tcp, client(), clock)));
}
