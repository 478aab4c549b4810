//! Prints the messages of topics, with most options of `mosquitto_sub`.
//!
//! ```text
//! cargo run --example sub -- -h localhost -t 'sensor/#' -v
//! ```

#[path = "../common/mod.rs"]
mod common;
mod format;
mod json;
mod listen;
mod print;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use baremqtt::{QoS, TopicFilter};
use common::{Failure, Link};
use format::Format;
use lexopt::{Parser, ValueExt};
use print::Printer;

const HELP: &str = "\
Prints messages received over MQTT 3.1 or 3.1.1, with most options of mosquitto_sub, and without TLS.

usage: sub (-t FILTER... | -L URL) [-q QOS] [-v] [OPTION]...

  -t, --topic FILTER  what to subscribe to; can be repeated
  -q, --qos QOS       the maximum QoS: 0, 1 or 2 [default: 0]
  -v, --verbose       print the topic before the message
  -N                  no newline after a message
  -F FORMAT           how to print: %t topic, %p payload, %x and %X payload in hex, %l its length, %q QoS, %r retained,
                      %m packet identifier, %I date and time, %U seconds since 1970, %j all of it as JSON, %% a
                      percent sign, \\n a new line, \\0 a null character
  -T, --filter-out FILTER
                      leave out messages with these topics; can be repeated
  -U, --unsubscribe FILTER
                      end a subscription of a session that was kept (-c); can be repeated
  -R                  leave out retained messages
  --retained-only     only retained messages: end at the first other one
  --remove-retained   make the server forget each retained message that is printed
  -C COUNT            end after this many messages
  -E                  end once the server has answered the subscription
  -W SECONDS          end after this time
  --no-reconnect      end when the connection is lost";

const CODES: &str = "\
A lost connection is reopened. The exit code is 0 after -C or -E, 27 after -W, 1 after an error, and the number of
the refusal, 1 to 5, if the server refuses the connection.";

/// The task of the program.
struct Task {
    link: Link,
    filters: Vec<String>,
    unsubscribe: Vec<String>,
    qos: QoS,
    printer: Printer,
    until_subscribed: bool,
    time: Option<Duration>,
    reconnect: bool,
}

fn main() -> ExitCode {
    match arguments() {
        Ok(Some(task)) => {
            let quiet = task.link.quiet;
            common::end("sub", listen::run(task), quiet)
        }
        Ok(None) => {
            // It does not matter if nobody reads all of it.
            let _ = writeln!(io::stdout(), "{HELP}\n{}\n\n{CODES}", Link::HELP);
            ExitCode::SUCCESS
        }
        Err(failure) => common::end("sub", Err(failure), false),
    }
}

/// The task in the arguments; `None` if help was requested.
fn arguments() -> Result<Option<Task>, Failure> {
    let mut parser = Parser::from_env();
    let mut task = Task {
        link: Link::new("sub"),
        filters: Vec::new(),
        unsubscribe: Vec::new(),
        qos: QoS::AtMostOnce,
        printer: Printer::default(),
        until_subscribed: false,
        time: None,
        reconnect: true,
    };
    while let Some(option) = common::next_option(&mut parser)? {
        match option.as_str() {
            "-t" => task.filters.push(filter(parser.value()?.string()?)?),
            "-q" => task.qos = common::qos(&mut parser)?,
            "-v" => task.printer.format = Format::with_topic(),
            "-N" => task.printer.line_end = false,
            "-F" => task.printer.format = parser.value()?.parse()?,
            "-T" => task.printer.filter_out.push(filter(parser.value()?.string()?)?),
            "-U" => task.unsubscribe.push(filter(parser.value()?.string()?)?),
            "-R" => task.printer.skip_retained = true,
            "--retained-only" => task.printer.retained_only = true,
            "--remove-retained" => task.printer.remove_retained = true,
            "-C" => task.printer.left = Some(parser.value()?.parse_with(count)?),
            "-E" => task.until_subscribed = true,
            "-W" => task.time = Some(Duration::from_secs(parser.value()?.parse_with(count)?)),
            "--no-reconnect" => task.reconnect = false,
            "--help" => return Ok(None),
            _ if task.link.take(&option, &mut parser)? => {}
            _ => return Err(Failure::Usage(format!("there is no option {option}"))),
        }
    }
    task.link.check()?;
    task.filters.extend(task.link.topic.take().map(filter).transpose()?);
    if task.filters.is_empty() && task.unsubscribe.is_empty() {
        return Err(Failure::Usage("-t is missing: what to subscribe to".into()));
    }
    Ok(Some(task))
}

fn filter(text: String) -> Result<String, Failure> {
    match TopicFilter::new(&text) {
        Ok(_) => Ok(text),
        Err(violation) => Err(Failure::Usage(format!("\"{text}\": {violation}"))),
    }
}

fn count(text: &str) -> Result<u64, &'static str> {
    text.parse().ok().filter(|count| *count > 0).ok_or("a number from 1 on is expected")
}
