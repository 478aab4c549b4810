//! Wrappers that make a stream usable for the adapter.

use embedded_io::{BufRead, ErrorType, Read, ReadReady, Write};

/// Joins two halves into one stream.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Halves<I, O> {
    /// The half to read from.
    pub input: I,
    /// The half to write to.
    pub output: O,
}

impl<I: ErrorType, O> ErrorType for Halves<I, O> {
    type Error = I::Error;
}

impl<I: Read, O> Read for Halves<I, O> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, I::Error> {
        self.input.read(buf)
    }
}

impl<I: ReadReady, O> ReadReady for Halves<I, O> {
    fn read_ready(&mut self) -> Result<bool, I::Error> {
        self.input.read_ready()
    }
}

impl<I: ErrorType, O: Write<Error = I::Error>> Write for Halves<I, O> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, I::Error> {
        self.output.write(buf)
    }

    fn flush(&mut self) -> Result<(), I::Error> {
        self.output.flush()
    }
}

/// A stream, and a function that tells whether it has input, for instance from a register of a peripheral, or from a library.
#[derive(Clone, Copy, Debug)]
pub struct WithReady<S, F> {
    stream: S,
    is_ready: F,
}

impl<S: ErrorType, F: FnMut(&mut S) -> Result<bool, S::Error>> WithReady<S, F> {
    /// `is_ready` must return whether a read would return at once. Input that the stream itself has buffered counts too.
    #[must_use]
    pub const fn new(stream: S, is_ready: F) -> Self {
        WithReady { stream, is_ready }
    }

    /// Returns the stream.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: ErrorType, F> ErrorType for WithReady<S, F> {
    type Error = S::Error;
}

impl<S: Read, F> Read for WithReady<S, F> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, S::Error> {
        self.stream.read(buf)
    }
}

impl<S: ErrorType, F: FnMut(&mut S) -> Result<bool, S::Error>> ReadReady for WithReady<S, F> {
    fn read_ready(&mut self) -> Result<bool, S::Error> {
        (self.is_ready)(&mut self.stream)
    }
}

impl<S: Write, F> Write for WithReady<S, F> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, S::Error> {
        self.stream.write(buf)
    }

    fn flush(&mut self) -> Result<(), S::Error> {
        self.stream.flush()
    }
}

/// A stream that buffers input, such as TLS, and a function that checks the layer beneath. Buffered input is read first; only then is
/// the layer beneath checked.
///
/// A read waits for the rest of a record once it has started. If the server stops in the middle of a record, nothing else happens.
#[derive(Clone, Copy, Debug)]
pub struct Buffered<S, F> {
    stream: S,
    is_ready: F,
    /// Bytes that the stream has buffered.
    held: usize,
}

impl<S: ErrorType, F: FnMut(&mut S) -> Result<bool, S::Error>> Buffered<S, F> {
    /// `is_ready` must return whether the layer beneath has input.
    #[must_use]
    pub const fn new(stream: S, is_ready: F) -> Self {
        Buffered { stream, is_ready, held: 0 }
    }

    /// Returns the stream.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: ErrorType, F> ErrorType for Buffered<S, F> {
    type Error = S::Error;
}

impl<S: BufRead, F> Read for Buffered<S, F> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, S::Error> {
        let held = self.stream.fill_buf()?;
        let len = held.len().min(buf.len());
        buf.iter_mut().zip(held).for_each(|(to, from)| *to = *from);
        self.held = held.len().saturating_sub(len);
        self.stream.consume(len);
        Ok(len)
    }
}

impl<S: BufRead, F: FnMut(&mut S) -> Result<bool, S::Error>> ReadReady for Buffered<S, F> {
    fn read_ready(&mut self) -> Result<bool, S::Error> {
        if self.held > 0 {
            return Ok(true);
        }
        (self.is_ready)(&mut self.stream)
    }
}

impl<S: Write, F> Write for Buffered<S, F> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, S::Error> {
        self.stream.write(buf)
    }

    fn flush(&mut self) -> Result<(), S::Error> {
        self.stream.flush()
    }
}

/// A stream whose reads time out with [`TimedOut`](embedded_io::ErrorKind::TimedOut) without having consumed anything. The timeout must be
/// short, for instance 50 ms, because nothing is sent meanwhile. (Sockets of std return `WouldBlock`, which `embedded-io` does not have:
/// use [`transport::net`](crate::transport) for them.)
///
/// Do not use this for TLS that reads a record in several steps and loses the first ones on a timeout, like embedded-tls: see [`Buffered`].
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TimesOut<S>(
    /// The stream.
    pub S,
);

impl<S: ErrorType> ErrorType for TimesOut<S> {
    type Error = S::Error;
}

impl<S: Read> Read for TimesOut<S> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, S::Error> {
        self.0.read(buf)
    }
}

impl<S: ErrorType> ReadReady for TimesOut<S> {
    fn read_ready(&mut self) -> Result<bool, S::Error> {
        Ok(true)
    }
}

impl<S: Write> Write for TimesOut<S> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, S::Error> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> Result<(), S::Error> {
        self.0.flush()
    }
}
