//! A loop that never blocks, with the adapter for `nb`: three clients in one thread pass a number around.
//!
//! ```text
//! cargo run --features nb --example nb_loop
//! cargo run --features nb --example nb_loop -- localhost:1883
//! ```

#[path = "broker/server/mod.rs"]
mod server;

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write, stdout};
use std::net::{Ipv4Addr, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant as Clock};

use baremqtt::transport::Error as ConnectionError;
use baremqtt::transport::polled::{Connection, Stream};
use baremqtt::{Buffers, Client, Connect, Event, Instant, Message, QoS, State, SubAckCode};
use server::Server;

const PLACES: usize = 3;
const LAST: u32 = 12;

/// A TCP stream that does not block.
struct Tcp(TcpStream);

fn non_blocking<V>(result: io::Result<V>) -> nb::Result<V, io::Error> {
    result.map_err(|error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::Interrupted => nb::Error::WouldBlock,
        _ => nb::Error::Other(error),
    })
}

impl Stream for Tcp {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8]) -> nb::Result<usize, io::Error> {
        non_blocking(self.0.read(buffer))
    }

    fn write(&mut self, bytes: &[u8]) -> nb::Result<usize, io::Error> {
        non_blocking(self.0.write(bytes))
    }
}

/// Buffers of a few hundred bytes, as on a microcontroller.
type Mqtt = Connection<Tcp, [u8; 128], [u8; 256]>;

fn open(broker: &str, place: usize) -> Result<Mqtt, Box<dyn Error>> {
    let stream = TcpStream::connect(broker)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let client = Client::new(Buffers { rx: [0; 128], tx: [0; 256] });
    let mut mqtt = Connection::new(Tcp(stream), client);
    let id = format!("nb-loop-{place}");
    mqtt.connect(&Connect::new(&id).keep_alive(30))?;
    Ok(mqtt)
}

/// Handles an event of a client; returns whether the number has reached its end.
fn answer(mqtt: &mut Mqtt, place: usize) -> Result<bool, Box<dyn Error>> {
    let topic = |place: usize| format!("baremqtt/ring/{}", place % PLACES);
    let (event, mut outbound) = mqtt.split();
    match event {
        Some(Event::Connected { .. }) => {
            outbound.subscribe(&[(&topic(place), QoS::ExactlyOnce)])?;
        }
        Some(Event::Subscribed { codes, .. }) if codes.get(0) == Some(SubAckCode::Failure) => {
            return Err("the broker denies the subscription".into());
        }
        // The client that subscribes last begins.
        Some(Event::Subscribed { .. }) if place == PLACES - 1 => {
            outbound.publish(&Message::new(&topic(place + 1), b"1").qos(QoS::ExactlyOnce))?;
        }
        Some(Event::Message(message)) => {
            let number: u32 = str::from_utf8(message.payload)?.parse()?;
            writeln!(stdout(), "{number} is at {}", message.topic)?;
            if number == LAST {
                return Ok(true);
            }
            let next = (number + 1).to_string();
            outbound.publish(&Message::new(&topic(place + 1), next.as_bytes()).qos(QoS::ExactlyOnce))?;
        }
        Some(Event::Ended { id, outcome }) => return Err(format!("request {id} is {outcome}").into()),
        _ => {}
    }
    Ok(false)
}

/// Disconnects, once all requests under way have ended.
fn leave(mqtt: &mut Mqtt, start: Clock) -> Result<(), Box<dyn Error>> {
    mqtt.finish();
    loop {
        match mqtt.poll(now(start)) {
            Err(nb::Error::Other(ConnectionError::Disconnected)) => return Ok(()),
            Err(nb::Error::Other(error)) => return Err(error.into()),
            _ => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// The low 32 bits are enough.
fn now(start: Clock) -> Instant {
    Instant::from_millis(start.elapsed().as_millis() as u32)
}

fn run(broker: &str) -> Result<(), Box<dyn Error>> {
    let start = Clock::now();
    let (mut ring, mut is_over) = (Vec::<Mqtt>::new(), false);
    while !is_over {
        // One after another: each client has subscribed before the next one connects.
        let is_ready = |mqtt: &Mqtt| mqtt.state() == State::Connected && mqtt.in_flight() == 0;
        if ring.len() < PLACES && ring.iter().all(is_ready) {
            ring.push(open(broker, ring.len())?);
        }
        for (place, mqtt) in ring.iter_mut().enumerate() {
            match mqtt.poll(now(start)) {
                Ok(_) => is_over |= answer(mqtt, place)?,
                Err(nb::Error::WouldBlock) => {}
                Err(nb::Error::Other(error)) => return Err(error.into()),
            }
        }
        // A device would do its other work here.
        thread::sleep(Duration::from_millis(1));
    }
    ring.iter_mut().try_for_each(|mqtt| leave(mqtt, start))
}

fn main() -> ExitCode {
    let result = match std::env::args().nth(1) {
        Some(argument) if argument.starts_with('-') => {
            println!("usage: nb_loop [HOST:PORT]    by default it starts a broker of its own");
            return ExitCode::SUCCESS;
        }
        Some(broker) => run(&broker),
        None => {
            let listen = (Ipv4Addr::LOCALHOST, 0).into();
            Server::start(server::Options { listen, ..server::Options::default() })
                .map_err(Into::into)
                .and_then(|server| run(&server.addr().to_string()))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nb_loop: {error}");
            ExitCode::FAILURE
        }
    }
}
