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
}

impl<R, T, const N: usize> Driver<R, T, N>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
{
    pub(super) fn new(client: Client<R, T, N>) -> Self {
        let mut driver = Driver { client, unflushed: false, read_at: Instant::ZERO };
        driver.close();
        driver
    }

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

    /// When a disconnect that began at that time is given up: for a server that does not take even DISCONNECT, and for a
    /// flush that does not come to its end.
    #[cfg(any(feature = "embedded-io-v0.7", feature = "embedded-io-async-v0.7"))]
    pub(super) fn disconnect_deadline(&self, started: Instant) -> Option<Instant> {
        match self.client.options().timeouts.stall_ms {
            _ if self.is_open() => self.client.deadline(),
            0 => None,
            ms => Some(started.after(ms)),
        }
    }

    #[cfg(any(feature = "embedded-io-v0.7", feature = "embedded-io-async-v0.7"))]
    pub(super) fn fail_if_due<E>(&mut self, deadline: Option<Instant>, now: Instant) -> Result<(), Error<E>> {
        if deadline.is_some_and(|deadline| deadline <= now) {
            return Err(self.fail(Error::Client(client::Error::TimedOut(Timeout::Stall))));
        }
        Ok(())
    }
}
