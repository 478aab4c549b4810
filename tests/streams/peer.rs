//! The other end: a client of the same broker, over plain TCP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use baremqtt::transport::net::Connection;
use baremqtt::{Buffers, Client, Connect, Event, Message, QoS};

use crate::server::{Options, Server};

const TIMEOUT: Duration = Duration::from_secs(60);

/// A broker on a port of its own.
pub fn broker() -> Server {
    Server::start(Options { listen: "127.0.0.1:0".parse().unwrap(), ..Options::default() }).unwrap()
}

/// Publishes numbers on the topic `in` continuously, and receives `out/#`.
pub struct Peer {
    thread: JoinHandle<Vec<String>>,
    /// How many messages it has to receive before it ends.
    wanted: Arc<AtomicUsize>,
}

impl Peer {
    pub fn start(broker: SocketAddr, interval: Duration) -> Peer {
        let wanted = Arc::new(AtomicUsize::new(usize::MAX));
        let end = Arc::clone(&wanted);
        let client = Client::new(Buffers { rx: vec![0; 8192], tx: vec![0; 8192] });
        let mut mqtt = Connection::tcp(broker, Duration::from_secs(5), client).unwrap();
        mqtt.connect(&Connect::new("peer")).unwrap();
        let mut is_subscribed = false;
        while !is_subscribed {
            match mqtt.next_event(None).unwrap() {
                Some(Event::Connected { .. }) => {
                    mqtt.subscribe(&[("out/#", QoS::ExactlyOnce)]).unwrap();
                }
                Some(Event::Subscribed { .. }) => is_subscribed = true,
                other => panic!("{other:?}"),
            }
        }
        let thread = thread::spawn(move || {
            let (mut received, mut published, started) = (Vec::new(), 0_u32, Instant::now());
            while received.len() < end.load(Ordering::Relaxed) {
                let wait = (interval * published).saturating_sub(started.elapsed());
                if wait.is_zero() {
                    mqtt.publish(&Message::new("in", published.to_string().as_bytes())).unwrap();
                    published += 1;
                }
                if let Some(Event::Message(message)) =
                    mqtt.next_event(Some(wait.min(Duration::from_millis(5)))).unwrap()
                {
                    received.push(String::from_utf8(message.payload.to_vec()).unwrap());
                }
            }
            received
        });
        Peer { thread, wanted }
    }

    /// The messages received, until there are this many.
    pub fn wait_for_messages(self, count: usize) -> Vec<String> {
        self.wanted.store(count, Ordering::Relaxed);
        let started = Instant::now();
        while !self.thread.is_finished() {
            assert!(started.elapsed() < TIMEOUT, "{count} messages have not arrived");
            thread::sleep(Duration::from_millis(1));
        }
        self.thread.join().unwrap()
    }
}
