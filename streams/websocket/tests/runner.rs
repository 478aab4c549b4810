//! A runner over a WebSocket, against Mosquitto: threads publish, the runner hears, and stops in time.

mod common;
#[path = "../../../tests/support/mod.rs"]
mod support;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::net::{Runner, Update};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message, QoS};
use common::{PATIENCE, open, serve};
use support::mosquitto::{Config, Mosquitto, free_port};

/// How often the threads of the runner have gone to sleep, where the system says.
fn sleeps() -> u64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().filter_map(Result::ok);
    let sleeps = threads.filter_map(|thread| {
        let name = fs::read_to_string(thread.path().join("comm")).ok()?;
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        let sleeps = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        ["mqtt-runner", "mqtt-input"].contains(&name.trim()).then(|| sleeps.trim().parse().unwrap_or(0))
    });
    sleeps.sum()
}

/// Whether nobody wakes up for a second. A machine that has other things to do may take a while until that is so.
fn rests() -> bool {
    let before = sleeps();
    thread::sleep(Duration::from_secs(1));
    sleeps() == before
}

#[test]
fn threads_share_it_and_it_costs_nothing_when_idle() {
    let port = free_port();
    let lines = format!("listener {port} 127.0.0.1\nprotocol websockets\nsocket_domain ipv4");
    let broker = Mosquitto::start(&Config { lines, ..Config::default() });
    let address: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();

    let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
    let runner = Runner::new(client, Backoff::new(1, 5));
    let handle = runner.handle();
    let ((hear, heard), (ready, is_ready)) = (mpsc::channel(), mpsc::channel());
    let run = move || {
        runner.run(
            |link| {
                let stream = link.open(move || open(address))?;
                link.run(stream, &Connect::new("shared").keep_alive(60))
            },
            |update, outbound| {
                match update {
                    Update::Event(Event::Connected { .. }) => {
                        outbound.subscribe(&[("t", QoS::ExactlyOnce)])?;
                    }
                    Update::Event(Event::Subscribed { .. }) => ready.send(()).unwrap(),
                    Update::Event(Event::Message(message)) => hear.send(message.payload.len()).unwrap(),
                    Update::LinkLost { error, .. } => return Err(error),
                    _ => {}
                }
                Ok(())
            },
        )
    };
    let running = thread::Builder::new().name("mqtt-runner".into()).spawn(run).expect("a thread");
    is_ready.recv_timeout(PATIENCE).expect("a subscription");
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let message = Message::new("t", &[0; 50]).exactly_once();
                for _ in 0..10 {
                    handle.publish(&message).expect("room");
                }
                handle.publish_and_wait(&message, Some(PATIENCE)).expect("PUBCOMP");
            });
        }
    });
    for _ in 0..33 {
        assert_eq!(heard.recv_timeout(PATIENCE), Ok(50));
    }
    assert!((0..60).any(|_| rests()), "somebody wakes up again and again");

    let stopping = Instant::now();
    handle.stop();
    running.join().expect("no panic").expect("it was asked to");
    assert!(stopping.elapsed() < PATIENCE / 3, "{:?}", stopping.elapsed());
    broker.logs(" disconnected.\n", 1);
}

/// Nothing else is to be written, and the server wants to know whether somebody is there.
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
    is_answered.recv_timeout(PATIENCE).expect("pongs");
    handle.stop();
    running.join().expect("no panic").expect("it was asked to");
    server.join().expect("a server");
}
