//! Keeps the connection to the broker, whatever happens to it, and publishes a temperature every second.

use baremqtt::transport::asynch::{Handle, Runner};
use baremqtt::transport::{Error, Update};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message, QoS, Will};
use defmt::{Debug2Format, info, warn};
use embassy_net::tcp::TcpSocket;
use embassy_net::{Ipv4Address, Stack};
use embassy_time::{Duration, Ticker, Timer, with_timeout};

use crate::clock::Clock;

/// The broker's address. In QEMU this is a port of the host.
const BROKER: (Ipv4Address, u16) = (Ipv4Address::new(10, 0, 2, 9), 1883);

const STATUS: &str = "station/status";
const TEMPERATURE: &str = "station/temperature";

pub type Mqtt = Handle<[u8; 256], [u8; 512]>;

pub const fn new() -> Mqtt {
    Handle::new(Client::new(Buffers { rx: [0; 256], tx: [0; 512] }))
}

/// Opens a TCP connection for each attempt, and runs the link over it.
#[embassy_executor::task]
pub async fn link(mqtt: &'static Mqtt, stack: Stack<'static>) {
    let (mut rx, mut tx) = ([0; 1_024], [0; 1_024]);
    let will = Will::new(STATUS, b"offline").qos(QoS::AtLeastOnce).retain();
    let connect = Connect::new("station")
        .clean_session(false)
        .keep_alive(10)
        .credentials("station", b"secret")
        .will(will);
    let mut runner = Runner::new(mqtt, Clock, [0; 256], Backoff::new(500, 8_000).seed(17));
    let ended = runner.run(
        async |link| {
            stack.wait_config_up().await;
            let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
            // Send small packets without delay.
            socket.set_nagle_enabled(false);
            socket.set_timeout(Some(Duration::from_secs(10)));
            socket.connect(BROKER).await.map_err(|_| Error::Closed)?;
            let (input, output) = socket.split();
            let ended = link.run(input, output, &connect).await;
            // Wait until the last bytes are acknowledged, unless the peer is gone.
            socket.close();
            let _ = with_timeout(Duration::from_millis(200), socket.flush()).await;
            ended
        },
        |update, outbound| {
            match update {
                Update::Event(Event::Connected { .. }) => {
                    info!("online");
                    outbound.publish(&Message::new(STATUS, b"online").at_least_once().retain())?;
                }
                Update::LinkLost { error, retry_in } => {
                    warn!("offline: {}; again in {} ms", Debug2Format(&error), retry_in);
                }
                _ => {}
            }
            Ok(())
        },
    );
    if let Err(error) = ended.await {
        warn!("{}", Debug2Format(&error));
    }
}

/// Publishes each temperature after the previous one is acknowledged.
#[embassy_executor::task]
pub async fn measure(mqtt: &'static Mqtt) {
    let mut ticker = Ticker::every(Duration::from_secs(1));
    let mut text = itoa::Buffer::new();
    for n in 0_u32.. {
        ticker.next().await;
        let degrees = text.format(20 + n % 10).as_bytes();
        if let Err(error) = mqtt.publish_and_wait(&Message::new(TEMPERATURE, degrees).at_least_once()).await {
            warn!("not published: {}", Debug2Format(&error));
            Timer::after_secs(1).await;
        }
    }
}
