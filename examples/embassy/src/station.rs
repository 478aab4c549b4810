//! Two tasks: one keeps the connection, passes commands on, and never gives up; the other publishes reports.
//!
//! | topic | QoS | |
//! |---|---|---|
//! | `station/status` | 1, retained | `online`; the will says `offline` |
//! | `station/uptime` | 0 | seconds; a lost one does not matter |
//! | `station/lamp` | 0 | `on` or `off`, as it blinks |
//! | `station/temperature` | 1 | tenths of a degree; a second copy does no harm |
//! | `station/pulses` | 2 | pulses of a meter since the last reading, to be added up by the receiver |
//! | `station/set/interval` | in, 1 | ms between readings |
//! | `station/set/lamp` | in, 1 | ms that the lamp is on, and then off; 0 turns it off |
//! | `station/answer` | 1 | the answer to each command |

use baremqtt::transport::asynch::{Handle, Runner};
use baremqtt::transport::{HandleError, Update, WaitError};
use baremqtt::{
    Backoff, Config, Connect, Event, Message, Outbound, QoS, RequestError, RouteError, Routes, SubAckCode,
    Will,
};
use embassy_time::Duration;

use crate::clock::Clock;
use crate::reports::{INTERVAL, LAMP, REPORTS, Report};
use crate::serial::{self, Input, Output};

/// A product has a unique number, so that its clients do not all reconnect at the same moment.
const SERIAL_NUMBER: u32 = 17;

/// A serial line does not report that its other end is gone. These timeouts and the keep alive of [`CONNECT`] detect it.
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

/// Readings that are unacknowledged when a connection ends are sent again on the next one.
const CONNECT: Connect<'static> = Connect::new("station")
    .clean_session(false)
    .keep_alive(3)
    .will(Will::new(STATUS, b"offline").qos(QoS::AtLeastOnce).retain())
    .credentials("station", b"secret");

/// The handle that tasks share. Its buffers are borrowed, because owned ones would be moved across the stack when it is created.
pub type Mqtt = Handle<&'static mut [u8], &'static mut [u8], Choices>;

/// The commands in messages.
#[derive(Clone, Copy)]
enum Command {
    Interval,
    Lamp,
}

type Commands = Routes<&'static str, Command, 2>;

/// Keeps the connection.
#[embassy_executor::task]
pub async fn connect(mqtt: &'static Mqtt, mut input: Input, mut output: Output) {
    let backoff = Backoff::new(250, 4_000).seed(SERIAL_NUMBER);
    // A refusal may be temporary: the password may be restored.
    let mut runner = Runner::new(mqtt, Clock, [0; 128], backoff).retry_refusals();
    let mut commands = defmt::unwrap!(commands());
    let ended = runner.run(
        async |link| {
            // Discard bytes of an earlier connection.
            serial::discard();
            link.run(&mut input, &mut output, &CONNECT).await
        },
        |update, outbound| {
            match update {
                Update::Event(event) => {
                    defmt::debug!("{}", event);
                    commands.note(&event);
                    if let Err(error) = handle(event, outbound, &commands) {
                        defmt::warn!("not sent: {}", error);
                    }
                }
                Update::LinkLost { error, .. } => defmt::warn!("link lost: {}", error),
                _ => {}
            }
            // If there is no room now, there will be when everything has been sent, which is reported as an update too.
            if let Err(error) = commands.subscribe(outbound) {
                defmt::warn!("not subscribed: {}", error);
            }
            Ok(())
        },
    );
    defmt::error!("it has ended: {}", ended.await);
}

/// Publishes reports, each after the previous one has ended, so that there is always room for other messages.
#[embassy_executor::task]
pub async fn publish(mqtt: &'static Mqtt) -> ! {
    loop {
        let report = REPORTS.receive().await;
        let mut digits = itoa::Buffer::new();
        let (topic, qos, payload) = match report {
            Report::Uptime(seconds) => ("station/uptime", QoS::AtMostOnce, digits.format(seconds)),
            Report::Lamp(on) => ("station/lamp", QoS::AtMostOnce, if on { "on" } else { "off" }),
            Report::Temperature(tenths) => ("station/temperature", QoS::AtLeastOnce, digits.format(tenths)),
            Report::Pulses(count) => ("station/pulses", QoS::ExactlyOnce, digits.format(count)),
        };
        match mqtt.publish_and_wait(&Message::new(topic, payload.as_bytes()).qos(qos)).await {
            // While offline the client refuses QoS 0, which is fine here: an old time is useless.
            Ok(()) | Err(HandleError::Refused(WaitError::Request(RequestError::NotConnected))) => {}
            Err(error) => defmt::warn!("{} is dropped: {}", report, error),
        }
    }
}

fn commands() -> Result<Commands, RouteError> {
    let mut commands = Routes::new();
    commands.add("station/set/interval", QoS::AtLeastOnce, Command::Interval)?;
    commands.add("station/set/lamp", QoS::AtLeastOnce, Command::Lamp)?;
    Ok(commands)
}

fn handle(
    event: Event<'_>,
    outbound: &mut Outbound<'_, Choices>,
    commands: &Commands,
) -> Result<(), RequestError> {
    match event {
        Event::Connected { session_present } => {
            defmt::info!("connected, session present: {}", session_present);
            outbound.publish(&Message::new(STATUS, b"online").qos(QoS::AtLeastOnce).retain())?;
        }
        Event::Message(message) => {
            for command in commands.matching(message.topic) {
                let answer =
                    if obey(*command, message.payload).is_some() { message.payload } else { b"what?" };
                outbound.publish(&Message::new("station/answer", answer).qos(QoS::AtLeastOnce))?;
            }
        }
        Event::Ended { id, outcome } => defmt::warn!("request {} is {}", id, outcome),
        Event::Subscribed { codes, .. } if codes.get(0) == Some(SubAckCode::Failure) => {
            defmt::error!("the broker denies the subscription");
        }
        _ => {}
    }
    Ok(())
}

/// `None` if this is not a command.
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
