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

use super::counts::{Told, Wire, number, qos, topic};
use crate::support::proxy::{Direction, Proxy};
use crate::support::wire::Packets;

/// Its observable progress.
#[derive(Default)]
pub struct Progress {
    pub told: Told,
    /// Connections, in order: to which node, and when.
    pub connected: Vec<(usize, Instant)>,
    /// When the first message was acknowledged on the last of them.
    pub worked: Option<Instant>,
    /// The results of attempts, by node.
    pub failed: Vec<(usize, String)>,
    is_subscribed: bool,
    next: usize,
}

pub struct Load {
    pub progress: Arc<Mutex<Progress>>,
    wire: Arc<Mutex<Wire>>,
    most: Arc<AtomicUsize>,
    handle: Handle,
    thread: JoinHandle<Result<(), GaveUp>>,
    _proxies: Vec<Proxy>,
}

impl Load {
    /// Starts with the first node, and continues with the next one after each lost link.
    pub fn start(nodes: &[SocketAddr], count: usize) -> Self {
        let wire = Arc::new(Mutex::new(Wire::default()));
        let proxies: Vec<Proxy> = nodes.iter().map(|&node| tapped(node, &wire)).collect();
        let addrs: Vec<SocketAddr> = proxies.iter().map(Proxy::addr).collect();
        let progress = Arc::new(Mutex::new(Progress::default()));
        let most = Arc::new(AtomicUsize::new(count));
        let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 8192] });
        let runner = Runner::new(client, Backoff::new(100, 1_000));
        let handle = runner.handle();
        let thread = thread::spawn({
            let (progress, most) = (Arc::clone(&progress), Arc::clone(&most));
            move || run(runner, &addrs, &progress, &most)
        });
        Load { progress, wire, most, handle, thread, _proxies: proxies }
    }

    /// Waits until `enough` holds, for at most this long; returns whether it does.
    pub fn until(&self, patience: Duration, enough: impl Fn(&Progress) -> bool) -> bool {
        let end = Instant::now() + patience;
        while !enough(&self.progress.lock().unwrap()) {
            if Instant::now() > end || self.thread.is_finished() {
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// Publishes more, up to this number.
    pub fn publishes_up_to(&self, count: usize) {
        self.most.store(count, SeqCst);
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

fn tapped(node: SocketAddr, wire: &Arc<Mutex<Wire>>) -> Proxy {
    let (wire, packets) = (Arc::clone(wire), Mutex::new(Packets::default()));
    let tap = move |connection, direction, piece: &[u8]| {
        let up = direction == Direction::ToBroker;
        let note = |packet: &Packet<'_>| wire.lock().unwrap().note(up, packet);
        packets.lock().unwrap().hear(connection, direction, piece, note);
    };
    Proxy::start_rough(node, std::iter::empty(), Box::new(tap))
}

fn run(
    runner: Runner,
    addrs: &[SocketAddr],
    progress: &Mutex<Progress>,
    most: &AtomicUsize,
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
                    progress.note(node.get(), &event);
                }
                Update::LinkLost { error, .. } => progress.failed(node.get(), &error),
                _ => {}
            }
            routes.subscribe(outbound)?;
            progress.publish(most.load(SeqCst), outbound)?;
            Ok(())
        },
    )
}

impl Progress {
    fn note(&mut self, node: usize, event: &Event<'_>) {
        match event {
            Event::Connected { .. } => {
                self.connected.push((node, Instant::now()));
                self.worked = None;
            }
            Event::Subscribed { .. } => self.is_subscribed = true,
            Event::Message(message) => self.told.arrived.push(number(message.payload)),
            Event::Published { id, .. } => {
                match self.told.open.remove(id) {
                    Some(number) => self.told.published.push(number),
                    None => self.told.unknown += 1,
                }
                self.worked.get_or_insert_with(Instant::now);
            }
            Event::Ended { id, outcome } => {
                let number = self.told.open.remove(id);
                self.told.ended.extend(number.map(|number| (number, *outcome)));
            }
            _ => {}
        }
    }

    pub fn has_arrived(&self, number: usize) -> bool {
        self.told.arrived.contains(&number)
    }

    /// What became of it at the second node, since the first one was to end.
    pub fn at_second(&self, ended: Instant) -> String {
        let seconds = |at: Instant| format!("{:.1} s", at.duration_since(ended).as_secs_f64());
        let failed = || self.failed.iter().rev().find(|(node, _)| *node == 1).map(|(_, why)| why.as_str());
        match (self.connected.last(), self.worked) {
            (Some((1, at)), Some(worked)) => {
                format!("connected after {}, goes on after {}", seconds(*at), seconds(worked))
            }
            (Some((1, _)), None) => format!("connects, no more ({})", failed().unwrap_or("no answers")),
            _ => format!("no ({})", failed().unwrap_or("no attempt")),
        }
    }

    fn failed(&mut self, node: usize, error: &Error) {
        self.failed.push((node, error.to_string()));
    }

    /// As many as there is room for.
    fn publish(&mut self, most: usize, outbound: &mut Outbound<'_, Standard>) -> Result<(), Error> {
        while self.is_subscribed && self.next < most {
            let payload = self.next.to_string();
            let message = Message::new(topic(self.next), payload.as_bytes()).qos(qos(self.next));
            match outbound.publish(&message) {
                Ok(id) => self.told.open.extend(id.map(|id| (id, self.next))),
                Err(RequestError::Full(_)) => break,
                Err(error) => return Err(error.into()),
            };
            self.next += 1;
        }
        Ok(())
    }
}
