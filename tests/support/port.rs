//! Ports for servers that are started later, or restarted.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{process, thread};

/// A loopback port that is free now, and that the system does not assign to connections: it is still free when
/// a server is started or restarted later.
pub fn free_port() -> u16 {
    const PORTS: std::ops::Range<u32> = 10_000..32_000;
    static TRIED: AtomicU32 = AtomicU32::new(0);
    // Processes that run in parallel start far apart.
    let first = process::id().wrapping_mul(61);
    let mut ports = PORTS.map(|_| {
        let offset = first.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start);
        u16::try_from(PORTS.start + offset).expect("a port")
    });
    let free = ports.find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
    free.expect("a free loopback port")
}

/// Starts a server on such a port as soon as possible: a child that another thread is just starting holds a copy of the closed
/// listener until it executes another program.
#[allow(dead_code, reason = "not every test starts a server of its own there")]
pub fn once_free<V>(mut start: impl FnMut() -> io::Result<V>) -> V {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match start() {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            result => return result.expect("a port on loopback"),
        }
    }
}
