//! The application: publishes readings, handles commands, receives a large file, and never gives up.
//!
//! | topic | QoS | |
//! |---|---|---|
//! | `station/status` | 1, retained | `online`; the will says `offline` |
//! | `station/uptime` | 0 | seconds; a lost one does not matter |
//! | `station/temperature` | 1 | tenths of a degree; a second copy does no harm |
//! | `station/pulses` | 2 | pulses of a meter since the last reading, to be added up by the receiver |
//! | `station/command` | in, 1 | `uptime`, `interval MS` |
//! | `station/answer` | 1 | the answer to each command |
//! | `station/file` | in, 2 | of any length, received in pieces |
//! | `station/received` | 1 | the length of the file, and its CRC-32 |

use core::time::Duration;

use baremqtt::transport::Update;
use baremqtt::transport::blocking::{Connection, Reconnect};
use baremqtt::{
    Backoff, Client, Config, Connect, Event, Instant, LargeMessages, Message, Outbound, QoS, RequestError,
    State, SubAckCode, Version, Will,
};
use embedded_io::ErrorKind;
use heapless::String;

use crate::board::Port;
use crate::clock::now;
use crate::serial::Serial;

const STATUS: &str = "station/status";
const UPTIME: &str = "station/uptime";
const TEMPERATURE: &str = "station/temperature";
const PULSES: &str = "station/pulses";
const COMMAND: &str = "station/command";
const ANSWER: &str = "station/answer";
const FILE: &str = "station/file";
const RECEIVED: &str = "station/received";

/// A product has a unique number, so that its clients do not all reconnect at the same moment.
const SERIAL_NUMBER: u32 = 17;

/// A serial line does not report that its other end is gone. These timeouts and the keep alive of [`CONNECT`] detect it.
pub struct Choices;

impl Config for Choices {
    fn connack_timeout_ms(&self) -> u32 {
        2_000
    }

    fn pingresp_timeout_ms(&self) -> u32 {
        2_000
    }

    fn ack_timeout_ms(&self) -> u32 {
        5_000
    }

    fn large_messages(&self) -> LargeMessages {
        LargeMessages::Pieces
    }
}

/// Readings that are unacknowledged when a connection ends are sent again on the next one.
const CONNECT: Connect<'static> = Connect::new("station")
    .version(Version::Mqtt31)
    .clean_session(false)
    .keep_alive(3)
    .will(Will::new(STATUS, b"offline").qos(QoS::AtLeastOnce).retain())
    .credentials("station", b"secret");

/// No readings are taken while more requests than this wait for their answers; the rest of the room is for other messages.
const MOST_WAITING: usize = 8;

/// The processor does not sleep for this long after a byte. A UART that buffers only one byte would otherwise receive a single
/// byte for each wake-up.
const ALERT_MS: u32 = 2;

/// A client with borrowed buffers.
type Mqtt = Client<&'static mut [u8], &'static mut [u8], Choices>;

/// The function that reopens the line.
type Open<U> = fn(&mut Serial<U>) -> Result<(), ErrorKind>;

type Link<U> = Reconnect<Serial<U>, fn() -> Instant, Open<U>, &'static mut [u8], &'static mut [u8], Choices>;

/// The station and its link to the broker.
pub struct Station<U> {
    mqtt: Link<U>,
    desk: Desk,
}

impl<U: Port> Station<U> {
    pub fn new(line: Serial<U>, client: Mqtt) -> Self {
        let open: Open<U> = |line| {
            // Discard bytes of an earlier connection.
            line.discard();
            Ok(())
        };
        let connection = Connection::new(line, client, now as fn() -> Instant);
        let backoff = Backoff::new(250, 4_000).seed(SERIAL_NUMBER);
        Station {
            // A refusal may be temporary: the password may be restored.
            mqtt: Reconnect::new(connection, open, backoff).retry_refusals(),
            desk: Desk { interval_ms: 500, read_at: now(), pulses: 0, file: None },
        }
    }

    pub fn run(mut self) -> ! {
        let (mut introduced, mut heard_at) = (false, now());
        loop {
            if self.mqtt.state() == State::Connected && !introduced {
                // This can fail only while readings of earlier connections take all the room.
                introduced = introduce(&mut self.mqtt.outbound()).is_ok();
            }
            self.read_sensors();
            let is_idle = match self.mqtt.next_event(&CONNECT, Some(Duration::ZERO)) {
                Ok(Some(Update::LinkLost { error, .. })) => {
                    defmt::warn!("link lost: {}", error);
                    introduced = false;
                    false
                }
                Ok(update) => update.is_none(),
                Err(error) => {
                    defmt::error!("{}", error);
                    true
                }
            };
            if self.mqtt.stream_mut().has_read() {
                heard_at = now();
            } else if is_idle && now().since(heard_at) >= ALERT_MS {
                // The clock's interrupt wakes it a millisecond later.
                cortex_m::asm::wfi();
            }
            if let (Some(event), mut outbound) = self.mqtt.split() {
                defmt::debug!("{}", event);
                if let Event::Connected { .. } = event {
                    defmt::info!("connected");
                }
                if let Err(error) = self.desk.handle(event, &mut outbound) {
                    defmt::warn!("not sent: {}", error);
                }
            }
        }
    }

