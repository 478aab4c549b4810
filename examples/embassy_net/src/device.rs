//! The firmware, as a board would run it.

use std::fmt::{Display, Write as _};

use baremqtt::transport::asynch::{Duplex, Handle, Runner, Timer};
use baremqtt::transport::{Error, GaveUp, HandleError, Update, WaitError};
use baremqtt::{
    Backoff, Buffers, Client, Connect, Event, Instant, Message, Outbound, QoS, Routes, Standard,
    Subscription, Will,
};
use embassy_net::tcp::TcpSocket;
use embassy_net::{Ipv4Address, Stack};
use embassy_time::{Duration, with_timeout};
use embedded_tls::{TlsConnection, TlsContext};

use crate::tls;

const TEMPERATURE: &str = "thermometer/17/temperature";
const STATUS: &str = "thermometer/17/status";

pub type Mqtt = Handle<[u8; 512], [u8; 1024]>;

pub const fn new() -> Mqtt {
    Handle::new(Client::new(Buffers { rx: [0; 512], tx: [0; 1024] }))
}

/// embassy's clock.
struct Clock;

impl Timer for Clock {
    fn now(&self) -> Instant {
        // The low 32 bits are enough.
        Instant::from_millis(embassy_time::Instant::now().as_millis() as u32)
    }

    async fn sleep(&self, ms: u32) {
        embassy_time::Timer::after_millis(ms.into()).await;
    }
}

/// Keeps the link over TCP, or over TLS with a server whose certificate this authority has signed.
#[embassy_executor::task]
pub async fn link(
    mqtt: &'static Mqtt,
    stack: Stack<'static>,
    server: Ipv4Address,
    ca: Option<&'static [u8]>,
) {
    let (mut rx, mut tx) = ([0; 2048], [0; 2048]);
    // A TLS record has up to 16 KiB.
    let (mut read_record, mut write_record) = (vec![0; 16_640], vec![0; 2048]);
    let will = Will::new(STATUS, b"offline").retain();
    let connect = Connect::new("thermometer-17").clean_session(false).keep_alive(30).will(will);
    let mut runner = Runner::new(mqtt, Clock, [0; 512], Backoff::new(500, 60_000).seed(17));
    if let Some(ca) = ca {
        let ended = runner.run(
            async |link| {
                let mut socket = open(stack, &mut rx, &mut tx, server).await.ok_or(Error::Closed)?;
                let (input, output) = socket.split();
                let duplex = Duplex::new(input, output);
                let mut tls = TlsConnection::new(&duplex, &mut read_record, &mut write_record);
                let config = tls::config();
                tls.open(TlsContext::new(&config, tls::Provider::new(ca))).await.map_err(Error::Io)?;
                let (input, output) = tls.split();
                let ended = link.run(input, output, &connect).await;
                close(socket).await;
                ended
            },
            handler(),
        );
        report(ended.await);
    } else {
        let ended = runner.run(
            async |link| {
                let mut socket = open(stack, &mut rx, &mut tx, server).await.ok_or(Error::Closed)?;
                let (input, output) = socket.split();
                let ended = link.run(input, output, &connect).await;
                close(socket).await;
                ended
            },
            handler(),
        );
        report(ended.await);
    }
}

async fn open<'a>(
    stack: Stack<'a>,
    rx: &'a mut [u8],
    tx: &'a mut [u8],
    server: Ipv4Address,
) -> Option<TcpSocket<'a>> {
    let mut socket = TcpSocket::new(stack, rx, tx);
    // Send small packets without delay.
    socket.set_nagle_enabled(false);
    socket.set_timeout(Some(Duration::from_secs(10)));
    socket.connect((server, 1883)).await.ok()?;
    Some(socket)
}

/// Waits until the last bytes are acknowledged, unless the peer is gone.
async fn close(mut socket: TcpSocket<'_>) {
    socket.close();
    let _ = with_timeout(Duration::from_millis(200), socket.flush()).await;
}

/// Handles updates, over any stream.
fn handler<E: Display>() -> impl FnMut(Update<'_, E>, &mut Outbound<'_, Standard>) -> Result<(), Error<E>> {
    let mut routes = Routes::<_, (), 1>::new();
    routes.add(TEMPERATURE, QoS::AtLeastOnce, ()).expect("a valid filter, and room for one");
    move |update, outbound| {
        match update {
            Update::Event(event) => {
                routes.note(&event);
                match event {
                    Event::Connected { .. } => {
                        println!("online");
                        outbound.publish(&Message::new(STATUS, b"online").at_least_once().retain())?;
                    }
                    Event::Message(message) => {
                        println!("{}: {}", message.topic, String::from_utf8_lossy(message.payload));
                    }
                    Event::Subscribed { .. }
                        if routes.subscription(TEMPERATURE) == Some(Subscription::Refused) =>
                    {
                        println!("the server denies the subscription");
                    }
                    Event::Ended { id, outcome } => println!("request {id} is {outcome}"),
                    _ => {}
                }
            }
            Update::LinkLost { error, retry_in } => println!("offline: {error}; again in {retry_in:?}"),
            _ => {}
        }
        Ok(routes.subscribe(outbound)?)
    }
}

fn report<E: Display>(ended: Result<(), GaveUp<E>>) {
    if let Err(error) = ended {
        println!("{error}");
    }
}

/// Publishes `count` temperatures, each after the previous one is acknowledged.
pub async fn measure(mqtt: &Mqtt, count: u32) -> Result<(), HandleError<WaitError>> {
    for n in 0..count {
        let mut celsius = String::new();
        let _ = write!(celsius, "{}.{}", 20 + n / 10, n % 10);
        mqtt.publish_and_wait(&Message::new(TEMPERATURE, celsius.as_bytes()).at_least_once()).await?;
        embassy_time::Timer::after_secs(1).await;
    }
    Ok(())
}
