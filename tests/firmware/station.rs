//! What every station has to do, on any board and with any executor.

use crate::mosquitto::Mosquitto;
use crate::operator::{Operator, broker, connections, say};
use crate::qemu::Board;

/// A station, and its peculiarities.
pub struct Station {
    pub machine: &'static str,
    /// The name of its firmware in tests/all.sh.
    pub firmware: &'static str,
    /// Mosquitto's name for its version of MQTT.
    pub version: &'static str,
    /// The order to take readings every so many ms: topic and payload.
    pub interval: fn(&str) -> (&'static str, String),
}

impl Station {
    /// Switches it on.
    pub fn start(&self, broker: &Mosquitto) -> Board {
        Board::start(self.machine, self.firmware, broker.addr())
    }

    /// Orders it to take readings every so many ms.
    pub fn set_interval(&self, broker: &Mosquitto, operator: &mut Operator, ms: &str) {
        assert_eq!(self.ask_for_interval(broker, operator, ms), ms);
    }

    /// Its answer to that.
    fn ask_for_interval(&self, broker: &Mosquitto, operator: &mut Operator, ms: &str) -> String {
        let (topic, message) = (self.interval)(ms);
        say(broker, topic, "1", &message);
        operator.hear("answer", 1)
    }

    pub fn speaks_at_each_qos_and_obeys(&self) {
        let broker = broker();
        let mut operator = Operator::listen(&broker);
        let _board = self.start(&broker);
        operator.wait_for("status", 1, "online");
        hears_readings(&mut operator);
        self.set_interval(&broker, &mut operator, "100");
        assert_eq!(self.ask_for_interval(&broker, &mut operator, "often"), "what?");
        // With a user name and a session that is kept.
        let connected = format!("as station ({}, c0, k3, u'station')", self.version);
        broker.logs(&connected, 1);
    }

    pub fn stays_while_nothing_happens_and_leaves_a_will(&self) {
        let broker = broker();
        let mut operator = Operator::listen(&broker);
        let board = self.start(&broker);
        operator.wait_for("status", 1, "online");
        // Longer than one and a half times its keep alive, after which the broker would close a silent connection.
        self.set_interval(&broker, &mut operator, "7000");
        operator.hear("uptime", 0);
        operator.hear("uptime", 0);
        self.set_interval(&broker, &mut operator, "500");
        broker.logs("Received PINGREQ from station", 1);
        assert_eq!(connections(&broker), 1, "{}", broker.log());
        drop(board);
        assert_eq!(operator.hear("status", 1), "offline");
    }

    pub fn comes_back_after_the_broker_was_killed(&self) {
        let mut broker = broker();
        let _board = self.start(&broker);
        Operator::listen(&broker).wait_for("status", 1, "online");
        for times in 2..=3 {
            broker.kill();
            broker.restart();
            let mut operator = Operator::listen(&broker);
            operator.wait_for("status", 1, "online");
            hears_readings(&mut operator);
            self.set_interval(&broker, &mut operator, &format!("{times}00"));
        }
    }
}

fn hears_readings(operator: &mut Operator) {
    for (topic, qos) in [("uptime", 0), ("temperature", 1), ("pulses", 2)] {
        let reading = operator.hear(topic, qos);
        assert!(reading.parse::<u32>().is_ok(), "{topic} is {reading:?}");
    }
}
