//! All adapters under one trait.

use std::fmt::Display;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use baremqtt::transport::{Error, asynch, blocking, net, polled};
use baremqtt::{Buffers, Client, Config, Connect, Event, Instant};

/// What a test can configure.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choices {
    pub manual_acknowledgement: bool,
}

impl Config for Choices {
    fn manual_acknowledgement(&self) -> bool {
        self.manual_acknowledgement
    }

    fn streams(&self) -> bool {
        true
    }
}

pub type Buffered = Client<Vec<u8>, Vec<u8>, Choices>;

pub fn client() -> Buffered {
    client_with(Choices::default())
}

pub fn client_with(choices: Choices) -> Buffered {
    Client::with_config(Buffers { rx: vec![0; 64], tx: vec![0; 512] }, choices)
}

/// Why a connection ended, as text.
pub type Ended = String;

pub trait Adapter {
    /// One step, or a few: returns the next event, if there is one.
    fn step(&mut self) -> Result<Option<String>, Ended>;
    fn client(&mut self) -> &mut Buffered;
}

fn text(event: Event<'_>) -> String {
    match event {
        Event::Message(message) => {
            let payload = String::from_utf8_lossy(message.payload);
            format!("{} {payload} {:?}", message.topic, message.delivery.qos())
        }
        event => format!("{event:?}"),
    }
}

fn stepped<E: Display>(result: Result<Option<Event<'_>>, Error<E>>) -> Result<Option<String>, Ended> {
    result.map(|event| event.map(text)).map_err(|error| error.to_string())
}

pub type Net<S> = net::Connection<S, Vec<u8>, Vec<u8>, Choices>;

impl<S: net::Stream> Adapter for Net<S> {
    fn step(&mut self) -> Result<Option<String>, Ended> {
        stepped(self.next_event(Some(Duration::from_millis(1))))
    }

    fn client(&mut self) -> &mut Buffered {
        self
    }
}

pub type Blocking<S, C> = blocking::Connection<S, C, Vec<u8>, Vec<u8>, Choices>;

impl<S, C> Adapter for Blocking<S, C>
where
    S: embedded_io::Read + embedded_io::ReadReady + embedded_io::Write,
    C: FnMut() -> Instant,
{
    fn step(&mut self) -> Result<Option<String>, Ended> {
        stepped(self.next_event(Some(Duration::ZERO)))
    }

    fn client(&mut self) -> &mut Buffered {
        self
    }
}

/// With the clock that the `nb` adapter is passed.
pub struct Polled<S: polled::Stream, C> {
    pub connection: polled::Connection<S, Vec<u8>, Vec<u8>, Choices>,
    pub clock: C,
}

impl<S: polled::Stream<Error: Display>, C: FnMut() -> Instant> Adapter for Polled<S, C> {
    fn step(&mut self) -> Result<Option<String>, Ended> {
        match self.connection.poll((self.clock)()) {
            Ok(event) => Ok(Some(text(event))),
            Err(nb::Error::WouldBlock) => Ok(None),
            Err(nb::Error::Other(error)) => Err(error.to_string()),
        }
    }

    fn client(&mut self) -> &mut Buffered {
        &mut self.connection
    }
}

pub type AsyncConnection<I, O, C> = asynch::Connection<I, O, C, Vec<u8>, Vec<u8>, Choices>;

/// With an executor that drops futures.
pub struct Async<I: embedded_io_async::ErrorType, O, C> {
    pub connection: AsyncConnection<I, O, C>,
    /// How often a future is polled at most before it is dropped.
    pub most_polls: usize,
    /// How often futures were polled.
    pub polls: usize,
    /// At this poll the future is dropped, once.
    pub drop_at: usize,
}

impl<I: embedded_io_async::ErrorType, O, C> Async<I, O, C> {
    pub fn new(connection: AsyncConnection<I, O, C>) -> Self {
        Async { connection, most_polls: 20, polls: 0, drop_at: usize::MAX }
    }
}

impl<I, O, C> Adapter for Async<I, O, C>
where
    I: embedded_io_async::Read,
    O: embedded_io_async::Write<Error = I::Error>,
    C: asynch::Timer,
{
    fn step(&mut self) -> Result<Option<String>, Ended> {
        let mut future = pin!(self.connection.next_event(None));
        for _ in 0..self.most_polls {
            self.polls += 1;
            if let Poll::Ready(result) = poll(future.as_mut()) {
                return stepped(result);
            }
            if self.polls == self.drop_at {
                break;
            }
        }
        Ok(None)
    }

    fn client(&mut self) -> &mut Buffered {
        &mut self.connection
    }
}

/// Polls for a caller that will poll again anyway.
pub fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls until it is ready.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    for _ in 0..1_000_000 {
        if let Poll::Ready(value) = poll(future.as_mut()) {
            return value;
        }
    }
    panic!("it does not become ready");
}

/// Waits until the server has accepted the connection; no other event is expected before that.
pub fn accepted(connection: &mut impl Adapter, connect: &Connect<'_>) -> Result<(), Ended> {
    connection.client().connect(connect).unwrap();
    for _ in 0..1_000_000 {
        if let Some(event) = connection.step()? {
            assert!(event.starts_with("Connected"), "{event}");
            return Ok(());
        }
    }
    panic!("no answer");
}
