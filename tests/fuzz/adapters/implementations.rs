//! `Adapter`, implemented for a connection of each adapter.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use baremqtt::transport::{Error, asynch, blocking, polled};
use baremqtt::{Event, Instant};

use super::scripted_stream::ScriptedStream;
use super::stream::Fault;
use super::{Adapter, Buffered};

fn to_text<E>(result: Result<Option<Event<'_>>, Error<E>>) -> Result<Option<String>, Error<E>> {
    result.map(|event| event.map(|event| format!("{event:?}")))
}

impl<K: FnMut() -> Instant> Adapter for blocking::Connection<ScriptedStream, K, Vec<u8>, Vec<u8>> {
    fn step(&mut self) -> Result<Option<String>, Error<Fault>> {
        to_text(self.next_event(Some(Duration::ZERO)))
    }

    fn flush(&mut self) -> bool {
        self.flush().unwrap_or(false)
    }

    fn disconnect(&mut self) -> Option<Result<(), Error<Fault>>> {
        Some(self.disconnect())
    }

    fn drain(&mut self) {
        self.drain(Duration::from_millis(300));
    }

    fn is_open(&self) -> bool {
        self.is_open()
    }

    fn close(&mut self) {
        self.close();
    }

    fn client(&mut self) -> &mut Buffered {
        self
    }
}

pub struct Polled {
    pub connection: polled::Connection<ScriptedStream, Vec<u8>, Vec<u8>>,
    pub stream: ScriptedStream,
}

impl Adapter for Polled {
    fn step(&mut self) -> Result<Option<String>, Error<Fault>> {
        match self.connection.poll(self.stream.now()) {
            Ok(event) => Ok(Some(format!("{event:?}"))),
            Err(nb::Error::WouldBlock) => Ok(None),
            Err(nb::Error::Other(error)) => Err(error),
        }
    }

    /// There is no method for this, nor for those below: the caller keeps polling.
    fn flush(&mut self) -> bool {
        false
    }

    fn disconnect(&mut self) -> Option<Result<(), Error<Fault>>> {
        self.connection.disconnect();
        None
    }

    fn drain(&mut self) {}

    fn is_open(&self) -> bool {
        self.connection.is_open()
    }

    fn close(&mut self) {
        self.connection.close();
    }

    fn client(&mut self) -> &mut Buffered {
        &mut self.connection
    }
}

pub struct Async {
    pub connection: asynch::Connection<ScriptedStream, ScriptedStream, ScriptedStream, Vec<u8>, Vec<u8>>,
    /// How often each future is polled before it is dropped.
    pub polls: VecDeque<u8>,
}

impl Async {
    /// The output of the future, if it is ready before it is dropped.
    fn polled<V>(polls: &mut VecDeque<u8>, future: impl Future<Output = V>) -> Option<V> {
        let polls = polls.pop_front().unwrap_or(9) % 10;
        let mut future = pin!(future);
        for _ in 0..=polls {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Some(value);
            }
        }
        None
    }
}

impl Adapter for Async {
    fn step(&mut self) -> Result<Option<String>, Error<Fault>> {
        let step = async { to_text(self.connection.next_event(None).await) };
        Self::polled(&mut self.polls, step).unwrap_or(Ok(None))
    }

    fn flush(&mut self) -> bool {
        matches!(Self::polled(&mut self.polls, self.connection.flush()), Some(Ok(())))
    }

    fn disconnect(&mut self) -> Option<Result<(), Error<Fault>>> {
        Self::polled(&mut self.polls, self.connection.disconnect())
    }

    fn drain(&mut self) {
        Self::polled(&mut self.polls, self.connection.drain(Duration::from_millis(300)));
    }

    fn is_open(&self) -> bool {
        self.connection.is_open()
    }

    fn close(&mut self) {
        self.connection.close();
    }

    fn client(&mut self) -> &mut Buffered {
        &mut self.connection
    }
}
