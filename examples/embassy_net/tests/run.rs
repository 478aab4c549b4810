//! The example against the example broker: it reconnects, and uses TLS with a server that it trusts.

#[path = "../../../tests/support/port.rs"]
mod port;
#[path = "../../broker/server/mod.rs"]
mod server;
#[path = "../../../tests/streams/tls_server.rs"]
mod tls_server;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{env, fs, process};

use server::{Options, Server};

fn broker(listen: SocketAddr) -> Server {
    port::once_free(|| Server::start(Options { listen, ..Options::default() }))
}

/// The program, which ends with the test.
struct Program(Child);

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baremqtt-embassy-net"));
        Program(command.args(arguments).stdout(Stdio::piped()).spawn().expect("the example is built"))
    }

    fn lines(&mut self) -> impl Iterator<Item = String> + use<> {
        BufReader::new(self.0.stdout.take().expect("a pipe")).lines().map_while(Result::ok)
    }

    fn exits_successfully(&mut self) -> bool {
        self.0.wait().expect("it ends").success()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn reconnects_when_the_broker_restarts() {
    let address = ([127, 0, 0, 1], port::free_port()).into();
    let first = broker(address);
    let mut program = Program::start(&[&first.addr().to_string(), "4"]);
    let mut lines = program.lines();
    // The first one may be sent before the subscription.
    assert!(lines.any(|line| line == "thermometer/17/temperature: 20.1"));
    first.stop();
    assert!(lines.any(|line| line.starts_with("offline: ")));
    let _second = broker(address);
    assert!(lines.any(|line| line == "online"));
    assert!(lines.any(|line| line == "thermometer/17/temperature: 20.3"));
    assert!(program.exits_successfully());
}

#[test]
fn uses_tls_with_a_trusted_server_only() {
    let broker = broker(([127, 0, 0, 1], 0).into());
    let (address, ca) = tls_server::start(broker.addr());
    let file = CaFile::new("trusted", &ca);
    let mut program = Program::start(&[&address.to_string(), "2", "--ca", file.0.to_str().unwrap()]);
    let lines: Vec<_> = program.lines().collect();
    assert_eq!(lines.first().map(String::as_str), Some("online"));
    assert_eq!(lines.last().map(String::as_str), Some("thermometer/17/temperature: 20.1"));
    assert!(program.exits_successfully());

    // This server's certificate was not signed by the other authority.
    let (_, stranger) = tls_server::start(broker.addr());
    let file = CaFile::new("stranger", &stranger);
    let mut program = Program::start(&[&address.to_string(), "1", "--ca", file.0.to_str().unwrap()]);
    assert!(program.lines().next().is_some_and(|line| line.starts_with("offline: ")));
}

struct CaFile(PathBuf);

impl CaFile {
    fn new(name: &str, der: &[u8]) -> Self {
        let file = env::temp_dir().join(format!("baremqtt-embassy-net-{}-{name}.der", process::id()));
        fs::write(&file, der).expect("a file");
        CaFile(file)
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
