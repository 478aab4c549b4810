//! `examples/embassy`.

use std::thread;
use std::time::Duration;

use crate::operator::{Operator, broker, connections, send};
use crate::station::Station;

const EMBASSY: Station = Station {
    machine: "lm3s6965evb",
    firmware: "embassy",
    version: "p2",
    interval: |ms| ("station/set/interval", ms.to_owned()),
};

#[test]
fn publishes_at_each_qos_and_executes_commands() {
    EMBASSY.publishes_at_each_qos_and_executes_commands();
}

#[test]
fn stays_connected_while_idle_and_leaves_a_will() {
    EMBASSY.stays_connected_while_idle_and_leaves_a_will();
}

#[test]
fn reconnects_after_the_broker_was_killed() {
    EMBASSY.reconnects_after_the_broker_was_killed();
}

#[test]
fn blinks_while_it_takes_readings() {
    let broker = broker();
    let mut operator = Operator::listen(&broker);
    let _board = EMBASSY.start(&broker);
    operator.wait_for("status", 1, "online");
    EMBASSY.set_interval(&broker, &mut operator, "100");
    send(&broker, "station/set/lamp", "1", "100");
    assert_eq!(operator.receive("answer", 1), "100");
    let mut readings = 0;
    for state in ["on", "off", "on", "off", "on"] {
        loop {
            match operator.receive_any().split_once(" 0 ") {
                Some(("station/lamp", lamp)) => break assert_eq!(lamp, state),
                Some(("station/uptime", _)) => readings += 1,
                _ => {}
            }
        }
    }
    assert!(readings > 0, "no readings while it blinks");
    send(&broker, "station/set/lamp", "1", "0");
    assert_eq!(operator.receive("answer", 1), "0");
    assert_eq!(connections(&broker), 1, "{}", broker.log());
}

/// Each pulse of the meter, ten per second, is in exactly one reading; readings taken without a broker arrive later.
#[test]
fn counts_pulses_while_the_broker_is_down() {
    let mut broker = broker();
    let mut operator = Operator::listen(&broker);
    let _board = EMBASSY.start(&broker);
    let (mut pulses, _) = pulses_until(&mut operator, 3);
    broker.kill();
    thread::sleep(Duration::from_secs(5));
    broker.restart();
    let mut operator = Operator::listen(&broker);
    let (more, seconds) = pulses_until(&mut operator, 12);
    pulses += more;
    // What was in transit when the broker was killed and when we look, a second each time, is unknown.
    assert!(pulses >= 10 * (seconds - 2), "{pulses} pulses in {seconds} seconds");
    assert!(pulses <= 10 * (seconds + 2), "{pulses} pulses in {seconds} seconds");
}

/// The sum of the pulses until the station has run for this many seconds, and the seconds.
fn pulses_until(operator: &mut Operator, seconds: u32) -> (u32, u32) {
    let mut pulses = 0;
    loop {
        let message = operator.receive_any();
        if let Some(count) = message.strip_prefix("station/pulses 2 ") {
            pulses += count.parse::<u32>().expect("a number");
        }
        match message.strip_prefix("station/uptime 0 ").and_then(|uptime| uptime.parse().ok()) {
            Some(uptime) if uptime >= seconds => return (pulses, uptime),
            _ => {}
        }
    }
}
