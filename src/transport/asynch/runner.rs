//! The runner: one link after the other.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;

use embedded_io_async::ErrorKind;

use super::cell::Sharing;
use super::{Handle, Link, Timer};
use crate::transport::retry::Retry;
use crate::transport::{Error, GaveUp, Update};
use crate::{Backoff, Config, ConnectError, Outbound};

/// Keeps the link of a [`Handle`]: reads and writes, takes events to a handler, and connects again when the link is lost, after
/// delays that grow. They start again with the least once a link has lived for as long as the greatest, or for a minute.
///
/// `B` is a buffer that bytes pass through between the stream and the client, half of it for those that come and half for those that
/// leave: an array of 256, or more for fewer and larger pieces.
pub struct Runner<'a, K, B, R, T, C, I, S: Sharing, const N: usize> {
    handle: &'a Handle<R, T, C, I, S, N>,
    timer: K,
    buffer: B,
    retry: Retry,
}

impl<'a, K, B, R, T, C, I, S: Sharing, const N: usize> Runner<'a, K, B, R, T, C, I, S, N> {
    /// A runner for this handle, which has one at a time.
    #[must_use]
    pub const fn new(handle: &'a Handle<R, T, C, I, S, N>, timer: K, buffer: B, backoff: Backoff) -> Self {
        Runner { handle, timer, buffer, retry: Retry::new(backoff) }
    }

    /// With attempts in MQTT 3.1 too, where the server does not take 3.1.1: it says so by CONNACK, or closes the connection
    /// without one. Where 3.1 does not work either, 3.1.1 is next; once 3.1.1 has worked, it stays with that.
    #[must_use]
    pub fn fall_back_to_mqtt31(mut self) -> Self {
        self.retry.falls_back = true;
        self
    }

    /// With further attempts after refusals that do not mend themselves: a wrong password, a client identifier that is not allowed.
    /// Without this they are the end ([`GaveUp::Refused`]).
    #[must_use]
    pub fn retry_refusals(mut self) -> Self {
        self.retry.despite_refusals = true;
        self
    }
}

