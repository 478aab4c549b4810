//! The adapter for std over a WebSocket: publishes a message and waits until it comes back. README.md has the commands.

mod options;

use std::error::Error;
use std::net::TcpStream;
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};

use baremqtt::transport::net::{Connection, open_tcp};
use baremqtt::{Buffers, Client, Connect, Event, Message, QoS, SubAckCode};
use baremqtt_websocket::WebSocketStream;
use lexopt::Parser;
use options::Options;

/// How long each step may take: TCP, the WebSocket's handshake, the message's way to the server and back.
const PATIENCE: Duration = Duration::from_secs(10);

type Mqtt = Connection<WebSocketStream<TcpStream>, Vec<u8>, Vec<u8>>;

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
    round_trip(&mut mqtt, options)?;
    Ok(mqtt.disconnect()?)
}

/// TCP, and a WebSocket on top of it.
fn open(options: &Options) -> Result<WebSocketStream<TcpStream>, Box<dyn Error>> {
    let tcp = open_tcp((options.host.as_str(), options.port), PATIENCE)?;
    Ok(WebSocketStream::connect(&options.uri, &options.protocol, tcp, PATIENCE)?)
}

/// Connects, subscribes, publishes, and waits until the message is acknowledged and has come back.
fn round_trip(mqtt: &mut Mqtt, options: &Options) -> Result<(), Box<dyn Error>> {
    let Options { topic, message, qos, .. } = options;
    let started = Instant::now();
    let (mut published, mut came_back) = (*qos == QoS::AtMostOnce, false);
    while !(published && came_back) {
        let left = PATIENCE.checked_sub(started.elapsed()).ok_or("the message does not come back")?;
        match mqtt.next_event(Some(left))? {
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
