//! A small MQTT 3.1 and 3.1.1 broker, for experiments without installing anything.
//!
//! It is not for production: it keeps everything in memory, has no TLS, and trusts its clients. In production, use Mosquitto, RabbitMQ
//! or EMQX.
//!
//! ```text
//! cargo run --example broker -- --verbose
//! ```
//!
//! The broker itself is the module `server`, which other examples and tests include.

mod server;

use std::io::{self, Write};
use std::{convert::Infallible, fmt, net::SocketAddr, process::ExitCode, thread};

use lexopt::{Arg, Parser, ValueExt};
use server::{Options, Server};

const HELP: &str = "\
A small MQTT 3.1 and 3.1.1 broker, for trying things without installing anything.

usage: broker [--listen ADDRESS:PORT] [--user NAME:PASSWORD]... [--verbose]

  --listen ADDRESS:PORT   where to listen; port 0 means any free port [default: 127.0.0.1:1883]
  --user NAME:PASSWORD    accept only the users given; can be repeated
  --verbose               print what the clients do
  --help                  print this help

It is for experiments only: it keeps everything in memory, forgets it when it ends, and has no TLS.
Mosquitto, RabbitMQ and EMQX are for work.";

fn main() -> ExitCode {
    let options = match arguments() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print(format_args!("{HELP}"));
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("broker: {error}\n\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    match run(options) {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("broker: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The options in the arguments; `None` if help was requested.
fn arguments() -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("listen") => options.listen = parser.value()?.parse()?,
            Arg::Long("user") => options.users.push(parser.value()?.parse_with(user)?),
            Arg::Long("verbose") | Arg::Short('v') => options.log = Some(print),
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

fn user(text: &str) -> Result<(String, String), &'static str> {
    let (name, password) = text.split_once(':').ok_or("a user is NAME:PASSWORD")?;
    Ok((name.to_owned(), password.to_owned()))
}

fn run(options: Options) -> io::Result<Infallible> {
    let listen = options.listen;
    let server = Server::start(options).map_err(|error| cannot_listen(listen, &error))?;
    print(format_args!("listening on {}", server.addr()));
    if !listen.ip().is_loopback() {
        print(format_args!("this address can be reached from other machines, and nothing here is encrypted"));
    }
    loop {
        thread::park();
    }
}

fn cannot_listen(listen: SocketAddr, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot listen on {listen}: {error}"))
}

/// Prints a line. Unlike `println!`, it ignores a closed output.
fn print(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}
