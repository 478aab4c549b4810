//! Decodes packets, and prints each on a line.
//!
//! ```text
//! cargo run --example dump -- 10 0d 00 04 4d515454 04 02 00 3c 00 01 61 e0 00
//! ```

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, Read, Write, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use baremqtt::Version;
use baremqtt::codec::{self, Decoded, Packet};
use lexopt::{Arg, Parser, ValueExt};

const HELP: &str = "\
Prints MQTT packets, one on each line: the offset, the bytes, and the content.

usage: dump [--mqtt 3.1|3.1.1] [HEX]...
       dump [--mqtt 3.1|3.1.1] --raw
       dump [--mqtt 3.1|3.1.1] --follow FILE

  HEX            packets in hexadecimal; without any, they are read from the standard input.
                 0x, spaces, commas, colons and new lines may stand between bytes
  --raw          the standard input is binary
  --follow FILE  a binary file that grows: one direction of a connection
  --mqtt         the version, until a CONNECT says otherwise [default: 3.1.1]
  --help         print this help

A packet is printed as soon as it is complete. It ends with 1 at the first packet that breaks the standard, and where the last one is
not complete.";

/// How often to check whether a file has grown.
const INTERVAL: Duration = Duration::from_millis(100);

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
    let (mut version, mut raw, mut followed, mut hex) = (Version::default(), false, None, Vec::new());
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("mqtt") => version = parser.value()?.parse()?,
            Arg::Long("raw") => raw = true,
            Arg::Long("follow") => followed = Some(parser.value()?),
            Arg::Long("help") | Arg::Short('h') => {
                writeln!(stdout(), "{HELP}")?;
                return Ok(());
            }
            Arg::Value(value) => hex.push(value.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut dump = Dump { version, at: 0, bytes: Vec::new() };
    match (followed, raw, hex.is_empty()) {
        (None, false, false) => dump.take(&parse_hex(&hex.join(" "))?)?,
        (None, false, true) => {
            for line in stdin().lock().lines() {
                dump.take(&parse_hex(&line?)?)?;
            }
        }
        (None, true, true) => dump.read(&mut stdin().lock())?,
        (Some(path), false, true) => dump.follow(Path::new(&path))?,
        _ => return Err("only one of HEX, --raw (the standard input) and --follow can be given".into()),
    }
    dump.end()
}

/// Prints a stream of bytes, in any portions.
struct Dump {
    version: Version,
    /// The position of the next packet.
    at: usize,
    /// The part of it that has been read.
    bytes: Vec<u8>,
}

impl Dump {
    /// Prints the packets that these bytes complete.
    fn take(&mut self, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        self.bytes.extend_from_slice(bytes);
        let mut used = 0;
        while let Some(rest) = self.bytes.get(used..).filter(|rest| !rest.is_empty()) {
            let at = self.at;
            let decoded = codec::decode(rest, self.version);
            match decoded.map_err(|violation| format!("at byte {at}: {violation}"))? {
                Decoded::Complete { packet, len } => {
                    if let Packet::Connect(connect) = &packet {
                        self.version = connect.version;
                    }
                    writeln!(stdout(), "{at:6} {len:6} B  {packet}")?;
                    (self.at, used) = (at + len, used + len);
                }
                Decoded::Incomplete { .. } => break,
            }
        }
        self.bytes.drain(..used);
        Ok(())
    }

    /// Prints all bytes until the end.
    fn read(&mut self, input: &mut impl Read) -> Result<(), Box<dyn Error>> {
        let mut buffer = [0; 4096];
        loop {
            match input.read(&mut buffer)? {
                0 => return Ok(()),
                len => self.take(&buffer[..len])?,
            }
        }
    }

    /// Prints all bytes in the file, and those that are appended to it, until the program is ended.
    fn follow(&mut self, path: &Path) -> Result<(), Box<dyn Error>> {
        let mut file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        loop {
            self.read(&mut file)?;
            thread::sleep(INTERVAL);
        }
    }

    /// There are no more bytes.
    fn end(&self) -> Result<(), Box<dyn Error>> {
        let (at, has) = (self.at, self.bytes.len());
        match codec::decode(&self.bytes, self.version) {
            Ok(Decoded::Incomplete { missing }) if has > 0 => {
                let more = more(&self.bytes, missing);
                Err(format!("at byte {at}: a packet begins with {has} B, and {more}").into())
            }
            _ => Ok(()),
        }
    }
}

/// How much is missing, which is unknown until the remaining length is complete.
fn more(packet: &[u8], missing: usize) -> String {
    let header_is_complete = packet.iter().skip(1).any(|byte| byte & 0x80 == 0);
    format!("{}{missing} B are missing", if header_is_complete { "" } else { "at least " })
}

/// Bytes in hexadecimal, in groups separated by white space, commas or colons. A group may begin with `0x`, and a
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
