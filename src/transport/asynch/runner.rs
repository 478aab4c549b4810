//! The runner: one link after another.

use core::fmt;
use core::future::{Future, pending, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Poll, Waker};

use embedded_io_async::ErrorKind;

use super::any_of::any_of;
use super::cell::Sharing;
use super::handle::Inner;
use super::link::STOP_TIMEOUT;
use super::signals::Phase;
use super::{Handle, Link, Timer};
use crate::transport::common::{Retry, retry_choices};
use crate::transport::{Error, GaveUp, HandleError, Update};
use crate::{Backoff, Config, Instant, Outbound};

/// Keeps the link of a [`Handle`]: reads and writes, passes events to a handler, and reconnects when the link is lost, with growing
/// delays. The delays start again from the shortest once a link has lived for as long as the longest delay, or for a minute.
///
/// `B` is a buffer between the stream and the client, one half for input and the other for output. An array of 256 bytes is enough; a
/// larger one means fewer and larger reads and writes.
pub struct Runner<'a, K, B, R, T, C, I, S: Sharing, const N: usize> {
    handle: &'a Handle<R, T, C, I, S, N>,
    timer: K,
    buffer: B,
    retry: Retry,
}

impl<'a, K, B, R, T, C, I, S: Sharing, const N: usize> Runner<'a, K, B, R, T, C, I, S, N> {
    /// A runner for this handle, which can have only one at a time.
    #[must_use]
    pub const fn new(handle: &'a Handle<R, T, C, I, S, N>, timer: K, buffer: B, backoff: Backoff) -> Self {
        Runner { handle, timer, buffer, retry: Retry::new(backoff) }
    }

    retry_choices!(retry);
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
    /// Maintains a connection. Returns `Ok` after [`Handle::stop`], or when the application has disconnected: [`Outbound::disconnect`] was
    /// called, or everything that [`Outbound::finish`] waits for has ended, perhaps on another connection.
    ///
    /// - `connect` is called for each attempt. It opens a stream, calls [`Link::run`] with it, and closes it. It returns the error of
    ///   [`Link::run`], or another one to end the attempt, such as [`Error::Closed`] if no stream could be opened. Opening the stream
    ///   can take any time; if the runner ends meanwhile, the future is dropped.
    /// - `handler` receives all updates, in order. It must not take long, because nothing else happens meanwhile. It can make requests
    ///   through the outbound half, which never waits. When it returns from a message, that message is acknowledged
    ///   (unless [`manual_acknowledgement`](Config::manual_acknowledgement) is on). In a task that can move between threads
    ///   (`tokio::spawn`), it must be a `move` closure that borrows nothing; [the guide](crate::guide::server#tokio) has an example.
    ///
    /// # Cancel safety
    /// If this future is dropped, the link is lost. The handle keeps the session, and another runner can continue it.
    ///
    /// # Errors
    /// See [`GaveUp`]. Any error of the handler (a request refused as [`Full`](crate::Full) and passed on with `?`, for instance) ends the
    /// link without DISCONNECT. The server then publishes the will, and sends the message for which the handler failed again on the next
    /// link (at QoS 1 and 2, if it keeps the session). Errors after [`Handle::stop`] are ignored.
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
        if !handle.begins() {
            return Err(GaveUp::AlreadyRunning);
        }
        let _over = Over(handle);
        handle.inner(|inner| inner.has_failed = false);
        loop {
            let mut link = Link { handle, timer, buffer: buffer.as_mut(), retry, handler: &mut handler };
            let ended = {
                let mut attempt = pin!(connect(&mut link));
                match handle.unless_over(attempt.as_mut()).await {
                    // The stream is being closed. A dropped one could lose what was sent last.
                    None if handle.is_in(Phase::Closing) => {
                        any_of(attempt, pending::<()>(), timer.sleep(STOP_TIMEOUT)).await.0
                    }
                    ended => ended,
                }
            };
            let has_failed = handle.inner(|inner| inner.has_failed) == Some(true);
            if !has_failed && !handle.is_stopping() {
                handle.report_losses(timer.now(), &mut handler).map_err(GaveUp::Handler)?;
            }
            let error = match ended {
                Some(Err(error)) if has_failed => return Err(GaveUp::Handler(error)),
                Some(Err(error)) if !handle.is_stopping() && !handle.wants_no_connection() => error,
                // The handler has queued more since DISCONNECT was sent.
                Some(Ok(())) if !handle.is_stopping() && handle.is_finishing() => Error::Disconnected,
                _ => return Ok(()),
            };
            if !error.is_end() {
                return Err(GaveUp::refused(error));
            }
            let had_link = handle.enter(Phase::Opening) != Some(Phase::Opening);
            let is_reset = |error: &E| error.kind() == ErrorKind::ConnectionReset;
            let (error, retry_in) = retry.ended(error, had_link, is_reset, timer.now())?;
            handle.report(Update::LinkLost { error, retry_in }, &mut handler)?;
            let mut pause = pin!(timer.sleep(retry_in.as_millis() as u32));
            let mut pause = poll_fn(|cx| {
                if handle.take_wake()
                    && let Err(error) = handle.report(Update::Woken, &mut handler)
                {
                    return Poll::Ready(Err(error));
                }
                if handle.is_woken() {
                    // By the handler: other tasks get a turn before it is called again.
                    cx.waker().wake_by_ref();
                }
                pause.as_mut().poll(cx).map(Ok)
            });
            match handle.unless_over(Pin::new(&mut pause)).await {
                Some(result) => result?,
                None => return Ok(()),
            }
        }
    }
}

