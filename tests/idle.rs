//! The cost of an idle connection. A program of its own: no other test has threads in it.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use baremqtt::transport::net::{Runner, Update, open_tcp};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message};

const TIMEOUT: Duration = Duration::from_secs(60);
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

/// The value of [`sleeps`] once no thread has woken up for this long. On a busy machine it may take a while.
fn sleeps_once_idle(time: Duration) -> Vec<(String, u64)> {
    let idle = (0..60).find_map(|_| {
        let before = sleeps();
        thread::sleep(time);
        (sleeps() == before).then_some(before)
    });
    idle.expect("a thread keeps waking up")
}

/// Two threads, and neither wakes up by itself; with a keep alive, for PINGREQ and PINGRESP. A published message is sent at once.
#[test]
fn an_idle_connection_does_not_wake_up_its_threads() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (packet_sender, packets) = mpsc::channel();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.read_exact(&mut [0; 15]).unwrap();
        socket.write_all(&[0x20, 2, 0, 0]).unwrap();
        // PINGREQ or DISCONNECT, or the rest of a PUBLISH.
        let mut packet = [0; 2];
        while socket.read_exact(&mut packet).is_ok() && packet[0] != 0xE0 {
            if packet[0] == 0xC0 {
                socket.write_all(&[0xD0, 0]).unwrap();
            } else {
                socket.read_exact(&mut [0; 3]).unwrap();
            }
            packet_sender.send(packet[0]).unwrap();
        }
    });
    let client = Client::new(Buffers { rx: vec![0; 256], tx: vec![0; 512] });
    let runner = Runner::new(client, Backoff::new(1, 1));
    let handle = runner.handle();
    let (connected_sender, connected) = mpsc::channel();
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
                    connected_sender.send(()).unwrap();
                }
                Ok(())
            },
        )
    };
    let running = thread::Builder::new().name(NAMES[0].into()).spawn(run).unwrap();
    connected.recv().unwrap();

    let before = sleeps_once_idle(Duration::from_millis(1_500));
    assert_eq!(before.len(), 2, "{before:?}");

    // Those that were received before do not count.
    packets.try_iter().for_each(drop);
    assert_eq!(packets.recv_timeout(TIMEOUT), Ok(0xC0));
    let after = sleeps_once_idle(Duration::from_millis(300));
    let pings = 1 + packets.try_iter().count() as u64;
    let count = |sleeps: Vec<(String, u64)>| sleeps.iter().map(|(_, count)| count).sum::<u64>();
    let woken = count(after) - count(before);
    assert!((2..=8 * pings).contains(&woken), "{woken} times for {pings} PINGREQ and the answers");

    handle.publish(&Message::new("a", b"")).unwrap();
    while packets.recv_timeout(TIMEOUT).unwrap() != 0x30 {}
    handle.stop();
    running.join().unwrap().unwrap();
    server.join().unwrap();
}
