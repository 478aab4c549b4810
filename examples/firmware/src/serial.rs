//! embedded-io over a UART, without interrupts.

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write};

use crate::board::Port;

/// A serial line.
pub struct Serial<U> {
    uart: U,
    has_read: bool,
}

impl<U: Port> Serial<U> {
    pub fn new(uart: U) -> Self {
        Serial { uart, has_read: false }
    }

    /// Whether bytes have been read since this was last called.
    pub fn has_read(&mut self) -> bool {
        core::mem::take(&mut self.has_read)
    }

    /// Discards received bytes.
    pub fn discard(&mut self) {
        while self.uart.has_byte() {
            let _ = self.uart.byte();
        }
    }
}

impl<U> ErrorType for Serial<U> {
    type Error = ErrorKind;
}

impl<U: Port> ReadReady for Serial<U> {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.uart.has_byte())
    }
}

impl<U: Port> Read for Serial<U> {
    /// Returns the bytes that are there; waits for the first one.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        while !buffer.is_empty() && !self.uart.has_byte() {}
        let mut len = 0;
        for place in buffer {
            if !self.uart.has_byte() {
                break;
            }
            *place = self.uart.byte()?;
            len += 1;
        }
        self.has_read = true;
        Ok(len)
    }
}

impl<U: Port> Write for Serial<U> {
    /// Accepts as many bytes as there is room for. It does not wait for room, so that input can be read meanwhile.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        if !self.uart.has_room() {
            return Err(ErrorKind::TimedOut);
        }
        let mut len = 0;
        for &byte in bytes {
            if !self.uart.has_room() {
                break;
            }
            self.uart.put(byte);
            len += 1;
        }
        Ok(len)
    }

    /// A UART sends its bytes without being flushed.
    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
