//! Store and forward, exactly once, whenever the power fails: `outbox HOST:PORT FILE`.
//!
//! Each line that is appended to the file is published to `outbox/line` at QoS 2, exactly once, however often the connection is lost or
//! this program is killed (which is the only way to end it). The server must keep its session.
//!
//! ```text
//! touch lines
//! cargo run --example outbox -- localhost:1883 lines
//! echo hello >> lines
//! ```
//!
//! What makes it exact: the session and the position in the file are stored atomically in one file, and packets that reveal a new state
//! to the server are held back until that is done (`Config::durable`). `inbox` is the other end.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::time::Duration;
use std::{env, process, thread};

use baremqtt::transport::net::{Runner, Update, open_tcp};
use baremqtt::{Backoff, Buffers, Client, Config, Connect, Event, Message, RequestError, SessionFile};

struct Exact;

impl Config for Exact {
    fn durable(&self) -> bool {
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
    let mut arguments = env::args().skip(1);
    let (Some(address), Some(path)) = (arguments.next().filter(|it| it.contains(':')), arguments.next())
    else {
        return Err("usage: outbox HOST:PORT FILE".into());
    };
    let mut client = Client::with_config(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] }, Exact);
    let (mut session, data) = SessionFile::open(format!("{path}.session"), &mut client)?;
    let mut taken = data.first_chunk().map_or(0, |taken| u64::from_be_bytes(*taken));
    let (mut lines, mut line) =
        (BufReader::new(File::open(&path).map_err(|error| format!("{path}: {error}"))?), Vec::new());
    lines.seek(SeekFrom::Start(taken))?;

    let runner = Runner::new(client, Backoff::new(100, 10_000).seed(process::id()));
    let handle = runner.handle();
    // Looks for new lines.
    thread::spawn(move || {
        loop {
            handle.wake();
            thread::sleep(Duration::from_millis(50));
        }
    });
    runner.run(
        |link| {
            let address = address.clone();
            let stream = link.open(move || open_tcp(address, Duration::from_secs(5)))?;
            link.run(stream, &Connect::new("outbox").clean_session(false).keep_alive(30))
        },
        |update, outbound| {
            match update {
                Update::Event(Event::SaveDue) => session.save(outbound, &taken.to_be_bytes())?,
                Update::Event(Event::Ended { id, outcome }) => eprintln!("message {id} is {outcome}"),
                Update::LinkLost { error, .. } => eprintln!("{error}"),
                _ => {}
            }
            while line.ends_with(b"\n") || lines.read_until(b'\n', &mut line)? > 0 {
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
    )?;
    Ok(())
}
