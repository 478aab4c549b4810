//! One link after the other: what a runner does until it is stopped, or gives up.

use core::time::Duration;
use std::io;
use std::time::Instant as Clock;

use super::link::Link;
use super::runner::{Handler, Runner};
use super::{Error, GaveUp, Update};
use crate::{Config, Outbound};

impl<R, T, C, I> Runner<R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Maintains a connection on this thread, until [`Handle::stop`](super::Handle::stop), or until the application has disconnected
    /// ([`Outbound::disconnect`], [`Outbound::finish`]): that is `Ok`.
    ///
    /// - `connect` opens a stream, by [`Link::open`] where that can take long, and calls [`Link::run`] on it. Its errors are those of these two,
    ///   or whatever it takes for the end of the attempt ([`Error::Closed`], for instance).
    /// - `handler` is told everything, in its order. It must not take long, for nothing else happens meanwhile; it can make requests by
    ///   the outbound half, which never waits. A message that it returns from is acknowledged
    ///   (unless [`manual_acknowledgement`](Config::manual_acknowledgement) is chosen).
    ///
    /// # Errors
    /// See [`GaveUp`]. An error of the handler, whatever it is, closes the connection without DISCONNECT, so that the server publishes the will
    /// and keeps the message that the handler has failed at.
    pub fn run(
        mut self,
        mut connect: impl FnMut(&mut Link<'_, R, T, C, I>) -> Result<(), Error>,
        mut handler: impl FnMut(Update<'_>, &mut Outbound<'_, C>) -> Result<(), Error>,
    ) -> Result<(), GaveUp> {
        self.shared.0.begin();
        while !self.shared.0.is_stopped() {
            let mut link = Link { runner: &mut self, handler: &mut handler, has_stream: false };
            let result = connect(&mut link);
            let had_link = link.has_stream;
            let error = match result {
                Err(error) if self.has_failed() => return Err(GaveUp::Handler(error)),
                Err(error) if !self.shared.0.is_stopped() => error,
                _ => return Ok(()),
            };
            if !error.is_end() {
                return Err(GaveUp::refused(error));
            }
            let is_reset = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionReset;
            let (error, retry_in) = self.retry.ended(error, had_link, is_reset, self.shared.0.now())?;
            match self.pause(error, retry_in, &mut handler) {
                Err(error) if self.has_failed() => return Err(GaveUp::Handler(error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// The connection is lost, or has not come to be: waits until it is time for the next attempt.
    fn pause(&self, error: Error, retry_in: Duration, handler: &mut Handler<'_, C>) -> Result<(), Error> {
        let started = Clock::now();
        self.shared.0.lock().call(Update::LinkLost { error, retry_in }, handler)?;
        self.wait_offline(handler, || match retry_in.saturating_sub(started.elapsed()) {
            Duration::ZERO => Ok(()),
            left => Err(Some(left)),
        })
    }
}
