//! The streams of a polled connection.

/// A transport that never blocks.
pub trait Stream {
    /// The error of the transport.
    type Error;

    /// Reads at least one byte into a non-empty buffer, and returns how many; 0 means the end of the stream.
    ///
    /// # Errors
    /// [`WouldBlock`](nb::Error::WouldBlock) if there is nothing to read; otherwise an error that ends the connection.
    fn read(&mut self, buffer: &mut [u8]) -> nb::Result<usize, Self::Error>;

    /// Writes at least one of these bytes, and returns how many.
    ///
    /// # Errors
    /// [`WouldBlock`](nb::Error::WouldBlock) if no byte can be written now; otherwise an error that ends the connection.
    fn write(&mut self, bytes: &[u8]) -> nb::Result<usize, Self::Error>;

    /// Sends all written bytes that are still buffered. A stream without a buffer need not implement this.
    ///
    /// # Errors
    /// [`WouldBlock`](nb::Error::WouldBlock) while bytes are left, in which case this is called again; otherwise an error that ends the
    /// connection.
    fn flush(&mut self) -> nb::Result<(), Self::Error> {
        Ok(())
    }
}

/// A stream made of two functions that read and write one byte each.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Serial<I, O> {
    /// Reads a byte.
    pub read: I,
    /// Writes a byte.
    pub write: O,
}

impl<I, O, E> Stream for Serial<I, O>
where
    I: FnMut() -> nb::Result<u8, E>,
    O: FnMut(u8) -> nb::Result<(), E>,
{
    type Error = E;

    fn read(&mut self, buffer: &mut [u8]) -> nb::Result<usize, E> {
        let Some(place) = buffer.first_mut() else { return Err(nb::Error::WouldBlock) };
        *place = (self.read)()?;
        Ok(1)
    }

    fn write(&mut self, bytes: &[u8]) -> nb::Result<usize, E> {
        let Some(byte) = bytes.first() else { return Err(nb::Error::WouldBlock) };
        (self.write)(*byte)?;
        Ok(1)
    }
}
