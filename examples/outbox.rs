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
//!
//! These are 69 lines, all of them: without imports, comments and lines of brackets alone.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::time::Duration;
use std::{env, process, thread};

use baremqtt::transport::net::{Runner, Update, open_tcp};
use baremqtt::{Backoff, Buffers, Client, Config, Connect, Event, Message, QoS, RequestError, SubAckCode};

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
        eprintln!("outbox: {error}");
        process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, folder] = &arguments[..] else { return Err("usage: outbox HOST:PORT FOLDER".into()) };
    fs::create_dir_all(folder)?;
    env::set_current_dir(folder)?;
    let open = |name| File::options().read(true).append(true).create(true).open(name);
    let (mut out, mut line, mut come) = (BufReader::new(open("out")?), Vec::new(), open("in")?);
    let state = if fs::exists("state")? { fs::read("state")? } else { vec![0; 16] };
    let (counts, session) = state.split_first_chunk::<16>().ok_or("the state is damaged")?;
    let counts = u128::from_be_bytes(*counts);
    // What has come since the state was saved is not acknowledged, and comes again.
    come.set_len(counts as u64)?;
    let mut taken = out.seek(SeekFrom::Start((counts >> 64) as u64))?;
    let mut client = Client::with_config(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] }, Exact);
    if !session.is_empty() {
        client.restore(session)?;
    }

    let runner = Runner::new(client, Backoff::new(100, 10_000).seed(process::id()));
    let handle = runner.handle();
    thread::spawn(move || {
        loop {
            handle.wake();
            thread::sleep(Duration::from_millis(50));
        }
    });
    Ok(runner.run(
        |link| {
            let address = address.clone();
            let stream = link.open(move || open_tcp(address, Duration::from_secs(5)))?;
            link.run(stream, &Connect::new("outbox").clean_session(false).keep_alive(30))
        },
        |update, outbound| {
            match update {
                Update::Event(Event::Connected { .. }) => {
                    outbound.subscribe(&[("inbox/line", QoS::ExactlyOnce)])?;
                }
                Update::Event(Event::Subscribed { codes, .. })
                    if codes.get(0) == Some(SubAckCode::Failure) =>
                {
                    return Err("the server refuses the subscription".into());
                }
                Update::Event(Event::Message(message)) => {
                    come.write_all(&[message.payload, b"\n"].concat())?;
                    outbound.receipt().map(|receipt| outbound.acknowledge(receipt)).transpose()?;
                }
                Update::Event(Event::SaveDue) => {
                    let mut image = vec![0; 8192];
                    let len = outbound.save(&mut image)?;
                    come.sync_data()?;
                    let counts = u128::from(taken) << 64 | u128::from(come.metadata()?.len());
                    store(&[&counts.to_be_bytes(), &image[..len]].concat())?;
                    outbound.saved(outbound.revision());
                }
                Update::Event(Event::Ended { id, outcome }) => eprintln!("request {id} is {outcome}"),
                Update::LinkLost { error, .. } => eprintln!("{error}"),
                _ => {}
            }
            // The lines that are new, as far as there is room.
            while line.ends_with(b"\n") || out.read_until(b'\n', &mut line)? > 0 {
                let Some(payload) = line.strip_suffix(b"\n") else { break };
                match outbound.publish(&Message::new("outbox/line", payload).exactly_once()) {
                    Err(RequestError::Full(_)) => break,
                    result => drop(result?),
                }
                taken += line.len() as u64;
                line.clear();
            }
            Ok(())
        },
    )?)
}

/// Stores the state, all of it or nothing.
fn store(state: &[u8]) -> std::io::Result<()> {
    fs::write("new", state)?;
    File::open("new")?.sync_all()?;
    fs::rename("new", "state")?;
    File::open(".")?.sync_all()
}
