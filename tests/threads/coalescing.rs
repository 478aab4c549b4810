//! A pause before each read.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::Event;
use baremqtt::transport::net::Update;

use crate::{CONNECT, SOON, links, open, runner, serve};

const PAUSE: Duration = Duration::from_millis(600);
const BETWEEN: Duration = Duration::from_millis(150);

/// The machine may be busy: a single success is enough.
#[test]
fn input_that_arrives_within_the_pause_is_read_at_once() {
    let apart: Vec<_> = (0..50).map(|_| apart()).take_while(|apart| *apart >= BETWEEN).collect();
    assert!(apart.len() < 50, "{apart:?}");
}

/// The delay between the reports of two messages.
fn apart() -> Duration {
    let (address, server) = serve(|mut socket| {
        for _ in 0..2 {
            socket.write_all(b"\x30\x03\0\x01a").unwrap();
            thread::sleep(BETWEEN);
        }
        socket
    });
    let runner = runner(SOON).coalesce(PAUSE);
    let handle = runner.handle();
    let mut came = Vec::new();
    let reported = runner.run(links(open(address), CONNECT), |update, _| {
        if let Update::Event(Event::Message(_)) = update {
            came.push(Instant::now());
            if came.len() == 2 {
                handle.stop();
            }
        }
        Ok(())
    });
    reported.unwrap();
    drop(server.join().unwrap());
    came[1] - came[0]
}
