//! A runner over a WebSocket, against Mosquitto: threads publish, the runner receives, and stops in time.

mod common;
#[path = "../../../tests/support/runner_check.rs"]
mod runner_check;
#[path = "../../../tests/support/mod.rs"]
mod support;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use baremqtt::transport::net::Runner;
use baremqtt::{Backoff, Buffers, Client, Connect, Message};
use common::{TIMEOUT, open, serve};
use support::mosquitto::websockets;

#[test]
fn threads_share_a_connection_that_does_not_wake_up_while_idle() {
    let (broker, address) = websockets();
    runner_check::check_runner(move || open(address), &Message::new("t", &[0; 50]).exactly_once(), 11);
    broker.logs(" disconnected.\n", 1);
}

/// The runner has nothing else to send, and the server checks whether the client is alive.
#[test]
fn pings_are_answered_by_an_idle_runner() {
    let (answered, is_answered) = mpsc::channel();
    let (address, server) = serve(move |mut socket| {
        let connect = socket.read().expect("CONNECT");
        assert!(connect.is_binary());
        socket.send(tungstenite::Message::binary(vec![0x20, 2, 0, 0])).expect("a client");
        for text in ["a", "b"] {
            thread::sleep(Duration::from_millis(100));
            socket.send(tungstenite::Message::Ping(text.into())).expect("a client");
            assert_eq!(socket.read().expect("a pong"), tungstenite::Message::Pong(text.into()));
        }
        answered.send(()).expect("the test waits");
        // DISCONNECT, and the end.
        while socket.read().is_ok() {}
    });
    let client = Client::new(Buffers { rx: vec![0; 256], tx: vec![0; 256] });
    let runner = Runner::new(client, Backoff::new(1, 5));
    let handle = runner.handle();
    let running = thread::spawn(move || {
        let connect = Connect::new("idle").keep_alive(0);
        runner.run(|link| link.run(open(address)?, &connect), |_, _| Ok(()))
    });
    is_answered.recv_timeout(TIMEOUT).expect("pongs");
    handle.stop();
    running.join().expect("no panic").expect("it was stopped");
    server.join().expect("a server");
}
