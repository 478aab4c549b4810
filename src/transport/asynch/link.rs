//! One link, from CONNECT to its end.

use core::convert::Infallible;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;

use embedded_io_async::{Read, Write};

use super::cell::{SharedCell, Sharing};
use super::handle::{Handle, Inner};
use super::signals::Phase;
use super::{Timer, sleep};
use crate::transport::common::Retry;
use crate::transport::{Error, Update};
use crate::{Config, Connect, ConnectError, Event, Instant, Outbound};

/// How long sending DISCONNECT may take after the runner was stopped, and then how long closing the stream may take, in ms.
pub(super) const STOP_TIMEOUT: u32 = 200;

/// How many turns there can be in a row before other tasks get one.
const AT_ONCE: u8 = 32;

/// The argument of the `connect` function of [`Runner::run`](super::Runner::run), which runs the link over a stream with it.
pub struct Link<'r, K, H, R, T, C, I, S: Sharing, const N: usize> {
    pub(super) handle: &'r Handle<R, T, C, I, S, N>,
    pub(super) timer: &'r K,
    pub(super) buffer: &'r mut [u8],
    pub(super) retry: &'r mut Retry,
    pub(super) handler: &'r mut H,
}

impl<K, H, R, T, C, I, S, const N: usize> Link<'_, K, H, R, T, C, I, S, N>
where
    K: Timer,
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
    S: Sharing,
{
    /// Sends CONNECT over an open stream, and keeps the link until it ends. Returns `Ok` if the end was requested by
    /// [`stop`](Handle::stop), [`disconnect`](crate::Client::disconnect) or [`finish`](crate::Client::finish). The stream must then be
    /// closed, its output first.
    ///
    /// A `read`, `write` or `flush` that has begun is never dropped before the link ends. `connect` can be different each time, for
    /// instance with a new access token.
    ///
    /// # Errors
    /// Why the link has ended; the error of the handler; or why CONNECT was not queued.
    pub async fn run<Rd, Wr>(
        &mut self,
        mut input: Rd,
        mut output: Wr,
        connect: &Connect<'_>,
    ) -> Result<(), Error<Rd::Error>>
    where
        Rd: Read,
        Wr: Write<Error = Rd::Error>,
        H: FnMut(Update<'_, Rd::Error>, &mut Outbound<'_, C>) -> Result<(), Error<Rd::Error>>,
    {
        let (handle, timer) = (self.handle, self.timer);
        let failure = S::Cell::new(None);
        let (read_room, write_room) = halves(self.buffer)?;
        handle.begin(self.retry, connect)?;
        let mut reads = pin!(handle.read_all(&mut input, read_room, timer, &failure));
        let mut writes = pin!(handle.write_all(&mut output, write_room, timer, &failure));
        let mut transfers = poll_fn(|cx| {
            let Poll::Pending = reads.as_mut().poll(cx);
            writes.as_mut().poll(cx)
        });
        keep(handle, timer, self.retry, self.handler, &mut transfers, &failure).await
    }

    /// The same over a stream that has no halves. Its `read`, `write` and `flush` **must be cancel-safe**: an operation that is dropped
    /// must have had no effect. Those of TCP sockets are cancel-safe. TLS is not: split it, and use [`run`](Self::run).
    ///
    /// Only one operation can wait at a time, and this is normally a read. If a write has to wait, reading gets a turn every 50 ms.
    ///
    /// # Errors
    /// The same as [`run`](Self::run).
    pub async fn run_cancel_safe<St>(
        &mut self,
        mut stream: St,
        connect: &Connect<'_>,
    ) -> Result<(), Error<St::Error>>
    where
        St: Read + Write,
        H: FnMut(Update<'_, St::Error>, &mut Outbound<'_, C>) -> Result<(), Error<St::Error>>,
    {
        let (handle, timer) = (self.handle, self.timer);
        let failure = S::Cell::new(None);
        let rooms = halves(self.buffer)?;
        handle.begin(self.retry, connect)?;
        let mut transfers = pin!(handle.transfer_all(&mut stream, rooms, timer, &failure));
        keep(handle, timer, self.retry, self.handler, &mut transfers, &failure).await
    }
}

/// Splits the buffer into a half for reading and one for writing.
fn halves<E>(buffer: &mut [u8]) -> Result<(&mut [u8], &mut [u8]), Error<E>> {
    let buffer_len = buffer.len();
    match buffer.split_at_mut_checked(buffer_len >> 1) {
        Some(halves @ ([_, ..], _)) => Ok(halves),
        _ => Err(Error::Connect(ConnectError::TooLarge { needed: 2, room: buffer_len })),
    }
}

