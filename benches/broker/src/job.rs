//! The task, the same for all programs.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::process;
use std::time::Instant;

use baremqtt::QoS;

pub const TOPIC: &str = "site/b7/floor3/room1";
/// How many messages are in flight at most.
pub const WINDOW: u64 = 100;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Out,
    In,
    Ping,
}

pub struct Job {
    pub role: Role,
    pub broker: SocketAddr,
    pub qos: QoS,
    pub payload: Vec<u8>,
    pub count: u64,
}

impl Job {
    pub fn read(arguments: &[String]) -> Result<Self, Box<dyn Error>> {
        let [role, port, qos, size, count] = arguments else {
            return Err("role, port, QoS, size, count".into());
        };
        let role = match role.as_str() {
            "out" => Role::Out,
            "in" => Role::In,
            "ping" => Role::Ping,
            other => return Err(format!("there is no role {other}").into()),
        };
        let qos = match qos.as_str() {
            "0" => QoS::AtMostOnce,
            "1" => QoS::AtLeastOnce,
            _ => QoS::ExactlyOnce,
        };
        let broker = SocketAddr::from(([127, 0, 0, 1], port.parse()?));
        Ok(Job { role, broker, qos, payload: vec![b'x'; size.parse()?], count: count.parse()? })
    }

    /// Unique to this run: a broker can take some time to notice the end of a connection.
    pub fn client_id(&self) -> String {
        format!("bench-{}", process::id())
    }

    /// Room for twice as many messages as may be in flight.
    pub fn buffer(&self) -> Vec<u8> {
        vec![0; (TOPIC.len() + self.payload.len() + 16) * WINDOW as usize * 2]
    }
}

/// Waits for the signal to begin.
pub fn ready() -> io::Result<()> {
    println!("ready");
    io::stdout().flush()?;
    io::stdin().read_line(&mut String::new()).map(|_| ())
}

/// Everything is done: waits until that is noticed.
pub fn done(trips: &mut [u64]) -> io::Result<()> {
    trips.sort_unstable();
    let nth = |percent: usize| trips.get(trips.len() * percent / 100).map_or(0.0, |&ns| ns as f64 / 1e3);
    println!("done {:.1} {:.1}", nth(50), nth(99));
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new()).map(|_| ())
}

/// Round-trip times of messages.
pub struct Trips {
    began: Option<Instant>,
    pub took: Vec<u64>,
}

impl Trips {
    pub fn new() -> Self {
        Trips { began: None, took: vec![] }
    }

    pub fn begin(&mut self) {
        self.began = Some(Instant::now());
    }

    pub fn end(&mut self) {
        self.took.extend(self.began.map(|began| began.elapsed().as_nanos() as u64));
    }
}
