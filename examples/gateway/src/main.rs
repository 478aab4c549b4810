//! Three threads publish readings; a fourth has the connection and handles commands. It comes back when it is lost, subscribes again, and
//! leaves a will; `gateway/set/stop` ends it in good order. TLS where a file with certificates is given. See README.md.

use std::error::Error;
use std::path::Path;
use std::time::Duration;
use std::{env, io, process, thread};

use baremqtt::transport::net::{Handle, HandleError, Runner, Stream, Update, open_tcp};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message, QoS, Routes, Subscription, Will};

const PATIENCE: Duration = Duration::from_secs(10);
const COMMANDS: &str = "gateway/set/+";
const STATUS: &str = "gateway/status";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (host, port) = arguments.next().zip(arguments.next()).ok_or("usage: gateway HOST PORT [CA-FILE]")?;
    let port = port.parse()?;
    let tls = arguments.next().map(|file| baremqtt_tls::config(Path::new(&file), None)).transpose()?;
    let open = move || -> io::Result<Box<dyn Stream + Send>> {
        match &tls {
            Some(config) => Ok(Box::new(baremqtt_tls::open(&host, port, config, PATIENCE)?)),
            None => Ok(Box::new(open_tcp((host.as_str(), port), PATIENCE)?)),
        }
    };

    let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 65_536] });
    let runner = Runner::new(client, Backoff::new(500, 60_000).seed(process::id()));
    for sensor in 1..=3 {
        let handle = runner.handle();
        thread::spawn(move || measure(&handle, sensor));
    }

    let mut routes = Routes::<_, (), 1>::new();
    routes.add(COMMANDS, QoS::AtLeastOnce, ())?;
    let online = Message::new(STATUS, b"online").at_least_once().retain();
    let connect = Connect::new("gateway").clean_session(false).will(Will::new(STATUS, b"offline").retain());
    let handler = |update: Update<'_>, outbound: &mut baremqtt::Outbound<'_, _>| {
        if let Update::Event(event) = &update {
            routes.note(event);
        }
        match update {
            Update::Event(Event::Connected { .. }) => drop(outbound.publish(&online)?),
            Update::Event(Event::Message(it)) if it.topic.as_str() == "gateway/set/stop" => outbound.finish(),
            Update::Event(Event::Message(message)) => println!("{message:?}"),
            Update::Event(Event::Ended { id, outcome }) => eprintln!("request {id} is {outcome}"),
            Update::LinkLost { error, retry_in } => eprintln!("{error}; again in {retry_in:?}"),
            _ => {}
        }
        match routes.subscription(COMMANDS) {
            Some(Subscription::Refused) => Err("the server refuses the subscription".into()),
            _ => Ok(routes.subscribe(outbound)?),
        }
    };
    Ok(runner.run(open, |queue| queue(&connect), handler)?)
}

/// Publishes a reading each second, and waits where there is no room, until the runner stops.
fn measure(handle: &Handle, sensor: u32) -> Result<(), HandleError> {
    (0_u32..).try_for_each(|reading| {
        thread::sleep(Duration::from_secs(1));
        let (topic, reading) = (format!("gateway/sensor/{sensor}"), reading.to_string());
        handle.publish(&Message::new(&topic, reading.as_bytes()).at_least_once()).map(|_| ())
    })
}