/// Keeps a link until it ends, next to a future that reads and writes.
async fn keep<E, K, H, R, T, C, I, S, const N: usize>(
    handle: &Handle<R, T, C, I, S, N>,
    timer: &K,
    retry: &mut Retry,
    handler: &mut H,
    transfers: &mut (impl Future<Output = Infallible> + Unpin),
    failure: &S::Cell<Option<E>>,
) -> Result<(), Error<E>>
where
    K: Timer,
    H: FnMut(Update<'_, E>, &mut Outbound<'_, C>) -> Result<(), Error<E>>,
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
    S: Sharing,
{
    let _closes = Closes(handle);
    let mut turns = Turns { stopped_at: None, at_once: 0 };
    loop {
        let now = timer.now();
        let wait = match turns.turn(handle, now, retry, handler) {
            Ok(Some(wait)) => wait,
            Ok(None) => return Ok(()),
            Err(TurnError::Handler(error)) => {
                handle.inner(|inner| inner.has_failed = true);
                return Err(error);
            }
            Err(TurnError::Link(error)) => {
                return match error.with_failure(failure.with(Option::take).flatten()) {
                    Error::Disconnected => Ok(()),
                    error => Err(error),
                };
            }
        };
        let mut sleep = pin!(sleep(timer, Some(wait)));
        poll_fn(|cx| {
            handle.runner_waits(cx.waker());
            let Poll::Pending = Pin::new(&mut *transfers).poll(cx);
            if !turns.is_due(handle) {
                turns.at_once = 0;
                return sleep.as_mut().poll(cx);
            }
            turns.at_once = turns.at_once.wrapping_add(1);
            if turns.at_once < AT_ONCE {
                return Poll::Ready(());
            }
            turns.at_once = 0;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

impl<K, H, R, T, C, I, S: Sharing, const N: usize> fmt::Debug for Link<'_, K, H, R, T, C, I, S, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// Why the turns have ended.
enum TurnError<E> {
    Link(Error<()>),
    Handler(Error<E>),
}

/// The turns of the client on one link.
struct Turns {
    /// When the runner was stopped.
    stopped_at: Option<Instant>,
    /// The number of turns without a pause.
    at_once: u8,
}

impl Turns {
    fn is_due<R, T, C, I, S, const N: usize>(&self, handle: &Handle<R, T, C, I, S, N>) -> bool
    where
        S: Sharing,
    {
        let is_stopped = self.stopped_at.is_none() && handle.is_stopping();
        is_stopped || handle.is_woken() || handle.inner(|inner| inner.has_moved) == Some(true)
    }

    /// Processes everything that was received. Returns how long to wait for more, or `None` once
    /// a stop has taken too long.
    fn turn<E, H, R, T, C, I, S, const N: usize>(
        &mut self,
        handle: &Handle<R, T, C, I, S, N>,
        now: Instant,
        retry: &mut Retry,
        handler: &mut H,
    ) -> Result<Option<u32>, TurnError<E>>
    where
        H: FnMut(Update<'_, E>, &mut Outbound<'_, C>) -> Result<(), Error<E>>,
        R: AsRef<[u8]> + AsMut<[u8]>,
        T: AsRef<[u8]> + AsMut<[u8]>,
        C: Config,
        I: AsRef<[u8]> + AsMut<[u8]>,
        S: Sharing,
    {
        let stops = self.stopped_at.is_none() && handle.is_stopping();
        if stops {
            self.stopped_at = Some(now);
        }
        let timeout = self.stopped_at.map(|at| STOP_TIMEOUT.saturating_sub(now.since(at)));
        if timeout == Some(0) {
            return Ok(None);
        }
        retry.passed(now);
        let turn = |inner: &mut Inner<R, T, C, I>| {
            let mut may_have_gone = false;
            inner.has_moved = false;
            if stops {
                inner.driver.client.disconnect();
            }
            while inner.driver.advance(now).map_err(TurnError::Link)? {
                let (event, mut outbound) = inner.driver.client.split();
                let Some(event) = event else { continue };
                if let Event::Connected { .. } = event {
                    retry.connected(now);
                }
                handle.note(&event);
                let before = outbound.revision();
                let handled = handler(Update::Event(event), &mut outbound);
                // A message can only have been given up in that case.
                may_have_gone |= outbound.revision() != before;
                if handled.is_err() {
                    inner.driver.client.event_failed();
                }
                // Once the runner is stopped, requests are refused, which is no reason to leave without DISCONNECT.
                if self.stopped_at.is_none() {
                    handled.map_err(TurnError::Handler)?;
                }
            }
            let has_sent_all = core::mem::take(&mut inner.has_sent_all) && !inner.driver.has_output();
            let sent = (has_sent_all && inner.driver.takes_requests()).then_some(Update::AllSent);
            // Not before: if the link ends, the update follows while offline.
            let woken = handle.take_wake().then_some(Update::Woken);
            for update in woken.into_iter().chain(sent) {
                let mut outbound = inner.driver.client.outbound();
                let before = outbound.revision();
                let handled = handler(update, &mut outbound);
                may_have_gone |= outbound.revision() != before;
                if self.stopped_at.is_none() {
                    handled.map_err(TurnError::Handler)?;
                }
            }
            if may_have_gone || !inner.driver.client.config().reports_loss() {
                handle.keep_waiters(&inner.driver.client);
            }
            let left = inner.driver.time_left(now);
            Ok(Some(left.min(timeout.unwrap_or(u32::MAX))))
        };
        // Nobody else uses the cell while this runs, unless a handler runs it.
        let result = handle.inner(turn).unwrap_or(Ok(Some(1)));
        handle.wake_room();
        result
    }
}

impl<R, T, C, I, S: Sharing, const N: usize> Handle<R, T, C, I, S, N>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Queues CONNECT.
    fn begin<E>(&self, retry: &mut Retry, connect: &Connect<'_>) -> Result<(), Error<E>> {
        let connected = self.inner(|inner| {
            if inner.driver.client.wants_no_connection() {
                return Err(Error::Disconnected);
            }
            inner.driver.close();
            retry.connect(&mut inner.driver.client, connect)?;
            self.enter(Phase::Linked);
            Ok(())
        });
        connected.unwrap_or(Ok(()))
    }
}

/// Closes the link when dropped, however it ends.
struct Closes<'a, R, T, C, I, S, const N: usize>(&'a Handle<R, T, C, I, S, N>)
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
    S: Sharing;

impl<R, T, C, I, S, const N: usize> Drop for Closes<'_, R, T, C, I, S, N>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
    S: Sharing,
{
    fn drop(&mut self) {
        self.0.enter(Phase::Closing);
        self.0.inner(|inner| inner.driver.close());
        self.0.wake_room();
    }
}
