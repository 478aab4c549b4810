//! The command line.

use std::net::{SocketAddr, ToSocketAddrs};
use std::process;

const HELP: &str = "\
Publishes a temperature each second until it is stopped, and reconnects when the link is lost.

usage: baremqtt-embassy-net HOST:PORT [COUNT] [--ca FILE]

  HOST:PORT   the broker
  COUNT       end after so many were acknowledged [default: never]
  --ca FILE   use TLS, with a server on `localhost` whose certificate this authority has signed (DER; ECDSA over P-256)";

/// The options.
pub struct Options {
    pub broker: SocketAddr,
    pub count: u32,
    /// The certificate of the authority, if TLS is used.
    pub ca: Option<&'static [u8]>,
}

/// Parses the command line; ends the program if it is invalid, or if help was requested.
pub fn read() -> Options {
    match parse() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            process::exit(0)
        }
        Err(error) => {
            eprintln!("{error}\n\n{HELP}");
            process::exit(2)
        }
    }
}

fn parse() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::ValueExt;
    use lexopt::prelude::{Long, Short, Value};

    let (mut broker, mut count, mut ca) = (None, None, None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("ca") => {
                let file = parser.value()?;
                let read = std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
                ca = Some(&*read.leak());
            }
            Value(value) if broker.is_none() => {
                let mut found = value.string()?.to_socket_addrs().map_err(|error| error.to_string())?;
                broker = Some(found.next().ok_or("the name stands for no address")?);
            }
            Value(value) if count.is_none() => count = Some(value.parse()?),
            other => return Err(other.unexpected()),
        }
    }
    let broker = broker.ok_or("which broker?")?;
    Ok(Some(Options { broker, count: count.unwrap_or(u32::MAX), ca }))
}
