//! embedded-io over a UART, without interrupts.

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write};

/// A UART, as the boards implement it.
pub trait Uart {
    /// Whether a byte has come.
    fn has_byte(&self) -> bool;

    /// The byte that has come, or that some were lost.
    fn byte(&mut self) -> Result<u8, ErrorKind>;

    /// Whether a byte can be sent now.
    fn has_room(&self) -> bool;

    /// Sends a byte.
    fn put(&mut self, byte: u8);
}

/// A serial line.
pub struct Serial<U>(U);

impl<U: Uart> Serial<U> {
    pub fn new(uart: U) -> Self {
        Serial(uart)
    }
}

impl<U> ErrorType for Serial<U> {
    type Error = ErrorKind;
}

impl<U: Uart> ReadReady for Serial<U> {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.0.has_byte())
    }
}

impl<U: Uart> Read for Serial<U> {
    /// What is there; waits for the first byte.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        while !buffer.is_empty() && !self.0.has_byte() {}
        let mut len = 0;
        for place in buffer {
            if !self.0.has_byte() {
                break;
            }
            *place = self.0.byte()?;
            len += 1;
        }
        Ok(len)
    }
}

impl<U: Uart> Write for Serial<U> {
    /// What there is room for; waits for room for the first byte.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        while !bytes.is_empty() && !self.0.has_room() {}
        let mut len = 0;
        for &byte in bytes {
            if !self.0.has_room() {
                break;
            }
            self.0.put(byte);
            len += 1;
        }
        Ok(len)
    }

    /// A UART sends what it was given.
    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
