//! The stream of one connection, as a runner uses it.

use core::task::Poll;
use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::vec::Vec;
use std::{thread, vec};

use super::bell::Bell;
use super::input::{CHUNK, Input};
use super::stream::{Stream, Timed};
use crate::transport::turn::PollStream as _;

/// How long a stream without halves is read before the runner checks whether there is something to send.
const SLICE: Duration = Duration::from_millis(20);

pub(super) struct Wire<S: Stream> {
    stream: Timed<S>,
    input: Arc<Input>,
    /// The buffer for reads on this thread; `None` if another thread reads the input.
    buffer: Option<Vec<u8>>,
    output: Vec<u8>,
    /// How long to sleep before each read.
    pause: Duration,
}

impl<S: Stream> Wire<S> {
    pub(super) fn new(mut stream: S, bell: Arc<Bell>, pause: Duration) -> io::Result<Self> {
        let (input, buffer) = match stream.reader()? {
            Some(reader) => (Input::start(reader, bell, pause)?, None),
            None => (Arc::new(Input::new(bell)), Some(vec![0; CHUNK])),
        };
        Ok(Wire { stream: Timed::new(stream), input, buffer, output: Vec::new(), pause })
    }

    /// Takes input.
    pub(super) fn take(&self, out: &mut [u8]) -> Poll<io::Result<usize>> {
        self.input.take(out)
    }

    /// Copies the bytes that [`write`](Self::write) will write, so that the client need not be locked meanwhile. Returns whether there are
    /// any.
    pub(super) fn prepare(&mut self, pending: &[u8]) -> bool {
        self.output.clear();
        self.output.extend_from_slice(pending.get(..CHUNK).unwrap_or(pending));
        !self.output.is_empty()
    }

    pub(super) fn write(&mut self) -> Poll<io::Result<usize>> {
        self.stream.write(&self.output)
    }

    pub(super) fn flush(&mut self) -> Poll<io::Result<()>> {
        self.stream.flush()
    }

    /// Waits for input or for the bell, for at most this long. The bell does not interrupt a read of a stream without halves.
    pub(super) fn wait(&mut self, bell: &Bell, most: Duration) {
        match &mut self.buffer {
            Some(buffer) if self.input.wants_more() => {
                let timeout = most.clamp(Duration::from_millis(1), SLICE);
                if !self.pause.is_zero() && self.pause < timeout {
                    thread::sleep(self.pause);
                }
                match self.stream.try_read(buffer, timeout) {
                    Poll::Ready(Ok(0)) => self.input.end(None),
                    Poll::Ready(Ok(len)) => self.input.put(buffer, len),
                    Poll::Ready(Err(error)) => self.input.end(Some(error)),
                    Poll::Pending => {}
                }
            }
            _ => bell.wait(Some(most)),
        }
    }

    /// Tells the server that nothing more will be written; returns whether the input should be drained.
    pub(super) fn finish_output(&mut self) -> bool {
        self.stream.get_mut().finish_output().is_ok()
    }

    /// Discards input; returns whether it has ended.
    pub(super) fn is_drained(&self) -> bool {
        self.input.is_drained()
    }
}

impl<S: Stream> Drop for Wire<S> {
    fn drop(&mut self) {
        self.input.close();
        self.stream.get_mut().close();
    }
}
