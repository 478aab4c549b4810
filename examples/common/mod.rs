//! Shared by `pub` and `sub`: the options for connecting, and how a failure ends the program.

mod failure;
mod link;
mod tap;

pub use failure::{Failure, end};
pub use link::Link;
#[allow(unused_imports, reason = "only `pub` names it")]
pub use tap::Tap;

use lexopt::{Arg, Parser, ValueExt};

use baremqtt::codec::UnknownVersion;
use baremqtt::{QoS, Version};

/// The long names of Mosquitto's programs for one-letter options.
const LONG: [(&str, char); 23] = [
    ("debug", 'd'),
    ("disable-clean-session", 'c'),
    ("file", 'f'),
    ("filter-out", 'T'),
    ("host", 'h'),
    ("id", 'i'),
    ("id-prefix", 'I'),
    ("keepalive", 'k'),
    ("max-inflight", 'M'),
    ("message", 'm'),
    ("null-message", 'n'),
    ("port", 'p'),
    ("protocol-version", 'V'),
    ("pw", 'P'),
    ("qos", 'q'),
    ("retain", 'r'),
    ("stdin-file", 's'),
    ("stdin-line", 'l'),
    ("topic", 't'),
    ("unsubscribe", 'U'),
    ("url", 'L'),
    ("username", 'u'),
    ("verbose", 'v'),
];

/// The next argument, such as `-t` or `--will-topic`, by its letter if it has one; `None` at the end.
pub fn next_option(parser: &mut Parser) -> Result<Option<String>, lexopt::Error> {
    Ok(match parser.next()? {
        Some(Arg::Short(letter)) => Some(format!("-{letter}")),
        Some(Arg::Long(name)) => Some(match LONG.iter().find(|(long, _)| *long == name) {
            Some((_, letter)) => format!("-{letter}"),
            None => format!("--{name}"),
        }),
        Some(value @ Arg::Value(_)) => return Err(value.unexpected()),
        None => None,
    })
}

/// The QoS in the next argument.
pub fn qos(parser: &mut Parser) -> Result<QoS, lexopt::Error> {
    parser.value()?.parse_with(|text| text.parse().ok().and_then(QoS::from_bits).ok_or("a QoS is 0, 1 or 2"))
}

fn number(text: &str) -> Result<u16, &'static str> {
    text.parse().map_err(|_| "a number from 0 to 65535 is expected")
}

fn version(text: &str) -> Result<Version, UnknownVersion> {
    match text.strip_prefix("mqttv").unwrap_or(text) {
        "31" => Ok(Version::Mqtt31),
        "311" => Ok(Version::Mqtt311),
        text => text.parse(),
    }
}
