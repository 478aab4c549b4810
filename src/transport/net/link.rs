//! One link, from CONNECT to its end.

use core::fmt;
use std::io;
use std::sync::Arc;

use super::runner::{Handler, Runner};
use super::stream::Stream;
use super::wire::Wire;
use super::{Error, opener};
use crate::{Config, Connect};

/// The argument of the `connect` function of [`Runner::run`], which opens a stream and runs the link with it.
pub struct Link<'r, R, T, C, I> {
    pub(super) runner: &'r mut Runner<R, T, C, I>,
    pub(super) handler: &'r mut Handler<'r, C>,
    /// This attempt has opened a stream.
    pub(super) has_stream: bool,
}

impl<R, T, C, I> Link<'_, R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Calls `open` on a separate thread, and waits for its result: a stream, or a stream together with other values. `open` may take long,
    /// for instance to resolve a name or to fetch an access token. If the runner ends meanwhile, the thread is detached.
    ///
    /// # Errors
    /// The error of `open`; [`Error::Disconnected`] if the runner is stopped, or the application has disconnected.
    pub fn open<V: Send + 'static>(
        &mut self,
        open: impl FnOnce() -> io::Result<V> + Send + 'static,
    ) -> Result<V, Error> {
        let opened = opener::begin(open, Arc::clone(&self.runner.shared.0.bell))?;
        Ok(self.runner.wait_offline(self.handler, || opened.poll().ok_or(None))??)
    }

    /// Sends CONNECT over an open stream, keeps the link until it ends, and closes the stream. Returns `Ok` if the end was requested by
    /// [`stop`](super::Handle::stop), [`disconnect`](crate::Client::disconnect) or [`finish`](crate::Client::finish). `connect` can be
    /// different each time, for instance with a new access token.
    ///
    /// # Errors
    /// Why the link has ended; the error of the handler; or why CONNECT was not queued.
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
