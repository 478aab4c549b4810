//! The handle of a runner, for other threads.

use core::convert::Infallible;
use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Instant as Clock;
use std::vec::Vec;

use super::shared::{Inner, InsideWith, Locked, Shared, WaitResult};
use crate::transport::{HandleError, WaitError};
use crate::{
    AcknowledgeError, Client, Config, GiveUpError, InboundIds, Message, PacketId, QoS, Receipt, RequestError,
    Standard, StreamError, StreamedMessage,
};

/// Publishes and subscribes from any thread, over the connection that a [`Runner`](super::Runner) maintains.
///
/// Its calls have the same names and arguments as those of the [`Client`](crate::Client). They wait while the handler is running. Calls
/// that make requests also wait for room in the transmit buffer. They do not wait for a connection: QoS 1 and 2 messages can be queued
/// before there is one.
///
/// On the runner's thread, which calls the handler and the `connect` function, all calls except [`stop`](Self::stop) and
/// [`wake`](Self::wake) are refused ([`HandleError::WouldDeadlock`]), because they would wait for their own thread. Use the
/// [`Outbound`](crate::Outbound) half there. The same holds within the closure of [`with`](Self::with).
///
/// Dropping handles, even all of them, does not stop the runner: call [`stop`](Self::stop).
pub struct Handle<R = Vec<u8>, T = Vec<u8>, C = Standard, I = InboundIds>(pub(super) Arc<Shared<R, T, C, I>>);

impl<R, T, C, I> Clone for Handle<R, T, C, I> {
    fn clone(&self) -> Self {
        Handle(Arc::clone(&self.0))
    }
}

impl<R, T, C, I> fmt::Debug for Handle<R, T, C, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("is_stopped", &self.0.is_stopped()).finish_non_exhaustive()
    }
}

impl<R, T, C, I> Handle<R, T, C, I> {
    /// Ends the runner, whatever it is doing. DISCONNECT is sent if the connection accepts it, and
    /// [`run`](super::Runner::run) returns within 200 ms, or when a running handler returns; or the function that opens the stream, if that
    /// blocks without [`Link::open`](super::Link::open). Packets that are queued behind a slow
    /// connection are not waited for, nor are acknowledgements: for that, call [`finish`](Client::finish) through [`with`](Self::with).
    /// This can be called from anywhere.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Makes the runner call its handler with [`Update::Woken`](crate::transport::Update::Woken), because another thread has something
    /// for it. Several calls before the handler has run result in a single update. This can be called from anywhere.
    pub fn wake(&self) {
        self.0.wake();
    }

    /// Locks the client, unless this thread may already have locked it.
    fn lock<E>(&self) -> Result<Locked<'_, R, T, C, I>, HandleError<E>> {
        if self.0.is_inside() { Err(HandleError::WouldDeadlock) } else { Ok(self.0.lock()) }
    }

    /// Locks the client, unless its runner has ended.
    fn enter<E>(&self) -> Result<Locked<'_, R, T, C, I>, HandleError<E>> {
        let state = self.lock()?;
        if state.is_over() || self.0.is_stopped() { Err(HandleError::Stopped) } else { Ok(state) }
    }
}

