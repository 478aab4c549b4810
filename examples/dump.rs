//! Reads packets and prints each on a line of its own.
//!
//! ```text
//! cargo run --example dump -- 10 0d 00 04 4d515454 04 02 00 3c 00 01 61 e0 00
//! ```

use std::error::Error;
use std::io::{self, Read, stdin};
use std::process::ExitCode;

use baremqtt::Version;
use baremqtt::codec::{self, Decoded, Packet};
use lexopt::{Arg, Parser, ValueExt};

const HELP: &str = "\
Prints MQTT packets, one on a line: where it begins, its bytes, what it says.

usage: dump [--mqtt 3.1|3.1.1] [HEX]...
       dump [--mqtt 3.1|3.1.1] --raw

  HEX       packets in hexadecimal; without any, they are read from the standard input.
            0x, spaces, commas, colons and new lines may stand between bytes
  --raw     the standard input holds the bytes themselves
  --mqtt    the version [default: 3.1.1]; behind a CONNECT its own version holds
  --help    say this

It ends with 1 at the first packet that breaks the standard, and where the last one is not complete.";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dump: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let (mut version, mut raw, mut hex) = (Version::default(), false, Vec::new());
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("mqtt") => version = parser.value()?.parse()?,
            Arg::Long("raw") => raw = true,
            Arg::Long("help") | Arg::Short('h') => {
                println!("{HELP}");
                return Ok(());
            }
            Arg::Value(value) => hex.push(value.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let bytes = match (raw, hex.is_empty()) {
        (true, false) => return Err("--raw reads the standard input, not arguments".into()),
        (true, true) => read_bytes()?,
        (false, false) => parse_hex(&hex.join(" "))?,
        (false, true) => parse_hex(&io::read_to_string(stdin())?)?,
    };
    dump(&bytes, version)
}

fn dump(bytes: &[u8], version: Version) -> Result<(), Box<dyn Error>> {
    let mut version = version;
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match codec::decode(rest, version).map_err(|violation| format!("at byte {at}: {violation}"))? {
            Decoded::Complete { packet, len } => {
                if let Packet::Connect(connect) = &packet {
                    version = connect.version;
                }
                println!("{at:6} {len:6} B  {packet}");
                at += len;
            }
            Decoded::Incomplete { missing } => {
                let has = rest.len();
                return Err(format!(
                    "at byte {at}: a packet begins with {has} B, and {}",
                    more(rest, missing)
                )
                .into());
            }
        }
    }
    Ok(())
}

/// How much is missing: as long as the remaining length is not complete, nobody knows.
fn more(packet: &[u8], missing: usize) -> String {
    let header_is_complete = packet.iter().skip(1).any(|byte| byte & 0x80 == 0);
    format!("{}{missing} B are missing", if header_is_complete { "" } else { "at least " })
}

fn read_bytes() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Bytes in hexadecimal, in groups that are divided by white space, commas or colons. `0x` may begin a group, and a
/// single digit is a byte.
fn parse_hex(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for group in text.split(|char: char| char.is_whitespace() || char == ':' || char == ',') {
        let digits = group.strip_prefix("0x").or(group.strip_prefix("0X")).unwrap_or(group);
        let wrong = || format!("not hexadecimal: {group:?}");
        let digits: Option<Vec<u8>> =
            digits.chars().map(|digit| digit.to_digit(16).map(|value| value as u8)).collect();
        match digits.ok_or_else(wrong)?.as_slice() {
            [digit] => bytes.push(*digit),
            digits => {
                let (pairs, odd) = digits.as_chunks::<2>();
                if !odd.is_empty() {
                    return Err(format!("an odd number of digits: {group:?}"));
                }
                bytes.extend(pairs.iter().map(|[high, low]| high << 4 | low));
            }
        }
    }
    Ok(bytes)
}
