//! The same conversation with the example broker.

use std::time::Duration;

use baremqtt::transport::nb;
use baremqtt::transport::std::open_tcp;

use crate::adapters::{Async, AsyncConnection, EmbeddedIo, Nb, Std, client};
use crate::conversation::converse;
use crate::nonblocking::{Clock, Tcp};
use crate::server::{Options, Server};

fn start() -> Server {
    Server::start(Options { listen: ([127, 0, 0, 1], 0).into(), ..Options::default() }).expect("a free port")
}

#[test]
fn std() {
    let server = start();
    let stream = open_tcp(server.addr(), Duration::from_secs(5)).unwrap();
    converse(&mut Std::new(stream, client(), |stream, time| stream.set_read_timeout(Some(time))));
}

#[test]
fn embedded_io() {
    let (server, clock) = (start(), Clock::start());
    converse(&mut EmbeddedIo::new(Tcp::open(server.addr()), client(), || clock.now()));
}

#[test]
fn nb_stream() {
    let (server, clock) = (start(), Clock::start());
    let connection = nb::Connection::new(Tcp::open(server.addr()), client());
    converse(&mut Nb { connection, clock: || clock.now() });
}

#[test]
fn embedded_io_async() {
    let (server, clock) = (start(), Clock::start());
    let tcp = Tcp::open(server.addr());
    converse(&mut Async::new(AsyncConnection::new(tcp.clone(), tcp, client(), clock)));
}
