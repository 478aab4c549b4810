//! A TCP stream that can print the packets that pass through it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use baremqtt::Version;
use baremqtt::codec::{self, Decoded, Packet};
use baremqtt::transport::net::Stream;

/// A TCP stream that can print the packets that pass through it. It can be used for a `Connection` like any other stream.
pub struct Tap {
    stream: TcpStream,
    shown: Option<Shown>,
}

/// Both directions of a watched stream.
#[derive(Default)]
struct Shown {
    version: Version,
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl Tap {
    pub fn new(stream: TcpStream, show: bool) -> Self {
        Tap { stream, shown: show.then(Shown::default) }
    }
}

impl Stream for Tap {
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()> {
        self.stream.limit_read(timeout)
    }

    fn limit_write(&mut self, timeout: Duration) -> io::Result<()> {
        self.stream.limit_write(timeout)
    }

    fn finish_output(&mut self) -> io::Result<()> {
        self.stream.finish_output()
    }

    /// Both directions are printed in one place.
    fn reader(&mut self) -> io::Result<Option<Box<dyn Read + Send>>> {
        if self.shown.is_some() { Ok(None) } else { self.stream.reader() }
    }

    fn close(&mut self) {
        self.stream.close();
    }
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.stream.read(buffer)?;
        if let (Some(shown), Some(bytes)) = (&mut self.shown, buffer.get(..len)) {
            shown.received.extend_from_slice(bytes);
            show("<-", &mut shown.received, &mut shown.version);
        }
        Ok(len)
    }
}

impl Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.stream.write(bytes)?;
        if let (Some(shown), Some(bytes)) = (&mut self.shown, bytes.get(..len)) {
            shown.sent.extend_from_slice(bytes);
            show("->", &mut shown.sent, &mut shown.version);
        }
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Prints and removes complete packets.
fn show(arrow: &str, bytes: &mut Vec<u8>, version: &mut Version) {
    let mut done = 0;
    loop {
        match codec::decode(bytes.get(done..).unwrap_or_default(), *version) {
            Ok(Decoded::Complete { packet, len }) => {
                if let Packet::Connect(connect) = &packet {
                    *version = connect.version;
                }
                eprintln!("{arrow} {packet}");
                done += len;
            }
            Ok(Decoded::Incomplete { .. }) => break,
            Err(violation) => {
                eprintln!("{arrow} {violation}");
                done = bytes.len();
            }
        }
        if done == bytes.len() {
            break;
        }
    }
    bytes.drain(..done);
}
