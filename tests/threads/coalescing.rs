//! A pause before each read.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::Event;
use baremqtt::transport::net::Update;

use crate::{CONNECT, SHORT_BACKOFF, open, open_and_run, runner, serve};

const PAUSE: Duration = Duration::from_millis(600);
const INTERVAL: Duration = Duration::from_millis(150);

/// The machine may be busy: one success is enough.
#[test]
fn input_that_arrives_within_the_pause_is_read_at_once() {
    let delays: Vec<_> =
        (0..50).map(|_| delay_between_reports()).take_while(|delay| *delay >= INTERVAL).collect();
    assert!(delays.len() < 50, "{delays:?}");
}

/// The delay between the reports of two messages.
fn delay_between_reports() -> Duration {
    let (address, server) = serve(|mut socket| {
        for _ in 0..2 {
            socket.write_all(b"\x30\x03\0\x01a").unwrap();
            thread::sleep(INTERVAL);
        }
        socket
    });
    let runner = runner(SHORT_BACKOFF).coalesce(PAUSE);
    let handle = runner.handle();
    let mut arrivals = Vec::new();
    let reported = runner.run(open_and_run(open(address), CONNECT), |update, _| {
        if let Update::Event(Event::Message(_)) = update {
            arrivals.push(Instant::now());
            if arrivals.len() == 2 {
                handle.stop();
            }
        }
        Ok(())
    });
    reported.unwrap();
    drop(server.join().unwrap());
    arrivals[1] - arrivals[0]
}
