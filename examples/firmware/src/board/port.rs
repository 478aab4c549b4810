//! What is asked of a board's UART.

use embedded_io::ErrorKind;

/// A UART, without a word about waiting: that is the business of who drives it.
pub trait Port {
    /// Whether a byte has come.
    fn has_byte(&self) -> bool;

    /// The byte that has come, or that some were lost.
    fn byte(&mut self) -> Result<u8, ErrorKind>;

    /// Whether a byte can be sent now.
    fn has_room(&self) -> bool;

    /// Sends a byte.
    fn put(&mut self, byte: u8);
}
