//! What the adapters without std have in common: a client, and what the transport has done.

use super::Error;
use crate::{Client, Instant, State, Timeout, client};

pub(super) struct Driver<R, T, const N: usize> {
    pub(super) client: Client<R, T, N>,
    /// What was written has still to be flushed.
    pub(super) unflushed: bool,
    /// When the stream was read last. Time-outs of the server are judged by this, so that a slow application is not
    /// taken for a slow server.
    pub(super) read_at: Instant,
    /// When the stream has taken something last.
    sent_at: Instant,
}

impl<R, T, const N: usize> Driver<R, T, N> {
    pub(super) const fn new(client: Client<R, T, N>) -> Self {
        Driver { client, unflushed: false, read_at: Instant::ZERO, sent_at: Instant::ZERO }
    }
}

impl<R, T, const N: usize> Driver<R, T, N>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
{
    pub(super) fn close(&mut self) {
        self.client.link_lost();
        self.unflushed = false;
    }

    pub(super) fn is_open(&self) -> bool {
        self.client.state() != State::Offline
    }

    pub(super) fn advance<E>(&mut self) -> Result<bool, Error<E>> {
        self.client.advance(self.read_at).map_err(Error::Client)
    }

    /// A write has come to its end.
    pub(super) fn written<E>(&mut self, result: Result<usize, E>, now: Instant) -> Result<(), Error<E>> {
        match result {
            Ok(0) => Err(self.fail(Error::Closed)),
            Ok(len) => {
                self.client.sent(len, now);
                self.unflushed = true;
                self.sent_at = now;
                Ok(())
            }
            Err(error) => Err(self.fail(Error::Io(error))),
        }
    }

    /// A flush has come to its end.
    pub(super) fn flushed<E>(&mut self, result: Result<(), E>) -> Result<(), Error<E>> {
        result.map_err(|error| self.fail(Error::Io(error)))?;
        self.unflushed = false;
        Ok(())
    }

    /// A read into a buffer that is not empty has come to its end.
    pub(super) fn received<E>(&mut self, result: Result<usize, E>, now: Instant) -> Result<(), Error<E>> {
        match result {
            Ok(0) => Err(self.fail(Error::Closed)),
            Ok(len) => {
                self.client.received(len, now);
                Ok(())
            }
            Err(error) => Err(self.fail(Error::Io(error))),
        }
    }

    pub(super) fn fail<E>(&mut self, error: Error<E>) -> Error<E> {
        self.close();
        error
    }

    /// When output that was asked for at this time is given up, unless it moves on.
    pub(super) fn stall_deadline(&self, asked_at: Instant) -> Option<Instant> {
        match self.client.options().timeouts.stall_ms {
            0 => None,
            ms => Some(self.sent_at.max(asked_at).after(ms)),
        }
    }

    /// DISCONNECT has left, and only its flush is waited for: not for ever.
    pub(super) fn fail_if_flush_is_stuck<E>(&mut self, now: Instant) -> Result<(), Error<E>> {
        if self.is_open() || !self.unflushed {
            return Ok(());
        }
        self.fail_if_stalled(Instant::ZERO, now)
    }

    /// For a server that does not take what it is sent, not even DISCONNECT.
    pub(super) fn fail_if_stalled<E>(&mut self, asked_at: Instant, now: Instant) -> Result<(), Error<E>> {
        match self.stall_deadline(asked_at) {
            Some(deadline) if deadline <= now => {
                Err(self.fail(Error::Client(client::Error::TimedOut(Timeout::Stall))))
            }
            _ => Ok(()),
        }
    }
}
