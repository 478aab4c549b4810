//! What keeps the connection: it publishes what other tasks report, hands commands to them, and never gives up.
//!
//! | topic | QoS | |
//! |---|---|---|
//! | `station/status` | 1, retained | `online`; the will says `offline` |
//! | `station/uptime` | 0 | seconds; nobody misses a lost one |
//! | `station/lamp` | 0 | `on` or `off`, as it blinks |
//! | `station/temperature` | 1 | tenths of a degree; a second copy does no harm |
//! | `station/pulses` | 2 | pulses of a meter since the last reading, which somebody will add up |
//! | `station/set/interval` | in, 1 | ms between readings |
//! | `station/set/lamp` | in, 1 | ms that the lamp is on, and then off; 0 stops it |
//! | `station/answer` | 1 | to each command |

use core::convert::Infallible;
use core::future::pending;

use baremqtt::transport::Error;
use baremqtt::transport::asynch::Connection;
use baremqtt::{
    Backoff, Config, Connect, Event, Message, Outbound, QoS, RequestError, RouteError, Routes, State,
    SubAckCode, Will,
};
use embassy_futures::select::{Either, select};
use embassy_time::{Duration, Instant, Timer};
use embedded_io::ErrorKind;

use crate::clock::Clock;
use crate::reports::{INTERVAL, LAMP, REPORTS, Report};
use crate::serial::{self, Input, Output};

/// A product has one that is burnt in: no two clients come back at the same moment.
const SERIAL_NUMBER: u32 = 17;

/// Nobody says that the other end of a serial line is gone: it is found out by these timeouts and by [`CONNECT`]'s keep alive.
pub struct Choices;

impl Config for Choices {
    fn mqtt31(&self) -> bool {
        false
    }

    fn connack_timeout_ms(&self) -> u32 {
        2_000
    }

    fn pingresp_timeout_ms(&self) -> u32 {
        2_000
    }

    fn ack_timeout_ms(&self) -> u32 {
        5_000
    }
}

const STATUS: &str = "station/status";

/// Readings that are not acknowledged when a connection ends follow on the next one.
const CONNECT: Connect<'static> = Connect::new("station")
    .clean_session(false)
    .keep_alive(3)
    .will(Will::new(STATUS, b"offline").qos(QoS::AtLeastOnce).retain())
    .credentials("station", b"secret");

/// Reports wait while more requests than this are under way: what is left is for other messages.
const MOST_WAITING: usize = 8;

/// The connection. Its buffers are borrowed: in it, they would be moved over the stack when it is made.
pub type Mqtt = Connection<Input, Output, Clock, &'static mut [u8], &'static mut [u8], Choices>;

/// What a message can ask for.
#[derive(Clone, Copy)]
enum Command {
    Interval,
    Lamp,
}

type Commands = Routes<&'static str, Command, 2>;

#[embassy_executor::task]
pub async fn run(mqtt: &'static mut Mqtt) -> ! {
    let mut backoff = Backoff::new(250, 4_000).seed(SERIAL_NUMBER);
    let mut commands = defmt::unwrap!(commands());
    loop {
        let mut connected_at = None;
        let Err(error) = serve(mqtt, &mut commands, &mut connected_at).await;
        defmt::warn!("link lost: {}", error);
        if let Some(at) = connected_at {
            backoff.lived(u32::try_from(Instant::elapsed(&at).as_millis()).unwrap_or(u32::MAX));
        }
        let pause = Duration::from_millis(backoff.next_ms().unwrap_or_default().into());
        // Reports of QoS 1 and 2 are kept for the next connection.
        select(Timer::after(pause), take_reports(mqtt)).await;
    }
}

fn commands() -> Result<Commands, RouteError> {
    let mut commands = Routes::new();
    commands.add("station/set/interval", QoS::AtLeastOnce, Command::Interval)?;
    commands.add("station/set/lamp", QoS::AtLeastOnce, Command::Lamp)?;
    Ok(commands)
}