impl<R, T, C, I, S: Sharing, const N: usize> Handle<R, T, C, I, S, N> {
    /// Passes an update to the handler that is not an event.
    fn report<E>(
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
        let report = |inner: &mut Inner<R, T, C, I>| {
            let before = inner.driver.client.revision();
            let result = handler(update, &mut inner.driver.client.outbound());
            self.handled(&inner.driver.client, before);
            result
        };
        self.inner(report).unwrap_or(Ok(())).map_err(GaveUp::Handler)
    }

    /// Reports the requests that ended with the link, to the handler and to the tasks that wait.
    fn report_losses<E>(
        &self,
        now: Instant,
        handler: &mut impl FnMut(Update<'_, E>, &mut Outbound<'_, C>) -> Result<(), Error<E>>,
    ) -> Result<(), Error<E>>
    where
        R: AsRef<[u8]> + AsMut<[u8]>,
        T: AsRef<[u8]> + AsMut<[u8]>,
        C: Config,
        I: AsRef<[u8]> + AsMut<[u8]>,
    {
        let report = |inner: &mut Inner<R, T, C, I>| {
            while inner.driver.client.advance(now)? {
                let (event, mut outbound) = inner.driver.client.split();
                let Some(event) = event else { continue };
                self.note(&event);
                let before = outbound.revision();
                handler(Update::Event(event), &mut outbound)?;
                self.handled(&inner.driver.client, before);
            }
            self.handled(&inner.driver.client, inner.driver.client.revision());
            Ok(())
        };
        self.inner(report).unwrap_or(Ok(()))
    }

    /// Whether something is left that `finish` waits for.
    fn is_finishing(&self) -> bool {
        let is_finishing = |inner: &mut Inner<R, T, C, I>| {
            inner.driver.client.is_finishing() && !inner.driver.client.wants_no_connection()
        };
        self.inner(is_finishing) == Some(true)
    }

    /// Whether the application has disconnected.
    fn wants_no_connection(&self) -> bool {
        self.inner(|inner| inner.driver.client.wants_no_connection()) == Some(true)
    }

    /// Waits for the future; `None` if the runner is stopped, or the application disconnects, before that. If there is a link, it is first
    /// closed properly.
    async fn unless_over<F: Future>(&self, mut future: Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|cx| {
            // A link waits by itself, perhaps with another waker, and is first closed properly.
            let is_over = |waker: &Waker| {
                if self.is_in(Phase::Linked) {
                    return false;
                }
                self.runner_waits(waker);
                self.is_stopping() || (self.is_in(Phase::Opening) && self.wants_no_connection())
            };
            if is_over(cx.waker()) {
                return Poll::Ready(None);
            }
            match future.as_mut().poll(cx) {
                // The link may have ended just now, or a handler may have ended the runner.
                Poll::Pending if is_over(cx.waker()) => Poll::Ready(None),
                ended => ended.map(Some),
            }
        })
        .await
    }
}

/// When dropped, ends all waits for a runner that is gone.
struct Over<'a, R, T, C, I, S: Sharing, const N: usize>(&'a Handle<R, T, C, I, S, N>);

impl<R, T, C, I, S: Sharing, const N: usize> Drop for Over<'_, R, T, C, I, S, N> {
    fn drop(&mut self) {
        self.0.inner(|inner| inner.driver.client.forget_leaving());
        self.0.enter(Phase::Over);
        self.0.end_waits(|_| Some(Err(HandleError::Stopped)));
        self.0.wake_room();
    }
}

impl<K, B, R, T, C, I, S: Sharing, const N: usize> fmt::Debug for Runner<'_, K, B, R, T, C, I, S, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("handle", &self.handle).finish_non_exhaustive()
    }
}
