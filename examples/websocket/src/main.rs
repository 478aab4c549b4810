//! The std adapter over a WebSocket: publishes a message and waits to receive it. See README.md for the commands.

mod options;
#[path = "../../common/round_trip.rs"]
mod round_trip;

use std::error::Error;
use std::net::TcpStream;
use std::process::{self, ExitCode};
use std::time::Duration;

use baremqtt::transport::net::{Connection, open_tcp};
use baremqtt::{Buffers, Client, Connect, Message};
use baremqtt_websocket::WebSocketStream;
use lexopt::Parser;
use options::Options;
use round_trip::round_trip;

/// The time limit for each step: TCP, the WebSocket handshake, and the message to the server and back.
const TIMEOUT: Duration = Duration::from_secs(10);

type Mqtt = Connection<WebSocketStream<TcpStream>>;

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
            eprintln!("websocket: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let client = Client::new(Buffers { rx: vec![0; 0x1_0000], tx: vec![0; 0x1_0000] });
    let stream = open(options).map_err(|error| format!("{}: {error}", options.uri))?;
    let mut mqtt: Mqtt = Connection::new(stream, client);
    let client_id = format!("baremqtt-ws-{}", process::id());
    mqtt.connect(&Connect::new(&client_id).version(options.version).keep_alive(30))?;
    let message = Message::new(&options.topic, options.message.as_bytes()).qos(options.qos);
    round_trip(&mut mqtt, &message, TIMEOUT)?;
    Ok(mqtt.disconnect()?)
}

/// TCP, with a WebSocket on top of it.
fn open(options: &Options) -> Result<WebSocketStream<TcpStream>, Box<dyn Error>> {
    let tcp = open_tcp((options.host.as_str(), options.port), TIMEOUT)?;
    Ok(WebSocketStream::connect(&options.uri, &options.protocol, tcp, TIMEOUT)?)
}
