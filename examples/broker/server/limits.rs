//! How much a server takes upon itself.

use std::time::Duration;

/// How much a server takes upon itself: for trying things, and so that small machines survive it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Sessions, connected or not.
    pub sessions: usize,
    /// Topics that have a retained message.
    pub retained: usize,
    /// Messages of QoS 1 and 2 that are under way to one client at a time: small clients have small tables.
    pub in_flight: usize,
    /// Messages that wait for one client, and are not under way yet. Those that come on top are dropped, as
    /// nobody is made to wait for a slow client: raise this where millions are published at once.
    pub queued: usize,
    /// Bytes of such messages.
    pub queued_bytes: usize,
    /// Bytes that wait to be written to one client. Who reads too slowly for that is disconnected.
    pub unsent_bytes: usize,
    /// How long a new connection may take until its CONNECT is complete.
    pub connect_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 1_000,
            sessions: 10_000,
            retained: 100_000,
            in_flight: 20,
            queued: 100_000,
            queued_bytes: 256 << 20,
            unsent_bytes: 64 << 20,
            connect_time: Duration::from_secs(10),
        }
    }
}
