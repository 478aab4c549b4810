//! Three threads publish readings; a fourth owns the connection and handles commands. It reconnects, resubscribes, and has a will;
//! `gateway/set/stop` ends it gracefully. It uses TLS if a file with certificates is given. See README.md.

use std::error::Error;
use std::io::{Write, stdout};
use std::path::Path;
use std::time::Duration;
use std::{env, process, thread};

use baremqtt::Subscription::Refused;
use baremqtt::transport::net::{Runner, Stream, Update, open_tcp};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message, QoS, Routes, Will};

const TIMEOUT: Duration = Duration::from_secs(10);
const COMMANDS: &str = "gateway/set/+";
const STATUS: &str = "gateway/status";

fn main() {
    if let Err(error) = run() {
        eprintln!("gateway: {error}");
        process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (host, port) = arguments.next().zip(arguments.next()).ok_or("usage: gateway HOST PORT [CA-FILE]")?;
    let port = port.parse().map_err(|_| "PORT is a number from 0 to 65535")?;
    let tls = arguments.next().map(|file| baremqtt_tls::config(Path::new(&file), None)).transpose()?;
    let open = move || match &tls {
        None => open_tcp((host.as_str(), port), TIMEOUT).map(|tcp| Box::new(tcp) as Box<dyn Stream + Send>),
        Some(config) => baremqtt_tls::open(&host, port, config, TIMEOUT).map(|tls| Box::new(tls) as _),
    };

    let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 65_536] });
    let runner = Runner::new(client, Backoff::new(500, 60_000).seed(process::id()));
    for sensor in 1..=3 {
        let (handle, topic) = (runner.handle(), format!("gateway/sensor/{sensor}"));
        // Publishes a reading every second, and waits if there is no room, until the runner stops.
        thread::spawn(move || {
            (0_u32..).try_for_each(|reading| {
                thread::sleep(Duration::from_secs(1));
                let reading = reading.to_string();
                handle.publish(&Message::new(&topic, reading.as_bytes()).at_least_once()).map(drop)
            })
        });
    }

    let mut routes = Routes::<_, (), 1>::new();
    routes.add(COMMANDS, QoS::AtLeastOnce, ())?;
    let [online, offline] =
        ["online", "offline"].map(|it| Message::new(STATUS, it.as_bytes()).at_least_once().retain());
    let connect = Connect::new("gateway").clean_session(false).will(Will::new(STATUS, b"offline").retain());
    Ok(runner.run(
        |link| {
            let stream = link.open(open.clone())?;
            link.run(stream, &connect)
        },
        |update, outbound| {
            if let Update::Event(event) = &update {
                routes.note(event);
            }
            match update {
                Update::Event(Event::Connected { .. }) => {
                    writeln!(stdout(), "connected, and publishing to gateway/sensor/+")?;
                    outbound.publish(&online)?;
                }
                Update::Event(Event::Message(it)) if it.topic.as_str().ends_with("stop") => {
                    // DISCONNECT discards the will.
                    outbound.publish(&offline)?;
                    outbound.finish();
                }
                Update::Event(Event::Message(message)) => {
                    writeln!(stdout(), "{}: {}", message.topic, message.payload.escape_ascii())?
                }
                Update::Event(Event::Ended { id, outcome }) => eprintln!("request {id} is {outcome}"),
                Update::LinkLost { error, retry_in } => eprintln!("{error}; again in {retry_in:?}"),
                _ if routes.subscription(COMMANDS) == Some(Refused) => return Err("not subscribed".into()),
                _ => {}
            }
            Ok(routes.subscribe(outbound)?)
        },
    )?)
}
