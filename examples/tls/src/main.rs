//! The std adapter over TLS: publishes a message and waits to receive it. See README.md for the commands.

mod options;
#[path = "../../common/round_trip.rs"]
mod round_trip;

use std::error::Error;
use std::io::{Write, stdout};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};

use baremqtt::transport::net::{Connection, Error as ConnectionError, open_tcp};
use baremqtt::{Buffers, Client, Event, Message};
use baremqtt_tls::rustls::pki_types::ServerName;
use baremqtt_tls::{TlsStream, config, explain};
use lexopt::Parser;
use options::Options;
use round_trip::round_trip;

/// The time limit for each step: TCP, the handshake, and the message to the server and back.
const TIMEOUT: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let result = match Options::read(Parser::from_env()) {
        Ok(Some(options)) => run(&options),
        Ok(None) => {
            println!("{}", options::HELP);
            Ok(())
        }
        Err(error) => Err(format!("{error}\nTry --help.").into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tls: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let client = Client::new(Buffers { rx: vec![0; 0x1_0000], tx: vec![0; 0x1_0000] });
    let mut mqtt = Connection::new(open(options)?, client);
    let client_id = format!("baremqtt-tls-{}", process::id());
    mqtt.connect(&options.connect(&client_id))?;
    let message = Message::new(&options.topic, options.message.as_bytes()).qos(options.qos);
    round_trip(&mut mqtt, &message, TIMEOUT).map_err(explained)?;
    let started = Instant::now();
    let stay = Duration::from_secs(options.stay.into());
    while let Some(left) = stay.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
        if let Some(Event::Message(message)) = mqtt.next_event(Some(left))? {
            writeln!(stdout(), "{}: {}", message.topic, String::from_utf8_lossy(message.payload))?;
        }
    }
    Ok(mqtt.disconnect()?)
}

/// TCP, with TLS on top of it.
fn open(options: &Options) -> Result<TlsStream, Box<dyn Error>> {
    let Options { host, port, name, ca, identity, .. } = options;
    let config = config(ca, identity.as_ref())?;
    let server = ServerName::try_from(name.clone()).map_err(|error| format!("{name}: {error}"))?;
    let tcp = open_tcp((host.as_str(), *port), TIMEOUT).map_err(|error| format!("{host}:{port}: {error}"))?;
    TlsStream::connect(config, server, tcp, TIMEOUT)
        .map_err(|error| format!("{host}:{port}: {}", explain(&error)).into())
}

/// In TLS 1.3 a server rejects the client's certificate only after the handshake.
fn explained(error: Box<dyn Error>) -> Box<dyn Error> {
    match error.downcast_ref() {
        Some(ConnectionError::Io(error)) => explain(error).into(),
        _ => error,
    }
}
