//! The common part of the adapters: a client, and the state of its stream.

use core::fmt;

use crate::transport::Error;
use crate::{Client, Config, Instant, State, Timeout, client};

/// After a failed write, input is still read: until there has been silence for this long, in ms, or until this many bytes were read.
const LAST_SILENCE: u32 = 1_000;
const LAST_BYTES: usize = 1 << 20;

/// The longest time without a look at the clock, in ms: 12 days. A clock of 32 bits cannot tell a step of more than 24 days from a step back.
const LONGEST_WAIT: u32 = 1 << 30;

/// A client, and the state of its stream.
pub(crate) struct Driver<E, R, T, C, I> {
    pub(crate) client: Client<R, T, C, I>,
    /// Written bytes have not been flushed yet.
    pub(crate) unflushed: bool,
    /// When the stream last accepted something, or output was first waited for.
    pub(crate) progress_at: Instant,
    /// DISCONNECT was the last packet that was sent. See [`is_disconnected`](Self::is_disconnected).
    has_sent_disconnect: bool,
    failure: Option<Failure<E>>,
}

/// The stream has failed. This is reported after everything that was received has been delivered.
struct Failure<E> {
    error: Error<E>,
    /// Only writing has failed; there may still be something to read.
    reads: bool,
    /// When something was last received.
    received_at: Instant,
    bytes: usize,
}

impl<E, R, T, C, I> Driver<E, R, T, C, I> {
    /// An end that was requested belongs to what the client did before.
    pub(crate) const fn new(mut client: Client<R, T, C, I>) -> Self {
        client.forget_leaving();
        let progress_at = Instant::from_millis(0);
        Driver { client, unflushed: false, progress_at, has_sent_disconnect: false, failure: None }
    }

    /// Whether there is a connection, or one is being established.
    pub(crate) fn is_open(&self) -> bool {
        self.client.state() != State::Offline
    }

    /// Whether DISCONNECT has been sent. The application can have called `connect` since.
    fn is_disconnected(&self) -> bool {
        self.has_sent_disconnect && !self.is_open()
    }

    pub(crate) fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("state", &self.client.state())
            .field("in_flight", &self.client.in_flight())
            .finish_non_exhaustive()
    }
}

