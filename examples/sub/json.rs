//! A message as JSON, with the keys of Mosquitto's `%j`.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use baremqtt::codec::Delivery;

/// A message to print.
pub struct Received<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    pub delivery: Delivery,
    pub retain: bool,
}

impl Received<'_> {
    /// One object on one line. An empty payload is `null`. Invalid UTF-8 in a payload is replaced by U+FFFD.
    pub fn write_json(&self, time: SystemTime, out: &mut impl Write) -> io::Result<()> {
        write!(out, "{{\"tst\":\"{}\",\"topic\":\"{}\"", utc(time), escaped(self.topic))?;
        write!(out, ",\"qos\":{},\"retain\":{}", self.delivery.qos(), u8::from(self.retain))?;
        write!(out, ",\"payloadlen\":{}", self.payload.len())?;
        if let Some(id) = self.delivery.id() {
            write!(out, ",\"mid\":{id}")?;
        }
        match self.payload {
            [] => write!(out, ",\"payload\":null}}"),
            payload => write!(out, ",\"payload\":\"{}\"}}", escaped(&String::from_utf8_lossy(payload))),
        }
    }
}

/// Text for between the quotation marks of JSON.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if char < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => out.push(char),
        }
    }
    out
}

/// The time in ISO 8601 format, in UTC, with microseconds.
fn utc(time: SystemTime) -> String {
    let micros = time.duration_since(UNIX_EPOCH).unwrap_or_default().subsec_micros();
    format!("{}.{micros:06}Z", utc_seconds(time))
}

/// The same without microseconds and time zone, from 1970 on.
pub fn utc_seconds(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs();
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// Year, month and day of a number of days after 1970-01-01.
fn date(days: u64) -> (u64, u64, u64) {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(is_leap(year)) {
        left -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    (year, month, left + 1)
}
