//! The streams of connections: TCP, or anything equivalent.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

/// An ordered, lossless stream of bytes in both directions (MQTT-7.1.1-1).
///
/// One thread reads, another writes and finishes, and any thread can close.
pub trait Stream: Send + Sync + 'static {
    /// Waits for bytes; 0 means the end of the stream.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all bytes.
    fn write_all(&self, bytes: &[u8]) -> io::Result<()>;

    /// Tells the peer that nothing more will be sent. Input can still be read.
    fn finish(&self);

    /// Closes both directions without waiting. A blocked `read` or `write_all` returns.
    fn close(&self);
}

impl Stream for TcpStream {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Read::read(&mut { self }, buffer)
    }

    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        Write::write_all(&mut { self }, bytes)
    }

    fn finish(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }

    fn close(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}
