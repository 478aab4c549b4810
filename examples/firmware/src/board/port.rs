//! The interface of a board's UART.

use embedded_io::ErrorKind;

/// A UART whose operations never wait.
pub trait Port {
    /// Whether a byte has been received.
    fn has_byte(&self) -> bool;

    /// The received byte, or an error if bytes were lost.
    fn byte(&mut self) -> Result<u8, ErrorKind>;

    /// Whether a byte can be sent now.
    fn has_room(&self) -> bool;

    /// Sends a byte.
    fn put(&mut self, byte: u8);
}
