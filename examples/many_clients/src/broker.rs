//! The small broker of these examples, in a process of its own, so that its memory and CPU are not counted with the clients'.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::{env, fmt};

use crate::server::{Limits, Options, Server};

/// For two threads for each connection: they need less than the usual stack of 2 MiB.
const STACK: &str = "131072";

/// Listens on a free port, prints it, and serves until its standard input is closed.
pub fn be(clients: usize) -> Result<(), Box<dyn Error>> {
    let limits = Limits { connections: clients + 16, sessions: clients + 16, ..Limits::default() };
    let listen = ([127, 0, 0, 1], 0).into();
    let server = Server::start(Options { listen, limits, ..Options::default() })?;
    println!("{}", server.addr());
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A process that runs the broker. It ends with this one, or when dropped.
pub struct Broker {
    process: Child,
    pub addr: SocketAddr,
}

impl Broker {
    pub fn start(clients: u32) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(env::current_exe()?)
            .args(["--be-the-broker-for", &clients.to_string()])
            .env("RUST_MIN_STACK", STACK)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("a broker without output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let addr = line.trim().parse().map_err(|error: std::net::AddrParseError| no_broker(&error))?;
        Ok(Broker { process, addr })
    }
}

fn no_broker(error: &dyn fmt::Display) -> String {
    format!("the broker does not start: {error}")
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
