//! Implements the stream traits of each adapter that needs no operating system for a stream in memory.

use std::fmt;
use std::task::Poll;

/// The error of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Broken,
    Interrupted,
    TimedOut,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Fault {}

impl embedded_io::Error for Fault {
    fn kind(&self) -> embedded_io::ErrorKind {
        match self {
            Fault::Broken => embedded_io::ErrorKind::Other,
            Fault::Interrupted => embedded_io::ErrorKind::Interrupted,
            Fault::TimedOut => embedded_io::ErrorKind::TimedOut,
        }
    }
}

/// A stream that cannot wait reports a timeout instead.
pub fn blocking<V>(poll: Poll<Result<V, Fault>>) -> Result<V, Fault> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Fault::TimedOut),
    }
}

/// Temporary errors count as "would block".
pub fn non_blocking<V>(poll: Poll<Result<V, Fault>>) -> nb::Result<V, Fault> {
    match poll {
        Poll::Ready(Err(Fault::Interrupted | Fault::TimedOut)) | Poll::Pending => Err(nb::Error::WouldBlock),
        Poll::Ready(result) => result.map_err(nb::Error::Other),
    }
}

/// For a type with `has_input`, `read_at_once`, `try_read`, `try_write`, `try_flush` and `now`;
/// the items above have to be in scope.
macro_rules! implement_streams {
    ($stream:ty) => {
        impl embedded_io::ErrorType for $stream {
            type Error = Fault;
        }

        impl embedded_io::ReadReady for $stream {
            fn read_ready(&mut self) -> Result<bool, Fault> {
                Ok(self.has_input())
            }
        }

        impl embedded_io::Read for $stream {
            fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
                blocking(self.read_at_once(buffer))
            }
        }

        impl embedded_io::Write for $stream {
            fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
                blocking(self.try_write(bytes))
            }

            fn flush(&mut self) -> Result<(), Fault> {
                blocking(self.try_flush())
            }
        }

        impl embedded_io_async::Read for $stream {
            async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
                std::future::poll_fn(|_| self.try_read(buffer)).await
            }
        }

        impl embedded_io_async::Write for $stream {
            async fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
                std::future::poll_fn(|_| self.try_write(bytes)).await
            }

            async fn flush(&mut self) -> Result<(), Fault> {
                std::future::poll_fn(|_| self.try_flush()).await
            }
        }

        impl baremqtt::transport::asynch::Timer for $stream {
            fn now(&self) -> baremqtt::Instant {
                <$stream>::now(self)
            }

            async fn sleep(&self, ms: u32) {
                let start = <$stream>::now(self);
                std::future::poll_fn(|_| {
                    if <$stream>::now(self).since(start) < ms {
                        std::task::Poll::Pending
                    } else {
                        std::task::Poll::Ready(())
                    }
                })
                .await;
            }
        }

        impl baremqtt::transport::polled::Stream for $stream {
            type Error = Fault;

            fn read(&mut self, buffer: &mut [u8]) -> nb::Result<usize, Fault> {
                non_blocking(self.try_read(buffer))
            }

            fn write(&mut self, bytes: &[u8]) -> nb::Result<usize, Fault> {
                non_blocking(self.try_write(bytes))
            }

            fn flush(&mut self) -> nb::Result<(), Fault> {
                non_blocking(self.try_flush())
            }
        }
    };
}
pub(crate) use implement_streams;
