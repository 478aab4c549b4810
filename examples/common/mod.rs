//! What `pub` and `sub` share: the options that say where and how to connect, and how a failure ends the program.

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

/// The next argument as it was written, `-t` or `--will-topic`; `None` at the end.
pub fn next_option(parser: &mut Parser) -> Result<Option<String>, lexopt::Error> {
    Ok(match parser.next()? {
        Some(Arg::Short(letter)) => Some(format!("-{letter}")),
        Some(Arg::Long(name)) => Some(format!("--{name}")),
        Some(value @ Arg::Value(_)) => return Err(value.unexpected()),
        None => None,
    })
}

/// The QoS that the next argument names.
pub fn qos(parser: &mut Parser) -> Result<QoS, lexopt::Error> {
    parser.value()?.parse_with(|text| text.parse().ok().and_then(QoS::from_bits).ok_or("a QoS is 0, 1 or 2"))
}

fn version(text: &str) -> Result<Version, UnknownVersion> {
    match text.strip_prefix("mqttv").unwrap_or(text) {
        "31" => Ok(Version::Mqtt31),
        "311" => Ok(Version::Mqtt311),
        text => text.parse(),
    }
}
