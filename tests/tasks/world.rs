//! Simulated time and links, and an executor that polls a task only once it has been woken, by the waker that it was polled with last.

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

/// Steps that are taken one after the other, repeatedly.
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
pub struct StreamBehaviour(pub &'static [Step], pub &'static [Step], pub &'static [Step]);

impl StreamBehaviour {
    /// Everything passes at once.
    pub const IMMEDIATE: StreamBehaviour =
        StreamBehaviour(&[Step::Move(usize::MAX)], &[Step::Move(usize::MAX)], &[Step::Move(1)]);
}

/// One link, and the server at its other end.
pub struct Link {
    pub peer: Peer,
    reads: Schedule,
    writes: Schedule,
    flushes: Schedule,
    /// What was written but not flushed.
    buffered: Vec<u8>,
    /// The server closes after this many bytes from the client; can be changed at any time.
    pub closes_after: usize,
    received_len: usize,
    /// Operations that were dropped before they were complete.
    pub dropped: u32,
    reader: Option<Waker>,
    blocked: Vec<Waker>,
}

impl Link {
    fn is_closed(&self) -> bool {
        self.received_len >= self.closes_after
    }

    pub fn close(&mut self) {
        self.closes_after = 0;
        self.reader.take().into_iter().for_each(Waker::wake);
    }

    /// Lets the server send something.
    pub fn send(&mut self, packet: &baremqtt::codec::Packet<'_>) {
        self.peer.send(packet);
        self.reader.take().into_iter().for_each(Waker::wake);
    }
}

#[derive(Default)]
pub struct State {
    pub links: Vec<Link>,
    now: u32,
    sleepers: Vec<(u32, Waker)>,
    /// How often the clock or a stream has been used.
    uses: u32,
    intruder: Option<(u32, Rc<dyn Fn()>)>,
}

pub type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Simulated time and links.
#[derive(Clone, Default)]
pub struct World(pub Rc<RefCell<State>>);

impl World {
    pub fn now(&self) -> u32 {
        self.0.borrow().now
    }

    /// Calls `f` at this use of the clock or of a stream, as if another thread did that meanwhile.
    pub fn intrude(&self, at: u32, f: impl Fn() + 'static) {
        self.0.borrow_mut().intruder = Some((at, Rc::new(f)));
    }

    /// Whether that has happened.
    pub fn has_intruded(&self) -> bool {
        self.0.borrow().intruder.is_none()
    }

    fn used(&self) {
        let mut state = self.0.borrow_mut();
        state.uses += 1;
        let uses = state.uses;
        let intruder = state.intruder.take_if(|(at, _)| *at < uses);
        drop(state);
        if let Some((_, intrude)) = intruder {
            intrude();
        }
    }

    /// Opens another link.
    pub fn open(&self, behaviour: StreamBehaviour) -> (Half, Half) {
        let schedule = |steps| Schedule { steps, at: 0 };
        let links = &mut self.0.borrow_mut().links;
        links.push(Link {
            peer: Peer::default(),
            reads: schedule(behaviour.0),
            writes: schedule(behaviour.1),
            flushes: schedule(behaviour.2),
            buffered: Vec::new(),
            closes_after: usize::MAX,
            received_len: 0,
            dropped: 0,
            reader: None,
            blocked: Vec::new(),
        });
        let half = Half { world: self.clone(), at: links.len() - 1 };
        (half.clone(), half)
    }

    pub fn last_link(&self) -> RefMut<'_, Link> {
        RefMut::map(self.0.borrow_mut(), |state| state.links.last_mut().expect("a link was opened"))
    }

    /// How many links were opened.
    pub fn link_count(&self) -> usize {
        self.0.borrow().links.len()
    }

    /// How many packets of this kind were received.
    pub fn count(&self, kind: &str) -> usize {
        self.received_packets().iter().filter(|packet| packet.split(' ').next() == Some(kind)).count()
    }

    /// The packets received over all links.
    pub fn received_packets(&self) -> Vec<String> {
        self.0.borrow().links.iter().flat_map(|link| link.peer.received.clone()).collect()
    }

    /// Wakes a task whose operation can continue, and otherwise advances the time to the next timer; returns whether there was any.
    fn wake_next(&self) -> bool {
        let state = &mut *self.0.borrow_mut();
        if let Some(waker) = state.links.iter_mut().find_map(|link| link.blocked.pop()) {
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

    /// The same, and also returns the other tasks in the state that they have reached.
    pub fn run_until_first<'a>(&self, tasks: Vec<Task<'a>>) -> (u32, Vec<Task<'a>>) {
        let awake = |task| (Some(task), Arc::new(Woken(true.into())));
        let mut tasks: Vec<_> = tasks.into_iter().map(awake).collect();
        let (mut polls, mut all) = (0, 0_u32);
        loop {
            let mut is_asleep = true;
            for (at, (task, woken)) in tasks.iter_mut().enumerate() {
                let Some(future) = task.as_mut().filter(|_| woken.0.load(Ordering::Relaxed)) else {
                    continue;
                };
                // As if the task had moved to another executor: the waker of the last poll is useless now.
                *woken = Arc::new(Woken(false.into()));
                is_asleep = false;
                polls += u32::from(at == 0);
                all += 1;
                assert!(all < 2_000_000, "it does not terminate; {:?}", self.received_packets());
                let waker = Waker::from(Arc::clone(woken));
                if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    *task = None;
                    if at == 0 {
                        return (polls, tasks.into_iter().filter_map(|(task, _)| task).collect());
                    }
                }
            }
            if is_asleep {
                assert!(
                    self.wake_next(),
                    "deadlock: no task will ever be woken; {:?}",
                    self.received_packets()
                );
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
        self.used();
        Instant::from_millis(World::now(self))
    }

    async fn sleep(&self, ms: u32) {
        let end = World::now(self) + ms;
        poll_fn(|cx| {
            self.used();
            if World::now(self) >= end {
                return Poll::Ready(());
            }
            self.0.borrow_mut().sleepers.push((end, cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// Half of a link. An operation that it has begun must not be dropped before it is complete: see [`Link::dropped`].
#[derive(Clone)]
pub struct Half {
    world: World,
    at: usize,
}

impl Half {
    /// Repeats this until it is done.
    async fn finish<V>(
        &mut self,
        mut f: impl FnMut(&mut Link, &Waker) -> Poll<Result<V, Fault>>,
    ) -> Result<V, Fault> {
        let operation = Operation { half: self, is_done: Cell::new(false) };
        let result = poll_fn(|cx| {
            operation.half.world.used();
            f(&mut operation.half.world.0.borrow_mut().links[operation.half.at], cx.waker())
        })
        .await;
        operation.is_done.set(true);
        result
    }
}

struct Operation<'a> {
    half: &'a Half,
    is_done: Cell<bool>,
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        if !self.is_done.get() {
            self.half.world.0.borrow_mut().links[self.half.at].dropped += 1;
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
        self.finish(|link, waker| {
            if link.peer.outbox.is_empty() {
                if link.is_closed() {
                    return Poll::Ready(Ok(0));
                }
                link.reader = Some(waker.clone());
                return Poll::Pending;
            }
            allowed(link.reads.next(), &mut link.blocked, waker).map_ok(|most| {
                let len = buffer.len().min(most).min(link.peer.outbox.len());
                buffer.iter_mut().zip(link.peer.outbox.drain(..len)).for_each(|(to, from)| *to = from);
                len
            })
        })
        .await
    }
}

impl Write for Half {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        assert!(!bytes.is_empty());
        self.finish(|link, waker| {
            allowed(link.writes.next(), &mut link.blocked, waker).map_ok(|most| {
                let len = bytes.len().min(most);
                link.buffered.extend_from_slice(&bytes[..len]);
                len
            })
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), Fault> {
        self.finish(|link, waker| {
            allowed(link.flushes.next(), &mut link.blocked, waker).map_ok(|_| {
                let bytes = std::mem::take(&mut link.buffered);
                link.received_len += bytes.len();
                link.peer.receive(&bytes);
                link.reader.take().into_iter().for_each(Waker::wake);
            })
        })
        .await
    }
}

/// A link that is one object.
pub struct SingleObject(pub Half);

impl ErrorType for SingleObject {
    type Error = Fault;
}

impl Read for SingleObject {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        self.0.read(buffer).await
    }
}

impl Write for SingleObject {
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
    pub hides_losses: bool,
}

impl Config for Choices {
    fn reports_loss(&self) -> bool {
        !self.hides_losses
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

/// Lets all other tasks run.
pub async fn yield_now() {
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