/// One connection, as long as it lasts.
async fn serve(
    mqtt: &mut Mqtt,
    commands: &mut Commands,
    connected_at: &mut Option<Instant>,
) -> Result<Infallible, Error<ErrorKind>> {
    // What an earlier connection has left.
    serial::discard();
    mqtt.close();
    mqtt.connect(&CONNECT)?;
    let mut introduced = false;
    loop {
        if mqtt.state() == State::Connected {
            let mut outbound = mqtt.outbound();
            // Both in vain only while reports to earlier connections take all the room.
            introduced = introduced || introduce(&mut outbound).is_ok();
            if let Err(error) = commands.subscribe(&mut outbound) {
                defmt::warn!("not subscribed: {}", error);
            }
        }
        let in_flight = mqtt.in_flight();
        // When a report comes first, the future of `next_event` is dropped. Nothing is lost by that.
        match select(mqtt.next_event(None), next_report(in_flight)).await {
            Either::First(event) => {
                if let Some(Event::Connected { session_present }) = event? {
                    defmt::info!("connected, session present: {}", session_present);
                    *connected_at = Some(Instant::now());
                }
                handle_event(mqtt, commands);
            }
            Either::Second(report) => publish(mqtt, report),
        }
    }
}

fn introduce(outbound: &mut Outbound<'_, Choices>) -> Result<(), RequestError> {
    let online = Message::new(STATUS, b"online").qos(QoS::AtLeastOnce).retain();
    outbound.publish(&online).map(|_| ())
}

/// Takes reports without a connection, for ever.
async fn take_reports(mqtt: &mut Mqtt) {
    loop {
        let report = next_report(mqtt.in_flight()).await;
        publish(mqtt, report);
    }
}

/// Waits for the next report, for ever if so many requests are under way that there is no room for it.
async fn next_report(in_flight: usize) -> Report {
    if in_flight > MOST_WAITING {
        pending().await
    }
    REPORTS.receive().await
}

fn publish(mqtt: &mut Mqtt, report: Report) {
    let mut digits = itoa::Buffer::new();
    let (topic, qos, payload) = match report {
        Report::Uptime(seconds) => ("station/uptime", QoS::AtMostOnce, digits.format(seconds)),
        Report::Lamp(on) => ("station/lamp", QoS::AtMostOnce, if on { "on" } else { "off" }),
        Report::Temperature(tenths) => ("station/temperature", QoS::AtLeastOnce, digits.format(tenths)),
        Report::Pulses(count) => ("station/pulses", QoS::ExactlyOnce, digits.format(count)),
    };
    match mqtt.publish(&Message::new(topic, payload.as_bytes()).qos(qos)) {
        // Offline, the client refuses QoS 0, and that is well: nobody wants to know an old time.
        Ok(_) | Err(RequestError::NotConnected) => {}
        Err(error) => defmt::warn!("{} is dropped: {}", report, error),
    }
}

fn handle_event(mqtt: &mut Mqtt, commands: &mut Commands) {
    let (Some(event), mut outbound) = mqtt.split() else { return };
    defmt::debug!("{}", event);
    commands.note(&event);
    match event {
        Event::Ended { id, outcome } => defmt::warn!("request {} is {}", id, outcome),
        Event::Subscribed { codes, .. } if codes.get(0) == Some(SubAckCode::Failure) => {
            defmt::error!("the broker denies the subscription");
        }
        _ => {}
    }
    let Event::Message(message) = event else { return };
    for command in commands.matching(message.topic) {
        let answer = if obey(*command, message.payload).is_some() { message.payload } else { b"what?" };
        let answer = Message::new("station/answer", answer).qos(QoS::AtLeastOnce);
        if let Err(error) = outbound.publish(&answer) {
            defmt::warn!("not answered: {}", error);
        }
    }
}

/// `None` if that is nothing that can be done.
fn obey(command: Command, payload: &[u8]) -> Option<()> {
    let ms: u64 = core::str::from_utf8(payload).ok()?.parse().ok()?;
    let time = (20..=3_600_000).contains(&ms).then_some(Duration::from_millis(ms));
    match command {
        Command::Interval => INTERVAL.signal(time?),
        Command::Lamp if ms == 0 => LAMP.signal(None),
        Command::Lamp => LAMP.signal(Some(time?)),
    }
    Some(())
}
