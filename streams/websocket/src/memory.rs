//! The bytes that a WebSocket reads and writes: received bytes, and bytes to be sent.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

#[derive(Debug, Default)]
pub struct Memory {
    pub come: VecDeque<u8>,
    /// No more bytes will be received.
    pub has_ended: bool,
    pub leave: Vec<u8>,
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.come.is_empty() && !self.has_ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.come.read(buffer)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.leave.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
