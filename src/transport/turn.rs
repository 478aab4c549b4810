//! A connection over a stream that does not block, or not for long.

use core::task::Poll;

use super::Error;
use super::common::Driver;
use crate::{Config, Instant};

/// How often a turn reads at most, so that it returns even if a server never pauses.
const MOST_READS: u8 = u8::MAX;

/// A stream that returns `Pending` when it would have to wait.
pub(super) trait PollStream {
    type Error;

    /// Reads into a non-empty buffer; 0 is the end of the stream. A stream that can wait does so for at most `timeout` ms.
    fn read(&mut self, buffer: &mut [u8], timeout: u32) -> Poll<Result<usize, Self::Error>>;
    fn write(&mut self, bytes: &[u8]) -> Poll<Result<usize, Self::Error>>;
    fn flush(&mut self) -> Poll<Result<(), Self::Error>>;
}

/// How often a turn reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(all(feature = "std", any(feature = "embedded-io-v0.7", feature = "nb"))),
    allow(dead_code, reason = "not every adapter reads in each of these ways")
)]
pub(super) enum Reads {
    /// Not at all: a read would wait.
    Never,
    /// Once, which may wait for a moment.
    Once,
    /// Until there is nothing more to read.
    All,
}

impl<E, R, T, C, I> Driver<E, R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Sends queued bytes and reads received ones, until there is an event or no more progress.
    ///
    /// Input is read before the clock, so that a slow application is not mistaken for a slow server.
    pub(super) fn turn(
        &mut self,
        stream: &mut impl PollStream<Error = E>,
        clock: &mut impl FnMut() -> Instant,
        mut reads: Reads,
    ) -> Result<bool, Error<E>> {
        let mut reads_left = MOST_READS;
        loop {
            let has_sent = self.send(stream, clock);
            let has_read = reads != Reads::Never && self.read(stream, clock, 0);
            reads_left = reads_left.saturating_sub(has_read.into());
            if reads_left == 0 {
                // Input that has not been processed leaves no time until the next turn.
                return Ok(false);
            }
            if self.advance(clock())? {
                return Ok(true);
            }
            let continues = has_read || (has_sent && self.has_output());
            if !continues {
                return Ok(false);
            }
            if reads == Reads::Once {
                reads = Reads::Never;
            }
        }
    }

    /// Sends queued bytes, as far as the stream accepts them; returns whether it accepted any.
    pub(super) fn send(
        &mut self,
        stream: &mut impl PollStream<Error = E>,
        clock: &mut impl FnMut() -> Instant,
    ) -> bool {
        let mut moved = false;
        while self.can_write() {
            match self.client.pending() {
                [] if !self.unflushed => break,
                [] => match stream.flush() {
                    Poll::Ready(result) => self.flushed(result, clock()),
                    Poll::Pending => break,
                },
                bytes => match stream.write(bytes) {
                    Poll::Ready(result) => self.written(result, clock()),
                    Poll::Pending => break,
                },
            }
            moved = true;
        }
        moved
    }

    /// Reads once, if there is room; returns whether anything was read.
    pub(super) fn read(
        &mut self,
        stream: &mut impl PollStream<Error = E>,
        clock: &mut impl FnMut() -> Instant,
        timeout: u32,
    ) -> bool {
        if !self.can_read() {
            return false;
        }
        match stream.read(self.client.receive_buffer(), timeout) {
            Poll::Ready(result) => {
                self.received(result, clock());
                true
            }
            Poll::Pending => false,
        }
    }
}
