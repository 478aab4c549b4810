//! One link, from CONNECT to its end.

use core::fmt;
use std::io;
use std::sync::Arc;

use super::runner::{Handler, Runner};
use super::stream::Stream;
use super::wire::Wire;
use super::{Error, opener};
use crate::{Config, Connect};

/// What the `connect` function of [`Runner::run`] is given: it opens a stream and runs the link over it.
pub struct Link<'r, R, T, C, I> {
    pub(super) runner: &'r mut Runner<R, T, C, I>,
    pub(super) handler: &'r mut Handler<'r, C>,
    /// This attempt has come to a stream.
    pub(super) has_stream: bool,
}

impl<R, T, C, I> Link<'_, R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Calls `open` on a thread of its own, and waits until it returns a stream, alone or with whatever else it brings: it may take its time,
    /// to resolve a name or to fetch a token. If the runner is stopped meanwhile, the thread is left behind.
    ///
    /// # Errors
    /// What `open` has failed with; [`Error::Disconnected`] where the runner is stopped.
    pub fn open<V: Send + 'static>(
        &mut self,
        open: impl FnOnce() -> io::Result<V> + Send + 'static,
    ) -> Result<V, Error> {
        let opened = opener::begin(open, Arc::clone(&self.runner.shared.0.bell))?;
        Ok(self.runner.wait_offline(self.handler, || opened.poll().ok_or(None))??)
    }

    /// Sends CONNECT over a stream that is open, and keeps the link to its end. `Ok` if that was asked for, by
    /// [`stop`](super::Handle::stop), [`disconnect`](crate::Client::disconnect) or [`finish`](crate::Client::finish). The stream is
    /// closed then. `connect` can be another one each time, with a token that has not expired.
    ///
    /// # Errors
    /// What has ended the link; what the handler has failed with; or why CONNECT was not queued.
    pub fn run<S: Stream>(&mut self, stream: S, connect: &Connect<'_>) -> Result<(), Error> {
        let Link { runner, handler, has_stream } = self;
        let bell = Arc::clone(&runner.shared.0.bell);
        let mut wire = Wire::new(stream, bell, runner.pause)?;
        *has_stream = true;
        let result = runner.begin(connect).and_then(|()| runner.serve(&mut wire, *handler));
        runner.shared.0.lock().driver.close();
        runner.hang_up(wire, &result);
        match result {
            Err(Error::Disconnected) if !runner.has_failed() => Ok(()),
            result => result,
        }
    }
}

impl<R, T, C, I> fmt::Debug for Link<'_, R, T, C, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("has_stream", &self.has_stream).finish_non_exhaustive()
    }
}
