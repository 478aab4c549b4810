//! One link after another, until the runner is stopped or gives up.

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
    /// Maintains a connection on this thread. Returns `Ok` after [`Handle::stop`](super::Handle::stop), or when the application has
    /// disconnected: [`Outbound::disconnect`] was called, or everything that [`Outbound::finish`] waits for has ended, perhaps on another
    /// connection.
    ///
    /// - `connect` is called for each attempt. It opens a stream, through [`Link::open`] if that can take long, and calls [`Link::run`]
    ///   with it. It returns the error of these two, or another one to end the attempt (such as [`Error::Closed`]).
    /// - `handler` receives all updates, in order. It must not take long, because nothing else happens meanwhile. It can make requests
    ///   through the outbound half, which never waits. When it returns from a message, that message is acknowledged
    ///   (unless [`manual_acknowledgement`](Config::manual_acknowledgement) is on).
    ///
    /// # Errors
    /// See [`GaveUp`]. Any error of the handler (a request refused as [`Full`](crate::Full) and passed on with `?`, for instance) closes the
    /// connection without DISCONNECT. The server then publishes the will, and sends the message for which the handler failed again on the
    /// next connection (at QoS 1 and 2, if it keeps the session). Errors after
    /// [`stop`](super::Handle::stop) are ignored.
    pub fn run(
        mut self,
        mut connect: impl FnMut(&mut Link<'_, R, T, C, I>) -> Result<(), Error>,
        mut handler: impl FnMut(Update<'_>, &mut Outbound<'_, C>) -> Result<(), Error>,
    ) -> Result<(), GaveUp> {
        self.shared.0.begin();
        while !self.is_over() {
            let mut link = Link { runner: &mut self, handler: &mut handler, has_stream: false };
            let result = connect(&mut link);
            let had_link = link.has_stream;
            let error = match result {
                Err(error) if self.has_failed() => return Err(GaveUp::Handler(error)),
                Err(error) if !self.is_over() => error,
                // The handler has queued more since DISCONNECT was sent.
                Ok(()) if !self.is_over() && self.shared.0.lock().driver.client.is_finishing() => {
                    Error::Disconnected
                }
                _ => return Ok(()),
            };
            // What has ended with the link may have been the last thing that was waited for.
            self.report_offline(&mut handler).map_err(GaveUp::Handler)?;
            if self.is_over() {
                return Ok(());
            }
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

    /// The connection was lost or not established: waits until the next attempt is due.
    fn pause(&self, error: Error, retry_in: Duration, handler: &mut Handler<'_, C>) -> Result<(), Error> {
        let started = Clock::now();
        self.shared.0.lock().report(Update::LinkLost { error, retry_in }, handler)?;
        self.wait_offline(handler, || match retry_in.saturating_sub(started.elapsed()) {
            Duration::ZERO => Ok(()),
            left => Err(Some(left)),
        })
    }
}
