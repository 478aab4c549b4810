//! A TCP proxy on loopback that cuts a link after an exact number of bytes.

use std::io::{Read, Write};
use std::iter;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Links that can be up at the same time; further clients are turned away.
const MAX_LINKS: usize = 64;

/// The direction in which bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    ToBroker,
    ToClient,
}

/// Where a link is cut: as soon as this many bytes have passed in this direction. The bytes up to there
/// arrive; both sides are closed at once. 0 bytes means before anything can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub direction: Direction,
    pub after: u64,
}

impl Cut {
    pub fn to_broker(after: u64) -> Self {
        Cut { direction: Direction::ToBroker, after }
    }

    pub fn to_client(after: u64) -> Self {
        Cut { direction: Direction::ToClient, after }
    }
}

/// Called with the number of the connection and all bytes that are forwarded.
pub type Tap = Box<dyn Fn(usize, Direction, &[u8]) + Send + Sync>;

/// The proxy. Dropping it cuts all links and waits for its threads.
pub struct Proxy {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Forwards to `broker`. Each connection takes the next item of `cuts`; `None`, and all connections after the last
    /// item, are not cut. `cuts` can be a list, or [`iter::from_fn`] with a closure.
    pub fn start<I>(broker: SocketAddr, cuts: I) -> Self
    where
        I: IntoIterator<Item = Option<Cut>>,
        I::IntoIter: Send + 'static,
    {
        Self::with(broker, cuts, Shared::default())
    }

    /// Like [`start`](Self::start), but with a gentle end for the broker: it reads what passed before the cut, and then
    /// the end of the stream. What it writes meanwhile is lost. (Otherwise its writes fail, and a broker may not
    /// process what it has received.)
    pub fn start_gentle<I>(broker: SocketAddr, cuts: I) -> Self
    where
        I: IntoIterator<Item = Option<Cut>>,
        I::IntoIter: Send + 'static,
    {
        Self::with(broker, cuts, Shared { gentle: true, ..Shared::default() })
    }

    /// Like [`start`](Self::start), but each link also splits the bytes into pieces, delays some of them and stalls now and then. Each
    /// piece that passes is shown to `tap`, with the number of its connection.
    pub fn start_rough<I>(broker: SocketAddr, cuts: I, tap: Tap) -> Self
    where
        I: IntoIterator<Item = Option<Cut>>,
        I::IntoIter: Send + 'static,
    {
        Self::with(broker, cuts, Shared { tap: Some(tap), gentle: true, ..Shared::default() })
    }

