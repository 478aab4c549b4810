//! What a connection costs on which nothing happens. A program of its own: no other test has threads in it.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use baremqtt::transport::net::{Runner, Update, open_tcp};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message};

const NAMES: [&str; 2] = ["mqtt-runner", "mqtt-input"];

/// How often each of these threads has gone to sleep.
fn sleeps() -> Vec<(String, u64)> {
    let mut found: Vec<_> = fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|entry| {
            let folder = entry.unwrap().path();
            let name = fs::read_to_string(folder.join("comm")).ok()?.trim().to_owned();
            let status = fs::read_to_string(folder.join("status")).ok()?;
            let sleeps = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            NAMES.contains(&name.as_str()).then(|| (name, sleeps.trim().parse().unwrap()))
        })
        .collect();
    found.sort();
    found
}

/// Two threads, and neither wakes up by itself; with a keep alive, for PINGREQ and PINGRESP. What is published leaves at once.
#[test]
fn nobody_wakes_up_for_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.read_exact(&mut [0; 15]).unwrap();
        socket.write_all(&[0x20, 2, 0, 0]).unwrap();
        socket
    });
    let client = Client::new(Buffers { rx: vec![0; 256], tx: vec![0; 512] });
    let runner = Runner::new(client, Backoff::new(1, 1));
    let handle = runner.handle();
    let (teller, connected) = mpsc::channel();
    let run = move || {
        let open = move || open_tcp(address, Duration::from_secs(5));
        let connect = Connect::new("c").clean_session(false).keep_alive(3);
        runner.run(
            |link| {
                let stream = link.open(open)?;
                link.run(stream, &connect)
            },
            |update, _| {
                if let Update::Event(Event::Connected { .. }) = update {
                    teller.send(()).unwrap();
                }
                Ok(())
            },
        )
    };
    let running = thread::Builder::new().name(NAMES[0].into()).spawn(run).unwrap();
    connected.recv().unwrap();
    let mut socket = server.join().unwrap();
    thread::sleep(Duration::from_millis(200));

    let before = sleeps();
    assert_eq!(before.len(), 2, "{before:?}");
    thread::sleep(Duration::from_millis(1_500));
    assert_eq!(sleeps(), before);

    let mut ping = [0; 2];
    socket.read_exact(&mut ping).unwrap();
    assert_eq!(ping, [0xC0, 0]);
    socket.write_all(&[0xD0, 0]).unwrap();
    thread::sleep(Duration::from_millis(300));
    let count = |sleeps: Vec<(String, u64)>| sleeps.iter().map(|(_, count)| count).sum::<u64>();
    let woken = count(sleeps()) - count(before);
    assert!((2..=8).contains(&woken), "{woken} times for a PINGREQ and its answer");

    handle.publish(&Message::new("a", b"")).unwrap();
    socket.read_exact(&mut [0; 5]).unwrap();
    handle.stop();
    running.join().unwrap().unwrap();
}
