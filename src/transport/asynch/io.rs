//! What is read and written on a link.
//!
//! Reading and writing are a future each, which live as long as the link. What they begin they finish: many streams, TLS above all,
//! do not take it well if a `read`, `write` or `flush` is dropped half way. So they cannot hold the client while they wait, and bytes
//! pass through a buffer between. They are polled whenever the client has changed, and need no waker for that.

use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use embedded_io_async::{ErrorKind, Read, Write};

use super::Timer;
use super::cell::{Cell, Sharing};
use super::handle::{Handle, Inner};
use crate::{Config, Instant};

/// How long a write may wait before it is the turn of reading, in ms, where only one of them can.
const SLICE: u32 = 50;

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

/// At most so many bytes of it.
fn first(room: &mut [u8], most: usize) -> &mut [u8] {
    let len = room.len().min(most);
    room.get_mut(..len).unwrap_or_default()
}

/// Waits for this for a moment; `None` if that is over.
async fn within<F: Future>(timer: &impl Timer, future: F) -> Option<F::Output> {
    let (mut future, mut over) = (pin!(future), pin!(timer.sleep(SLICE)));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => over.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// What is to be done with the output.
enum Output {
    Write(usize),
    Flush,
}

/// What was done with it.
enum Done {
    Written(usize),
    Flushed,
}

async fn put<Wr: Write>(output: &mut Wr, what: Output, room: &[u8]) -> Result<Done, Wr::Error> {
    match what {
        Output::Write(len) => output.write(room.get(..len).unwrap_or_default()).await.map(Done::Written),
        Output::Flush => output.flush().await.map(|()| Done::Flushed),
    }
}

impl<R, T, C, I, S: Sharing, const N: usize> Handle<R, T, C, I, S, N>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Does something that the client is to look at.
    fn moved(&self, f: impl FnOnce(&mut Inner<R, T, C, I, N>)) {
        self.inner(|inner| {
            f(inner);
            inner.has_moved = true;
        });
    }

    /// Reads whatever comes, as long as there is room for it.
    pub(super) async fn read_all<Rd: Read>(
        &self,
        input: &mut Rd,
        room: &mut [u8],
        timer: &impl Timer,
        failure: &S::Cell<Option<Rd::Error>>,
    ) -> Infallible {
        loop {
            let most = self.until(Inner::room).await;
            let result = input.read(first(room, most)).await;
            self.has_read(result, room, timer, failure).await;
        }
    }

    /// Writes and flushes whatever is queued.
    pub(super) async fn write_all<Wr: Write>(
        &self,
        output: &mut Wr,
        room: &mut [u8],
        timer: &impl Timer,
        failure: &S::Cell<Option<Wr::Error>>,
    ) -> Infallible {
        loop {
            let next = self.until(|inner| inner.next_output(room)).await;
            let result = put(output, next, room).await;
            self.has_put(result, timer, failure).await;
        }
    }

    /// Reads and writes in turns.
    pub(super) async fn transfer_all<St: Read + Write>(
        &self,
        stream: &mut St,
        (read_room, write_room): (&mut [u8], &mut [u8]),
        timer: &impl Timer,
        failure: &S::Cell<Option<St::Error>>,
    ) -> Infallible {
        loop {
            let mut is_stuck = false;
            if let Some(Some(next)) = self.inner(|inner| inner.next_output(write_room)) {
                match within(timer, put(stream, next, write_room)).await {
                    Some(result) => self.has_put(result, timer, failure).await,
                    None => is_stuck = true,
                }
            }
            let reads = async {
                let most = self.until(Inner::room).await;
                stream.read(first(read_room, most)).await
            };
            let result = if is_stuck { within(timer, reads).await } else { self.unless_output(reads).await };
            if let Some(result) = result {
                self.has_read(result, read_room, timer, failure).await;
            }
        }
    }

    /// Waits for this; `None` once there is output.
    async fn unless_output<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if self.inner(|inner| inner.driver.has_output()) == Some(true) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Takes in what was read.
    async fn has_read<E: embedded_io_async::Error>(
        &self,
        result: Result<usize, E>,
        room: &[u8],
        timer: &impl Timer,
        failure: &S::Cell<Option<E>>,
    ) {
        match result {
            Ok(0) => self.moved(|inner| inner.driver.received(Ok(0), timer.now())),
            Ok(len) => {
                // There was room for it before it was read; what is there does not grow less.
                let mut rest = room.get(..len).unwrap_or_default();
                while !rest.is_empty() {
                    let taken = self.until(|inner| inner.take_in(rest, timer.now())).await;
                    rest = rest.get(taken..).unwrap_or_default();
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => pause().await,
            Err(error) => {
                failure.with(|failure| failure.get_or_insert(error).kind());
                self.moved(|inner| inner.driver.received(Err(()), timer.now()));
            }
        }
    }

    /// Notes what was written.
    async fn has_put<E: embedded_io_async::Error>(
        &self,
        result: Result<Done, E>,
        timer: &impl Timer,
        failure: &S::Cell<Option<E>>,
    ) {
        match result {
            Ok(Done::Written(len)) => self.moved(|inner| inner.driver.written(Ok(len), timer.now())),
            Ok(Done::Flushed) => self.moved(|inner| {
                inner.driver.flushed(Ok(()), timer.now());
                inner.has_sent_all = true;
            }),
            Err(error) if error.kind() == ErrorKind::Interrupted => pause().await,
            Err(error) => {
                failure.with(|failure| failure.get_or_insert(error).kind());
                self.moved(|inner| inner.driver.written(Err(()), timer.now()));
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
    /// How much can be read, if anything.
    fn room(&mut self) -> Option<usize> {
        self.driver.can_read().then(|| self.driver.client.receive_buffer().len())
    }

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