    fn with<I>(broker: SocketAddr, cuts: I, shared: Shared) -> Self
    where
        I: IntoIterator<Item = Option<Cut>>,
        I::IntoIter: Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free loopback port");
        let addr = listener.local_addr().expect("the address of a bound socket");
        let shared = Arc::new(shared);
        let acceptor = thread::spawn({
            let (shared, cuts) = (shared.clone(), cuts.into_iter());
            move || accept(&listener, broker, cuts, &shared)
        });
        Proxy { addr, shared, acceptor: Some(acceptor) }
    }

    /// Forwards to `broker` and cuts nothing of its own accord.
    pub fn transparent(broker: SocketAddr) -> Self {
        Self::start(broker, iter::empty())
    }

    /// The address that clients connect to.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(SeqCst)
    }

    /// Links cut so far, including those cut by [`cut_now`](Self::cut_now).
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(SeqCst)
    }

    /// Cuts every link that is up now.
    pub fn cut_now(&self) {
        for link in self.shared.links().iter() {
            self.shared.cut(link);
        }
    }

    /// Silences every link that is up now: it stays open, but nothing passes any more.
    pub fn silence(&self) {
        for link in self.shared.links().iter() {
            link.silent.store(true, SeqCst);
        }
    }

    /// From now on each piece is delayed by this time, one after the other.
    pub fn delay(&self, time: Duration) {
        self.shared.delay_ms.store(time.as_millis() as u64, SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopping.store(true, SeqCst);
        // The acceptor waits for a connection: this is the last one.
        let _ = TcpStream::connect(self.addr);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    connections: AtomicUsize,
    cuts: AtomicUsize,
    delay_ms: AtomicU64,
    gentle: bool,
    /// Links are rough if there is a tap.
    tap: Option<Tap>,
    links: Mutex<Vec<Arc<Link>>>,
}

impl Shared {
    fn cut(&self, link: &Link) {
        self.cuts.fetch_add(1, SeqCst);
        if self.gentle {
            link.silent.store(true, SeqCst);
            let _ = link.client.shutdown(Shutdown::Both);
            let _ = link.broker.shutdown(Shutdown::Write);
        } else {
            link.close();
        }
    }

    fn links(&self) -> MutexGuard<'_, Vec<Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection of a client, and the matching one to the broker.
struct Link {
    /// The first connection is 1.
    number: usize,
    client: TcpStream,
    broker: TcpStream,
    cut: Option<Cut>,
    /// Received bytes are discarded.
    silent: AtomicBool,
}

impl Link {
    fn close(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.broker.shutdown(Shutdown::Both);
    }
}

fn accept(
    listener: &TcpListener,
    broker: SocketAddr,
    mut cuts: impl Iterator<Item = Option<Cut>>,
    shared: &Shared,
) {
    thread::scope(|scope| {
        for client in listener.incoming() {
            if shared.stopping.load(SeqCst) {
                break;
            }
            let Ok(client) = client else { continue };
            if shared.links().len() >= MAX_LINKS {
                continue;
            }
            let number = shared.connections.fetch_add(1, SeqCst) + 1;
            // No broker, no link: the client's socket is dropped, which closes it.
            let Ok(broker) = TcpStream::connect(broker) else { continue };
            let cut = cuts.next().flatten();
            let _ = (client.set_nodelay(true), broker.set_nodelay(true));
            let link = Arc::new(Link { number, client, broker, cut, silent: AtomicBool::new(false) });
            shared.links().push(link.clone());
            scope.spawn(move || run(&link, shared));
        }
        for link in shared.links().iter() {
            link.close();
        }
    });
}

/// Forwards both ways until both have ended.
fn run(link: &Arc<Link>, shared: &Shared) {
    thread::scope(|scope| {
        scope.spawn(|| forward(link, Direction::ToBroker, shared));
        forward(link, Direction::ToClient, shared);
    });
    shared.links().retain(|other| !Arc::ptr_eq(link, other));
}

fn forward(link: &Link, direction: Direction, shared: &Shared) {
    let (mut from, mut to) = match direction {
        Direction::ToBroker => (&link.client, &link.broker),
        Direction::ToClient => (&link.broker, &link.client),
    };
    let cut = link.cut.filter(|cut| cut.direction == direction);
    let mut left = cut.map_or(u64::MAX, |cut| cut.after);
    let mut buffer = [0; 16 * 1024];
    let mut rough = Rough((link.number as u64) << 1 | u64::from(direction == Direction::ToBroker) | 1 << 40);
    while left > 0 {
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let Ok(n @ 1..) = from.read(&mut buffer[..wanted]) else { break };
        thread::sleep(Duration::from_millis(shared.delay_ms.load(SeqCst)));
        if link.silent.load(SeqCst) {
            continue;
        }
        let passed = match &shared.tap {
            None => to.write_all(&buffer[..n]).is_ok(),
            Some(tap) => rough.pass(&buffer[..n], |piece| {
                tap(link.number, direction, piece);
                to.write_all(piece).is_ok()
            }),
        };
        if !passed {
            break;
        }
        left -= n as u64;
    }
    if left == 0 {
        shared.cut(link);
        // A gentle cut: the broker may write until it has read the end.
        while shared.gentle && matches!((&link.broker).read(&mut buffer), Ok(1..)) {}
    } else if !link.silent.load(SeqCst) {
        // One side has ended: the other sees the end of the stream, and can still send the rest.
        let _ = to.shutdown(Shutdown::Write);
    }
}

/// The behaviour of a rough link: pseudo-random, the same in each run.
struct Rough(u64);

impl Rough {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    /// Pieces of a few bytes now and then, otherwise of a few hundred; one in 200 is late, one in 5,000 very late.
    fn pass(&mut self, mut bytes: &[u8], mut write: impl FnMut(&[u8]) -> bool) -> bool {
        while !bytes.is_empty() {
            let most = if self.below(8) == 0 { 8 } else { 2_000 };
            let len = bytes.len().min(1 + self.below(most) as usize);
            match self.below(5_000) {
                0 => thread::sleep(Duration::from_millis(100)),
                1..=25 => thread::sleep(Duration::from_millis(2)),
                _ => {}
            }
            if !write(&bytes[..len]) {
                return false;
            }
            bytes = &bytes[len..];
        }
        true
    }
}
