//! Stores each message exactly once, whenever the power fails: `inbox HOST:PORT FILE`.
//!
//! Each message on `outbox/line` is appended to the file as a line, exactly once, however often the connection is lost or this program is
//! killed (which is the only way to end it). The server must keep its session, and the messages must have QoS 2.
//!
//! ```text
//! cargo run --example inbox -- localhost:1883 messages
//! ```
//!
//! What makes it exact: the session and the length of the file are stored atomically in another file; the server gets
//! no answer to a message before that is done (`Config::durable`); and after a restart, lines that are not part of the stored session
//! are cut off, because their messages will be received again.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::time::Duration;
use std::{env, process};

use baremqtt::transport::net::{Runner, Update, open_tcp};
use baremqtt::{Backoff, Buffers, Client, Config, Connect, Event, QoS, SessionFile, SubAckCode};

struct Exact;

impl Config for Exact {
    fn durable(&self) -> bool {
        true
    }

    fn manual_acknowledgement(&self) -> bool {
        true
    }
}

fn main() {
    if let Err(error) = run() {
        eprintln!("inbox: {error}");
        process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(address), Some(path)) = (arguments.next().filter(|it| it.contains(':')), arguments.next())
    else {
        return Err("usage: inbox HOST:PORT FILE".into());
    };
    let mut client = Client::with_config(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] }, Exact);
    let (mut session, data) = SessionFile::open(format!("{path}.session"), &mut client)?;
    let mut lines =
        File::options().append(true).create(true).open(&path).map_err(|error| format!("{path}: {error}"))?;
    lines.set_len(data.first_chunk().map_or(0, |len| u64::from_be_bytes(*len)))?;

    Runner::new(client, Backoff::new(100, 10_000).seed(process::id())).run(
        |link| {
            let address = address.clone();
            let stream = link.open(move || open_tcp(address, Duration::from_secs(5)))?;
            link.run(stream, &Connect::new("inbox").clean_session(false).keep_alive(30))
        },
        |update, outbound| {
            match update {
                Update::Event(Event::Connected { .. }) => {
                    outbound.subscribe(&[("outbox/line", QoS::ExactlyOnce)])?;
                }
                Update::Event(Event::Subscribed { codes, .. })
                    if codes.get(0) == Some(SubAckCode::Failure) =>
                {
                    return Err("the server refuses the subscription".into());
                }
                Update::Event(Event::Message(message)) => {
                    lines.write_all(&[message.payload, b"\n"].concat())?;
                    outbound.receipt().map(|receipt| outbound.acknowledge(receipt)).transpose()?;
                }
                Update::Event(Event::SaveDue) => {
                    lines.sync_data()?;
                    session.save(outbound, &lines.metadata()?.len().to_be_bytes())?;
                }
                Update::LinkLost { error, .. } => eprintln!("{error}"),
                _ => {}
            }
            Ok(())
        },
    )?;
    Ok(())
}
