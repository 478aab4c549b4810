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

const PATIENCE: Duration = Duration::from_secs(60);
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

/// The value of [`sleeps`] once nobody has woken up for this long. On a busy machine it may take a while.
fn after_a_rest(time: Duration) -> Vec<(String, u64)> {
    let rested = (0..60).find_map(|_| {
        let before = sleeps();
        thread::sleep(time);
        (sleeps() == before).then_some(before)
    });
    rested.expect("somebody wakes up again and again")
}

/// Two threads, and neither wakes up by itself; with a keep alive, for PINGREQ and PINGRESP. A published message is sent at once.
#[test]
fn nobody_wakes_up_for_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (heard, hears) = mpsc::channel();
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
            heard.send(packet[0]).unwrap();
        }
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

    let before = after_a_rest(Duration::from_millis(1_500));
    assert_eq!(before.len(), 2, "{before:?}");

    // Those from before the rest do not count.
    hears.try_iter().for_each(drop);
    assert_eq!(hears.recv_timeout(PATIENCE), Ok(0xC0));
    let after = after_a_rest(Duration::from_millis(300));
    let pings = 1 + hears.try_iter().count() as u64;
    let count = |sleeps: Vec<(String, u64)>| sleeps.iter().map(|(_, count)| count).sum::<u64>();
    let woken = count(after) - count(before);
    assert!((2..=8 * pings).contains(&woken), "{woken} times for {pings} PINGREQ and the answers");

    handle.publish(&Message::new("a", b"")).unwrap();
    while hears.recv_timeout(PATIENCE).unwrap() != 0x30 {}
    handle.stop();
    running.join().unwrap().unwrap();
    server.join().unwrap();
}
