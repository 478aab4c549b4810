//! How messages are printed.

use std::io::{self, Write};
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::json::{Received, utc_seconds};

/// The parts of a printed message.
pub struct Format(Vec<Part>);

enum Part {
    Text(String),
    Topic,
    Payload,
    /// The payload, or `(null)` if it is empty.
    PayloadOrNull,
    Hex,
    UpperHex,
    Length,
    QoS,
    Retain,
    PacketId,
    /// Date and time, in UTC.
    Time,
    /// Seconds since 1970.
    UnixTime,
    Json,
}

impl Default for Format {
    /// Only the payload.
    fn default() -> Self {
        Format(vec![Part::Payload])
    }
}

impl Format {
    /// The topic, a space, and the payload.
    pub fn with_topic() -> Self {
        Format(vec![Part::Topic, Part::Text(" ".into()), Part::PayloadOrNull])
    }

    pub fn print(&self, message: &Received<'_>, out: &mut impl Write) -> io::Result<()> {
        let now = SystemTime::now();
        self.0.iter().try_for_each(|part| part.print(message, now, out))
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            let part = match (char, chars.clone().next()) {
                ('%', Some(letter)) => Part::of(letter).ok_or_else(|| format!("there is no %{letter}"))?,
                ('%', None) => return Err("a % without a letter".into()),
                ('\\', Some('n')) => Part::Text("\n".into()),
                ('\\', Some('t')) => Part::Text("\t".into()),
                ('\\', Some('0')) => Part::Text("\0".into()),
                ('\\', Some('\\')) => Part::Text("\\".into()),
                (other, _) => {
                    parts.push(Part::Text(other.into()));
                    continue;
                }
            };
            parts.push(part);
            chars.next();
        }
        Ok(Format(parts))
    }
}

impl Part {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            't' => Part::Topic,
            'p' => Part::Payload,
            'x' => Part::Hex,
            'X' => Part::UpperHex,
            'I' => Part::Time,
            'U' => Part::UnixTime,
            'l' => Part::Length,
            'q' => Part::QoS,
            'r' => Part::Retain,
            'm' => Part::PacketId,
            'j' => Part::Json,
            '%' => Part::Text("%".into()),
            _ => return None,
        })
    }

    fn print(&self, message: &Received<'_>, now: SystemTime, out: &mut impl Write) -> io::Result<()> {
        match self {
            Part::Text(text) => out.write_all(text.as_bytes()),
            Part::Topic => out.write_all(message.topic.as_bytes()),
            Part::PayloadOrNull if message.payload.is_empty() => out.write_all(b"(null)"),
            Part::Payload | Part::PayloadOrNull => out.write_all(message.payload),
            Part::Hex => message.payload.iter().try_for_each(|byte| write!(out, "{byte:02x}")),
            Part::UpperHex => message.payload.iter().try_for_each(|byte| write!(out, "{byte:02X}")),
            Part::Length => write!(out, "{}", message.payload.len()),
            Part::QoS => write!(out, "{}", message.delivery.qos()),
            Part::Retain => write!(out, "{}", u8::from(message.retain)),
            Part::PacketId => write!(out, "{}", message.delivery.id().map_or(0, |id| id.get())),
            Part::Time => write!(out, "{}+0000", utc_seconds(now)),
            Part::UnixTime => {
                let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
                write!(out, "{}.{:09}", since.as_secs(), since.subsec_nanos())
            }
            Part::Json => message.write_json(now, out),
        }
    }
}
