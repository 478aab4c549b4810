//! One link, from CONNECT to its end.
//!
//! Reading and writing are a future each, which live as long as the link. What they begin they finish: many streams, TLS above all,
//! do not take it well if a `read`, `write` or `flush` is dropped half way. So they cannot hold the client while they wait, and bytes
//! pass through a buffer between.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use embedded_io_async::{Error as _, ErrorKind, Read, Write};

use super::cell::Sharing;
use super::handle::{Handle, Inner};
use super::{Timer, Update};
use crate::transport::Error;
use crate::transport::retry::Retry;
use crate::{Config, Connect, Event, Instant, Outbound, client};

/// How long DISCONNECT may take to leave after the runner was stopped, in ms.
const LAST_WORDS: u32 = 200;

/// How often something may move before it is the turn of other tasks.
const AT_ONCE: u8 = 32;

/// What the `open` function of [`Runner::run`](super::Runner::run) is given: it runs the link over a stream.
pub struct Link<'r, K, H, R, T, C, I, S: Sharing, const N: usize> {
    pub(super) handle: &'r Handle<R, T, C, I, S, N>,
    pub(super) timer: &'r K,
    pub(super) bounce: &'r mut [u8],
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
    /// Sends CONNECT over a stream that is open, and keeps the link to its end. `Ok` if that was asked for, by
    /// [`stop`](Handle::stop), [`disconnect`](crate::Client::disconnect) or [`finish`](crate::Client::finish): then the stream is to
    /// be closed, its output first.
    ///
    /// No `read`, `write` or `flush` that has begun is dropped before the end of the link. `connect` can be another one each time,
    /// with a token that has not expired.
    ///
    /// # Errors
    /// What has ended the link; what the handler has failed with; or why CONNECT was not queued.
    pub async fn run<Rd, Wr>(
        &mut self,
        input: Rd,
        output: Wr,
        connect: &Connect<'_>,
    ) -> Result<(), Error<Rd::Error>>
    where
        Rd: Read,
        Wr: Write<Error = Rd::Error>,
        H: FnMut(Update<'_, Rd::Error>, &mut Outbound<'_, C>) -> Result<(), Error<Rd::Error>>,
    {
        let Link { handle, timer, bounce, retry, handler } = self;
        let (handle, timer) = (*handle, *timer);
        let (read_room, write_room) = bounce.split_at_mut_checked(bounce.len() >> 1).unwrap_or_default();
        if read_room.is_empty() {
            return Err(Error::Client(client::Error::ReceiveBufferTooSmall { needed: 2 }));
        }
        handle.begin(retry, connect)?;
        let _closes = Closes(handle);

        let mut input = pin!(handle.read_all(input, read_room, timer));
        let mut output = pin!(handle.write_all(output, write_room, timer));
        let (mut reads, mut writes) = (true, true);
        let mut failure = None;
        let mut turns = Turns { stopped_at: None, at_once: 0 };
        loop {
            let now = timer.now();
            let wait = match turns.turn(handle, now, retry, *handler) {
                Ok(Some(wait)) => wait,
                Ok(None) => return Ok(()),
                Err(End::Handler(error)) => return Err(error),
                Err(End::Link(error)) => {
                    handle.tell_losses(now, *handler)?;
                    return match error.with_failure(failure) {
                        Error::Disconnected => Ok(()),
                        error => Err(error),
                    };
                }
            };
            let mut sleep = pin!(sleep(timer, wait));
            poll_fn(|cx| {
                handle.inner(|inner| inner.waiters.runner_waits(cx.waker()));
                if reads && let Poll::Ready(error) = input.as_mut().poll(cx) {
                    reads = false;
                    failure.get_or_insert(error);
                    handle.moved(|inner| inner.driver.received(Err(()), timer.now()));
                }
                if writes && let Poll::Ready(error) = output.as_mut().poll(cx) {
                    writes = false;
                    failure.get_or_insert(error);
                    handle.moved(|inner| inner.driver.written(Err(()), timer.now()));
                }
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
}

impl<K, H, R, T, C, I, S: Sharing, const N: usize> fmt::Debug for Link<'_, K, H, R, T, C, I, S, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// Why there are no more turns.
enum End<E> {
    Link(Error<()>),
    Handler(Error<E>),
}

/// The turns of the client on one link.
struct Turns {
    /// When the runner was stopped.
    stopped_at: Option<Instant>,
    /// How many there were without a pause.
    at_once: u8,
}

impl Turns {
    fn is_due<R, T, C, I, S, const N: usize>(&self, handle: &Handle<R, T, C, I, S, N>) -> bool
    where
        S: Sharing,
    {
        let is_stopped = self.stopped_at.is_none() && handle.is_stopping();
        is_stopped || handle.inner(|inner| inner.has_moved) == Some(true)
    }

    /// Looks at all that has come. Returns how long to wait for more (`Some(None)`: without end); `None` where time is up.
    fn turn<E, H, R, T, C, I, S, const N: usize>(
        &mut self,
        handle: &Handle<R, T, C, I, S, N>,
        now: Instant,
        retry: &mut Retry,
        handler: &mut H,
    ) -> Result<Option<Option<u32>>, End<E>>
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
        let patience = self.stopped_at.map(|at| LAST_WORDS.saturating_sub(now.since(at)));
        if patience == Some(0) {
            return Ok(None);
        }
        let turn = |inner: &mut Inner<R, T, C, I, N>| {
            inner.has_moved = false;
            if stops {
                inner.driver.client.disconnect();
            }
            while inner.driver.advance(now).map_err(End::Link)? {
                let (event, mut outbound) = inner.driver.client.split();
                let Some(event) = event else { continue };
                if let Event::Connected { .. } = event {
                    retry.connected(now);
                }
                inner.waiters.note(&event);
                handler(Update::Event(event), &mut outbound).map_err(End::Handler)?;
            }
            inner.keep_waiters();
            inner.waiters.wake_room();
            let left = inner.driver.time_left(now);
            Ok(Some(left.into_iter().chain(patience).min()))
        };
        // Nobody else is inside while this runs, except where a handler runs it.
        handle.inner(turn).unwrap_or(Ok(Some(None)))
    }
}

async fn sleep<K: Timer>(timer: &K, wait: Option<u32>) {
    match wait {
        Some(0) => {}
        Some(ms) => timer.sleep(ms).await,
        None => core::future::pending().await,
    }
}

/// Lets others have a turn.
async fn pause() {
    let mut paused = false;
    poll_fn(|cx| {
        if core::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What is to be done with the output.
enum Output {
    Write(usize),
    Flush,
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
            inner.driver.close();
            inner.has_link = true;
            retry.connect(&mut inner.driver.client, connect)
        });
        Ok(connected.unwrap_or(Ok(()))?)
    }

    /// Tells what has ended with the link.
    fn tell_losses<E, H>(&self, now: Instant, handler: &mut H) -> Result<(), Error<E>>
    where
        H: FnMut(Update<'_, E>, &mut Outbound<'_, C>) -> Result<(), Error<E>>,
    {
        let tell = |inner: &mut Inner<R, T, C, I, N>| {
            while inner.driver.client.advance(now)? {
                let (event, mut outbound) = inner.driver.client.split();
                let Some(event) = event else { continue };
                inner.waiters.note(&event);
                handler(Update::Event(event), &mut outbound)?;
            }
            Ok(())
        };
        self.inner(tell).unwrap_or(Ok(()))
    }

    /// Does something that the client is to look at.
    fn moved(&self, f: impl FnOnce(&mut Inner<R, T, C, I, N>)) {
        self.inner(|inner| {
            f(inner);
            inner.has_moved = true;
        });
    }

    /// Reads whatever comes, as long as there is room for it. Returns what the stream has failed with.
    async fn read_all<Rd: Read>(&self, mut input: Rd, room: &mut [u8], timer: &impl Timer) -> Rd::Error {
        loop {
            self.until(|inner| inner.driver.can_read().then_some(())).await;
            let len = match input.read(room).await {
                Ok(len) => len,
                Err(error) if error.kind() != ErrorKind::Interrupted => return error,
                Err(_) => {
                    pause().await;
                    continue;
                }
            };
            if len == 0 {
                self.moved(|inner| inner.driver.received(Ok(0), timer.now()));
            }
            let mut rest = room.get(..len).unwrap_or_default();
            while !rest.is_empty() {
                let taken = self.until(|inner| inner.take_in(rest, timer.now())).await;
                rest = rest.get(taken..).unwrap_or_default();
            }
        }
    }

    /// Writes and flushes whatever is queued. Returns what the stream has failed with.
    async fn write_all<Wr: Write>(&self, mut output: Wr, room: &mut [u8], timer: &impl Timer) -> Wr::Error {
        loop {
            let result = match self.until(|inner| inner.next_output(room)).await {
                Output::Write(len) => {
                    let written = output.write(room.get(..len).unwrap_or_default()).await;
                    written.map(|len| self.moved(|inner| inner.driver.written(Ok(len), timer.now())))
                }
                Output::Flush => {
                    let flushed = output.flush().await;
                    flushed.map(|()| self.moved(|inner| inner.driver.flushed(Ok(()), timer.now())))
                }
            };
            match result {
                Err(error) if error.kind() != ErrorKind::Interrupted => return error,
                Err(_) => pause().await,
                Ok(()) => {}
            }
        }
    }

    /// Waits until the client has something to say to this. The link is polled whenever the client has changed.
    async fn until<V>(&self, mut f: impl FnMut(&mut Inner<R, T, C, I, N>) -> Option<V>) -> V {
        poll_fn(|_| match self.inner(&mut f) {
            Some(Some(value)) => Poll::Ready(value),
            _ => Poll::Pending,
        })
        .await
    }
}

impl<R, T, C, I, const N: usize> Inner<R, T, C, I, N>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Takes in as much as there is room for; `None` if there is none.
    fn take_in(&mut self, bytes: &[u8], now: Instant) -> Option<usize> {
        if !self.driver.can_read() {
            return None;
        }
        let room = self.driver.client.receive_buffer();
        let len = room.len().min(bytes.len());
        room.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.driver.received(Ok(len), now);
        self.has_moved = true;
        Some(len)
    }

    /// What is to be written, which is put here, or whether to flush.
    fn next_output(&mut self, room: &mut [u8]) -> Option<Output> {
        if !self.driver.has_output() {
            return None;
        }
        let pending = self.driver.client.pending();
        if pending.is_empty() {
            return Some(Output::Flush);
        }
        room.iter_mut().zip(pending).for_each(|(to, from)| *to = *from);
        Some(Output::Write(room.len().min(pending.len())))
    }
}

/// Closes the link when it is dropped, whatever its end is.
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
        self.0.inner(|inner| inner.driver.close());
    }
}
