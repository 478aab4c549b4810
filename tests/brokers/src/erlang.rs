//! Erlang nodes, as RabbitMQ and ejabberd are.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process::{Process, write};
use crate::support::mosquitto::free_port;

/// Settings that keep nodes on loopback. Those of one folder share a port mapper and a secret, and so know each other.
pub fn erlang(command: &mut Command, folder: &Path) {
    let port = fs::read_to_string(folder.join("epmd")).expect("the port mapper is there first");
    command.env("ERL_EPMD_PORT", &port).env("ERL_EPMD_ADDRESS", "127.0.0.1").env("HOME", folder);
}

/// The port mapper of the nodes in a folder, which they would leave running if they started it themselves.
pub fn port_mapper(folder: &Path) -> Result<Process, String> {
    let port = free_port().to_string();
    write(folder, "epmd", &port);
    let mut command = Command::new("epmd");
    command.args(["-port", &port, "-address", "127.0.0.1"]);
    Process::start(command, &folder.join("epmd.log"))
}
