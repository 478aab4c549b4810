//! The bytes that a WebSocket reads and writes: received bytes, and bytes to be sent.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

#[derive(Debug, Default)]
pub struct Memory {
    pub input: VecDeque<u8>,
    /// No more bytes will be received.
    pub has_ended: bool,
    pub output: Vec<u8>,
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() && !self.has_ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.input.read(buffer)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
