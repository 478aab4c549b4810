//! Ports for servers that are started later, or again.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// A loopback port that nobody listens on now, and that the system gives to no connection: a server that is started
/// later, or again, finds it free still.
pub fn free_port() -> u16 {
    const PORTS: std::ops::Range<u32> = 10_000..32_000;
    static TRIED: AtomicU32 = AtomicU32::new(0);
    // Processes that run side by side start far from each other.
    let first = process::id().wrapping_mul(61);
    let mut ports = PORTS.map(|_| {
        let offset = first.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start);
        u16::try_from(PORTS.start + offset).expect("a port")
    });
    let free = ports.find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
    free.expect("a free loopback port")
}
