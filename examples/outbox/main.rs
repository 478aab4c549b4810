//! Store and forward, exactly once, wherever the power fails: `outbox HOST:PORT FOLDER`.
//!
//! Each line that is appended to `FOLDER/out` is published to `outbox/line`, and each message on `inbox/line` is appended to
//! `FOLDER/in`; once each, however often this program is killed (it needs no other way to end) and the connection lost. That takes a
//! server that keeps its session.
//!
//! ```text
//! cargo run --example outbox -- localhost:1883 spool
//! echo hello >> spool/out
//! ```
//!
//! What makes it exact: how far `out` was read, how long `in` is and the image of the session are one file, which is stored whole or not
//! at all; and nothing that tells the server of a new state leaves before that (`Config::durable`).

mod store;

use std::process::ExitCode;
use std::time::Duration;
use std::{env, process, thread};

use baremqtt::transport::net::{Error, Runner, Update, open_tcp};
use baremqtt::{
    Backoff, Buffers, Client, Config, Connect, Event, Message, Outbound, QoS, RequestError, SubAckCode,
};
use store::Store;

const INBOX: &str = "inbox/line";
const OUTBOX: &str = "outbox/line";
const CONNECT: Connect<'static> = Connect::new("outbox").clean_session(false).keep_alive(30);
/// How often `out` is looked at.
const INTERVAL: Duration = Duration::from_millis(50);

struct Exact;

impl Config for Exact {
    fn durable(&self) -> bool {
        true
    }

    fn manual_acknowledgement(&self) -> bool {
        true
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match &arguments[..] {
        [address, folder] => run(address, folder),
        _ => Err("usage: outbox HOST:PORT FOLDER".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("outbox: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(address: &str, folder: &str) -> Result<(), Box<dyn std::error::Error>> {
    let (mut store, session) = Store::open(folder.as_ref())?;
    let mut client = Client::with_config(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] }, Exact);
    if !session.is_empty() {
        client.restore(&session)?;
    }
    let runner = Runner::new(client, Backoff::new(100, 10_000).seed(process::id()));
    let handle = runner.handle();
    thread::spawn(move || {
        loop {
            handle.wake();
            thread::sleep(INTERVAL);
        }
    });
    Ok(runner.run(
        |link| {
            let address = address.to_owned();
            let stream = link.open(move || open_tcp(address, Duration::from_secs(5)))?;
            link.run(stream, &CONNECT)
        },
        |update, outbound| take(&mut store, update, outbound),
    )?)
}

/// Stores what comes, and the session where that is due; then takes the lines that are new.
fn take(store: &mut Store, update: Update<'_>, outbound: &mut Outbound<'_, Exact>) -> Result<(), Error> {
    match update {
        Update::Event(Event::Connected { .. }) => drop(outbound.subscribe(&[(INBOX, QoS::ExactlyOnce)])?),
        Update::Event(Event::Subscribed { codes, .. }) if codes.get(0) == Some(SubAckCode::Failure) => {
            return Err("the server refuses the subscription".into());
        }
        Update::Event(Event::Message(message)) => {
            store.append(message.payload)?;
            outbound.receipt().map(|receipt| outbound.acknowledge(receipt)).transpose()?;
        }
        Update::Event(Event::SaveDue) => {
            let mut image = vec![0; 8192];
            let len = outbound.save(&mut image)?;
            store.save(&image[..len])?;
            outbound.saved(outbound.revision());
        }
        Update::Event(Event::Ended { id, outcome }) => eprintln!("request {id} is {outcome}"),
        Update::LinkLost { error, .. } => eprintln!("{error}"),
        _ => {}
    }
    while let Some(line) = store.next_line()? {
        match outbound.publish(&Message::new(OUTBOX, line).exactly_once()) {
            Ok(_) => store.line_is_taken(),
            Err(RequestError::Full(_)) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
