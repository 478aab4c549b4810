//! The async adapter in tokio: publishes a number each second, prints what comes back, and reconnects when the link is
//! lost.
//!
//! ```text
//! cargo run --manifest-path examples/tokio/Cargo.toml -- localhost:1883
//! cargo run --manifest-path examples/tokio/Cargo.toml -- localhost:1883 3    # until three have come back
//! ```

mod timer;

use std::env;
use std::error::Error;
use std::process::{self, ExitCode};
use std::time::Duration;

use baremqtt::transport::Error as ConnectionError;
use baremqtt::transport::embedded_io_async::Connection;
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message, QoS};
use embedded_io_adapters::tokio_1::FromTokio;
use timer::TokioTimer;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

const TOPIC: &str = "baremqtt/tokio/count";

type Mqtt = Connection<FromTokio<OwnedReadHalf>, FromTokio<OwnedWriteHalf>, TokioTimer, Vec<u8>, Vec<u8>, 16>;

/// What outlives a connection.
struct Counter {
    ticks: Interval,
    published: u64,
    received: u64,
    /// How many are to come back.
    wanted: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(address), wanted) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: baremqtt-tokio HOST:PORT [COUNT]");
        return ExitCode::FAILURE;
    };
    let wanted = wanted.map_or(Ok(u64::MAX), |count| count.parse());
    let Ok(wanted) = wanted else {
        eprintln!("COUNT is a number");
        return ExitCode::FAILURE;
    };
    let mut ticks = interval(Duration::from_secs(1));
    // Those of the time without a connection are not made up for.
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

/// One connection after the other, with the same client: messages that were not acknowledged are sent again.
async fn run(address: &str, mut counter: Counter) -> Result<(), Box<dyn Error>> {
    let mut client = Client::<_, _, 16>::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
    let timer = TokioTimer::start();
    let mut backoff = Backoff::new(500, 30_000).seed(process::id());
    loop {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                let (input, output) = stream.into_split();
                let mut mqtt = Connection::new(FromTokio::new(input), FromTokio::new(output), client, timer);
                match talk(&mut mqtt, &mut backoff, &mut counter).await {
                    Ok(()) => return Ok(()),
                    Err(error) if error.refusal().is_some() => return Err(error.into()),
                    Err(error) => eprintln!("connection lost: {error}"),
                }
                (client, ..) = mqtt.into_parts();
            }
            Err(error) => eprintln!("no connection: {error}"),
        }
        let delay = backoff.next_ms().ok_or("too many attempts")?;
        sleep(Duration::from_millis(delay.into())).await;
    }
}

/// Until enough have come back, or the link is lost.
async fn talk(
    mqtt: &mut Mqtt,
    backoff: &mut Backoff,
    counter: &mut Counter,
) -> Result<(), ConnectionError<std::io::Error>> {
    let id = format!("baremqtt-tokio-{}", process::id());
    let session_present = mqtt.connect(&Connect::new(&id).clean_session(false).keep_alive(30)).await?;
    backoff.reset();
    println!("connected");
    if session_present != Some(true)
        && let Err(error) = mqtt.subscribe(&[(TOPIC, QoS::AtLeastOnce)])
    {
        eprintln!("not subscribed: {error}");
    }
    while counter.received < counter.wanted {
        // The future of `next_event` is dropped at each tick. Nothing is lost by that.
        tokio::select! {
            event = mqtt.next_event(None) => {
                if let Some(Event::Message(message)) = event? {
                    println!("{}: {}", message.topic, String::from_utf8_lossy(message.payload));
                    counter.received += 1;
                }
            }
            _ = counter.ticks.tick() => {
                counter.published += 1;
                let payload = counter.published.to_string();
                let message = Message::new(TOPIC, payload.as_bytes()).qos(QoS::AtLeastOnce);
                if let Err(error) = mqtt.publish(&message) {
                    eprintln!("{payload} is not published: {error}");
                }
            }
        }
    }
    mqtt.disconnect().await
}
