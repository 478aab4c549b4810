//! The limits of a server.

use std::time::Duration;

/// The limits of a server, suitable for experiments, and for small machines.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at the same time.
    pub connections: usize,
    /// Sessions, connected or not.
    pub sessions: usize,
    /// Topics with a retained message.
    pub retained: usize,
    /// QoS 1 and 2 messages under way to one client at the same time; small clients have small tables.
    pub in_flight: usize,
    /// Messages that wait for one client and are not under way yet. Further ones are dropped, because
    /// a slow client must not make others wait. Raise this to publish millions of messages at once.
    pub queued: usize,
    /// Total length of such messages.
    pub queued_bytes: usize,
    /// Bytes that wait to be written to one client. A client that reads more slowly is disconnected.
    pub unsent_bytes: usize,
    /// How long a new connection may take to send a complete CONNECT.
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
