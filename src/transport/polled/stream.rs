//! What a connection is polled over.

/// A transport that does not wait.
pub trait Stream {
    /// What it fails with.
    type Error;

    /// Reads at least one byte into a buffer that is not empty, and returns how many; 0 is the end of the stream.
    ///
    /// # Errors
    /// [`WouldBlock`](nb::Error::WouldBlock) if nothing is there; else what has ended the connection.
    fn read(&mut self, buffer: &mut [u8]) -> nb::Result<usize, Self::Error>;

    /// Takes at least one of these bytes, and returns how many.
    ///
    /// # Errors
    /// [`WouldBlock`](nb::Error::WouldBlock) if none can be taken now; else what has ended the connection.
    fn write(&mut self, bytes: &[u8]) -> nb::Result<usize, Self::Error>;

    /// Sees to it that what was written leaves. A stream without a buffer has nothing to do.
    ///
    /// # Errors
    /// [`WouldBlock`](nb::Error::WouldBlock) as long as something is left: then this is called again. Else what has
    /// ended the connection.
    fn flush(&mut self) -> nb::Result<(), Self::Error> {
        Ok(())
    }
}

/// A stream of two functions that read and write a byte each.
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
