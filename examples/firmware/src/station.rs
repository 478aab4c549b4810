//! What the station does: it publishes readings, obeys commands, takes a large file, and never gives up.
//!
//! | topic | QoS | |
//! |---|---|---|
//! | `station/status` | 1, retained | `online`; the will says `offline` |
//! | `station/uptime` | 0 | seconds; nobody misses a lost one |
//! | `station/temperature` | 1 | tenths of a degree; a second copy does no harm |
//! | `station/pulses` | 2 | pulses of a meter since the last reading, which somebody will add up |
//! | `station/command` | in, 1 | `uptime`, `interval MS` |
//! | `station/answer` | 1 | to each command |
//! | `station/file` | in, 2 | of any length, read in pieces |
//! | `station/received` | 1 | its length and its CRC-32 |

use core::convert::Infallible;
use core::time::Duration;

use baremqtt::transport::Error;
use baremqtt::transport::embedded_io::Connection;
use baremqtt::{
    Backoff, Client, Connect, Event, Instant, LargeMessages, Message, Options, Outbound, QoS, RequestError,
    Version, Will,
};
use embedded_io::ErrorKind;
use heapless::String;

use crate::board::Port;
use crate::clock::Clock;
use crate::serial::Serial;

const STATUS: &str = "station/status";
const UPTIME: &str = "station/uptime";
const TEMPERATURE: &str = "station/temperature";
const PULSES: &str = "station/pulses";
const COMMAND: &str = "station/command";
const ANSWER: &str = "station/answer";
const FILE: &str = "station/file";
const RECEIVED: &str = "station/received";

/// Nobody says that the other end of a serial line is gone: it is found out by these time-outs and by
/// [`CONNECT`]'s keep alive.
pub const OPTIONS: Options = {
    let mut options = Options::new();
    options.large_messages = LargeMessages::Pieces;
    options.timeouts.connack_ms = 2_000;
    options.timeouts.pingresp_ms = 2_000;
    options.timeouts.ack_ms = 5_000;
    options
};

/// Readings that are not acknowledged when a connection ends follow on the next one.
const CONNECT: Connect<'static> = Connect::new("station")
    .version(Version::Mqtt31)
    .clean_session(false)
    .keep_alive(3)
    .will(Will::new(STATUS, b"offline").qos(QoS::AtLeastOnce).retain())
    .credentials("station", b"secret");

/// Requests that can be under way.
const REQUESTS: usize = 16;

/// Readings are not taken while more requests than this wait for their answers: what is left is for other messages.
const MOST_WAITING: usize = REQUESTS / 2;

/// For so long after a byte the processor does not sleep: where a UART keeps one byte only, a message would come in at one
/// byte for each time it wakes.
const ALERT_MS: u32 = 2;

/// A client with borrowed buffers.
type Mqtt = Client<&'static mut [u8], &'static mut [u8], REQUESTS>;

/// The station and its link to the broker.
pub struct Station<U, C> {
    mqtt: Connection<Serial<U>, C, &'static mut [u8], &'static mut [u8], REQUESTS>,
    backoff: Backoff,
    desk: Desk,
}

/// A station with a clock.
pub fn new<U: Port>(line: Serial<U>, client: Mqtt, mut clock: Clock) -> Station<U, impl FnMut() -> Instant> {
    let desk = Desk { interval_ms: 500, read_at: Instant::ZERO, pulses: 0, file: None };
    let mqtt = Connection::new(line, client, move || clock.now());
    Station { mqtt, backoff: Backoff::new(250, 4_000), desk }
}

impl<U: Port, C: FnMut() -> Instant> Station<U, C> {
    pub fn run(mut self) -> ! {
        loop {
            let Err(error) = self.serve();
            defmt::warn!("link lost: {}", error);
            let now = self.mqtt.now();
            let again = now.after(self.backoff.next_ms().unwrap_or_default());
            while self.mqtt.now() < again {
                self.read_sensors();
                cortex_m::asm::wfi();
            }
        }
    }

    /// One connection, as long as it lasts.
    fn serve(&mut self) -> Result<Infallible, Error<ErrorKind>> {
        // What an earlier connection has left.
        self.mqtt.stream_mut().discard();
        self.mqtt.connect(&CONNECT)?;
        defmt::info!("connected");
        self.backoff.reset();
        let mut introduced = false;
        let mut alert_until = Instant::ZERO;
        loop {
            let now = self.mqtt.now();
            // In vain only while readings of earlier connections take all the room.
            introduced = introduced || introduce(&mut self.mqtt.client_mut().outbound(), now).is_ok();
            self.read_sensors();
            let idle = self.mqtt.next_event(Some(Duration::ZERO))?.is_none();
            if self.mqtt.stream_mut().has_read() {
                alert_until = now.after(ALERT_MS);
            } else if idle && now >= alert_until {
                // The clock wakes it a millisecond later.
                cortex_m::asm::wfi();
            }
            if let (Some(event), mut outbound) = self.mqtt.client_mut().split() {
                defmt::debug!("{}", event);
                if let Err(error) = self.desk.handle(event, &mut outbound, now) {
                    defmt::warn!("not sent: {}", error);
                }
            }
        }
    }

