//! A world in which nothing happens by itself: time, links, and tasks that are polled once they are woken.

use std::cell::{Cell, RefCell, RefMut};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use baremqtt::transport::asynch::{self, OneThread, Threads, Timer};
use baremqtt::{Buffers, Client, Config, InboundIds, Instant};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};

use crate::peer::Peer;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Moves at most this many bytes.
    Move(usize),
    /// Waits for a moment.
    Block,
    /// Waits forever.
    Hang,
    Fail(Fault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Reset,
    Interrupted,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Fault {}

impl embedded_io_async::Error for Fault {
    fn kind(&self) -> ErrorKind {
        match self {
            Fault::Reset => ErrorKind::ConnectionReset,
            Fault::Interrupted => ErrorKind::Interrupted,
        }
    }
}

/// Steps that are taken in turn, over and over.
#[derive(Debug)]
struct Schedule {
    steps: &'static [Step],
    at: usize,
}

impl Schedule {
    fn next(&mut self) -> Step {
        let step = self.steps[self.at % self.steps.len()];
        self.at += usize::from(step != Step::Hang);
        step
    }
}

/// How a link behaves: what its reads, writes and flushes do.
#[derive(Clone, Copy, Debug)]
pub struct Manners(pub &'static [Step], pub &'static [Step], pub &'static [Step]);

impl Manners {
    /// Everything passes at once.
    pub const GOOD: Manners = Manners(&[Step::Move(usize::MAX)], &[Step::Move(usize::MAX)], &[Step::Move(1)]);
}

/// One link, and the server at its other end.
pub struct Line {
    pub peer: Peer,
    reads: Schedule,
    writes: Schedule,
    flushes: Schedule,
    /// What was written but not flushed.
    buffered: Vec<u8>,
    /// The server closes after this many bytes from the client; can be changed at any time.
    pub closes_after: usize,
    heard: usize,
    /// Operations that were dropped before they were complete.
    pub dropped: u32,
    reader: Option<Waker>,
    blocked: Vec<Waker>,
}

impl Line {
    fn is_closed(&self) -> bool {
        self.heard >= self.closes_after
    }

    pub fn close(&mut self) {
        self.closes_after = 0;
        self.reader.take().into_iter().for_each(Waker::wake);
    }

    /// Lets the server send something.
    pub fn say(&mut self, packet: &baremqtt::codec::Packet<'_>) {
        self.peer.say(packet);
        self.reader.take().into_iter().for_each(Waker::wake);
    }
}

#[derive(Default)]
pub struct State {
    pub lines: Vec<Line>,
    now: u32,
    sleepers: Vec<(u32, Waker)>,
}

pub type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Time and links.
#[derive(Clone, Default)]
pub struct World(pub Rc<RefCell<State>>);

impl World {
    pub fn now(&self) -> u32 {
        self.0.borrow().now
    }

    /// Opens another link.
    pub fn open(&self, manners: Manners) -> (Half, Half) {
        let schedule = |steps| Schedule { steps, at: 0 };
        let lines = &mut self.0.borrow_mut().lines;
        lines.push(Line {
            peer: Peer::default(),
            reads: schedule(manners.0),
            writes: schedule(manners.1),
            flushes: schedule(manners.2),
            buffered: Vec::new(),
            closes_after: usize::MAX,
            heard: 0,
            dropped: 0,
            reader: None,
            blocked: Vec::new(),
        });
        let half = Half { world: self.clone(), at: lines.len() - 1 };
        (half.clone(), half)
    }

    pub fn line(&self) -> RefMut<'_, Line> {
        RefMut::map(self.0.borrow_mut(), |state| state.lines.last_mut().expect("a link was opened"))
    }

    /// How many links were opened.
    pub fn links(&self) -> usize {
        self.0.borrow().lines.len()
    }

    /// How many packets of this kind were received.
    pub fn count(&self, kind: &str) -> usize {
        self.seen().iter().filter(|packet| packet.split(' ').next() == Some(kind)).count()
    }

    /// The packets received over all links.
    pub fn seen(&self) -> Vec<String> {
        self.0.borrow().lines.iter().flat_map(|line| line.peer.seen.clone()).collect()
    }

    /// Makes one thing happen that somebody waits for; returns whether there was any. The passing of time comes last.
    fn happen(&self) -> bool {
        let state = &mut *self.0.borrow_mut();
        if let Some(waker) = state.lines.iter_mut().find_map(|line| line.blocked.pop()) {
            waker.wake();
            return true;
        }
        let Some(next) = state.sleepers.iter().map(|(at, _)| *at).min() else { return false };
        state.now = state.now.max(next);
        let now = state.now;
        state.sleepers.extract_if(.., |(at, _)| *at <= now).for_each(|(_, waker)| waker.wake());
        true
    }

    /// Runs tasks until the first of them is complete; returns how often that one was polled.
    pub fn run(&self, tasks: Vec<Task<'_>>) -> u32 {
        self.run_until_first(tasks).0
    }

    /// The same, and also returns the other tasks as far as they have got.
    pub fn run_until_first<'a>(&self, tasks: Vec<Task<'a>>) -> (u32, Vec<Task<'a>>) {
        let awake = |task| (Some(task), Arc::new(Woken(true.into())));
        let mut tasks: Vec<_> = tasks.into_iter().map(awake).collect();
        let (mut polls, mut all) = (0, 0_u32);
        loop {
            let mut is_asleep = true;
            for (at, (task, woken)) in tasks.iter_mut().enumerate() {
                let Some(future) = task.as_mut().filter(|_| woken.0.swap(false, Ordering::Relaxed)) else {
                    continue;
                };
                is_asleep = false;
                polls += u32::from(at == 0);
                all += 1;
                assert!(all < 2_000_000, "it does not end; {:?}", self.seen());
                let waker = Waker::from(Arc::clone(woken));
                if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    *task = None;
                    if at == 0 {
                        return (polls, tasks.into_iter().filter_map(|(task, _)| task).collect());
                    }
                }
            }
            if is_asleep {
                assert!(self.happen(), "no task will ever be woken; {:?}", self.seen());
            }
        }
    }

    pub async fn sleep(&self, ms: u32) {
        Timer::sleep(self, ms).await;
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Timer for World {
    fn now(&self) -> Instant {
        Instant::from_millis(World::now(self))
    }

    async fn sleep(&self, ms: u32) {
        let end = World::now(self) + ms;
        poll_fn(|cx| {
            if World::now(self) >= end {
                return Poll::Ready(());
            }
            self.0.borrow_mut().sleepers.push((end, cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// Half of a link. An operation that it has begun must not be dropped before it is complete: see [`Line::dropped`].
#[derive(Clone)]
pub struct Half {
    world: World,
    at: usize,
}

impl Half {
    /// Repeats this until it is done.
    async fn finish<V>(
        &mut self,
        mut f: impl FnMut(&mut Line, &Waker) -> Poll<Result<V, Fault>>,
    ) -> Result<V, Fault> {
        let begun = Begun { half: self, is_done: Cell::new(false) };
        let result =
            poll_fn(|cx| f(&mut begun.half.world.0.borrow_mut().lines[begun.half.at], cx.waker())).await;
        begun.is_done.set(true);
        result
    }
}

struct Begun<'a> {
    half: &'a Half,
    is_done: Cell<bool>,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.is_done.get() {
            self.half.world.0.borrow_mut().lines[self.half.at].dropped += 1;
        }
    }
}

/// How many bytes may be moved.
fn allowed(step: Step, blocked: &mut Vec<Waker>, waker: &Waker) -> Poll<Result<usize, Fault>> {
    match step {
        Step::Move(most) => Poll::Ready(Ok(most)),
        Step::Fail(fault) => Poll::Ready(Err(fault)),
        Step::Block => {
            blocked.push(waker.clone());
            Poll::Pending
        }
        Step::Hang => Poll::Pending,
    }
}

impl ErrorType for Half {
    type Error = Fault;
}

impl Read for Half {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        assert!(!buffer.is_empty(), "a read of nothing looks like the end");
        self.finish(|line, waker| {
            if line.peer.outbox.is_empty() {
                if line.is_closed() {
                    return Poll::Ready(Ok(0));
                }
                line.reader = Some(waker.clone());
                return Poll::Pending;
            }
            allowed(line.reads.next(), &mut line.blocked, waker).map_ok(|most| {
                let len = buffer.len().min(most).min(line.peer.outbox.len());
                buffer.iter_mut().zip(line.peer.outbox.drain(..len)).for_each(|(to, from)| *to = from);
                len
            })
        })
        .await
    }
}

impl Write for Half {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        assert!(!bytes.is_empty());
        self.finish(|line, waker| {
            allowed(line.writes.next(), &mut line.blocked, waker).map_ok(|most| {
                let len = bytes.len().min(most);
                line.buffered.extend_from_slice(&bytes[..len]);
                len
            })
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), Fault> {
        self.finish(|line, waker| {
            allowed(line.flushes.next(), &mut line.blocked, waker).map_ok(|_| {
                let bytes = std::mem::take(&mut line.buffered);
                line.heard += bytes.len();
                line.peer.hear(&bytes);
                line.reader.take().into_iter().for_each(Waker::wake);
            })
        })
        .await
    }
}

/// A link that is one object.
pub struct Whole(pub Half);

impl ErrorType for Whole {
    type Error = Fault;
}

impl Read for Whole {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        self.0.read(buffer).await
    }
}

impl Write for Whole {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        self.0.write(bytes).await
    }

    async fn flush(&mut self) -> Result<(), Fault> {
        self.0.flush().await
    }
}

/// What a test can configure.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choices {
    pub is_silent: bool,
}

impl Config for Choices {
    fn reports_loss(&self) -> bool {
        !self.is_silent
    }

    fn streams(&self) -> bool {
        true
    }
}

pub type Handle<const N: usize = 8, S = OneThread> =
    asynch::Handle<Vec<u8>, Vec<u8>, Choices, InboundIds, S, N>;

fn client(tx: usize, choices: Choices) -> Client<Vec<u8>, Vec<u8>, Choices> {
    Client::with_config(Buffers { rx: vec![0; 64], tx: vec![0; tx] }, choices)
}

pub fn handle_with<const N: usize>(tx: usize, choices: Choices) -> Handle<N> {
    Handle::with_places(client(tx, choices))
}

/// One that allocates further places.
pub fn handle_for_threads<const N: usize>(tx: usize) -> Handle<N, Threads> {
    Handle::for_threads(client(tx, Choices::default()))
}

pub fn handle() -> Handle {
    handle_with(512, Choices::default())
}

/// Lets all other tasks have a turn.
pub async fn turn() {
    let mut is_over = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_over, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
