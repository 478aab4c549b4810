//! The async adapter under an executor that polls only tasks that were woken: the adapter registers its waker with everything
//! that it waits for, and with nothing else.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use baremqtt::transport::asynch::Timer;
use baremqtt::{Connect, Event, Instant, Message, QoS};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};

use crate::adapters::{AsyncConnection, client};
use crate::peer::Peer;

/// A transport with a peer at the other end, and a clock. Nothing happens by itself: see [`Transport::wake_next`].
#[derive(Clone, Default)]
struct Transport(Rc<RefCell<World>>);

#[derive(Default)]
struct World {
    peer: Peer,
    /// How many of the peer's bytes have arrived.
    readable: usize,
    /// How many bytes the transport accepts.
    writable: usize,
    now: Instant,
    reader: Option<Waker>,
    writer: Option<Waker>,
    sleeper: Option<(u32, Waker)>,
}

impl Transport {
    /// Makes one of the things happen that the task waits for, and wakes it; returns whether there was any. Time advances last.
    fn wake_next(&self) -> bool {
        let world = &mut *self.0.borrow_mut();
        let waiting = world.peer.outbox.len() - world.readable;
        let woken = if world.writer.is_some() {
            world.writable = 3;
            world.writer.take()
        } else if waiting > 0 && world.reader.is_some() {
            world.readable += waiting.min(5);
            world.reader.take()
        } else if let Some((left, sleeper)) = world.sleeper.take() {
            world.now = world.now.after(left);
            Some(sleeper)
        } else {
            None
        };
        woken.map(Waker::wake).is_some()
    }
}

impl ErrorType for Transport {
    type Error = Infallible;
}

impl Read for Transport {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        poll_fn(|cx| {
            let world = &mut *self.0.borrow_mut();
            if world.readable == 0 {
                world.reader = Some(cx.waker().clone());
                return Poll::Pending;
            }
            let len = buffer.len().min(world.readable);
            world.readable -= len;
            for (place, byte) in buffer.iter_mut().zip(world.peer.outbox.drain(..len)) {
                *place = byte;
            }
            Poll::Ready(Ok(len))
        })
        .await
    }
}

impl Write for Transport {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        poll_fn(|cx| {
            let world = &mut *self.0.borrow_mut();
            if world.writable == 0 {
                world.writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            let len = bytes.len().min(world.writable);
            world.writable -= len;
            world.peer.receive(&bytes[..len]);
            Poll::Ready(Ok(len))
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl Timer for Transport {
    fn now(&self) -> Instant {
        self.0.borrow().now
    }

    async fn sleep(&self, ms: u32) {
        let start = self.now();
        poll_fn(|cx| {
            let world = &mut *self.0.borrow_mut();
            let passed = world.now.since(start);
            if passed < ms {
                world.sleeper = Some((ms - passed, cx.waker().clone()));
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }
}

/// How often the task has been woken since it was last polled.
#[derive(Default)]
struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs a future to completion; returns how often it was polled.
fn run<F: Future>(transport: &Transport, future: F) -> (F::Output, u32) {
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut future = pin!(future);
    for polls in 1.. {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return (value, polls);
        }
        while wakes.0.swap(0, Ordering::Relaxed) == 0 {
            assert!(transport.wake_next(), "deadlock: it is never woken");
        }
    }
    unreachable!("it completes before")
}

type Connection = AsyncConnection<Transport, Transport, Transport>;

fn connected(transport: &Transport) -> Connection {
    let mut mqtt = Connection::new(transport.clone(), transport.clone(), client(), transport.clone());
    mqtt.connect(&Connect::new("c").keep_alive(60)).unwrap();
    assert!(run(transport, mqtt.next_event(None)).0.expect("a connection").is_some());
    mqtt
}

#[test]
fn it_is_woken_by_input_and_by_room_to_send() {
    let transport = Transport::default();
    let mut mqtt = connected(&transport);
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        mqtt.publish(&Message::new("t", b"there and back").qos(qos)).unwrap();
        loop {
            if let Some(Event::Message(message)) = run(&transport, mqtt.next_event(None)).0.unwrap() {
                break assert_eq!(message.payload, b"there and back");
            }
        }
    }
    run(&transport, mqtt.disconnect()).0.unwrap();
    assert_eq!(transport.now(), Instant::from_millis(0), "no time had to pass");
}

#[test]
fn an_idle_connection_is_woken_only_for_pings() {
    let transport = Transport::default();
    let mut mqtt = connected(&transport);
    let hour = std::time::Duration::from_secs(3_600);
    let (event, polls) = run(&transport, mqtt.next_event(Some(hour)));
    assert_eq!(event, Ok(None));
    assert_eq!(transport.now().as_millis(), 3_600_000);
    let pings =
        transport.0.borrow().peer.received.iter().filter(|packet| packet.starts_with("PINGREQ")).count();
    assert_eq!(pings, 65, "one after 55 s of silence each, so that it arrives in time");
    assert!(polls < 300, "{polls} polls in an hour");
}

/// A stream whose reads, writes or flushes are interrupted again and again.
#[derive(Clone)]
struct Interrupted {
    reads: bool,
    writes: bool,
    flushes: bool,
    count: Rc<Cell<u32>>,
}

impl Interrupted {
    async fn now_or_never<V>(&self, is_interrupted: bool, value: Option<V>) -> Result<V, ErrorKind> {
        if is_interrupted {
            self.count.set(self.count.get() + 1);
            assert!(self.count.get() < 100, "the adapter is in a busy loop");
            return Err(ErrorKind::Interrupted);
        }
        match value {
            Some(value) => Ok(value),
            None => std::future::pending().await,
        }
    }
}

impl ErrorType for Interrupted {
    type Error = ErrorKind;
}

impl Read for Interrupted {
    async fn read(&mut self, _: &mut [u8]) -> Result<usize, ErrorKind> {
        self.now_or_never(self.reads, None).await
    }
}

impl Write for Interrupted {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.now_or_never(self.writes, Some(bytes.len())).await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        self.now_or_never(self.flushes, Some(())).await
    }
}

impl Timer for Interrupted {
    fn now(&self) -> Instant {
        Instant::from_millis(0)
    }

    async fn sleep(&self, _: u32) {
        std::future::pending().await
    }
}

/// An operation that is interrupted is retried once other tasks have run.
#[test]
fn interruptions_do_not_keep_other_tasks_from_running() {
    for kind in 0..3 {
        let count = Rc::default();
        let stream = Interrupted { reads: kind == 0, writes: kind == 1, flushes: kind == 2, count };
        let mut mqtt = AsyncConnection::new(stream.clone(), stream.clone(), client(), stream.clone());
        mqtt.connect(&Connect::new("c")).unwrap();
        let mut event = pin!(mqtt.next_event(None));
        for polled in 1..=3 {
            assert!(event.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert!((1..=polled).contains(&stream.count.get()), "{kind}: {}", stream.count.get());
        }
    }
}
