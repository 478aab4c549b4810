//! The tests that every station has to pass, on any board and with any executor.

use crate::mosquitto::Mosquitto;
use crate::operator::{Operator, broker, connections, send};
use crate::qemu::Board;

/// A station, and its peculiarities.
pub struct Station {
    pub machine: &'static str,
    /// The name of its firmware in tests/all.sh.
    pub firmware: &'static str,
    /// Mosquitto's name for its version of MQTT.
    pub version: &'static str,
    /// The command that sets the interval of readings, in ms: topic and payload.
    pub interval: fn(&str) -> (&'static str, String),
}

impl Station {
    /// Starts its board.
    pub fn start(&self, broker: &Mosquitto) -> Board {
        Board::start(self.machine, self.firmware, broker.addr())
    }

    /// Sets the interval of its readings, in ms.
    pub fn set_interval(&self, broker: &Mosquitto, operator: &mut Operator, ms: &str) {
        assert_eq!(self.request_interval(broker, operator, ms), ms);
    }

    /// Sends the command, and returns the station's reply.
    fn request_interval(&self, broker: &Mosquitto, operator: &mut Operator, ms: &str) -> String {
        let (topic, message) = (self.interval)(ms);
        send(broker, topic, "1", &message);
        operator.receive("answer", 1)
    }

    pub fn publishes_at_each_qos_and_executes_commands(&self) {
        let broker = broker();
        let mut operator = Operator::listen(&broker);
        let _board = self.start(&broker);
        operator.wait_for("status", 1, "online");
        expect_readings(&mut operator);
        self.set_interval(&broker, &mut operator, "100");
        assert_eq!(self.request_interval(&broker, &mut operator, "often"), "what?");
        // With a user name and a persistent session.
        let connected = format!("as station ({}, c0, k3, u'station')", self.version);
        broker.logs(&connected, 1);
    }

    pub fn stays_connected_while_idle_and_leaves_a_will(&self) {
        let broker = broker();
        let mut operator = Operator::listen(&broker);
        let board = self.start(&broker);
        operator.wait_for("status", 1, "online");
        // Longer than one and a half times its keep alive, after which the broker would close a silent connection.
        self.set_interval(&broker, &mut operator, "7000");
        operator.receive("uptime", 0);
        operator.receive("uptime", 0);
        self.set_interval(&broker, &mut operator, "500");
        broker.logs("Received PINGREQ from station", 1);
        assert_eq!(connections(&broker), 1, "{}", broker.log());
        drop(board);
        assert_eq!(operator.receive("status", 1), "offline");
    }

    pub fn reconnects_after_the_broker_was_killed(&self) {
        let mut broker = broker();
        let _board = self.start(&broker);
        Operator::listen(&broker).wait_for("status", 1, "online");
        for times in 2..=3 {
            broker.kill();
            broker.restart();
            let mut operator = Operator::listen(&broker);
            operator.wait_for("status", 1, "online");
            expect_readings(&mut operator);
            self.set_interval(&broker, &mut operator, &format!("{times}00"));
        }
    }
}

fn expect_readings(operator: &mut Operator) {
    for (topic, qos) in [("uptime", 0), ("temperature", 1), ("pulses", 2)] {
        let reading = operator.receive(topic, qos);
        assert!(reading.parse::<u32>().is_ok(), "{topic} is {reading:?}");
    }
}
