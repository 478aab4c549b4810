//! Accepts TCP connections.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::log::say;
use super::{Shared, connection};

/// Accepts connections until the server stops.
pub(super) fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while !shared.connections.stopping() {
        match listener.accept() {
            Ok((stream, peer)) => {
                say!(shared.log, "{peer}: connection");
                // The writer already combines many packets in a write, so waiting for more gains nothing.
                let _ = stream.set_nodelay(true);
                connection::start(shared, Box::new(stream));
            }
            Err(error) => {
                say!(shared.log, "cannot accept a connection: {error}");
                // Probably out of file descriptors: do not retry at once.
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// Wakes the thread that blocks in [`accept`].
pub(super) fn wake(listening: SocketAddr) -> io::Result<()> {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    TcpStream::connect_timeout(&(ip, listening.port()).into(), Duration::from_secs(1)).map(drop)
}
