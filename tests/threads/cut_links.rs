//! A link that is cut repeatedly, within packets: each QoS 2 message arrives once, both ways, in order.

use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};

use baremqtt::transport::net::{self, GaveUp, Update};
use baremqtt::{Connect, Event, Message, QoS};

use crate::proxy::{Cut, Proxy};
use crate::server::{Options, Server};
use crate::{Choices, Handle, SHORT_BACKOFF, TIMEOUT, open, open_and_run, runner_with, unsplit};

const CUTS: u32 = 40;

/// A client that subscribes to one topic.
struct Peer {
    handle: Handle,
    received: Receiver<u32>,
    running: JoinHandle<Result<(), GaveUp>>,
}

impl Peer {
    fn start<S: net::Stream + Send + 'static>(
        name: &'static str,
        address: SocketAddr,
        wrap: fn(TcpStream) -> S,
        topic: &'static str,
    ) -> Self {
        let runner = runner_with(1_024, Choices::new(), SHORT_BACKOFF);
        let (handle, open) = (runner.handle(), open(address));
        let ((received_sender, received), (ready, is_ready)) = (mpsc::channel(), mpsc::channel());
        let running = thread::spawn(move || {
            runner.run(
                open_and_run(move || open().map(wrap), Connect::new(name).clean_session(false).keep_alive(0)),
                |update, outbound| {
                    match update {
                        Update::Event(Event::Connected { .. }) => {
                            outbound.subscribe(&[(topic, QoS::ExactlyOnce)])?;
                        }
                        // The test waits for the first one only.
                        Update::Event(Event::Subscribed { .. }) => drop(ready.send(())),
                        Update::Event(Event::Message(message)) => {
                            received_sender
                                .send(std::str::from_utf8(message.payload).unwrap().parse().unwrap())
                                .unwrap();
                        }
                        _ => {}
                    }
                    Ok(())
                },
            )
        });
        is_ready.recv_timeout(TIMEOUT).unwrap();
        Peer { handle, received, running }
    }

    /// Publishes numbers, and waits for the acknowledgement of every tenth.
    fn start_publishing(&self, topic: &'static str, count: u32) -> JoinHandle<()> {
        let handle = self.handle.clone();
        thread::spawn(move || {
            for n in 0..count {
                let number = n.to_string();
                let message = Message::new(topic, number.as_bytes()).exactly_once();
                if n % 10 == 0 {
                    handle.publish_and_wait(&message, Some(TIMEOUT)).unwrap();
                } else {
                    handle.publish(&message).unwrap();
                }
            }
        })
    }

    /// Expects each number below `count` once, in order, and nothing else.
    fn expect_numbers(self, count: u32) {
        for n in 0..count {
            assert_eq!(self.received.recv_timeout(TIMEOUT), Ok(n));
        }
        self.handle.stop();
        self.running.join().unwrap().unwrap();
        assert_eq!(self.received.iter().next(), None);
    }
}

fn each_message_arrives_once<S: net::Stream + Send + 'static>(wrap: fn(TcpStream) -> S, count: u32) {
    let server =
        Server::start(Options { listen: "127.0.0.1:0".parse().unwrap(), ..Options::default() }).unwrap();
    // The first connection subscribes; then the cuts follow, by xorshift.
    let (mut state, mut left) = (0x5EED_u32, CUTS);
    let cuts = std::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let after = u64::from(100 + state % 700);
        Some(Some(if state.is_multiple_of(2) { Cut::to_broker(after) } else { Cut::to_client(after) }))
    });
    let proxy = Proxy::start_gentle(server.addr(), cuts);
    let near = Peer::start("near", server.addr(), |tcp| tcp, "to/near");
    let far = Peer::start("far", proxy.addr(), wrap, "to/far");
    let publishing = [near.start_publishing("to/far", count), far.start_publishing("to/near", count)];
    publishing.into_iter().for_each(|thread| thread.join().unwrap());
    near.expect_numbers(count);
    far.expect_numbers(count);
    assert!(proxy.cuts() > 20, "{}", proxy.cuts());
}

#[test]
fn over_halves() {
    each_message_arrives_once(|tcp| tcp, 1_000);
}

#[test]
fn over_one_object() {
    each_message_arrives_once(unsplit, 500);
}
