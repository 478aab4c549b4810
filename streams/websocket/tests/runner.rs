//! A runner over a WebSocket, against Mosquitto: threads publish, the runner hears, and stops in time.

mod common;
#[path = "../../../tests/support/mod.rs"]
mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::net::{Runner, Update};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message, QoS};
use common::{PATIENCE, open};
use support::mosquitto::{Config, Mosquitto, free_port};

#[test]
fn threads_share_it() {
    let port = free_port();
    let lines = format!("listener {port} 127.0.0.1\nprotocol websockets\nsocket_domain ipv4");
    let broker = Mosquitto::start(&Config { lines, ..Config::default() });
    let address: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();

    let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
    let runner = Runner::new(client, Backoff::new(1, 5));
    let handle = runner.handle();
    let ((hear, heard), (ready, is_ready)) = (mpsc::channel(), mpsc::channel());
    let running = thread::spawn(move || {
        runner.run(
            move || open(address),
            |queue| queue(&Connect::new("shared").keep_alive(60)),
            |update, outbound| {
                match update {
                    Update::Event(Event::Connected { .. }) => {
                        outbound.subscribe(&[("t", QoS::ExactlyOnce)])?;
                    }
                    Update::Event(Event::Subscribed { .. }) => ready.send(())?,
                    Update::Event(Event::Message(message)) => hear.send(message.payload.len())?,
                    Update::LinkLost { error, .. } => return Err(error.into()),
                    _ => {}
                }
                Ok(())
            },
        )
    });
    is_ready.recv_timeout(PATIENCE).expect("a subscription");
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let message = Message::new("t", &[0; 50]).exactly_once();
                for _ in 0..10 {
                    handle.publish(&message).expect("room");
                }
                handle.publish_and_wait(&message, Some(PATIENCE)).expect("PUBCOMP");
            });
        }
    });
    for _ in 0..33 {
        assert_eq!(heard.recv_timeout(PATIENCE), Ok(50));
    }
    let stopping = Instant::now();
    handle.stop();
    running.join().expect("no panic").expect("it was asked to");
    assert!(stopping.elapsed() < Duration::from_secs(1), "{:?}", stopping.elapsed());
    let log = broker.log();
    assert!(log.contains(" disconnected.\n"), "{log}");
}
