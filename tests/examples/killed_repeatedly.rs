//! `outbox` and `inbox` are killed fifty times each, at any moment: nothing is lost, and nothing arrives twice.
//! Works with any broker.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::Process;
use crate::tools;

const KILLS: u32 = 50;
const TIMEOUT: Duration = Duration::from_secs(60);

/// Sent until the first message arrives.
const READY: &str = "ready";

/// A folder that is removed after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("baremqtt-{name}-{}", std::process::id()));
        // Perhaps left by a killed process that had the same number.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts one of the two examples with this file.
fn start(name: &str, address: SocketAddr, file: &Path) -> Process {
    tools::start(name, &[&address.to_string(), file.to_str().expect("a path in UTF-8")])
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

/// Appends a line to the file every few ms, until it is over; returns how many there are.
fn produce(file: &Path, is_over: &AtomicBool) -> u32 {
    let mut lines = OpenOptions::new().append(true).open(file).expect("a file");
    let mut count = 0;
    while !is_over.load(Ordering::Acquire) {
        writeln!(lines, "{count}").expect("a disk");
        count += 1;
        thread::sleep(Duration::from_millis(5));
    }
    count
}

/// The lines that have arrived.
fn arrived(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("a file");
    text.lines().filter(|line| *line != READY).map(str::to_owned).collect()
}

/// Passes lines from file to file over this broker, while both programs are killed.
pub fn kill_outbox_and_inbox(address: SocketAddr) {
    let folder = Folder::new("killed_repeatedly");
    let (sent, received) = (folder.0.join("sent"), folder.0.join("received"));
    fs::write(&sent, "").expect("a file");

    // The first run creates the session, and is not killed before it has subscribed.
    let mut inbox = start("inbox", address, &received);
    let started = Instant::now();
    while !fs::read(&received).is_ok_and(|lines| !lines.is_empty()) {
        assert!(started.elapsed() < TIMEOUT, "no subscription");
        tools::publish(address, "311", &format!("-t outbox/line -m {READY} -q 2"));
    }
    let mut outbox = start("outbox", address, &sent);
    let is_over = Arc::new(AtomicBool::new(false));
    let producer = {
        let (sent, is_over) = (sent.clone(), Arc::clone(&is_over));
        thread::spawn(move || produce(&sent, &is_over))
    };

    let mut random = random(0x5EED);
    for _ in 0..KILLS {
        thread::sleep(Duration::from_millis(random(80).into()));
        outbox.kill();
        outbox = start("outbox", address, &sent);
        thread::sleep(Duration::from_millis(random(80).into()));
        inbox.kill();
        inbox = start("inbox", address, &received);
    }
    is_over.store(true, Ordering::Release);
    let count = producer.join().expect("a producer");

    // Everything in flight completes.
    let started = Instant::now();
    while arrived(&received).len() < count as usize {
        assert!(started.elapsed() < TIMEOUT, "{} of {count} have arrived", arrived(&received).len());
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(100));
    outbox.kill();
    inbox.kill();

    assert_eq!(arrived(&received), (0..count).map(|n| n.to_string()).collect::<Vec<_>>());
    assert!(count > KILLS, "{count}");
}