    /// Publishes readings, if they are due.
    fn read_sensors(&mut self) {
        let is_time = now().since(self.desk.read_at) >= self.desk.interval_ms;
        if is_time && self.mqtt.in_flight() <= MOST_WAITING {
            self.desk.read_sensors(&mut self.mqtt.outbound());
        }
    }
}

/// Subscribes on each connection, because a server does not say in MQTT 3.1 whether it has kept the subscriptions.
fn introduce(outbound: &mut Outbound<'_, Choices>) -> Result<(), RequestError> {
    outbound.subscribe(&[(COMMAND, QoS::AtLeastOnce), (FILE, QoS::ExactlyOnce)])?;
    let online = Message::new(STATUS, b"online").qos(QoS::AtLeastOnce).retain();
    outbound.publish(&online)?;
    Ok(())
}

/// The readings and the commands.
struct Desk {
    interval_ms: u32,
    /// When the last readings were taken.
    read_at: Instant,
    /// Counted since the last reading that was queued.
    pulses: u32,
    /// The file that is being received.
    file: Option<File>,
}

impl Desk {
    fn read_sensors(&mut self, outbound: &mut Outbound<'_, Choices>) {
        self.read_at = now();
        self.pulses += 1;
        let seconds = self.read_at.as_millis() / 1_000;
        // While offline the client refuses QoS 0, which is fine here: an old time is useless.
        let _ = outbound.publish(&Message::new(UPTIME, decimal(seconds).as_bytes()));
        let temperature = decimal(200 + seconds % 50);
        let temperature = Message::new(TEMPERATURE, temperature.as_bytes()).qos(QoS::AtLeastOnce);
        if let Err(error) = outbound.publish(&temperature) {
            defmt::warn!("a temperature is dropped: {}", error);
        }
        let pulses = decimal(self.pulses);
        if outbound.publish(&Message::new(PULSES, pulses.as_bytes()).qos(QoS::ExactlyOnce)).is_ok() {
            self.pulses = 0;
        }
    }

    fn handle(&mut self, event: Event<'_>, outbound: &mut Outbound<'_, Choices>) -> Result<(), RequestError> {
        match event {
            Event::Message(message) if message.topic == COMMAND => {
                let answer = self.obey(message.payload);
                let answer = Message::new(ANSWER, answer.as_bytes()).qos(QoS::AtLeastOnce);
                outbound.publish(&answer)?;
            }
            // A file that fits into the buffer.
            Event::Message(message) if message.topic == FILE => {
                let mut file = File::new();
                file.add(message.payload);
                file.confirm(outbound)?;
            }
            Event::MessageStart(message) => {
                self.file = message.topic.is_some_and(|topic| topic == FILE).then(File::new);
            }
            Event::MessagePiece(piece) => {
                if let Some(file) = &mut self.file {
                    file.add(piece);
                }
            }
            Event::MessageEnd => {
                if let Some(file) = self.file.take() {
                    file.confirm(outbound)?;
                }
            }
            Event::MessageAborted => self.file = None,
            Event::Subscribed { codes, .. } if codes.iter().any(|code| code == SubAckCode::Failure) => {
                defmt::error!("the broker denies a subscription");
            }
            Event::Ended { id, outcome } => defmt::warn!("request {} is {}", id, outcome),
            _ => {}
        }
        Ok(())
    }

    fn obey(&mut self, command: &[u8]) -> String<10> {
        if command == b"uptime" {
            return decimal(now().as_millis() / 1_000);
        }
        let interval = command
            .strip_prefix(b"interval ")
            .and_then(|digits| core::str::from_utf8(digits).ok())
            .and_then(|digits| digits.parse().ok());
        match interval {
            Some(interval @ 20..) => {
                self.interval_ms = interval;
                decimal(interval)
            }
            _ => text("what?"),
        }
    }
}

/// The state of a file whose bytes are not kept.
struct File {
    len: u32,
    crc: u32,
}

impl File {
    fn new() -> Self {
        File { len: 0, crc: !0 }
    }

    /// CRC-32 without a table, as in IEEE 802.3 and zlib.
    fn add(&mut self, bytes: &[u8]) {
        self.len = self.len.wrapping_add(bytes.len() as u32);
        for &byte in bytes {
            self.crc ^= u32::from(byte);
            for _ in 0..8 {
                let out = self.crc & 1;
                self.crc = (self.crc >> 1) ^ (0xEDB8_8320 * out);
            }
        }
    }

    fn confirm(self, outbound: &mut Outbound<'_, Choices>) -> Result<(), RequestError> {
        let mut report = String::<21>::new();
        let fits = report.push_str(&decimal(self.len)).is_ok()
            && report.push(' ').is_ok()
            && report.push_str(&decimal(!self.crc)).is_ok();
        debug_assert!(fits);
        let report = Message::new(RECEIVED, report.as_bytes()).qos(QoS::AtLeastOnce);
        outbound.publish(&report).map(|_| ())
    }
}

/// A number in decimal. `write!` would take more flash than the whole client.
fn decimal(number: u32) -> String<10> {
    text(itoa::Buffer::new().format(number))
}

fn text(text: &str) -> String<10> {
    String::try_from(text).unwrap_or_default()
}
