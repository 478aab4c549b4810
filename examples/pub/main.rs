//! Publishes messages, with most options of `mosquitto_pub`.
//!
//! ```text
//! cargo run --example pub -- -h localhost -t sensor/17 -m 21.5 -q 1
//! ```

#[path = "../common/mod.rs"]
mod common;
mod deliver;
mod payload;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use baremqtt::{QoS, TopicName};
use common::{Failure, Link};
use lexopt::{Parser, ValueExt};
use payload::Source;

const HELP: &str = "\
Publishes messages over MQTT 3.1 or 3.1.1, with most options of mosquitto_pub, and without TLS.

usage: pub (-t TOPIC | -L URL) (-m TEXT | -f FILE | -l | -n | -s) [-q QOS] [-r] [OPTION]...

  -t, --topic TOPIC   where to publish
  -m, --message TEXT  a message
  -f, --file FILE     the content of a file as a message
  -l, --stdin-line    every line of the standard input as a message
  -n, --null-message  an empty message
  -s, --stdin-file    the whole standard input as a message
  -q, --qos QOS       0, 1 or 2 [default: 0]
  -r, --retain        the server retains the message
  --repeat COUNT      how many times to publish it [default: 1]
  --repeat-delay SECONDS
                      the time between two of them [default: 0]
  -M, --max-inflight COUNT
                      messages of QoS 1 and 2 that are under way at a time, up to 64 [default: 20]";

const CODES: &str = "\
The exit code is 0 when everything is delivered, 1 after an error, and the number of the refusal, 1 to 5, if the
server refuses the connection.";

/// The task of the program.
struct Task {
    link: Link,
    topic: String,
    source: Source,
    qos: QoS,
    retain: bool,
    /// How often a message is published, and the time between repetitions.
    repeat: u32,
    delay: Duration,
    /// The maximum number of QoS 1 and 2 messages under way.
    in_flight: usize,
}

/// Mosquitto's default limit for a client. Version 2.0.11 acknowledges QoS 2 messages beyond it,
/// and loses them.
const IN_FLIGHT: usize = 20;

fn main() -> ExitCode {
    match arguments() {
        Ok(Some(task)) => common::end("pub", deliver::run(&task), task.link.quiet),
        Ok(None) => {
            // It does not matter if nobody reads all of it.
            let _ = writeln!(io::stdout(), "{HELP}\n{}\n\n{CODES}", Link::HELP);
            ExitCode::SUCCESS
        }
        Err(failure) => common::end("pub", Err(failure), false),
    }
}

/// The task in the arguments; `None` if help was requested.
fn arguments() -> Result<Option<Task>, Failure> {
    let mut parser = Parser::from_env();
    let (mut link, mut topic, mut source) = (Link::new("pub"), None, None);
    let (mut qos, mut retain, mut in_flight) = (QoS::AtMostOnce, false, IN_FLIGHT);
    let (mut repeat, mut delay) = (1, Duration::ZERO);
    while let Some(option) = common::next_option(&mut parser)? {
        match option.as_str() {
            "-m" => set(&mut source, Source::Text(parser.value()?.into_encoded_bytes()))?,
            "-f" => set(&mut source, Source::File(parser.value()?.into()))?,
            "-l" => set(&mut source, Source::Lines)?,
            "-n" => set(&mut source, Source::Text(Vec::new()))?,
            "-s" => set(&mut source, Source::Input)?,
            "-t" => topic = Some(parser.value()?.string()?),
            "-q" => qos = common::qos(&mut parser)?,
            "-r" => retain = true,
            "--repeat" => repeat = parser.value()?.parse()?,
            "--repeat-delay" => delay = parser.value()?.parse_with(seconds)?,
            "-M" => in_flight = parser.value()?.parse_with(count)?,
            "--help" => return Ok(None),
            _ if link.take(&option, &mut parser)? => {}
            _ => return Err(Failure::Usage(format!("there is no option {option}"))),
        }
    }
    link.check()?;
    let topic = topic
        .or(link.topic.take())
        .ok_or_else(|| Failure::Usage("-t is missing: where to publish".into()))?;
    TopicName::new(&topic).map_err(|violation| Failure::Usage(format!("\"{topic}\": {violation}")))?;
    let source = source.ok_or_else(|| Failure::Usage("what to publish: -m, -f, -l, -n or -s".into()))?;
    Ok(Some(Task { link, topic, source, qos, retain, repeat, delay, in_flight }))
}

/// There can be only one source.
fn set(source: &mut Option<Source>, given: Source) -> Result<(), Failure> {
    match source.replace(given) {
        Some(_) => Err(Failure::Usage("only one of -m, -f, -l, -n and -s can be given".into())),
        None => Ok(()),
    }
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or("a number of seconds is expected")
}

fn count(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|count| (1..=64).contains(count)).ok_or("a number from 1 to 64 is expected")
}
