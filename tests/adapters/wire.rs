//! A stream in memory, with a peer at its other end, whose operations take the steps that a test requires.

use std::cell::{Cell, RefCell, RefMut};
use std::io;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use baremqtt::Instant;
use baremqtt::transport::net;

use crate::peer::Peer;
pub use crate::stream::Fault;
use crate::stream::{blocking, implement_streams, non_blocking};

/// What an operation on the stream does.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Moves at most this many bytes.
    Move(usize),
    /// Cannot do anything at the moment.
    Block,
    Fail(Fault),
}

/// Steps that are taken one after the other, repeatedly.
pub struct Schedule(RefCell<(Vec<Step>, usize)>);

impl Schedule {
    pub fn set(&self, steps: &[Step]) {
        *self.0.borrow_mut() = (steps.to_vec(), 0);
    }

    fn next(&self) -> Step {
        let (steps, at) = &mut *self.0.borrow_mut();
        *at += 1;
        steps[(*at - 1) % steps.len()]
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule(RefCell::new((vec![Step::Move(usize::MAX)], 0)))
    }
}

#[derive(Default)]
pub struct Shared {
    pub peer: RefCell<Peer>,
    pub reads: Schedule,
    pub writes: Schedule,
    pub flushes: Schedule,
    /// The peer has closed the connection.
    pub ended: Cell<bool>,
    /// Bytes written but not flushed: the peer does not have them yet.
    buffered: RefCell<Vec<u8>>,
    millis: Cell<u32>,
}

/// The stream, either half of it, and its clock.
#[derive(Clone, Default)]
pub struct Wire(pub Rc<Shared>);

impl Wire {
    pub fn with_steps(reads: &[Step], writes: &[Step], flushes: &[Step]) -> Self {
        let wire = Wire::default();
        wire.0.reads.set(reads);
        wire.0.writes.set(writes);
        wire.0.flushes.set(flushes);
        wire
    }

    pub fn peer(&self) -> RefMut<'_, Peer> {
        self.0.peer.borrow_mut()
    }

    /// Time passes whenever the clock is read.
    pub fn now(&self) -> Instant {
        self.pass(1);
        Instant::from_millis(self.0.millis.get())
    }

    pub fn pass(&self, ms: u32) {
        self.0.millis.set(self.0.millis.get().wrapping_add(ms));
    }

    fn has_input(&self) -> bool {
        self.0.ended.get() || !self.peer().outbox.is_empty()
    }

    /// A read that cannot wait: readiness was checked before.
    fn read_at_once(&self, buffer: &mut [u8]) -> Poll<Result<usize, Fault>> {
        assert!(self.has_input(), "this would block");
        self.try_read(buffer)
    }

    fn try_read(&self, buffer: &mut [u8]) -> Poll<Result<usize, Fault>> {
        assert!(!buffer.is_empty(), "a read of nothing looks like the end");
        let most = match self.0.reads.next() {
            Step::Move(most) => most,
            Step::Block => return Poll::Pending,
            Step::Fail(fault) => return Poll::Ready(Err(fault)),
        };
        if !self.has_input() {
            return Poll::Pending;
        }
        let outbox = &mut self.peer().outbox;
        let len = buffer.len().min(most).min(outbox.len());
        for (place, byte) in buffer.iter_mut().zip(outbox.drain(..len)) {
            *place = byte;
        }
        Poll::Ready(Ok(len))
    }

    fn try_write(&self, bytes: &[u8]) -> Poll<Result<usize, Fault>> {
        assert!(!bytes.is_empty());
        match self.0.writes.next() {
            Step::Move(most) => {
                let len = bytes.len().min(most);
                self.0.buffered.borrow_mut().extend_from_slice(&bytes[..len]);
                Poll::Ready(Ok(len))
            }
            Step::Block => Poll::Pending,
            Step::Fail(fault) => Poll::Ready(Err(fault)),
        }
    }

    fn try_flush(&self) -> Poll<Result<(), Fault>> {
        match self.0.flushes.next() {
            Step::Move(_) => {
                let bytes = self.0.buffered.take();
                self.peer().receive(&bytes);
                Poll::Ready(Ok(()))
            }
            Step::Block => Poll::Pending,
            Step::Fail(fault) => Poll::Ready(Err(fault)),
        }
    }
}

implement_streams!(Wire);

fn std_result<V>(poll: Poll<Result<V, Fault>>) -> io::Result<V> {
    match poll {
        Poll::Pending | Poll::Ready(Err(Fault::TimedOut)) => Err(io::ErrorKind::WouldBlock.into()),
        Poll::Ready(Err(Fault::Interrupted)) => Err(io::ErrorKind::Interrupted.into()),
        Poll::Ready(result) => result.map_err(io::Error::other),
    }
}

impl io::Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        std_result(self.try_read(buffer))
    }
}

impl io::Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        std_result(self.try_write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        std_result(self.try_flush())
    }
}

impl net::Stream for Wire {
    fn limit_read(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn limit_write(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn finish_output(&mut self) -> io::Result<()> {
        Ok(())
    }
}