impl<E, R, T, C, I> Driver<E, R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Forgets the stream: there is another one now, or none.
    pub(crate) fn close(&mut self) {
        self.client.link_lost();
        self.unflushed = false;
        self.has_sent_disconnect = false;
        self.failure = None;
    }

    /// Whether the stream should be read: it is alive, and there is room.
    pub(crate) fn can_read(&mut self) -> bool {
        self.is_open()
            && self.failure.as_ref().is_none_or(|failure| failure.reads)
            && !self.client.receive_buffer().is_empty()
    }

    /// Whether writing has not failed.
    pub(crate) fn can_write(&self) -> bool {
        self.failure.is_none()
    }

    /// Whether the application can make requests, or supply more of a payload.
    #[cfg(any(feature = "std", feature = "embedded-io-async-v0.7"))]
    pub(crate) fn takes_requests(&self) -> bool {
        self.client.state() == State::Connected || self.client.waits_for_payload()
    }

    /// Whether there is something to write or flush.
    pub(crate) fn has_output(&mut self) -> bool {
        self.can_write() && (self.unflushed || !self.client.pending().is_empty())
    }

    /// Whether the client is blocked until the application acknowledges, saves, or supplies a payload.
    pub(crate) fn waits_for_application(&mut self) -> bool {
        let waits = self.client.waits_for_acknowledgement() || self.client.waits_for_payload();
        self.failure.is_none() && !self.has_output() && (waits || !self.can_read())
    }

    /// Milliseconds until [`advance`](Self::advance) must be called, even if nothing happens.
    pub(crate) fn time_left(&self, now: Instant) -> u32 {
        let silence = self.failure.as_ref().map(|failure| failure.silence_left(now));
        let flush = if self.unflushed && !self.is_open() { self.stall_left(now) } else { None };
        self.client.time_left().into_iter().chain(silence).chain(flush).fold(LONGEST_WAIT, u32::min)
    }

    /// Looks for an event. The end of the connection is reported after all events that came before it.
    pub(crate) fn advance(&mut self, now: Instant) -> Result<bool, Error<E>> {
        if self.client.advance(now).map_err(|error| self.fail_now(Error::Client(error)))? {
            return Ok(true);
        }
        match &self.failure {
            Some(failure) if !self.is_open() || failure.is_over(now) => {
                let error = self.failure.take().map_or(Error::Closed, |failure| failure.error);
                Err(self.fail_now(error))
            }
            Some(_) => Ok(false),
            None if self.is_open() => Ok(false),
            // DISCONNECT has been written, and only its flush is outstanding: do not wait for that forever.
            None if self.unflushed => self.check_stall(now).map(|()| false),
            None if self.is_disconnected() => Err(Error::Disconnected),
            None => Err(Error::Closed),
        }
    }

    /// Ends the connection if output that is waited for has made no progress for too long.
    pub(crate) fn check_stall(&mut self, now: Instant) -> Result<(), Error<E>> {
        if self.stall_left(now) == Some(0) {
            return Err(self.fail_now(Error::Client(client::Error::TimedOut(Timeout::Stall))));
        }
        Ok(())
    }

    /// Milliseconds until [`check_stall`](Self::check_stall) ends the connection, unless there is progress.
    pub(crate) fn stall_left(&self, now: Instant) -> Option<u32> {
        match self.client.config().stall_timeout_ms() {
            0 => None,
            ms => Some(ms.saturating_sub(now.since(self.progress_at))),
        }
    }

    /// A write has completed.
    pub(crate) fn written(&mut self, result: Result<usize, E>, now: Instant) {
        match result {
            Ok(0) => self.fail(Error::Closed, true, now),
            Ok(len) => {
                let was_open = self.is_open();
                self.client.sent(len);
                self.has_sent_disconnect = was_open && !self.is_open();
                self.unflushed = true;
                self.progress_at = now;
            }
            Err(error) => self.fail(Error::Io(error), true, now),
        }
    }

    /// A flush has completed.
    pub(crate) fn flushed(&mut self, result: Result<(), E>, now: Instant) {
        match result {
            Ok(()) => self.unflushed = false,
            Err(error) => self.fail(Error::Io(error), true, now),
        }
    }

    /// A read into a non-empty buffer has completed.
    pub(crate) fn received(&mut self, result: Result<usize, E>, now: Instant) {
        match result {
            // The server closes as it should, even before DISCONNECT is flushed.
            Ok(0) | Err(_) if self.is_disconnected() => {}
            Ok(0) => self.fail(Error::Closed, false, now),
            Ok(len) => {
                self.client.received(len);
                if let Some(failure) = &mut self.failure {
                    failure.bytes = failure.bytes.saturating_add(len);
                    failure.received_at = now;
                }
            }
            Err(error) => self.fail(Error::Io(error), false, now),
        }
    }

    /// The stream accepts nothing more, or delivers nothing more either. The first reason is the one that is reported.
    fn fail(&mut self, error: Error<E>, reads: bool, now: Instant) {
        if self.is_open() {
            self.client.output_lost();
        }
        self.unflushed = false;
        let reads = reads && self.failure.as_ref().is_none_or(|failure| failure.reads);
        let error = self.failure.take().map_or(error, |failure| failure.error);
        self.failure = Some(Failure { error, reads, received_at: now, bytes: 0 });
    }

    pub(crate) fn fail_now(&mut self, error: Error<E>) -> Error<E> {
        self.close();
        error
    }

    /// Whether everything has been sent, to be called after an attempt to send. If it failed, [`advance`](Self::advance) says why.
    pub(crate) fn check_output(&mut self) -> Result<bool, Error<E>> {
        if self.failure.is_some() { Err(Error::Closed) } else { Ok(!self.has_output()) }
    }

    /// Queues DISCONNECT at once, unless it has already been sent.
    pub(crate) fn disconnect(&mut self) -> Result<(), Error<E>> {
        if self.is_disconnected() {
            return Ok(());
        }
        self.client.disconnect();
        // If nothing can be sent any more, or nothing is connected, the client is offline at once.
        if self.is_open() { Ok(()) } else { Err(self.fail_now(Error::Closed)) }
    }

    /// Queues DISCONNECT when it is time, and drops events; returns whether DISCONNECT has been sent.
    pub(crate) fn disconnects(&mut self, now: Instant) -> Result<bool, Error<E>> {
        loop {
            if self.is_disconnected() && !self.unflushed && self.failure.is_none() {
                return Ok(true);
            }
            // Requests can only be sent after CONNACK.
            let waits = !self.client.is_accepted() && self.client.in_flight() > 0;
            let is_requested = self.client.state() == State::Closing && !self.client.is_finishing();
            if self.is_open() && !waits && !is_requested {
                self.disconnect()?;
            }
            if !self.advance(now)? {
                break;
            }
        }
        if self.client.is_accepted() && self.failure.is_none() && !self.has_output() {
            // DISCONNECT waits for packets that wait for an image, but the application cannot save while it waits here.
            return Err(self.fail_now(Error::Closed));
        }
        Ok(false)
    }
}

impl<E> Failure<E> {
    /// Milliseconds of silence until no more input is expected.
    fn silence_left(&self, now: Instant) -> u32 {
        LAST_SILENCE.saturating_sub(now.since(self.received_at))
    }

    fn is_over(&self, now: Instant) -> bool {
        !self.reads || self.silence_left(now) == 0 || self.bytes >= LAST_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Buffers, Connect};

    #[test]
    fn after_a_failed_write_the_last_silence_counts_from_the_last_input() {
        let at = Instant::from_millis;
        let mut driver = Driver::new(Client::new(Buffers { rx: [0; 64], tx: [0; 64] }));
        driver.client.connect(&Connect::new("c")).unwrap();
        let len = driver.client.pending().len();
        driver.written(Ok(len), at(0));
        driver.written(Err("reset"), at(0));
        assert_eq!(driver.advance(at(0)), Ok(false));
        assert_eq!(driver.time_left(at(600)), 400);
        driver.received(Ok(0), at(700));
        assert_eq!(driver.advance(at(700)), Err(Error::Io("reset")));
    }

    #[test]
    fn the_clock_is_read_before_it_wraps_even_if_nothing_happens() {
        let mut driver = Driver::<(), _, _, _, _>::new(Client::new(Buffers { rx: [0; 64], tx: [0; 64] }));
        driver.client.connect(&Connect::new("c").keep_alive(0)).unwrap();
        let at = Instant::from_millis;
        let len = driver.client.pending().len();
        driver.written(Ok(len), at(7));
        driver.client.receive_buffer()[..4].copy_from_slice(&[0x20, 2, 0, 0]);
        driver.received(Ok(4), at(7));
        while driver.advance(at(7)).unwrap() {}
        assert_eq!(driver.client.time_left(), None);
        let left = driver.time_left(at(7));
        assert_eq!(at(7).after(left).since(at(7)), left);
    }
}
