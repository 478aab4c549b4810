//! Alice and Bob talk over MQTT. Nothing has to be installed: the example brings its own broker.
//!
//! ```text
//! cargo run --example quickstart
//! cargo run --example quickstart -- --broker localhost:1883 --mqtt 3.1.1
//! ```

#[path = "../broker/server/mod.rs"]
mod server;

mod person;
mod story;

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::process::ExitCode;

use baremqtt::Version;
use lexopt::{Arg, Parser, ValueExt};
use server::Server;
use story::Story;

const HELP: &str = "\
Alice and Bob talk over MQTT, and print what they send and what arrives.

usage: quickstart [--broker HOST:PORT] [--mqtt 3.1|3.1.1] [--user NAME] [--password PASSWORD]

  --broker HOST:PORT   your broker; by default one is started on a free port of this machine
  --mqtt VERSION       the version of the protocol [default: 3.1]
  --user NAME          who both of them are to the broker; without it they are anonymous to a broker of yours,
                       and alice and bob to the one that is started
  --password PASSWORD
  --help               print this help";

struct Arguments {
    broker: Option<String>,
    version: Version,
    login: Option<(String, String)>,
}

fn main() -> ExitCode {
    match arguments().and_then(|arguments| arguments.map_or(Ok(()), run)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The task in the arguments; `None` if help was requested.
fn arguments() -> Result<Option<Arguments>, Box<dyn Error>> {
    let (mut broker, mut version, mut user, mut password) = (None, Version::Mqtt31, None, None);
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("broker") => broker = Some(parser.value()?.parse_with(address)?),
            Arg::Long("mqtt") => version = parser.value()?.parse()?,
            Arg::Long("user") => user = Some(parser.value()?.string()?),
            Arg::Long("password") => password = Some(parser.value()?.string()?),
            Arg::Long("help") | Arg::Short('h') => {
                print(format_args!("{HELP}"));
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let login = match (user, password) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        _ => return Err("--user and --password go together".into()),
    };
    Ok(Some(Arguments { broker, version, login }))
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let Arguments { broker, version, login } = arguments;
    print(format_args!("Alice and Bob talk over {version}."));
    match broker {
        Some(broker) => {
            print(format_args!("Their broker is the one at {broker}.\n"));
            Story::new(broker, version, [login.clone(), login]).tell()
        }
        None => {
            let users = [("alice", "wonderland"), ("bob", "builder")].map(owned);
            let server = start(&users)?;
            print(format_args!("Their broker was started for this program, on {}.\n", server.addr()));
            let logins = users.map(|own| Some(login.clone().unwrap_or(own)));
            Story::new(server.addr().to_string(), version, logins).tell()
        }
    }
}

fn address(text: &str) -> Result<String, &'static str> {
    if text.contains(':') { Ok(text.to_owned()) } else { Err("HOST:PORT is expected") }
}

fn owned((user, password): (&str, &str)) -> (String, String) {
    (user.to_owned(), password.to_owned())
}

/// Prints a line. Unlike `println!`, it ignores a closed output.
fn print(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// A broker on a free port of the loopback interface, which accepts only these users.
fn start(users: &[(String, String)]) -> Result<Server, Box<dyn Error>> {
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let options = server::Options { listen, users: users.to_vec(), ..server::Options::default() };
    Server::start(options).map_err(|error| format!("no broker can be started: {error}").into())
}
