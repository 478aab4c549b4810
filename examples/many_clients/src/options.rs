//! The command line.

use std::net::{SocketAddr, ToSocketAddrs};
use std::process;

use baremqtt::Version;
use lexopt::{Arg, Error, Parser, ValueExt};

pub const HELP: &str = "\
Thousands of MQTT clients on one thread. Each subscribes to a topic of its own, publishes to it at QoS 1, and waits for
each message to come back before the next.

usage: baremqtt-many-clients [option...]

  --clients N         how many [default: 2000]
  --messages N        how many each of them publishes [default: 10]
  --pace MS           the time between two messages of a client [default: 1000]
  --broker HOST:PORT  by default the small broker of these examples is started, which can serve about 2,000 clients
  --keep-alive S      in seconds [default: 60]
  --mqtt 3.1|3.1.1    the version [default: 3.1.1]
  --report-ms MS      the interval of reports [default: 1000]
  --limit S           the time limit in seconds [default: 300]
  --help              print this help";

#[derive(Clone)]
pub struct Options {
    pub clients: u32,
    pub messages: u32,
    pub pace_ms: u32,
    /// A placeholder until it is known.
    pub broker: SocketAddr,
    pub has_broker: bool,
    pub keep_alive: u16,
    pub version: Version,
    pub limit_s: u32,
    pub report_ms: u32,
    /// Distinguishes the clients of this process from those of others.
    process: u32,
}

/// The role of this process.
pub enum Role {
    Clients(Options),
    /// The broker for this many clients, for the process that has started this one.
    Broker(usize),
    Help,
}

impl Role {
    pub fn read(mut parser: Parser) -> Result<Self, Error> {
        let mut options = Options {
            clients: 2_000,
            messages: 10,
            pace_ms: 1_000,
            broker: ([127, 0, 0, 1], 0).into(),
            has_broker: false,
            keep_alive: 60,
            version: Version::Mqtt311,
            limit_s: 300,
            report_ms: 1_000,
            process: process::id(),
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("clients") => options.clients = parser.value()?.parse_with(clients)?,
                Arg::Long("messages") => options.messages = parser.value()?.parse()?,
                Arg::Long("pace") => options.pace_ms = parser.value()?.parse()?,
                Arg::Long("broker") => {
                    options.broker = parser.value()?.parse_with(address)?;
                    options.has_broker = true;
                }
                Arg::Long("keep-alive") => options.keep_alive = parser.value()?.parse()?,
                Arg::Long("mqtt") => options.version = parser.value()?.parse()?,
                Arg::Long("limit") => options.limit_s = parser.value()?.parse()?,
                Arg::Long("report-ms") => options.report_ms = parser.value()?.parse()?,
                Arg::Long("be-the-broker-for") => return Ok(Role::Broker(parser.value()?.parse()?)),
                Arg::Long("help") | Arg::Short('h') => return Ok(Role::Help),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Role::Clients(options))
    }
}

impl Options {
    /// At most 23 characters, as MQTT 3.1 requires.
    pub fn client_id(&self, number: u32) -> String {
        format!("many-{}-{number}", self.process)
    }

    pub fn topic(&self, number: u32) -> String {
        format!("many/{}/{number}", self.process)
    }
}

fn clients(text: &str) -> Result<u32, &'static str> {
    text.parse().ok().filter(|clients| (1..=50_000).contains(clients)).ok_or("--clients is 1 to 50000")
}

/// The first address of the name. IPv4 is preferred, because many brokers listen only on IPv4.
fn address(text: &str) -> Result<SocketAddr, String> {
    let all: Vec<_> = text.to_socket_addrs().map_err(|error| format!("{text}: {error}"))?.collect();
    all.iter()
        .find(|address| address.is_ipv4())
        .or(all.first())
        .copied()
        .ok_or_else(|| format!("{text} stands for no address"))
}
