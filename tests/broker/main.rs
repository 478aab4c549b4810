//! The example broker, over loopback TCP, against a scripted client that is built on the codec.

#[path = "../../examples/broker/server/mod.rs"]
mod server;

mod client;
mod connect;
mod delivery;
mod limits;
mod other_streams;
mod random_bytes;
mod retained;
mod sessions;
mod subscribe;
mod violations;
mod wills;

use baremqtt::codec::{PacketId, Version};
use server::{Options, Server};

const VERSIONS: [Version; 2] = [Version::Mqtt31, Version::Mqtt311];

/// A server on a free port of loopback.
fn start() -> Server {
    start_with(|_| {})
}

fn start_with(change: impl FnOnce(&mut Options)) -> Server {
    let mut options = Options { listen: ([127, 0, 0, 1], 0).into(), ..Options::default() };
    change(&mut options);
    Server::start(options).expect("a free port on loopback")
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("an identifier is not 0")
}
