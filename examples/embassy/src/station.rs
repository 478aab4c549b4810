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
use baremqtt::transport::embedded_io_async::Connection;
use baremqtt::{
    Backoff, Connect, Event, Instant, Message, Options, Outbound, QoS, RequestError, RouteError, Routes, Will,
};
use embassy_futures::select::{Either, select};
use embassy_time::{Duration, Timer};
use embedded_io::ErrorKind;

use crate::clock::Clock;
use crate::reports::{INTERVAL, LAMP, REPORTS, Report};
use crate::serial::{self, Input, Output};

/// Nobody says that the other end of a serial line is gone: it is found out by these time-outs and by [`CONNECT`]'s
/// keep alive.
pub const OPTIONS: Options = {
    let mut options = Options::new();
    options.timeouts.connack_ms = 2_000;
    options.timeouts.pingresp_ms = 2_000;
    options.timeouts.ack_ms = 5_000;
    options
};

const STATUS: &str = "station/status";

/// Readings that are not acknowledged when a connection ends follow on the next one.
const CONNECT: Connect<'static> = Connect::new("station")
    .clean_session(false)
    .keep_alive(3)
    .will(Will::new(STATUS, b"offline").qos(QoS::AtLeastOnce).retain())
    .credentials("station", b"secret");

/// Requests that can be under way.
const REQUESTS: usize = 16;

/// Reports wait while more requests than this are under way: what is left is for other messages.
const MOST_WAITING: usize = REQUESTS / 2;

/// The connection. Its buffers are borrowed: in it, they would be moved over the stack when it is made.
pub type Mqtt = Connection<Input, Output, Clock, &'static mut [u8], &'static mut [u8], REQUESTS>;

/// What a message can ask for.
#[derive(Clone, Copy)]
enum Command {
    Interval,
    Lamp,
}

type Commands = Routes<'static, Command, 2>;

#[embassy_executor::task]
pub async fn run(mqtt: &'static mut Mqtt) -> ! {
    let mut backoff = Backoff::new(250, 4_000);
    let mut commands = defmt::unwrap!(commands());
    loop {
        let Err(error) = serve(mqtt, &mut commands, &mut backoff).await;
        defmt::warn!("link lost: {}", error);
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
    backoff: &mut Backoff,
) -> Result<Infallible, Error<ErrorKind>> {
    // What an earlier connection has left.
    serial::discard();
    let session_present = mqtt.connect(&CONNECT).await?;
    defmt::info!("connected, session present: {}", session_present);
    backoff.reset();
    commands.note(&Event::Connected { session_present });
    let mut introduced = false;
    loop {
        let now = mqtt.now();
        let mut outbound = mqtt.client_mut().outbound();
        // Both in vain only while reports to earlier connections take all the room.
        introduced = introduced || introduce(&mut outbound, now).is_ok();
        if let Err(error) = commands.subscribe(&mut outbound, now) {
            defmt::warn!("not subscribed: {}", error);
        }
        let in_flight = mqtt.client().in_flight();
        // When a report comes first, the future of `next_event` is dropped. Nothing is lost by that.
        match select(mqtt.next_event(None), next_report(in_flight)).await {
            Either::First(event) => {
                event?;
                handle_event(mqtt, commands);
            }
            Either::Second(report) => publish(mqtt, report),
        }
    }
}

fn introduce(outbound: &mut Outbound<'_>, now: Instant) -> Result<(), RequestError> {
    let online = Message::new(STATUS, b"online").qos(QoS::AtLeastOnce).retain();
    outbound.publish(&online, now).map(|_| ())
}

/// Takes reports without a connection, for ever.
async fn take_reports(mqtt: &mut Mqtt) {
    loop {
        let report = next_report(mqtt.client().in_flight()).await;
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
        // Off line, the client refuses QoS 0, and that is well: nobody wants to know an old time.
        Ok(_) | Err(RequestError::NotConnected) => {}
        Err(error) => defmt::warn!("{} is dropped: {}", report, error),
    }
}

fn handle_event(mqtt: &mut Mqtt, commands: &mut Commands) {
    let now = mqtt.now();
    let (Some(event), mut outbound) = mqtt.client_mut().split() else { return };
    defmt::debug!("{}", event);
    commands.note(&event);
    let Event::Message(message) = event else { return };
    for command in commands.matching(message.topic) {
        let answer = if obey(*command, message.payload).is_some() { message.payload } else { b"what?" };
        let answer = Message::new("station/answer", answer).qos(QoS::AtLeastOnce);
        if let Err(error) = outbound.publish(&answer, now) {
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
