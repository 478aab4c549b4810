//! The examples, as a user runs them. They connect to the example broker; nothing else is needed.

#[path = "../../examples/broker/server/mod.rs"]
mod server;

#[path = "../clients/process.rs"]
mod process;

mod closed_output;
mod dump;
mod killed_repeatedly;
mod outbox;
#[path = "../support/port.rs"]
mod port;
mod pub_sub;
mod quickstart;
mod quickstart_output;
mod sniffer;
mod sub_options;
mod tools;

use std::net::SocketAddr;

use server::{Options, Server};

/// A server on a free port of loopback.
fn start() -> Server {
    start_with(&[])
}

/// A server that admits only these users.
fn start_with(users: &[(&str, &str)]) -> Server {
    start_at(([127, 0, 0, 1], 0).into(), users)
}

/// An address at which there never is a broker: TCPMUX.
const NO_BROKER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

fn start_at(listen: SocketAddr, users: &[(&str, &str)]) -> Server {
    let users: Vec<_> =
        users.iter().map(|(name, password)| (name.to_string(), password.to_string())).collect();
    port::once_free(|| Server::start(Options { listen, users: users.clone(), ..Options::default() }))
}
