//! Twenty tasks request squares over one connection, and each waits for its own answer. (This program also answers the requests.)
//! It uses TLS if a file with certificates of authorities is given.
//!
//! ```text
//! cargo run --manifest-path examples/tokio/Cargo.toml --bin requests -- localhost:1883
//! cargo run --manifest-path examples/tokio/Cargo.toml --bin requests -- localhost:8883 ca.crt
//! ```

#[path = "../open.rs"]
mod open;
#[path = "../timer.rs"]
mod timer;

use std::io::{Write, stdout};

use baremqtt::transport::asynch::{Handle, Runner, Threads};
use baremqtt::transport::{Error, Update};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, InboundIds, Message, QoS};
use baremqtt::{Routes, Standard, Subscription};
use embedded_io_adapters::tokio_1::FromTokio;
use tokio::sync::{Notify, broadcast};
use tokio::task::JoinSet;
use tokio::time::{Duration, timeout};

type Mqtt = Handle<Vec<u8>, Vec<u8>, Standard, InboundIds, Threads>;
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Sends a request, and waits for the answer: even if the link is lost, but not forever.
async fn ask(mqtt: &Mqtt, mut answers: broadcast::Receiver<(String, String)>, n: u32) -> Result<(), Failure> {
    let (question, wanted) = (format!("square/of/{n}"), format!("square/is/{n}"));
    mqtt.publish(&Message::new(&question, b"").at_least_once()).await?;
    let answer = async {
        let (mut topic, mut square) = answers.recv().await?;
        while topic != wanted {
            (topic, square) = answers.recv().await?;
        }
        writeln!(stdout(), "{n} * {n} = {square}")?;
        Ok(())
    };
    timeout(Duration::from_secs(10), answer).await?
}

#[tokio::main]
async fn main() {
    if let Err(error) = run().await {
        eprintln!("requests: {error}");
        std::process::exit(1);
    }
}

async fn run() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let address =
        arguments.next().filter(|it| it.contains(':')).ok_or("usage: requests HOST:PORT [CA-FILE]")?;
    let tls = arguments.next().map(|ca| open::tls(&ca)).transpose()?;
    let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
    let mqtt: &Mqtt = Box::leak(Box::new(Handle::for_threads(client)));
    let subscribed: &Notify = Box::leak(Box::default());
    let (answered, answers) = broadcast::channel(100);
    let asks = tokio::spawn(async move {
        // Requests before this would not be received by anyone.
        subscribed.notified().await;
        let tasks: JoinSet<_> = (1..=20).map(|n| ask(mqtt, answers.resubscribe(), n)).collect();
        let ended = tasks.join_all().await;
        mqtt.stop();
        ended.into_iter().collect::<Result<(), _>>()
    });

    let mut routes = Routes::<_, (), 1>::new();
    routes.add("square/+/+", QoS::AtLeastOnce, ())?;
    let backoff = Backoff::new(500, 30_000).seed(std::process::id());
    let mut runner = Runner::new(mqtt, timer::TokioTimer::start(), [0; 4096], backoff);
    let links = runner.run(
        async |link| {
            let (input, output) = open::open(&address, tls.as_ref()).await.map_err(Error::Io)?;
            let connect = Connect::new("baremqtt-squares").clean_session(false).keep_alive(30);
            link.run(FromTokio::new(input), FromTokio::new(output), &connect).await
        },
        |update, outbound| {
            match update {
                Update::Event(Event::Message(message)) => {
                    let (topic, payload) = (message.topic.as_str(), String::from_utf8_lossy(message.payload));
                    if let Some(Ok(n)) = topic.strip_prefix("square/of/").map(str::parse::<u32>) {
                        let (topic, square) = (format!("square/is/{n}"), n.wrapping_mul(n).to_string());
                        outbound.publish(&Message::new(&topic, square.as_bytes()).at_least_once())?;
                    } else {
                        drop(answered.send((topic.to_owned(), payload.into_owned())));
                    }
                }
                Update::Event(event) => routes.note(&event),
                Update::LinkLost { error, retry_in } => eprintln!("{error}; again in {retry_in:?}"),
                _ => {}
            }
            match routes.subscription("square/+/+") {
                Some(Subscription::Granted { .. }) => subscribed.notify_one(),
                Some(Subscription::Refused) => return Err("the server refuses the subscription".into()),
                _ => routes.subscribe(outbound)?,
            }
            Ok(())
        },
    );
    links.await?;
    asks.await?
}
