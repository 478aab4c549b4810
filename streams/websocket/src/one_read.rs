//! A stream that is read once, and then says that it would block.

use std::io::{self, ErrorKind, Read, Write};

/// A stream that is read once, and then says that it would block until it may be read again.
#[derive(Debug)]
pub struct OneRead<S> {
    stream: S,
    limited: bool,
    done: bool,
}

impl<S> OneRead<S> {
    pub fn unlimited(stream: S) -> Self {
        OneRead { stream, limited: false, done: false }
    }

    /// From now on each read has to be [allowed](Self::allow_one).
    pub fn limit(&mut self) {
        self.limited = true;
        self.done = true;
    }

    pub fn allow_one(&mut self) {
        self.done = false;
    }

    pub fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: Read> Read for OneRead<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.limited && self.done {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.done = true;
        self.stream.read(buffer)
    }
}

impl<S: Write> Write for OneRead<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
