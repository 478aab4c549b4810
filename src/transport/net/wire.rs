//! The stream of one connection, as a runner has it.

use core::task::Poll;
use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::vec::Vec;
use std::{thread, vec};

use super::bell::Bell;
use super::input::Input;
use super::stream::{Stream, Timed};
use crate::transport::turn::Stream as _;

/// How long a stream that is one object is read before it is looked whether there is something to be sent.
const SLICE: Duration = Duration::from_millis(20);

/// How much is read or written at once.
const CHUNK: usize = 16 << 10;

pub(super) struct Wire<S: Stream> {
    stream: Timed<S>,
    input: Arc<Input>,
    /// For what is read on this thread; `None` where another one waits in the input.
    buffer: Option<Vec<u8>>,
    output: Vec<u8>,
    /// How long it sleeps before each read.
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

    /// Takes what has come.
    pub(super) fn take(&self, out: &mut [u8]) -> Poll<io::Result<usize>> {
        self.input.take(out)
    }

    /// What [`write`](Self::write) is to write: a copy, so that the client is free meanwhile. Returns whether there is any.
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

    /// Waits until something comes or the bell rings, for so long at the most; a stream that is one object does not hear the bell.
    pub(super) fn wait(&mut self, bell: &Bell, most: Option<Duration>) {
        match &mut self.buffer {
            Some(buffer) if self.input.wants_more() => {
                let patience = most.map_or(SLICE, |most| most.clamp(Duration::from_millis(1), SLICE));
                if !self.pause.is_zero() && self.pause < patience {
                    thread::sleep(self.pause);
                }
                match self.stream.try_read(buffer, patience) {
                    Poll::Ready(Ok(0)) => self.input.end(None),
                    Poll::Ready(Ok(len)) => self.input.put(buffer, len),
                    Poll::Ready(Err(error)) => self.input.end(Some(error)),
                    Poll::Pending => {}
                }
            }
            _ => bell.wait(most),
        }
    }

    /// Tells the server that nothing more is written; returns whether what still comes is to be drained.
    pub(super) fn finish_output(&mut self) -> bool {
        self.stream.get_mut().finish_output().is_ok()
    }

    /// Throws away what has come; returns whether there is an end to it.
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
