//! One turn of a connection whose transport does not wait.

use core::task::Poll;

use super::Error;
use super::driver::Driver;
use crate::Instant;

/// A transport that says `Pending` where it would have to wait.
pub(super) trait Stream {
    type Error;

    /// Reads into a buffer that is not empty; 0 is the end of the stream.
    fn read(&mut self, buffer: &mut [u8]) -> Poll<Result<usize, Self::Error>>;
    fn write(&mut self, bytes: &[u8]) -> Poll<Result<usize, Self::Error>>;
    fn flush(&mut self) -> Poll<Result<(), Self::Error>>;
}

impl<R, T, const N: usize> Driver<R, T, N>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Looks for an event, and if there is none, sends what is queued, reads what has come, and looks again.
    pub(super) fn turn<S: Stream>(
        &mut self,
        stream: &mut S,
        mut clock: impl FnMut() -> Instant,
    ) -> Result<bool, Error<S::Error>> {
        // Where answers leave, there is room for those to packets that were read before: they come before reading.
        let mut any_sent = true;
        while any_sent {
            if self.advance()? {
                return Ok(true);
            }
            let any = !self.client.pending().is_empty();
            any_sent = self.flush(stream, &mut clock)? && any;
            if !self.is_open() {
                self.fail_if_flush_is_stuck(clock())?;
                return if self.unflushed { Ok(false) } else { Err(Error::Closed) };
            }
        }
        self.read(stream, &mut clock)?;
        let found = self.advance()?;
        if !found {
            self.flush(stream, &mut clock)?;
        }
        Ok(found)
    }

    /// Sends what is queued, as far as the stream takes it; says whether that was all.
    pub(super) fn flush<S: Stream>(
        &mut self,
        stream: &mut S,
        mut clock: impl FnMut() -> Instant,
    ) -> Result<bool, Error<S::Error>> {
        while let bytes @ [_, ..] = self.client.pending() {
            match stream.write(bytes) {
                Poll::Ready(result) => self.written(result, clock())?,
                Poll::Pending => return Ok(false),
            }
        }
        if self.unflushed {
            match stream.flush() {
                Poll::Ready(result) => self.flushed(result)?,
                Poll::Pending => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Reads until the stream has no more, or the receive buffer no room.
    pub(super) fn read<S: Stream>(
        &mut self,
        stream: &mut S,
        mut clock: impl FnMut() -> Instant,
    ) -> Result<(), Error<S::Error>> {
        while let room @ [_, ..] = self.client.receive_buffer() {
            match stream.read(room) {
                Poll::Ready(result) => self.received(result, clock())?,
                Poll::Pending => break,
            }
        }
        self.read_at = clock();
        Ok(())
    }
}
