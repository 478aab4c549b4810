//! The programs, against the example broker and, over TLS, against `mosquitto`.

#[path = "../../../streams/tls/tests/common/mod.rs"]
mod common;
#[path = "../../broker/server/mod.rs"]
mod server;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use common::support::mosquitto::{free_port, once_free};
use common::{Authority, Broker, text};
use server::{Options, Server};

fn start(listen: SocketAddr) -> Server {
    once_free(|| Server::start(Options { listen, ..Options::default() }))
}

fn example(server: &Server, count: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_baremqtt-tokio"))
        .args([&server.addr().to_string(), count])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the example is built")
}

/// The help was requested, or is needed.
#[test]
fn prints_its_help() {
    for (arguments, code) in [(&["--help"][..], 0), (&[], 1), (&["without-a-port"], 1)] {
        let ended = Command::new(env!("CARGO_BIN_EXE_baremqtt-tokio")).args(arguments).output();
        let ended = ended.expect("the example is built");
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}");
        assert!(String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).contains("usage: "));
    }
}

#[test]
fn publishes_and_receives() {
    let server = start(([127, 0, 0, 1], 0).into());
    let ended = example(&server, "2").wait_with_output().expect("it ends");
    assert!(ended.status.success());
    let output = String::from_utf8(ended.stdout).expect("text");
    assert_eq!(output, "connected\nbaremqtt/tokio/count: 1\nbaremqtt/tokio/count: 2\n");
}

#[test]
fn reconnects_when_the_broker_restarts() {
    let addr = ([127, 0, 0, 1], free_port()).into();
    let server = start(addr);
    let mut example = example(&server, "3");
    let mut lines = BufReader::new(example.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "baremqtt/tokio/count: 1"));
    server.stop();
    let _server = start(addr);
    // The second one may have been received before the server stopped.
    let (counts, rest): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("baremqtt/tokio/count"));
    assert!(rest.contains(&"connected".to_owned()), "{rest:?}");
    assert_eq!(counts.len(), 2, "{counts:?}");
    assert!(example.wait().expect("it ends").success());
}

/// Runs `requests` with these arguments: each task gets its answer.
fn assert_each_task_gets_its_answer(arguments: &[&str]) {
    let ended = Command::new(env!("CARGO_BIN_EXE_requests")).args(arguments).output();
    let ended = ended.expect("the example is built");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let mut output: Vec<_> = std::str::from_utf8(&ended.stdout).expect("text").lines().collect();
    output.sort_by_key(|line| line.split(' ').next().and_then(|n| n.parse::<u32>().ok()));
    let expected: Vec<_> = (1..=20).map(|n| format!("{n} * {n} = {}", n * n)).collect();
    assert_eq!(output, expected);
}

#[test]
fn requests_over_tcp() {
    let server = start(([127, 0, 0, 1], 0).into());
    assert_each_task_gets_its_answer(&[&server.addr().to_string()]);
}

#[test]
fn requests_over_tls() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "");
    let address = format!("localhost:{}", broker.tls_port);
    assert_each_task_gets_its_answer(&[&address, text(&authority.file("ca.crt"))]);
}
