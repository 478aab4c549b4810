//! A stream, its two halves and its clock, controlled by the input.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;

use baremqtt::Instant;

use super::stream::{Fault, blocking, implement_streams, non_blocking};

/// If this many operations of one step have no effect, the adapter is in a busy loop.
const MAX_IDLE: usize = 200;

pub struct Shared {
    steps: [RefCell<VecDeque<u8>>; 3],
    input: RefCell<VecDeque<u8>>,
    ends: bool,
    output: RefCell<Vec<u8>>,
    /// Whether reading, and writing, has failed or ended.
    is_dead: [Cell<bool>; 2],
    idle: Cell<usize>,
    may_wait: Cell<bool>,
    millis: Cell<u32>,
    pace: u32,
}

#[derive(Clone)]
pub struct ScriptedStream(Rc<Shared>);

/// What an operation does.
enum Step {
    Move(usize),
    Block,
    Fail(Fault),
    End,
}

const READ: usize = 0;
const WRITE: usize = 1;
const FLUSH: usize = 2;

impl ScriptedStream {
    pub fn new(steps: &[Vec<u8>; 3], input: &[u8], ends: bool, pace: u8) -> Self {
        ScriptedStream(Rc::new(Shared {
            steps: [READ, WRITE, FLUSH].map(|kind| RefCell::new(steps[kind].iter().copied().collect())),
            input: RefCell::new(input.iter().copied().collect()),
            ends,
            output: RefCell::default(),
            is_dead: Default::default(),
            idle: Cell::new(0),
            may_wait: Cell::new(false),
            millis: Cell::new(u32::MAX - 1_000),
            pace: u32::from(pace),
        }))
    }

    pub fn now(&self) -> Instant {
        self.0.millis.set(self.0.millis.get().wrapping_add(self.0.pace));
        Instant::from_millis(self.0.millis.get())
    }

    pub fn begin_step(&self) {
        self.0.idle.set(0);
    }

    /// The operations that follow may wait for the stream.
    pub fn may_wait(&self) {
        self.0.may_wait.set(true);
    }

    /// Everything written to the stream so far.
    pub fn written(&self) -> Vec<u8> {
        self.0.output.borrow().clone()
    }

    fn next(&self, kind: usize) -> Step {
        let dead = &self.0.is_dead[kind.min(WRITE)];
        assert!(!dead.get(), "used after it has failed or ended");
        let step = match self.0.steps[kind].borrow_mut().pop_front() {
            None => Step::Move(usize::MAX),
            Some(step @ 0..200) => Step::Move(1 + usize::from(step % 50)),
            Some(200..240) => Step::Block,
            Some(240..245) => Step::Fail(Fault::Interrupted),
            Some(245..250) => Step::Fail(Fault::TimedOut),
            Some(250..253) => Step::Fail(Fault::Broken),
            Some(_) => Step::End,
        };
        match step {
            Step::Move(_) => {}
            Step::Block | Step::Fail(Fault::Interrupted | Fault::TimedOut) => self.count_idle(),
            Step::Fail(Fault::Broken) | Step::End => dead.set(true),
        }
        step
    }

    fn count_idle(&self) {
        self.0.idle.set(self.0.idle.get() + 1);
        assert!(self.0.idle.get() < MAX_IDLE || self.0.may_wait.get(), "the adapter is in a busy loop");
    }

    fn has_input(&self) -> bool {
        let has_input = self.0.ends || !self.0.input.borrow().is_empty();
        if !has_input {
            self.count_idle();
        }
        has_input
    }

    fn read_at_once(&self, buffer: &mut [u8]) -> Poll<Result<usize, Fault>> {
        self.try_read(buffer)
    }

    fn try_read(&self, buffer: &mut [u8]) -> Poll<Result<usize, Fault>> {
        assert!(!buffer.is_empty(), "a read of nothing looks like the end");
        let most = match self.next(READ) {
            Step::Move(most) => most,
            Step::Block => return Poll::Pending,
            Step::Fail(fault) => return Poll::Ready(Err(fault)),
            Step::End => 0,
        };
        let mut input = self.0.input.borrow_mut();
        if input.is_empty() && !self.0.ends && most > 0 {
            self.count_idle();
            return Poll::Pending;
        }
        let len = buffer.len().min(most).min(input.len());
        self.0.is_dead[READ].set(len == 0);
        for (place, byte) in buffer.iter_mut().zip(input.drain(..len)) {
            *place = byte;
        }
        Poll::Ready(Ok(len))
    }

    fn try_write(&self, bytes: &[u8]) -> Poll<Result<usize, Fault>> {
        assert!(!bytes.is_empty());
        let most = match self.next(WRITE) {
            Step::Move(most) => most,
            Step::Block => return Poll::Pending,
            Step::Fail(fault) => return Poll::Ready(Err(fault)),
            Step::End => 0,
        };
        let len = bytes.len().min(most);
        self.0.output.borrow_mut().extend(&bytes[..len]);
        Poll::Ready(Ok(len))
    }

    fn try_flush(&self) -> Poll<Result<(), Fault>> {
        match self.next(FLUSH) {
            Step::Move(_) => Poll::Ready(Ok(())),
            Step::Block => Poll::Pending,
            Step::Fail(fault) => Poll::Ready(Err(fault)),
            Step::End => Poll::Ready(Err(Fault::Broken)),
        }
    }
}

implement_streams!(ScriptedStream);