impl<K, B, R, T, C, I, S, const N: usize> Runner<'_, K, B, R, T, C, I, S, N>
where
    K: Timer,
    B: AsMut<[u8]>,
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
    S: Sharing,
{
    /// Maintains a connection, until [`Handle::stop`], or until the application has disconnected ([`Outbound::disconnect`],
    /// [`Outbound::finish`]): that is `Ok`.
    ///
    /// - `connect` opens a stream, calls [`Link::run`] on it, and closes it. Its errors are those of [`Link::run`], or whatever it takes for
    ///   the end of the attempt ([`Error::Closed`] where no stream came to be). To open it can take as long as it will: should the runner
    ///   be stopped meanwhile, it is dropped. In a task that may change threads (`tokio::spawn`) it is an `async move` closure.
    /// - `handler` is told everything, in its order. It must not take long, for nothing else happens meanwhile; it can make requests by
    ///   the outbound half, which never waits. A message that it returns from is acknowledged
    ///   (unless [`manual_acknowledgement`](Config::manual_acknowledgement) is chosen).
    ///
    /// # Cancel safety
    /// The link is lost where this is dropped. The session stays, and another runner can go on with it.
    ///
    /// # Errors
    /// See [`GaveUp`]; [`AlreadyConnected`](ConnectError::AlreadyConnected) where another runner has the handle. An error of the handler,
    /// whatever it is, ends the link without DISCONNECT, so that the server publishes the will and keeps the message that the handler has
    /// failed at.
    pub async fn run<E, H>(
        &mut self,
        mut connect: impl AsyncFnMut(&mut Link<'_, K, H, R, T, C, I, S, N>) -> Result<(), Error<E>>,
        mut handler: H,
    ) -> Result<(), GaveUp<E>>
    where
        E: embedded_io_async::Error,
        H: FnMut(Update<'_, E>, &mut Outbound<'_, C>) -> Result<(), Error<E>>,
    {
        let Runner { handle, timer, buffer, retry } = self;
        let handle = *handle;
        if handle.inner(|inner| core::mem::replace(&mut inner.is_kept, true)) != Some(false) {
            return Err(GaveUp::Connect(ConnectError::AlreadyConnected));
        }
        handle.inner(|inner| (inner.is_over, inner.has_failed) = (false, false));
        let _over = Over(handle);
        loop {
            handle.inner(|inner| inner.has_link = false);
            let mut link = Link { handle, timer, buffer: buffer.as_mut(), retry, handler: &mut handler };
            let ended = {
                let mut attempt = pin!(connect(&mut link));
                handle.unless_stopped(attempt.as_mut()).await
            };
            let has_failed = handle.inner(|inner| inner.has_failed) == Some(true);
            let error = match ended {
                Some(Err(error)) if has_failed => return Err(GaveUp::Handler(error)),
                Some(Err(error)) if !handle.is_stopping() => error,
                _ => return Ok(()),
            };
            if !error.is_end() {
                return Err(GaveUp::refused(error));
            }
            let had_link = handle.inner(|inner| core::mem::take(&mut inner.has_link)) == Some(true);
            let is_reset = |error: &E| error.kind() == ErrorKind::ConnectionReset;
            let (error, retry_in) = retry.ended(error, had_link, is_reset, timer.now())?;
            handle.tell(Update::LinkLost { error, retry_in }, &mut handler)?;
            let mut pause = pin!(timer.sleep(retry_in.as_millis() as u32));
            let mut pause = poll_fn(|cx| {
                if handle.take_wake()
                    && let Err(error) = handle.tell(Update::Woken, &mut handler)
                {
                    return Poll::Ready(Err(error));
                }
                pause.as_mut().poll(cx).map(Ok)
            });
            match handle.unless_stopped(Pin::new(&mut pause)).await {
                Some(result) => result?,
                None => return Ok(()),
            }
        }
    }
}

impl<R, T, C, I, S: Sharing, const N: usize> Handle<R, T, C, I, S, N> {
    /// Tells of something that is no event.
    fn tell<E>(
        &self,
        update: Update<'_, E>,
        handler: &mut impl FnMut(Update<'_, E>, &mut Outbound<'_, C>) -> Result<(), Error<E>>,
    ) -> Result<(), GaveUp<E>>
    where
        R: AsRef<[u8]> + AsMut<[u8]>,
        T: AsRef<[u8]> + AsMut<[u8]>,
        C: Config,
        I: AsRef<[u8]> + AsMut<[u8]>,
    {
        let told = self.inner(|inner| handler(update, &mut inner.driver.client.outbound()));
        told.unwrap_or(Ok(())).map_err(GaveUp::Handler)
    }

    /// Waits for this; `None` if the runner is stopped before, unless there is a link: that says farewell first.
    async fn unless_stopped<F: Future>(&self, mut future: Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|cx| {
            self.inner(|inner| inner.waiters.runner_waits(cx.waker()));
            let has_link = || self.inner(|inner| inner.has_link) == Some(true);
            if self.is_stopping() && !has_link() {
                return Poll::Ready(None);
            }
            future.as_mut().poll(cx).map(Some)
        })
        .await
    }
}

/// Lets nobody wait for a runner that is gone.
struct Over<'a, R, T, C, I, S: Sharing, const N: usize>(&'a Handle<R, T, C, I, S, N>);

impl<R, T, C, I, S: Sharing, const N: usize> Drop for Over<'_, R, T, C, I, S, N> {
    fn drop(&mut self) {
        self.0.inner(|inner| {
            (inner.is_kept, inner.is_over) = (false, true);
            inner.waiters.wake_all();
        });
    }
}

impl<K, B, R, T, C, I, S: Sharing, const N: usize> fmt::Debug for Runner<'_, K, B, R, T, C, I, S, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("handle", &self.handle).finish_non_exhaustive()
    }
}
