//! The firmware of `examples/firmware` on emulated boards, with its serial line joined to a Mosquitto. What it says is
//! heard, and what it is told is said, by Mosquitto's own clients.
//!
//! ```text
//! tests/all.sh firmware
//! ```

#[path = "../clients/process.rs"]
mod process;

#[path = "../support/mosquitto.rs"]
#[allow(dead_code)]
mod mosquitto;

mod qemu;

use mosquitto::{Config, Mosquitto};
use process::{Process, run};
use qemu::Board;

/// How many messages may come before one that is waited for.
const MANY: usize = 2_000;

/// A broker that lets in the station and the operator only.
fn broker() -> Mosquitto {
    Mosquitto::start(&Config {
        users: vec![("station", "secret"), ("operator", "hidden")],
        // Each packet.
        lines: "log_type all".to_owned(),
        ..Config::default()
    })
}

fn arguments(broker: &Mosquitto, more: &[&str]) -> Vec<String> {
    let port = broker.addr().port().to_string();
    let common = ["-h", "127.0.0.1", "-p", &port, "-u", "operator", "-P", "hidden"];
    common.iter().chain(more).map(ToString::to_string).collect()
}

/// Tells the station something.
fn say(broker: &Mosquitto, topic: &str, qos: &str, message: &str) {
    run("mosquitto_pub", &arguments(broker, &["-t", topic, "-q", qos, "-m", message]));
}

/// Somebody who hears all that the station says.
struct Operator(Process);

impl Operator {
    fn listen(broker: &Mosquitto) -> Self {
        let mut topics = Vec::new();
        for topic in ["status", "uptime", "temperature", "pulses", "answer", "received"] {
            topics.extend(["-t".to_owned(), format!("station/{topic}")]);
        }
        let format = ["-q", "2", "-F", "%t %q %p"];
        let more: Vec<&str> = topics.iter().map(String::as_str).chain(format).collect();
        Operator(Process::start("mosquitto_sub", &arguments(broker, &more)))
    }

    /// The next message on this topic and at this QoS; others are passed over.
    fn hear(&mut self, topic: &str, qos: u8) -> String {
        let start = format!("station/{topic} {qos} ");
        (0..MANY)
            .find_map(|_| self.0.line().strip_prefix(&start).map(str::to_owned))
            .unwrap_or_else(|| panic!("{MANY} messages, and none on {topic} at QoS {qos}"))
    }

    /// Waits for just this message.
    fn wait_for(&mut self, topic: &str, qos: u8, text: &str) {
        assert!((0..MANY).any(|_| self.hear(topic, qos) == text), "{text:?} does not come on {topic}");
    }
}

/// What each board has to do.
fn speaks_at_each_qos_and_obeys(name: &str) {
    let broker = broker();
    let mut operator = Operator::listen(&broker);
    let _board = Board::start(name, broker.addr());
    operator.wait_for("status", 1, "online");
    for (topic, qos) in [("uptime", 0), ("temperature", 1), ("pulses", 2)] {
        let reading = operator.hear(topic, qos);
        assert!(reading.parse::<u32>().is_ok(), "{topic} is {reading:?}");
    }
    say(&broker, "station/command", "1", "interval 100");
    assert_eq!(operator.hear("answer", 1), "100");
    say(&broker, "station/command", "1", "jump");
    assert_eq!(operator.hear("answer", 1), "what?");
    // As MQTT 3.1, with user name, will and a session that is kept.
    assert!(broker.log().contains("as station (p1, c0, k3, u'station')"), "{}", broker.log());
}

#[test]
fn lm3s6965evb_speaks_and_obeys() {
    speaks_at_each_qos_and_obeys("lm3s6965evb");
}

#[test]
fn mps2_an386_speaks_and_obeys() {
    speaks_at_each_qos_and_obeys("mps2-an386");
}

#[test]
fn microbit_speaks_and_obeys() {
    speaks_at_each_qos_and_obeys("microbit");
}

#[test]
fn reads_a_message_that_is_larger_than_its_buffer() {
    let broker = broker();
    let mut operator = Operator::listen(&broker);
    let _board = Board::start("lm3s6965evb", broker.addr());
    operator.wait_for("status", 1, "online");
    let numbers: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
    for file in [numbers.join(" "), "123456789".to_owned()] {
        say(&broker, "station/file", "2", &file);
        let report = format!("{} {}", file.len(), crc32(file.as_bytes()));
        assert_eq!(operator.hear("received", 1), report);
    }
    // The check value in every table of CRCs.
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
}

#[test]
fn stays_while_nothing_happens_and_leaves_a_will() {
    let broker = broker();
    let mut operator = Operator::listen(&broker);
    let board = Board::start("lm3s6965evb", broker.addr());
    operator.wait_for("status", 1, "online");
    // Longer than one and a half times its keep alive, after which the broker would end a silent connection.
    say(&broker, "station/command", "1", "interval 7000");
    assert_eq!(operator.hear("answer", 1), "7000");
    operator.hear("uptime", 0);
    operator.hear("uptime", 0);
    say(&broker, "station/command", "1", "interval 500");
    assert_eq!(operator.hear("answer", 1), "500");
    assert!(broker.log().contains("Received PINGREQ from station"));
    assert_eq!(connections(&broker), 1, "{}", broker.log());
    drop(board);
    assert_eq!(operator.hear("status", 1), "offline");
}

#[test]
fn comes_back_after_the_broker_was_killed() {
    let mut broker = broker();
    let _board = Board::start("lm3s6965evb", broker.addr());
    Operator::listen(&broker).wait_for("status", 1, "online");
    for times in 2..=3 {
        broker.kill();
        broker.restart();
        let mut operator = Operator::listen(&broker);
        operator.wait_for("status", 1, "online");
        for (topic, qos) in [("uptime", 0), ("temperature", 1), ("pulses", 2)] {
            operator.hear(topic, qos);
        }
        let interval = format!("{times}00");
        say(&broker, "station/command", "1", &format!("interval {interval}"));
        assert_eq!(operator.hear("answer", 1), interval);
    }
}

/// How often the station was let in.
fn connections(broker: &Mosquitto) -> usize {
    broker.log().matches(" as station (").count()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    })
}
