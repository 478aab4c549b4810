//! The adapter for std over TLS: publishes a message and waits until it comes back. README.md has the commands.

mod options;

use std::error::Error;
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};

use baremqtt::transport::net::{Connection, Error as ConnectionError, open_tcp};
use baremqtt::{Buffers, Client, Event, Message, QoS, SubAckCode};
use baremqtt_tls::rustls::pki_types::ServerName;
use baremqtt_tls::{TlsStream, config, explain};
use lexopt::Parser;
use options::Options;

/// How long each step may take: TCP, the handshake, the message's way to the server and back.
const PATIENCE: Duration = Duration::from_secs(10);

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
    round_trip(&mut mqtt, options)?;
    let started = Instant::now();
    let stay = Duration::from_secs(options.stay.into());
    while let Some(left) = stay.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
        if let Some(Event::Message(message)) = mqtt.next_event(Some(left))? {
            println!("{}: {}", message.topic, String::from_utf8_lossy(message.payload));
        }
    }
    Ok(mqtt.disconnect()?)
}

/// TCP, and TLS on top of it.
fn open(options: &Options) -> Result<TlsStream, Box<dyn Error>> {
    let Options { host, port, name, ca, identity, .. } = options;
    let config = config(ca, identity.as_ref())?;
    let server = ServerName::try_from(name.clone()).map_err(|error| format!("{name}: {error}"))?;
    let tcp =
        open_tcp((host.as_str(), *port), PATIENCE).map_err(|error| format!("{host}:{port}: {error}"))?;
    TlsStream::connect(config, server, tcp, PATIENCE)
        .map_err(|error| format!("{host}:{port}: {}", explain(&error)).into())
}

/// In TLS 1.3 it is only after the handshake that a server says what it thinks of the client's certificate.
fn explained(error: ConnectionError) -> Box<dyn Error> {
    match error {
        ConnectionError::Io(error) => explain(&error).into(),
        error => error.into(),
    }
}

/// Connects, subscribes, publishes, and waits until the message is acknowledged and has come back.
fn round_trip(
    mqtt: &mut Connection<TlsStream, Vec<u8>, Vec<u8>>,
    options: &Options,
) -> Result<(), Box<dyn Error>> {
    let Options { topic, message, qos, .. } = options;
    let started = Instant::now();
    let (mut published, mut came_back) = (*qos == QoS::AtMostOnce, false);
    while !(published && came_back) {
        let left = PATIENCE.checked_sub(started.elapsed()).ok_or("the message does not come back")?;
        match mqtt.next_event(Some(left)).map_err(explained)? {
            Some(Event::Connected { .. }) => {
                println!("connected");
                mqtt.subscribe(&[(topic, *qos)])?;
            }
            Some(Event::Subscribed { codes, .. }) if codes.iter().any(|code| code == SubAckCode::Failure) => {
                return Err(format!("the server denies a subscription to {topic}").into());
            }
            Some(Event::Subscribed { codes, .. }) => {
                println!("subscribed to {topic}: {codes:?}");
                mqtt.publish(&Message::new(topic, message.as_bytes()).qos(*qos))?;
            }
            Some(Event::Published { id, .. }) => {
                println!("message {id} is acknowledged");
                published = true;
            }
            Some(Event::Message(came)) => {
                println!("{}: {}", came.topic, String::from_utf8_lossy(came.payload));
                came_back |= came.payload == message.as_bytes();
            }
            Some(Event::Ended { id, outcome }) => return Err(format!("request {id} is {outcome}").into()),
            _ => {}
        }
    }
    Ok(())
}
