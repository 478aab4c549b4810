//! The async adapter in tokio: publishes a number every second, prints what it receives, and reconnects when the link is
//! lost.
//!
//! ```text
//! cargo run --manifest-path examples/tokio/Cargo.toml -- localhost:1883
//! cargo run --manifest-path examples/tokio/Cargo.toml -- localhost:1883 3    # until three have come back
//! ```
//!
//! The server keeps the session, because the client identifier is always the same: messages that were not acknowledged when the program
//! ended are received in its next run, and no run leaves another session behind.

mod timer;

use std::env;
use std::error::Error;
use std::io::{Write, stdout};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};

use baremqtt::transport::Error as ConnectionError;
use baremqtt::transport::asynch::Connection;
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message, QoS, Routes, Subscription};
use embedded_io_adapters::tokio_1::FromTokio;
use timer::TokioTimer;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

const TOPIC: &str = "baremqtt/tokio/count";
const CLIENT_ID: &str = "baremqtt-tokio";

const HELP: &str = "\
Publishes a number each second to baremqtt/tokio/count, prints what comes back, and reconnects when the link is lost.

usage: baremqtt-tokio HOST:PORT [COUNT]

  HOST:PORT   the broker
  COUNT       end after so many numbers have come back [default: never]";

type Mqtt = Connection<FromTokio<OwnedReadHalf>, FromTokio<OwnedWriteHalf>, TokioTimer, Vec<u8>, Vec<u8>>;

/// The state that outlives a connection.
struct Counter {
    ticks: Interval,
    published: u64,
    received: u64,
    /// How many have still to be received.
    wanted: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (address, wanted) = match (arguments.next(), arguments.next()) {
        (Some(help), None) if help == "--help" || help == "-h" => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        (Some(address), wanted) if address.contains(':') => (address, wanted),
        _ => {
            eprintln!("{HELP}");
            return ExitCode::FAILURE;
        }
    };
    let wanted = wanted.map_or(Ok(u64::MAX), |count| count.parse());
    let Ok(wanted) = wanted else {
        eprintln!("COUNT is a number");
        return ExitCode::FAILURE;
    };
    let mut ticks = interval(Duration::from_secs(1));
    // Ticks during an outage are skipped.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let counter = Counter { ticks, published: 0, received: 0, wanted };
    match run(&address, counter).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// One connection after another, with the same client, so that unacknowledged messages are resent.
async fn run(address: &str, mut counter: Counter) -> Result<(), Box<dyn Error>> {
    let mut client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
    let timer = TokioTimer::start();
    let mut backoff = Backoff::new(500, 30_000).seed(process::id());
    let mut routes = Routes::new();
    routes.add(TOPIC, QoS::AtLeastOnce, ())?;
    loop {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                let (input, output) = stream.into_split();
                let mut mqtt = Connection::new(FromTokio::new(input), FromTokio::new(output), client, timer);
                let started = Instant::now();
                let ended = talk(&mut mqtt, &mut routes, &mut counter).await;
                if routes.subscription(TOPIC) == Some(Subscription::Refused) {
                    return Err("the server denies the subscription".into());
                }
                match ended {
                    Ok(()) => return Ok(()),
                    Err(error) if !error.is_end() || error.refusal().is_some() => return Err(error.into()),
                    Err(error) => eprintln!("connection lost: {error}"),
                }
                backoff.lived(started.elapsed().as_millis() as u32);
                (client, ..) = mqtt.into_parts();
            }
            Err(error) => eprintln!("no connection: {error}"),
        }
        let delay = backoff.next_ms().ok_or("too many attempts")?;
        sleep(Duration::from_millis(delay.into())).await;
    }
}

/// Runs until enough have been received, or the link is lost.
async fn talk(
    mqtt: &mut Mqtt,
    routes: &mut Routes<&str, (), 1>,
    counter: &mut Counter,
) -> Result<(), ConnectionError<std::io::Error>> {
    mqtt.connect(&Connect::new(CLIENT_ID).clean_session(false).keep_alive(30))?;
    while counter.received < counter.wanted {
        let is_granted = matches!(routes.subscription(TOPIC), Some(Subscription::Granted { .. }));
        // The future of `next_event` is dropped at each tick, which loses nothing.
        tokio::select! {
            event = mqtt.next_event(None) => {
                let Some(event) = event? else { continue };
                routes.note(&event);
                match event {
                    Event::Connected { .. } => writeln!(stdout(), "connected")?,
                    Event::Message(message) => {
                        writeln!(stdout(), "{}: {}", message.topic, String::from_utf8_lossy(message.payload))?;
                        counter.received += 1;
                    }
                    Event::Ended { id, outcome } => eprintln!("request {id} is {outcome}"),
                    _ => {}
                }
                routes.subscribe(&mut mqtt.outbound())?;
                if routes.subscription(TOPIC) == Some(Subscription::Refused) {
                    break;
                }
            }
            // Messages that are published before this would not be received.
            _ = counter.ticks.tick(), if is_granted => {
                let payload = (counter.published + 1).to_string();
                let message = Message::new(TOPIC, payload.as_bytes()).qos(QoS::AtLeastOnce);
                match mqtt.publish(&message) {
                    Ok(_) => counter.published += 1,
                    // An acknowledgement makes room.
                    Err(error) => eprintln!("{payload} is not published: {error}"),
                }
            }
        }
    }
    mqtt.disconnect().await
}
