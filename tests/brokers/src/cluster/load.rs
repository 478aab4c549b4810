//! One client with a persistent session that publishes numbered messages and receives them, at whichever node accepts it.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use baremqtt::codec::Packet;
use baremqtt::transport::net::{Error, GaveUp, Handle, Runner, Update, open_tcp};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message, Outbound, RequestError, Routes, Standard};

use super::counts::{Reported, Wire, number, qos, topic};
use crate::support::proxy::{Direction, Proxy};
use crate::support::wire::Packets;

/// Its observable progress.
#[derive(Default)]
pub struct Progress {
    pub reported: Reported,
    /// Connections, in order: to which node, and when.
    pub connected: Vec<(usize, Instant)>,
    /// When the first message was acknowledged on the last of them.
    pub continued: Option<Instant>,
    /// The results of attempts, by node.
    pub failed: Vec<(usize, String)>,
    is_subscribed: bool,
    next: usize,
}

pub struct Load {
    pub progress: Arc<Mutex<Progress>>,
    wire: Arc<Mutex<Wire>>,
    limit: Arc<AtomicUsize>,
    handle: Handle,
    thread: JoinHandle<Result<(), GaveUp>>,
    _proxies: Vec<Proxy>,
}

impl Load {
    /// Starts with the first node, and continues with the next one after each lost link.
    pub fn start(nodes: &[SocketAddr], count: usize) -> Self {
        let wire = Arc::new(Mutex::new(Wire::default()));
        let proxies: Vec<Proxy> = nodes.iter().map(|&node| start_proxy(node, &wire)).collect();
        let addrs: Vec<SocketAddr> = proxies.iter().map(Proxy::addr).collect();
        let progress = Arc::new(Mutex::new(Progress::default()));
        let limit = Arc::new(AtomicUsize::new(count));
        let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 8192] });
        let runner = Runner::new(client, Backoff::new(100, 1_000));
        let handle = runner.handle();
        let thread = thread::spawn({
            let (progress, limit) = (Arc::clone(&progress), Arc::clone(&limit));
            move || run(runner, &addrs, &progress, &limit)
        });
        Load { progress, wire, limit, handle, thread, _proxies: proxies }
    }

    /// Waits until `condition` holds, for at most this long; returns whether it does.
    pub fn wait_until(&self, timeout: Duration, condition: impl Fn(&Progress) -> bool) -> bool {
        let end = Instant::now() + timeout;
        while !condition(&self.progress.lock().unwrap()) {
            if Instant::now() > end || self.thread.is_finished() {
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// Publishes more, up to this number.
    pub fn publish_up_to(&self, count: usize) {
        self.limit.store(count, SeqCst);
        self.handle.wake();
    }

    /// Stops it, and returns what was reported and what was seen on the wire.
    pub fn stop(self) -> Result<(Progress, Wire), String> {
        self.handle.stop();
        self.thread
            .join()
            .expect("the runner's thread")
            .map_err(|error| format!("the client gave up: {error}"))?;
        Ok((
            std::mem::take(&mut self.progress.lock().unwrap()),
            std::mem::take(&mut self.wire.lock().unwrap()),
        ))
    }
}

fn start_proxy(node: SocketAddr, wire: &Arc<Mutex<Wire>>) -> Proxy {
    let (wire, packets) = (Arc::clone(wire), Mutex::new(Packets::default()));
    let tap = move |connection, direction, piece: &[u8]| {
        let up = direction == Direction::ToBroker;
        let record = |packet: &Packet<'_>| wire.lock().unwrap().record(up, packet);
        packets.lock().unwrap().push(connection, direction, piece, record);
    };
    Proxy::start_rough(node, std::iter::empty(), Box::new(tap))
}

fn run(
    runner: Runner,
    addrs: &[SocketAddr],
    progress: &Mutex<Progress>,
    limit: &AtomicUsize,
) -> Result<(), GaveUp> {
    let mut routes = Routes::<_, (), 2>::new();
    for at in [0, 1] {
        routes.add(topic(at), qos(at), ()).expect("a route");
    }
    let connect = Connect::new("load").clean_session(false).keep_alive(20);
    // The node of this attempt, and of the next.
    let (node, next) = (Cell::new(0), Cell::new(0));
    runner.run(
        |link| {
            node.set(next.get());
            next.set((next.get() + 1) % addrs.len());
            let addr = addrs[node.get()];
            let stream = link.open(move || open_tcp(addr, Duration::from_secs(5)))?;
            link.run(stream, &connect)
        },
        |update, outbound| {
            let progress = &mut progress.lock().unwrap();
            match update {
                Update::Event(event) => {
                    routes.note(&event);
                    progress.record(node.get(), &event);
                }
                Update::LinkLost { error, .. } => progress.failed(node.get(), &error),
                _ => {}
            }
            routes.subscribe(outbound)?;
            progress.publish(limit.load(SeqCst), outbound)?;
            Ok(())
        },
    )
}

impl Progress {
    fn record(&mut self, node: usize, event: &Event<'_>) {
        match event {
            Event::Connected { .. } => {
                self.connected.push((node, Instant::now()));
                self.continued = None;
            }
            Event::Subscribed { .. } => self.is_subscribed = true,
            Event::Message(message) => self.reported.arrived.push(number(message.payload)),
            Event::Published { id, .. } => {
                match self.reported.open.remove(id) {
                    Some(number) => self.reported.published.push(number),
                    None => self.reported.unknown += 1,
                }
                self.continued.get_or_insert_with(Instant::now);
            }
            Event::Ended { id, outcome } => {
                let number = self.reported.open.remove(id);
                self.reported.ended.extend(number.map(|number| (number, *outcome)));
            }
            _ => {}
        }
    }

    pub fn has_arrived(&self, number: usize) -> bool {
        self.reported.arrived.contains(&number)
    }

    /// Whether and when it continued at the second node, counted from the end of the first one.
    pub fn at_second(&self, ended: Instant) -> String {
        let seconds = |at: Instant| format!("{:.1} s", at.duration_since(ended).as_secs_f64());
        let failed = || self.failed.iter().rev().find(|(node, _)| *node == 1).map(|(_, why)| why.as_str());
        match (self.connected.last(), self.continued) {
            (Some((1, at)), Some(continued)) => {
                format!("connected after {}, continues after {}", seconds(*at), seconds(continued))
            }
            (Some((1, _)), None) => format!("connects, no more ({})", failed().unwrap_or("no answers")),
            _ => format!("no ({})", failed().unwrap_or("no attempt")),
        }
    }

    fn failed(&mut self, node: usize, error: &Error) {
        self.failed.push((node, error.to_string()));
    }

    /// As many as there is room for.
    fn publish(&mut self, limit: usize, outbound: &mut Outbound<'_, Standard>) -> Result<(), Error> {
        while self.is_subscribed && self.next < limit {
            let payload = self.next.to_string();
            let message = Message::new(topic(self.next), payload.as_bytes()).qos(qos(self.next));
            match outbound.publish(&message) {
                Ok(id) => self.reported.open.extend(id.map(|id| (id, self.next))),
                Err(RequestError::Full(_)) => break,
                Err(error) => return Err(error.into()),
            };
            self.next += 1;
        }
        Ok(())
    }
}
