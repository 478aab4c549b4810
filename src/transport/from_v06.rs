//! Streams of `embedded-io` and `embedded-io-async` 0.6, which many drivers still implement.

use core::fmt;

use embedded_io::ErrorKind;

/// Wraps a stream of `embedded-io` 0.6 or `embedded-io-async` 0.6 as one of 0.7, for [`blocking`](super::blocking) and `asynch`.
///
/// ```
/// use baremqtt::transport::FromV06;
/// use baremqtt::transport::blocking::Connection;
/// use baremqtt::{Buffers, Client, Instant};
/// # mod hal { pub use embedded_io_v06::{Read, ReadReady, Write}; }
///
/// fn connection(uart: impl hal::Read + hal::ReadReady + hal::Write, millis: fn() -> u32) {
///     let client = Client::new(Buffers { rx: [0; 256], tx: [0; 256] });
///     let mqtt = Connection::new(FromV06(uart), client, || Instant::from_millis(millis()));
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FromV06<S>(
    /// The stream.
    pub S,
);

/// An error of a stream that is wrapped in [`FromV06`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ErrorV06<E>(
    /// The error.
    pub E,
);

impl<E: fmt::Debug> fmt::Display for ErrorV06<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: fmt::Debug> core::error::Error for ErrorV06<E> {}

macro_rules! same_kinds {
    ($kind:expr, $($name:ident)*) => {
        match $kind {
            $(embedded_io_v06::ErrorKind::$name => ErrorKind::$name,)*
            _ => ErrorKind::Other,
        }
    };
}

impl<E: embedded_io_v06::Error> embedded_io::Error for ErrorV06<E> {
    fn kind(&self) -> ErrorKind {
        same_kinds! {
            self.0.kind(),
            NotFound PermissionDenied ConnectionRefused ConnectionReset ConnectionAborted NotConnected AddrInUse AddrNotAvailable
            BrokenPipe AlreadyExists InvalidInput InvalidData TimedOut Interrupted Unsupported OutOfMemory WriteZero
        }
    }
}

impl<S: embedded_io_v06::ErrorType> embedded_io::ErrorType for FromV06<S> {
    type Error = ErrorV06<S::Error>;
}

impl<S: embedded_io_v06::Read> embedded_io::Read for FromV06<S> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Self::Error> {
        self.0.read(buf).map_err(ErrorV06)
    }
}

impl<S: embedded_io_v06::BufRead + embedded_io_v06::Read> embedded_io::BufRead for FromV06<S> {
    fn fill_buf(&mut self) -> Result<&[u8], Self::Error> {
        self.0.fill_buf().map_err(ErrorV06)
    }

    fn consume(&mut self, amt: usize) {
        self.0.consume(amt);
    }
}

impl<S: embedded_io_v06::ReadReady> embedded_io::ReadReady for FromV06<S> {
    fn read_ready(&mut self) -> Result<bool, Self::Error> {
        self.0.read_ready().map_err(ErrorV06)
    }
}

impl<S: embedded_io_v06::Write> embedded_io::Write for FromV06<S> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, Self::Error> {
        self.0.write(buf).map_err(ErrorV06)
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        self.0.flush().map_err(ErrorV06)
    }
}

#[cfg(feature = "embedded-io-async-v0.6")]
impl<S: embedded_io_async_v06::Read> embedded_io_async::Read for FromV06<S> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Self::Error> {
        self.0.read(buf).await.map_err(ErrorV06)
    }
}

#[cfg(feature = "embedded-io-async-v0.6")]
impl<S: embedded_io_async_v06::Write> embedded_io_async::Write for FromV06<S> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Self::Error> {
        self.0.write(buf).await.map_err(ErrorV06)
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        self.0.flush().await.map_err(ErrorV06)
    }
}
