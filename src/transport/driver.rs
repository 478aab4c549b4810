//! What the adapters have in common: a client, and what its stream has done.

use core::fmt;

use super::Error;
use crate::{Client, Config, Instant, State, Timeout, client};

/// After a failure of the output: how long nothing may come, in ms, and how many bytes at the most, before it is reported.
const LAST_SILENCE: u32 = 1_000;
const LAST_BYTES: usize = 1 << 20;

/// A client, and how its stream is.
pub(super) struct Driver<E, R, T, C, I> {
    pub(super) client: Client<R, T, C, I>,
    /// What was written has still to be flushed.
    pub(super) unflushed: bool,
    /// When the stream took something last.
    sent_at: Instant,
    /// DISCONNECT has left.
    is_disconnected: bool,
    failure: Option<Failure<E>>,
}

/// The stream has failed, which is reported once all that has come is delivered.
struct Failure<E> {
    error: Error<E>,
    /// Only the output has failed; there may still be something to read.
    reads: bool,
    /// When something came last.
    heard_at: Instant,
    bytes: usize,
}

impl<E, R, T, C, I> Driver<E, R, T, C, I> {
    pub(super) const fn new(client: Client<R, T, C, I>) -> Self {
        let sent_at = Instant::from_millis(0);
        Driver { client, unflushed: false, sent_at, is_disconnected: false, failure: None }
    }

    /// Whether there is a connection, or one on its way.
    pub(super) fn is_open(&self) -> bool {
        self.client.state() != State::Offline
    }

    pub(super) fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    /// There is another stream, or none.
    pub(super) fn close(&mut self) {
        self.client.link_lost();
        self.unflushed = false;
        self.is_disconnected = false;
        self.failure = None;
    }

    /// Whether the stream is to be read: it lives, and there is room.
    pub(super) fn can_read(&mut self) -> bool {
        self.is_open()
            && self.failure.as_ref().is_none_or(|failure| failure.reads)
            && !self.client.receive_buffer().is_empty()
    }

    /// Whether the output has not failed.
    pub(super) fn can_write(&self) -> bool {
        self.failure.is_none()
    }

    /// Whether something is to be written or flushed.
    pub(super) fn has_output(&mut self) -> bool {
        self.can_write() && (self.unflushed || !self.client.pending().is_empty())
    }

    /// Whether nothing can happen before the application has done something: acknowledged, saved, or handed over a payload.
    pub(super) fn waits_for_application(&mut self) -> bool {
        let waits = self.client.waits_for_acknowledgement() || self.client.waits_for_payload();
        self.failure.is_none() && !self.has_output() && (waits || !self.can_read())
    }

    /// Milliseconds until [`advance`](Self::advance) must be called.
    pub(super) fn time_left(&self, now: Instant) -> Option<u32> {
        let silence = self.failure.as_ref().map(|_| LAST_SILENCE);
        let flush = if self.is_open() { None } else { self.stall_left(self.sent_at, now) };
        self.client.time_left().into_iter().chain(silence).chain(flush).min()
    }

    /// Looks for an event. The end of the connection is told once all that came before it is.
    pub(super) fn advance(&mut self, now: Instant) -> Result<bool, Error<E>> {
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
            // DISCONNECT has left, and only its flush is waited for: not for ever.
            None if self.unflushed => self.check_stall(self.sent_at, now).map(|()| false),
            None if self.is_disconnected => Err(Error::Disconnected),
            None => Err(Error::Closed),
        }
    }

    /// Output that was asked for then, and does not move on, ends the connection.
    pub(super) fn check_stall(&mut self, asked_at: Instant, now: Instant) -> Result<(), Error<E>> {
        if self.stall_left(asked_at, now) == Some(0) {
            return Err(self.fail_now(Error::Client(client::Error::TimedOut(Timeout::Stall))));
        }
        Ok(())
    }

    /// Milliseconds until output that was asked for then is given up, unless it moves on.
    pub(super) fn stall_left(&self, asked_at: Instant, now: Instant) -> Option<u32> {
        let waited = now.since(asked_at).min(now.since(self.sent_at));
        match self.client.config().stall_timeout_ms() {
            0 => None,
            ms => Some(ms.saturating_sub(waited)),
        }
    }

    /// A write has come to its end.
    pub(super) fn written(&mut self, result: Result<usize, E>, now: Instant) {
        match result {
            Ok(0) => self.fail(Error::Closed, true, now),
            Ok(len) => {
                let was_open = self.is_open();
                self.client.sent(len);
                self.is_disconnected = was_open && !self.is_open();
                self.unflushed = true;
                self.sent_at = now;
            }
            Err(error) => self.fail(Error::Io(error), true, now),
        }
    }

    /// A flush has come to its end.
    pub(super) fn flushed(&mut self, result: Result<(), E>, now: Instant) {
        match result {
            Ok(()) => self.unflushed = false,
            Err(error) => self.fail(Error::Io(error), true, now),
        }
    }

    /// A read into a buffer that is not empty has come to its end.
    pub(super) fn received(&mut self, result: Result<usize, E>, now: Instant) {
        match result {
            Ok(0) => self.fail(Error::Closed, false, now),
            Ok(len) => {
                self.client.received(len);
                if let Some(failure) = &mut self.failure {
                    failure.bytes = failure.bytes.saturating_add(len);
                    failure.heard_at = now;
                }
            }
            Err(error) => self.fail(Error::Io(error), false, now),
        }
    }

    /// The stream takes nothing more, or brings nothing more either. The first reason is the one that is told.
    fn fail(&mut self, error: Error<E>, reads: bool, now: Instant) {
        if self.is_open() {
            self.client.output_lost();
        }
        self.unflushed = false;
        let reads = reads && self.failure.as_ref().is_none_or(|failure| failure.reads);
        let error = self.failure.take().map_or(error, |failure| failure.error);
        self.failure = Some(Failure { error, reads, heard_at: now, bytes: 0 });
    }

    pub(super) fn fail_now(&mut self, error: Error<E>) -> Error<E> {
        self.close();
        error
    }

    /// Whether all has been sent, after output was tried; where it has failed, [`advance`](Self::advance) says why.
    pub(super) fn check_output(&mut self) -> Result<bool, Error<E>> {
        if self.failure.is_some() { Err(Error::Closed) } else { Ok(!self.has_output()) }
    }

    /// Queues DISCONNECT, if it has not left already.
    pub(super) fn disconnect(&mut self) -> Result<(), Error<E>> {
        if self.is_disconnected {
            return Ok(());
        }
        self.client.disconnect();
        // Where nothing can be sent any more, or nothing is connected, it is offline at once.
        if self.is_open() { Ok(()) } else { Err(self.fail_now(Error::Closed)) }
    }

    /// Whether DISCONNECT has left; events are passed over.
    pub(super) fn has_disconnected(&mut self, now: Instant) -> Result<bool, Error<E>> {
        if self.is_disconnected && !self.unflushed && self.failure.is_none() {
            return Ok(true);
        }
        while self.advance(now)? {}
        if self.is_open() && self.failure.is_none() && !self.has_output() {
            // What DISCONNECT has to follow is not saved: that waits for the application, which waits here.
            return Err(self.fail_now(Error::Closed));
        }
        Ok(false)
    }
}

impl<E> Failure<E> {
    fn is_over(&self, now: Instant) -> bool {
        !self.reads || now.since(self.heard_at) >= LAST_SILENCE || self.bytes >= LAST_BYTES
    }
}
