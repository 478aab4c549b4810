//! `outbox` is killed fifty times, at any moment: nothing is lost, and nothing comes twice. Against whatever broker.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::net::{self, Runner, Update, open_tcp};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message, QoS};

use crate::process::Process;

const KILLS: u32 = 50;
const PATIENCE: Duration = Duration::from_secs(60);

/// What is sent until the first message comes.
const READY: &str = "ready";

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn outbox(address: SocketAddr, folder: &Path) -> Process {
    crate::tools::start("outbox", &[&address.to_string(), folder.to_str().expect("a path in UTF-8")])
}

/// Xorshift: the same moments in each run, as far as the machine allows.
fn random(mut state: u32) -> impl FnMut(u32) -> u32 {
    move |below| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % below
    }
}

/// Appends a line to `out` every few ms, until it is told to stop; returns how many there are.
fn produce(folder: &Path, is_over: &AtomicBool) -> u32 {
    let mut out = OpenOptions::new().append(true).create(true).open(folder.join("out")).expect("a file");
    let mut count = 0;
    while !is_over.load(Ordering::Acquire) {
        writeln!(out, "{count}").expect("a disk");
        count += 1;
        thread::sleep(Duration::from_millis(5));
    }
    count
}

/// Lets `outbox` talk over this broker while it is killed.
pub fn kill_outbox(address: SocketAddr) {
    let folder = Folder(std::env::temp_dir().join(format!("baremqtt-outbox-{}", std::process::id())));
    // Of a process that was killed, perhaps, and had the same number.
    let _ = fs::remove_dir_all(&folder.0);
    fs::create_dir_all(&folder.0).expect("a folder");

    // The other side: hears what is sent, and sends too, once it has a subscriber.
    let client = Client::new(Buffers { rx: vec![0; 0x1_0000], tx: vec![0; 0x1_0000] });
    let runner = Runner::new(client, Backoff::new(10, 100));
    let handle: net::Handle = runner.handle();
    let (hear, heard) = std::sync::mpsc::channel();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let other = thread::spawn(move || {
        let open = move || open_tcp(address, PATIENCE);
        let connect = Connect::new("other").clean_session(false);
        runner.run(
            |link| {
                let stream = link.open(open)?;
                link.run(stream, &connect)
            },
            |update, outbound| {
                match update {
                    Update::Event(Event::Connected { .. }) => {
                        outbound.subscribe(&[("outbox/line", QoS::ExactlyOnce)])?;
                    }
                    Update::Event(Event::Subscribed { .. }) => ready.send(()).unwrap(),
                    Update::Event(Event::Message(message)) => {
                        hear.send(String::from_utf8(message.payload.to_vec()).unwrap()).unwrap();
                    }
                    _ => {}
                }
                Ok(())
            },
        )
    });
    is_ready.recv_timeout(PATIENCE).expect("a subscription");

    // The first run makes the session, and is not killed before it has sent something.
    let is_over = Arc::new(AtomicBool::new(false));
    let producer = {
        let (folder, is_over) = (folder.0.clone(), Arc::clone(&is_over));
        thread::spawn(move || produce(&folder, &is_over))
    };
    let mut running = outbox(address, &folder.0);
    let mut lines = vec![heard.recv_timeout(PATIENCE).expect("the first line")];
    // It may have sent that before it has subscribed.
    let came = folder.0.join("in");
    while fs::read(&came).expect("a file").is_empty() {
        handle.publish(&Message::new("inbox/line", READY.as_bytes()).exactly_once()).expect("room");
        thread::sleep(Duration::from_millis(20));
    }
    let sender = {
        let (handle, is_over) = (handle.clone(), Arc::clone(&is_over));
        thread::spawn(move || {
            let mut count = 0_u32;
            while !is_over.load(Ordering::Acquire) {
                handle
                    .publish(&Message::new("inbox/line", count.to_string().as_bytes()).exactly_once())
                    .expect("room");
                count += 1;
                thread::sleep(Duration::from_millis(5));
            }
            count
        })
    };

    let mut random = random(0x5EED);
    for _ in 0..KILLS {
        thread::sleep(Duration::from_millis(random(80).into()));
        running.kill();
        running = outbox(address, &folder.0);
    }
    is_over.store(true, Ordering::Release);
    let (sent, published) = (producer.join().expect("a producer"), sender.join().expect("a sender"));

    // All that is under way comes to its end.
    while lines.len() < sent as usize {
        lines.push(heard.recv_timeout(PATIENCE).expect("each line"));
    }
    let started = Instant::now();
    let come = loop {
        let come = fs::read_to_string(&came).expect("a file");
        let come: Vec<_> = come.lines().filter(|line| *line != READY).map(str::to_owned).collect();
        if come.len() >= published as usize {
            break come;
        }
        assert!(started.elapsed() < PATIENCE, "{} of {published} have come", come.len());
        thread::sleep(Duration::from_millis(20));
    };
    thread::sleep(Duration::from_millis(100));
    lines.extend(heard.try_iter());
    running.kill();
    handle.stop();
    other.join().expect("no panic").expect("it was asked to");

    let numbers = |count: u32| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
    assert_eq!(lines, numbers(sent), "sent");
    assert_eq!(come, numbers(published), "received");
    assert!(sent > KILLS && published > KILLS, "{sent}, {published}");
}
