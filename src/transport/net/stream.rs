//! The streams of a connection of std.

use core::task::Poll;
use core::time::Duration;
use std::boxed::Box;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::thread;
use std::time::Instant as Clock;

use crate::transport::turn;

/// How long a write may block before reading gets a turn, in ms.
pub(super) const WRITE_TIMEOUT: u32 = 50;

/// How often a stream that does not block is polled, in ms.
pub(super) const INTERVAL: u32 = 5;

/// The limits for draining the input before a stream is closed: time and bytes.
pub(super) const DRAIN: Duration = Duration::from_secs(1);
pub(super) const DRAINED: usize = 1 << 20;

/// A stream whose reads and writes can have a timeout: TCP, or a layer above it that loses nothing when a read times out.
///
/// A stream that never blocks is polled every 5 ms.
pub trait Stream: Read + Write {
    /// Sets the read timeout, which is never 0. A read that takes longer must fail with
    /// [`WouldBlock`](ErrorKind::WouldBlock) or [`TimedOut`](ErrorKind::TimedOut), and must have consumed nothing.
    ///
    /// # Errors
    /// Those of the stream; they end the connection.
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()>;

    /// Sets the write timeout, which is never 0, so that a server that does not read cannot stop the client from reading. A write that
    /// takes longer must fail with [`WouldBlock`](ErrorKind::WouldBlock) or [`TimedOut`](ErrorKind::TimedOut), and must have accepted
    /// nothing.
    ///
    /// # Errors
    /// Those of the stream; they end the connection.
    fn limit_write(&mut self, timeout: Duration) -> io::Result<()>;

    /// Tells the peer that nothing more will be written. The stream is then read to its end, and dropped.
    ///
    /// # Errors
    /// Those of the stream, which is then dropped at once.
    fn finish_output(&mut self) -> io::Result<()>;

    /// Returns the input as a separate object whose reads block without a timeout. A [`Runner`](super::Runner) then reads it on another
    /// thread, and nothing is polled. The default is `None`, for a stream that cannot be split.
    ///
    /// # Errors
    /// Those of the stream; they end the connection.
    fn reader(&mut self) -> io::Result<Option<Box<dyn Read + Send>>> {
        Ok(None)
    }

    /// Closes both directions at once, so that a blocked read of [`reader`](Self::reader) returns.
    fn close(&mut self) {}
}

impl Stream for TcpStream {
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(timeout))
    }

    fn limit_write(&mut self, timeout: Duration) -> io::Result<()> {
        self.set_write_timeout(Some(timeout))
    }

    fn finish_output(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn reader(&mut self) -> io::Result<Option<Box<dyn Read + Send>>> {
        self.set_read_timeout(None)?;
        Ok(Some(Box::new(self.try_clone()?)))
    }

    fn close(&mut self) {
        // It may already be closed.
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl<S: Stream + ?Sized> Stream for Box<S> {
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()> {
        (**self).limit_read(timeout)
    }

    fn limit_write(&mut self, timeout: Duration) -> io::Result<()> {
        (**self).limit_write(timeout)
    }

    fn finish_output(&mut self) -> io::Result<()> {
        (**self).finish_output()
    }

    fn reader(&mut self) -> io::Result<Option<Box<dyn Read + Send>>> {
        (**self).reader()
    }

    fn close(&mut self) {
        (**self).close();
    }
}

/// Opens a TCP connection with `TCP_NODELAY`, ready for a [`Connection`](super::Connection) or for TLS on top of it.
///
/// All addresses of the name are tried, each for at most `timeout`. Resolving the name can take longer.
///
/// # Errors
/// The error of the last attempt.
pub fn open_tcp(address: impl ToSocketAddrs, timeout: Duration) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(ErrorKind::NotFound, "the name stands for no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// A stream, and its current timeouts.
#[derive(Debug)]
pub(super) struct Timed<S> {
    stream: S,
    read_timeout: Duration,
    /// The write timeout has been set.
    are_writes_limited: bool,
}

impl<S> Timed<S> {
    pub(super) const fn new(stream: S) -> Self {
        Timed { stream, read_timeout: Duration::ZERO, are_writes_limited: false }
    }

    pub(super) const fn get(&self) -> &S {
        &self.stream
    }

    pub(super) const fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: Stream> Timed<S> {
    /// Sets the read timeout if the current one is too long, or so short that it would keep waking the thread for nothing.
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()> {
        if self.read_timeout > timeout || self.read_timeout.saturating_mul(2) < timeout {
            self.stream.limit_read(timeout)?;
            self.read_timeout = timeout;
        }
        Ok(())
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.are_writes_limited {
            self.stream.limit_write(Duration::from_millis(WRITE_TIMEOUT.into()))?;
            self.are_writes_limited = true;
        }
        self.stream.write(bytes)
    }

    pub(super) fn try_read(&mut self, buffer: &mut [u8], timeout: Duration) -> Poll<io::Result<usize>> {
        let started = Clock::now();
        if let Err(error) = self.limit_read(timeout) {
            return Poll::Ready(Err(error));
        }
        let result = unless_later(self.stream.read(buffer));
        let interval = Duration::from_millis(INTERVAL.into()).min(timeout);
        if result.is_pending() && started.elapsed() < interval {
            // The stream does not block. Without this sleep, the thread would spin.
            thread::sleep(interval);
        }
        result
    }

    /// Closes the output, and then reads the input to its end, for at most this time.
    pub(super) fn finish(&mut self, timeout: Duration) {
        if self.stream.finish_output().is_err() {
            return;
        }
        let started = Clock::now();
        let mut waste = [0; 1024];
        let mut drained: usize = 0;
        while let Some(left) = timeout.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
            match self.try_read(&mut waste, left.max(Duration::from_millis(1))) {
                Poll::Ready(Ok(0) | Err(_)) => return,
                Poll::Ready(Ok(len)) => drained = drained.saturating_add(len),
                Poll::Pending => {}
            }
            if drained > DRAINED {
                return;
            }
        }
    }
}

impl<S: Stream> turn::PollStream for Timed<S> {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8], timeout: u32) -> Poll<io::Result<usize>> {
        // A timeout of 0 would mean none, or be an error.
        self.try_read(buffer, Duration::from_millis(timeout.max(1).into()))
    }

    fn write(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        unless_later(self.try_write(bytes))
    }

    fn flush(&mut self) -> Poll<io::Result<()>> {
        unless_later(self.stream.flush())
    }
}

/// There is no stream.
pub(super) struct Offline;

impl turn::PollStream for Offline {
    type Error = io::Error;

    fn read(&mut self, _: &mut [u8], _: u32) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn write(&mut self, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn flush(&mut self) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// Turns temporary errors into `Pending`.
fn unless_later<V>(result: io::Result<V>) -> Poll<io::Result<V>> {
    match result {
        Err(error) if is_temporary(&error) => Poll::Pending,
        result => Poll::Ready(result),
    }
}

pub(super) fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