    /// Publishes readings, if it is time to.
    fn read_sensors(&mut self) {
        let now = self.mqtt.now();
        let client = self.mqtt.client_mut();
        if now >= self.desk.read_at && client.in_flight() <= MOST_WAITING {
            self.desk.read_sensors(&mut client.outbound(), now);
        }
    }
}

/// On each connection anew: MQTT 3.1 does not say whether the server has kept the subscriptions.
fn introduce(outbound: &mut Outbound<'_>, now: Instant) -> Result<(), RequestError> {
    outbound.subscribe(&[(COMMAND, QoS::AtLeastOnce), (FILE, QoS::ExactlyOnce)], now)?;
    let online = Message::new(STATUS, b"online").qos(QoS::AtLeastOnce).retain();
    outbound.publish(&online, now)?;
    Ok(())
}

/// What is measured, and what is asked for.
struct Desk {
    interval_ms: u32,
    read_at: Instant,
    /// Counted since the last reading that was taken in.
    pulses: u32,
    /// The file that is on its way.
    file: Option<File>,
}

impl Desk {
    fn read_sensors(&mut self, outbound: &mut Outbound<'_>, now: Instant) {
        self.read_at = now.after(self.interval_ms);
        self.pulses += 1;
        let seconds = now.as_millis() / 1_000;
        // The client refuses QoS 0 off line, and that is well: nobody wants to know an old time.
        let _ = outbound.publish(&Message::new(UPTIME, decimal(seconds).as_bytes()), now);
        let temperature = decimal(200 + seconds % 50);
        let temperature = Message::new(TEMPERATURE, temperature.as_bytes()).qos(QoS::AtLeastOnce);
        if let Err(error) = outbound.publish(&temperature, now) {
            defmt::warn!("a temperature is dropped: {}", error);
        }
        let pulses = decimal(self.pulses.into());
        if outbound.publish(&Message::new(PULSES, pulses.as_bytes()).qos(QoS::ExactlyOnce), now).is_ok() {
            self.pulses = 0;
        }
    }

    fn handle(
        &mut self,
        event: Event<'_>,
        outbound: &mut Outbound<'_>,
        now: Instant,
    ) -> Result<(), RequestError> {
        match event {
            Event::Message(message) if message.topic == COMMAND => {
                let answer = self.obey(message.payload, now);
                let answer = Message::new(ANSWER, answer.as_bytes()).qos(QoS::AtLeastOnce);
                outbound.publish(&answer, now)?;
            }
            // One that fits into the buffer after all.
            Event::Message(message) if message.topic == FILE => {
                let mut file = File::new();
                file.add(message.payload);
                file.confirm(outbound, now)?;
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
                    file.confirm(outbound, now)?;
                }
            }
            Event::MessageAborted => self.file = None,
            _ => {}
        }
        Ok(())
    }

    fn obey(&mut self, command: &[u8], now: Instant) -> String<20> {
        if command == b"uptime" {
            return decimal(now.as_millis() / 1_000);
        }
        let interval = command
            .strip_prefix(b"interval ")
            .and_then(|digits| core::str::from_utf8(digits).ok())
            .and_then(|digits| digits.parse().ok());
        match interval {
            Some(interval @ 20..) => {
                self.interval_ms = interval;
                self.read_at = now;
                decimal(interval.into())
            }
            _ => text("what?"),
        }
    }
}

/// What is kept of a file whose bytes have come and gone.
struct File {
    len: u32,
    crc: u32,
}

impl File {
    fn new() -> Self {
        File { len: 0, crc: !0 }
    }

    /// CRC-32 without a table: as IEEE 802.3 and zlib have it.
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

    fn confirm(self, outbound: &mut Outbound<'_>, now: Instant) -> Result<(), RequestError> {
        let mut report = String::<41>::new();
        let fits = report.push_str(&decimal(self.len.into())).is_ok()
            && report.push(' ').is_ok()
            && report.push_str(&decimal((!self.crc).into())).is_ok();
        debug_assert!(fits);
        let report = Message::new(RECEIVED, report.as_bytes()).qos(QoS::AtLeastOnce);
        outbound.publish(&report, now).map(|_| ())
    }
}

/// A number in digits. `write!` would take more flash than the whole client.
fn decimal(number: u64) -> String<20> {
    text(itoa::Buffer::new().format(number))
}

fn text(text: &str) -> String<20> {
    String::try_from(text).unwrap_or_default()
}
