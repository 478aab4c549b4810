//! An operator, who receives the station's messages and sends it commands with Mosquitto's own clients.

use crate::mosquitto::{Config, Mosquitto};
use crate::process::{Process, run};

/// How many messages may arrive before an expected one.
const MAX_MESSAGES: usize = 2_000;

/// A broker that admits the station and the operator only.
pub fn broker() -> Mosquitto {
    Mosquitto::start(&Config {
        users: vec![("station", "secret"), ("operator", "hidden")],
        // Logs each packet.
        lines: "log_type all".to_owned(),
        ..Config::default()
    })
}

/// How often the station was accepted.
pub fn connections(broker: &Mosquitto) -> usize {
    broker.logs(" as station (", 1).matches(" as station (").count()
}

/// Sends the station a message.
pub fn send(broker: &Mosquitto, topic: &str, qos: &str, message: &str) {
    run("mosquitto_pub", &arguments(broker, &["-t", topic, "-q", qos, "-m", message]));
}

fn arguments(broker: &Mosquitto, more: &[&str]) -> Vec<String> {
    let port = broker.addr().port().to_string();
    let common = ["-h", "127.0.0.1", "-p", &port, "-u", "operator", "-P", "hidden"];
    common.iter().chain(more).map(ToString::to_string).collect()
}

/// Receives all messages of the station.
pub struct Operator(Process);

impl Operator {
    pub fn listen(broker: &Mosquitto) -> Self {
        let mut topics = Vec::new();
        for topic in ["status", "uptime", "temperature", "pulses", "lamp", "answer", "received"] {
            topics.extend(["-t".to_owned(), format!("station/{topic}")]);
        }
        let format = ["-q", "2", "-F", "%t %q %p"];
        let more: Vec<&str> = topics.iter().map(String::as_str).chain(format).collect();
        Operator(Process::start("mosquitto_sub", &arguments(broker, &more)))
    }

    /// The next message: topic, QoS and payload.
    pub fn receive_any(&mut self) -> String {
        self.0.line()
    }

    /// The next message on this topic and at this QoS; others are skipped.
    pub fn receive(&mut self, topic: &str, qos: u8) -> String {
        let start = format!("station/{topic} {qos} ");
        (0..MAX_MESSAGES)
            .find_map(|_| self.receive_any().strip_prefix(&start).map(str::to_owned))
            .unwrap_or_else(|| panic!("{MAX_MESSAGES} messages, and none on {topic} at QoS {qos}"))
    }

    /// Waits for exactly this message.
    pub fn wait_for(&mut self, topic: &str, qos: u8, text: &str) {
        assert!(
            (0..MAX_MESSAGES).any(|_| self.receive(topic, qos) == text),
            "{text:?} does not arrive on {topic}"
        );
    }
}
