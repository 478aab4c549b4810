//! What a connection of std talks over.

use core::task::Poll;
use core::time::Duration;
use std::boxed::Box;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::thread;
use std::time::Instant as Clock;

use crate::transport::turn;

/// How long a write may block before it is the turn of reading, in ms.
pub(super) const WRITE_TIMEOUT: u32 = 50;

/// How often a stream is asked that does not wait, in ms.
pub(super) const INTERVAL: u32 = 5;

/// How long what still comes is drained before a stream is closed, and how many bytes at the most.
pub(super) const DRAIN: Duration = Duration::from_secs(1);
pub(super) const DRAINED: usize = 1 << 20;

/// A stream whose reads and writes end in time: TCP, or anything on top of it whose reads can be given up without a loss.
///
/// A stream that does not block at all is asked every 5 ms.
pub trait Stream: Read + Write {
    /// Sets for how long a read may block at most, which is never 0. Then it fails with
    /// [`WouldBlock`](ErrorKind::WouldBlock) or [`TimedOut`](ErrorKind::TimedOut), and has consumed nothing.
    ///
    /// # Errors
    /// Those of the stream; they end the connection.
    fn limit_read(&mut self, timeout: Duration) -> io::Result<()>;

    /// Sets for how long a write may block at most, which is never 0, so that a server that does not read cannot keep the
    /// client from reading. Then it fails with [`WouldBlock`](ErrorKind::WouldBlock) or [`TimedOut`](ErrorKind::TimedOut), and has
    /// taken nothing.
    ///
    /// # Errors
    /// Those of the stream; they end the connection.
    fn limit_write(&mut self, timeout: Duration) -> io::Result<()>;

    /// Tells the peer that nothing more will be written. The stream is read to its end then, and dropped.
    ///
    /// # Errors
    /// Those of the stream, which is dropped at once then.
    fn finish_output(&mut self) -> io::Result<()>;

    /// The input as an object of its own, which blocks as long as it takes: then a [`Runner`](super::Runner) waits in it on
    /// another thread, and nothing is asked again and again. `None`, as by default, where there is but one object.
    ///
    /// # Errors
    /// Those of the stream; they end the connection.
    fn reader(&mut self) -> io::Result<Option<Box<dyn Read + Send>>> {
        Ok(None)
    }

    /// Ends both directions at once, so that a read of [`reader`](Self::reader) that is under way returns.
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
        // Where it is closed already, it is closed.
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
/// All addresses that the name stands for are tried, each for at most `timeout`; to find them can take longer.
///
/// # Errors
/// What the last attempt came to.
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

/// A stream, and how long its reads and writes block.
#[derive(Debug)]
pub(super) struct Timed<S> {
    stream: S,
    read_timeout: Duration,
    /// Writes have their timeout.
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
    /// Sets the timeout of reads where the one that is set is too long, or so short that it would wake the thread for nothing again
    /// and again.
    fn limit_read(&mut self, patience: Duration) -> io::Result<()> {
        if self.read_timeout > patience || self.read_timeout.saturating_mul(2) < patience {
            self.stream.limit_read(patience)?;
            self.read_timeout = patience;
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

    pub(super) fn try_read(&mut self, buffer: &mut [u8], patience: Duration) -> Poll<io::Result<usize>> {
        let started = Clock::now();
        if let Err(error) = self.limit_read(patience) {
            return Poll::Ready(Err(error));
        }
        let result = unless_later(self.stream.read(buffer));
        let interval = Duration::from_millis(INTERVAL.into()).min(patience);
        if result.is_pending() && started.elapsed() < interval {
            // It does not wait. Without this, the thread would not either.
            thread::sleep(interval);
        }
        result
    }

    /// Ends the output, and then reads what still comes, to its end, for at most this time.
    pub(super) fn finish(&mut self, patience: Duration) {
        if self.stream.finish_output().is_err() {
            return;
        }
        let started = Clock::now();
        let mut waste = [0; 1024];
        let mut drained: usize = 0;
        while let Some(left) = patience.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
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

impl<S: Stream> turn::Stream for Timed<S> {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8], patience: u32) -> Poll<io::Result<usize>> {
        // A timeout of 0 is none, or an error.
        self.try_read(buffer, Duration::from_millis(patience.max(1).into()))
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

impl turn::Stream for Offline {
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

/// Errors that pass are none.
fn unless_later<V>(result: io::Result<V>) -> Poll<io::Result<V>> {
    match result {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut
            ) =>
        {
            Poll::Pending
        }
        result => Poll::Ready(result),
    }
}
