//! Shows the packets between clients and a server, using only the codec: a client that connects to this program talks to the server
//! behind it. Passwords are left out. Each line begins with the number of the connection.
//!
//! ```text
//! cargo run --example sniffer -- 127.0.0.1:1884 localhost:1883
//! ```

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{self, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::{env, fmt, thread};

use baremqtt::codec::{self, Decoded, Packet};
use baremqtt::{Version, Violation};

const HELP: &str = "\
Shows the packets between clients and a server: clients connect to this program, which connects them to the server.

usage: sniffer LISTEN SERVER

  LISTEN   where to listen for clients, as HOST:PORT
  SERVER   the server, as HOST:PORT
  --help   print this help";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match &arguments[..] {
        [help] if help == "--help" => {
            print(format_args!("{HELP}"));
            Ok(())
        }
        [listen, server] => run(listen, server),
        _ => Err(io::Error::other("LISTEN and SERVER are needed\nTry --help.")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sniffer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(listen: &str, server: &str) -> io::Result<()> {
    let listener =
        TcpListener::bind(listen).map_err(|error| io::Error::other(format!("{listen}: {error}")))?;
    print(format_args!("listening on {}", listener.local_addr()?));
    for (number, client) in (1_u32..).zip(listener.incoming()) {
        let client = client?;
        let server = match TcpStream::connect(server) {
            Ok(stream) => stream,
            Err(error) => {
                // The client is turned away. The server may be back for the next one.
                print(format_args!("{number} {server}: {error}"));
                continue;
            }
        };
        // The version of this connection, from CONNECT.
        let version = Arc::new(Mutex::new(Version::default()));
        let (from, to, known) = (client.try_clone()?, server.try_clone()?, Arc::clone(&version));
        thread::spawn(move || pass(from, to, &format!("{number} ->"), &known));
        thread::spawn(move || pass(server, client, &format!("{number} <-"), &version));
    }
    Ok(())
}

/// Forwards bytes, and prints the packets that they complete, for as long as they are packets.
fn pass(mut from: TcpStream, mut to: TcpStream, arrow: &str, version: &Mutex<Version>) -> io::Result<()> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    while let len @ 1.. = from.read(&mut chunk)? {
        bytes.extend_from_slice(&chunk[..len]);
        // Print before the other side can answer.
        let shown = show(&mut bytes, arrow, &mut version.lock().unwrap_or_else(PoisonError::into_inner));
        to.write_all(&chunk[..len])?;
        if let Err(violation) = shown {
            print(format_args!("{arrow} {violation}"));
            io::copy(&mut from, &mut to)?;
        }
    }
    to.shutdown(Shutdown::Write)
}

/// Prints and removes complete packets.
fn show(bytes: &mut Vec<u8>, arrow: &str, version: &mut Version) -> Result<(), Violation> {
    while let Decoded::Complete { packet, len } = codec::decode(bytes, *version)? {
        if let Packet::Connect(connect) = &packet {
            *version = connect.version;
        }
        print(format_args!("{arrow} {packet}"));
        bytes.drain(..len);
    }
    Ok(())
}

/// Prints a line. There is nothing left to do once nobody reads them.
fn print(line: fmt::Arguments<'_>) {
    if writeln!(io::stdout(), "{line}").is_err() {
        process::exit(1);
    }
}
