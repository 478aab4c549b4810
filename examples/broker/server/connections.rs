//! All connections: their number, deadlines and end.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::link::Link;
use super::{Limits, Stream, lock};

/// How often deadlines are checked.
const PERIOD: Duration = Duration::from_millis(50);

/// How long `stop` waits for the threads of closed connections.
const STOP_TIME: Duration = Duration::from_secs(10);

pub(super) struct Connections {
    live: Mutex<Live>,
    changed: Condvar,
    limits: Limits,
}

#[derive(Default)]
struct Live {
    links: HashMap<u64, Arc<Link>>,
    last_id: u64,
    stopping: bool,
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Self {
        Connections { live: Mutex::default(), changed: Condvar::new(), limits }
    }

    /// Registers a new connection. Closes it and returns `None` if there are too many, or the server is stopping.
    pub(super) fn enter(&self, stream: Box<dyn Stream>) -> Option<Arc<Link>> {
        let mut live = lock(&self.live);
        if live.stopping || live.links.len() >= self.limits.connections {
            stream.close();
            return None;
        }
        live.last_id += 1;
        let link = Arc::new(Link::new(live.last_id, stream, self.limits.unsent_bytes));
        link.set_deadline(Some(Instant::now() + self.limits.connect_time));
        live.links.insert(link.id(), Arc::clone(&link));
        Some(link)
    }

    /// The connection is closed, and its threads have ended.
    pub(super) fn leave(&self, link: &Link) {
        lock(&self.live).links.remove(&link.id());
        self.changed.notify_all();
    }

    /// Closes connections whose deadline has passed, until the server stops.
    pub(super) fn watch(&self) {
        let mut live = lock(&self.live);
        while !live.stopping {
            let now = Instant::now();
            let overdue = live.links.values().filter(|link| link.is_overdue(now));
            overdue.for_each(|link| link.close("silent for too long"));
            live = self.changed.wait_timeout(live, PERIOD).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(super) fn stopping(&self) -> bool {
        lock(&self.live).stopping
    }

    /// Closes all connections, accepts no more, and waits for their threads.
    pub(super) fn stop(&self) {
        let mut live = lock(&self.live);
        live.stopping = true;
        live.links.values().for_each(|link| link.close("server stops"));
        self.changed.notify_all();
        let gone = self.changed.wait_timeout_while(live, STOP_TIME, |live| !live.links.is_empty());
        drop(gone);
    }
}
