//! A runner over TLS, against Mosquitto: many threads publish, one hears, and an idle connection wakes nobody up.

mod common;

use std::fs;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::net::{Runner, Update};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message, QoS};
use common::{Authority, Broker};

const PATIENCE: Duration = Duration::from_secs(60);
const COUNT: u32 = 300;

/// How often the threads of the runner have gone to sleep, where the system says.
fn sleeps() -> u64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().filter_map(Result::ok);
    let sleeps = threads.filter_map(|thread| {
        let name = fs::read_to_string(thread.path().join("comm")).ok()?;
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        let sleeps = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        ["mqtt-runner", "mqtt-input"].contains(&name.trim()).then(|| sleeps.trim().parse().unwrap_or(0))
    });
    sleeps.sum()
}

/// Whether nobody wakes up for a second. A machine that has other things to do may take a while until that is so.
fn rests() -> bool {
    let before = sleeps();
    thread::sleep(Duration::from_secs(1));
    sleeps() == before
}

#[test]
fn many_threads_share_a_connection_that_costs_nothing_when_idle() {
    let authority = Authority::new();
    let broker = Broker::start(&authority, "");
    let config = baremqtt_tls::config(&authority.file("ca.crt"), None).expect("a certificate");
    let port = broker.tls_port;
    let open = move || baremqtt_tls::open("localhost", port, &config, PATIENCE);

    let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
    let runner = Runner::new(client, Backoff::new(1, 5));
    let handle = runner.handle();
    let (hear, heard) = mpsc::channel();
    let (ready, is_ready) = mpsc::channel();
    let run = move || {
        runner.run(
            |link| {
                let stream = link.open(open.clone())?;
                link.run(stream, &Connect::new("shared").keep_alive(60))
            },
            |update, outbound| {
                match update {
                    Update::Event(Event::Connected { .. }) => {
                        outbound.subscribe(&[("t/#", QoS::AtLeastOnce)])?;
                    }
                    Update::Event(Event::Subscribed { .. }) => ready.send(()).unwrap(),
                    Update::Event(Event::Message(message)) => hear.send(message.payload.len()).unwrap(),
                    Update::LinkLost { error, .. } => return Err(error),
                    _ => {}
                }
                Ok(())
            },
        )
    };
    let running = thread::Builder::new().name("mqtt-runner".into()).spawn(run).expect("a thread");
    is_ready.recv_timeout(PATIENCE).expect("a subscription");
    let publishers: Vec<_> = (0..3)
        .map(|number| {
            let handle = handle.clone();
            thread::spawn(move || {
                for n in 0..COUNT {
                    let message = Message::new("t/a", &[0; 300]).at_least_once();
                    let result = if n % 100 == number {
                        handle.publish_and_wait(&message, Some(PATIENCE)).map_err(|error| error.to_string())
                    } else {
                        handle.publish(&message).map(drop).map_err(|error| error.to_string())
                    };
                    result.expect("a message that is taken");
                }
            })
        })
        .collect();
    for _ in 0..3 * COUNT {
        assert_eq!(heard.recv_timeout(PATIENCE), Ok(300));
    }
    publishers.into_iter().for_each(|thread| thread.join().expect("it has published"));

    assert!((0..60).any(|_| rests()), "somebody wakes up again and again");

    let stopping = Instant::now();
    handle.stop();
    running.join().expect("no panic").expect("it was asked to");
    assert!(stopping.elapsed() < PATIENCE / 3, "{:?}", stopping.elapsed());
    let log = broker.mosquitto.logs(" disconnected.\n", 1);
    assert!(!log.contains("error"), "{log}");
}
