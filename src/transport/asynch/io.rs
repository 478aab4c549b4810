//! Reading and writing on a link.
//!
//! There is one future for reading and one for writing, which live as long as the link. They finish every operation that they begin,
//! because many streams, TLS above all, lose data if a `read`, `write` or `flush` is dropped halfway. They must not hold the client while
//! they wait, so bytes pass through a buffer. They are polled whenever the client has changed, and need no waker for that.

use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use embedded_io_async::{ErrorKind, Read, Write};

use super::Timer;
use super::cell::{SharedCell, Sharing};
use super::handle::{Handle, Inner};
use crate::{Config, Instant};

/// How long a write may wait before reading gets a turn, in ms, if only one of them can wait at a time.
const SLICE: u32 = 50;

/// Yields to other tasks.
pub(super) async fn pause() {
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

/// At most the first `most` bytes.
fn prefix(room: &mut [u8], most: usize) -> &mut [u8] {
    let len = room.len().min(most);
    room.get_mut(..len).unwrap_or_default()
}

/// Waits for the future for a moment; `None` if it is not ready by then.
async fn within<F: Future>(timer: &impl Timer, future: F) -> Option<F::Output> {
    let (mut future, mut over) = (pin!(future), pin!(timer.sleep(SLICE)));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => over.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// What to do with the output.
enum Output {
    Write(usize),
    Flush,
}

/// What was done with the output.
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
    /// Makes a change that the runner must look at.
    fn moved(&self, f: impl FnOnce(&mut Inner<R, T, C, I>)) {
        self.inner(|inner| {
            f(inner);
            inner.has_moved = true;
        });
    }

    /// Reads all input, as long as there is room for it.
    pub(super) async fn read_all<Rd: Read>(
        &self,
        input: &mut Rd,
        room: &mut [u8],
        timer: &impl Timer,
        failure: &S::Cell<Option<Rd::Error>>,
    ) -> Infallible {
        loop {
            let most = self.until(Inner::room).await;
            let result = input.read(prefix(room, most)).await;
            self.has_read(result, room, timer, failure).await;
        }
    }

    /// Writes and flushes everything that is queued.
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

    /// Reads and writes alternately.
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
                stream.read(prefix(read_room, most)).await
            };
            let result = if is_stuck { within(timer, reads).await } else { self.unless_output(reads).await };
            if let Some(result) = result {
                self.has_read(result, read_room, timer, failure).await;
            }
        }
    }

    /// Waits for the future; `None` once there is output.
    async fn unless_output<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if self.inner(|inner| inner.driver.has_output()) == Some(true) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Passes the result of a read to the client.
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
                // There was room for it before the read, and room does not shrink.
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

    /// Passes the result of a write or flush to the client.
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

    /// Waits until `f` returns a value. The link is polled whenever the client has changed.
    async fn until<V>(&self, mut f: impl FnMut(&mut Inner<R, T, C, I>) -> Option<V>) -> V {
        poll_fn(|_| match self.inner(&mut f) {
            Some(Some(value)) => Poll::Ready(value),
            _ => Poll::Pending,
        })
        .await
    }
}

impl<R, T, C, I> Inner<R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// How many bytes can be read, if any.
    fn room(&mut self) -> Option<usize> {
        self.driver.can_read().then(|| self.driver.client.receive_buffer().len())
    }

    /// Accepts as many bytes as there is room for; `None` if there is no room.
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

    /// Copies the bytes to be written into `room`, or says that a flush is due.
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