impl<R, T, C, I> Handle<R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Waits for room, and queues a message; returns its packet identifier, or `None` at QoS 0. See
    /// [`Client::publish`](crate::Client::publish).
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`], but never [`Full`](RequestError::Full).
    pub fn publish(&self, message: &Message<'_>) -> Result<Option<PacketId>, HandleError> {
        self.when_there_is_room(None, |state| state.driver.client.publish(message))
    }

    /// Queues a message if there is room now.
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`]: [`Full`](RequestError::Full) if there is no room.
    pub fn try_publish(&self, message: &Message<'_>) -> Result<Option<PacketId>, HandleError> {
        let result = self.enter()?.driver.client.publish(message);
        self.0.bell.ring();
        result.map_err(HandleError::Refused)
    }

    /// Waits for room, queues a message, and waits until the server has acknowledged it, even across lost connections. `timeout` limits the
    /// whole wait (`None`: no limit). At QoS 0 there is no acknowledgement, so it only waits for room.
    ///
    /// # Errors
    /// See [`HandleError`] and [`WaitError`].
    pub fn publish_and_wait(
        &self,
        message: &Message<'_>,
        timeout: Option<Duration>,
    ) -> Result<(), HandleError<WaitError>> {
        let until = timeout.and_then(|timeout| Clock::now().checked_add(timeout));
        let (sender, receiver) = mpsc::sync_channel(1);
        let id = self.when_there_is_room(until, |state| {
            let id = state.driver.client.publish(message)?;
            id.into_iter().for_each(|id| state.wait_for(id, sender.clone()));
            Ok(id)
        });
        drop(sender);
        match id {
            Ok(Some(id)) => self.wait(id, &receiver, until),
            Ok(None) => Ok(()),
            Err(error) => Err(error.map(WaitError::Request)),
        }
    }

    fn wait(
        &self,
        id: PacketId,
        receiver: &Receiver<WaitResult>,
        until: Option<Clock>,
    ) -> Result<(), HandleError<WaitError>> {
        let left = until.map(|until| until.saturating_duration_since(Clock::now()));
        let end = match left {
            Some(left) => receiver.recv_timeout(left),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match end {
            Ok(end) => end.map_err(HandleError::Refused),
            Err(RecvTimeoutError::Disconnected) => Err(HandleError::Stopped),
            Err(RecvTimeoutError::Timeout) => {
                let mut state = self.0.lock();
                state.forget(id);
                // The message may have ended just now.
                let end = receiver.try_recv().unwrap_or(Err(WaitError::TimedOut { id }));
                end.map_err(HandleError::Refused)
            }
        }
    }

    /// Waits for room, and queues a SUBSCRIBE; the handler receives the answer. See
    /// [`Client::subscribe`](crate::Client::subscribe). For subscriptions that are renewed automatically, use
    /// [`Routes`](crate::Routes).
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`].
    pub fn subscribe(&self, filters: &[(&str, QoS)]) -> Result<PacketId, HandleError> {
        self.when_there_is_room(None, |state| state.driver.client.subscribe(filters))
    }

    /// Waits for room, and queues an UNSUBSCRIBE; the handler receives the answer. See
    /// [`Client::unsubscribe`](crate::Client::unsubscribe).
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`].
    pub fn unsubscribe(&self, filters: &[&str]) -> Result<PacketId, HandleError> {
        self.when_there_is_room(None, |state| state.driver.client.unsubscribe(filters))
    }

    /// Gives up a message; see [`Client::give_up`](crate::Client::give_up).
    ///
    /// # Errors
    /// See [`HandleError`] and [`GiveUpError`].
    pub fn give_up(&self, id: PacketId) -> Result<(), HandleError<GiveUpError>> {
        let mut state = self.enter()?;
        let result = state.driver.client.give_up(id);
        state.report_given_up();
        self.0.has_moved(&state);
        drop(state);
        self.0.bell.ring();
        result.map_err(HandleError::Refused)
    }

    /// Acknowledges a message; see [`Client::acknowledge`](crate::Client::acknowledge). This way a handler can pass messages on to another
    /// thread, and unacknowledged messages hold the server back. That thread must not wait for room while it holds receipts,
    /// as [`publish`](Self::publish) does: what makes room may be behind a message that cannot be taken in before.
    ///
    /// # Errors
    /// See [`HandleError`] and [`AcknowledgeError`].
    pub fn acknowledge(&self, receipt: Receipt) -> Result<(), HandleError<AcknowledgeError>> {
        let result = self.enter()?.driver.client.acknowledge(receipt);
        self.0.bell.ring();
        result.map_err(HandleError::Refused)
    }

    /// Waits for room, and queues a message whose payload is supplied in pieces; see
    /// [`Client::publish_streamed`](crate::Client::publish_streamed). The handler receives
    /// [`Event::StreamReady`](crate::Event::StreamReady) when it is time to [write](Self::write_payload) the payload.
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`].
    pub fn publish_streamed(&self, message: &StreamedMessage<'_>) -> Result<Option<PacketId>, HandleError> {
        self.when_there_is_room(None, |state| state.driver.client.publish_streamed(message))
    }

    /// Supplies the next piece of a payload. Waits until at least one byte has been accepted, and returns how many were; see
    /// [`Client::write_payload`](crate::Client::write_payload).
    ///
    /// # Errors
    /// See [`HandleError`] and [`StreamError`]. If the link is lost meanwhile, the payload will be asked for again; at
    /// QoS 0 the message is dropped instead.
    pub fn write_payload(&self, payload: &[u8]) -> Result<usize, HandleError<StreamError>> {
        let write = |state: &mut Inner<R, T, C, I>| match state.driver.client.write_payload(payload) {
            Ok(0) if !payload.is_empty() => None,
            result => Some(result),
        };
        self.once(None, write)
    }

    /// Calls a closure with the client, for everything else that needs no stream, such as [`save`](Client::save),
    /// [`state`](Client::state) or [`finish`](Client::finish). The runner sends the packets that the closure queues. This also works after
    /// the runner has ended.
    ///
    /// # Errors
    /// [`HandleError::WouldDeadlock`].
    pub fn with<V>(
        &self,
        f: impl FnOnce(&mut Client<R, T, C, I>) -> V,
    ) -> Result<V, HandleError<Infallible>> {
        let mut lent = Lent { shared: &self.0, state: self.lock()?, _inside: self.0.enter_with() };
        Ok(f(&mut lent.state.driver.client))
    }

    /// Makes a request, and repeats it until there is room for it.
    fn when_there_is_room<V>(
        &self,
        until: Option<Clock>,
        mut request: impl FnMut(&mut Inner<R, T, C, I>) -> Result<V, RequestError>,
    ) -> Result<V, HandleError> {
        self.once(until, |state| match request(state) {
            Err(RequestError::Full(_)) if until.is_none_or(|until| Clock::now() < until) => None,
            result => Some(result),
        })
    }

    /// Calls `f` whenever there may be room, until it returns a value.
    fn once<V, E>(
        &self,
        until: Option<Clock>,
        mut f: impl FnMut(&mut Inner<R, T, C, I>) -> Option<Result<V, E>>,
    ) -> Result<V, HandleError<E>> {
        let mut state = self.enter()?;
        loop {
            if let Some(result) = f(&mut state) {
                drop(state);
                self.0.bell.ring();
                return result.map_err(HandleError::Refused);
            }
            state = self.0.wait_for_room(state, until);
            if state.is_over() {
                return Err(HandleError::Stopped);
            }
        }
    }
}

/// The client while a closure has it. When this is dropped, even by a panic, the other threads learn what the closure has done.
struct Lent<'a, R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    shared: &'a Shared<R, T, C, I>,
    // Dropped before the lock is released, so that it cannot undo what the next thread notes.
    _inside: InsideWith<'a>,
    state: Locked<'a, R, T, C, I>,
}

impl<R, T, C, I> Drop for Lent<'_, R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    fn drop(&mut self) {
        self.state.report_given_up();
        self.shared.has_moved(&self.state);
        self.shared.bell.ring();
    }
}
