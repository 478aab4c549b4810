//! What other threads have of a runner.

use core::convert::Infallible;
use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Instant as Clock;
use std::vec::Vec;

use super::shared::{End, Locked, Shared, State};
use crate::transport::{HandleError, WaitError};
use crate::{
    AcknowledgeError, Client, Config, GiveUpError, InboundIds, Message, PacketId, QoS, Receipt, RequestError,
    Standard, StreamError, StreamedMessage,
};

/// Publishes and subscribes from any thread, over the connection that a [`Runner`](super::Runner) maintains.
///
/// Its calls have the names and arguments of those of the [`Client`](crate::Client). They wait while a handler is called, and those
/// that make requests wait for room in the transmit buffer too, which also comes when there is no connection yet: messages of QoS 1
/// and 2 can be queued before.
///
/// A handler cannot wait for what only its own thread brings: all calls but [`stop`](Self::stop) and [`wake`](Self::wake) are refused there
/// ([`HandleError::OnRunner`]). It has the [`Outbound`](crate::Outbound) half instead.
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
    /// Ends the runner, whatever it is doing: DISCONNECT is sent if the connection takes it, and
    /// [`run`](super::Runner::run) returns within 200 ms, after the handler that is being called. What is queued behind a slow
    /// connection is not waited for. It can be called anywhere.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Asks the runner to call the handler with [`Update::Woken`](crate::transport::Update::Woken), because another thread has something
    /// for it. Calls that come before the handler has run count as one. It can be called anywhere.
    pub fn wake(&self) {
        self.0.wake();
    }

    /// The client, unless this is the runner's own thread, which may have it already.
    fn lock<E>(&self) -> Result<Locked<'_, R, T, C, I>, HandleError<E>> {
        if self.0.is_runner() { Err(HandleError::OnRunner) } else { Ok(self.0.lock()) }
    }

    /// The client of a runner that has not ended.
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
    /// Queues a message, once there is room; returns its packet identifier, or `None` at QoS 0. See
    /// [`Client::publish`](crate::Client::publish).
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`], which is not [`Full`](RequestError::Full) here.
    pub fn publish(&self, message: &Message<'_>) -> Result<Option<PacketId>, HandleError> {
        self.when_there_is_room(None, |state| state.driver.client.publish(message))
    }

    /// Queues a message if there is room now.
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`]: [`Full`](RequestError::Full) where there is no room.
    pub fn try_publish(&self, message: &Message<'_>) -> Result<Option<PacketId>, HandleError> {
        let result = self.enter()?.driver.client.publish(message);
        self.0.bell.ring();
        result.map_err(HandleError::Refused)
    }

    /// Queues a message, once there is room, and waits until the server has acknowledged it, over lost connections too, for at most
    /// `timeout` in all (`None`: as long as it takes). At QoS 0 there is no acknowledgement to be waited for.
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
        receiver: &Receiver<End>,
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
                // It may have ended just now.
                let end = receiver.try_recv().unwrap_or(Err(WaitError::TimedOut { id }));
                end.map_err(HandleError::Refused)
            }
        }
    }

    /// Queues a SUBSCRIBE, once there is room; the handler gets the answer. See
    /// [`Client::subscribe`](crate::Client::subscribe). For subscriptions that are to come back by themselves there are
    /// [`Routes`](crate::Routes).
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`].
    pub fn subscribe(&self, filters: &[(&str, QoS)]) -> Result<PacketId, HandleError> {
        self.when_there_is_room(None, |state| state.driver.client.subscribe(filters))
    }

    /// Queues an UNSUBSCRIBE, once there is room; the handler gets the answer. See
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
        state.tell_given_up();
        self.0.has_moved(&state);
        drop(state);
        self.0.bell.ring();
        result.map_err(HandleError::Refused)
    }

    /// Acknowledges a message; see [`Client::acknowledge`](crate::Client::acknowledge). So a handler can pass messages on to another
    /// thread by a bounded channel, and the server is held back by what is not acknowledged.
    ///
    /// # Errors
    /// See [`HandleError`] and [`AcknowledgeError`].
    pub fn acknowledge(&self, receipt: Receipt) -> Result<(), HandleError<AcknowledgeError>> {
        let result = self.enter()?.driver.client.acknowledge(receipt);
        self.0.bell.ring();
        result.map_err(HandleError::Refused)
    }

    /// Queues a message whose payload is handed over in pieces, once there is room; see
    /// [`Client::publish_streamed`](crate::Client::publish_streamed). [`Event::StreamReady`](crate::Event::StreamReady) tells the handler
    /// when to [write](Self::write_payload).
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`].
    pub fn publish_streamed(&self, message: &StreamedMessage<'_>) -> Result<Option<PacketId>, HandleError> {
        self.when_there_is_room(None, |state| state.driver.client.publish_streamed(message))
    }

    /// Hands over the next piece of a payload; waits until at least one byte of it is taken, and returns how many were; see
    /// [`Client::write_payload`](crate::Client::write_payload).
    ///
    /// # Errors
    /// See [`HandleError`] and [`StreamError`]. The link can be lost meanwhile: then the payload is asked for once more.
    pub fn write_payload(&self, payload: &[u8]) -> Result<usize, HandleError<StreamError>> {
        let write = |state: &mut State<R, T, C, I>| match state.driver.client.write_payload(payload) {
            Ok(0) if !payload.is_empty() => None,
            result => Some(result),
        };
        self.once(None, write)
    }

    /// Lends the client to a closure, for everything else that needs no stream, such as [`save`](Client::save),
    /// [`state`](Client::state) or [`finish`](Client::finish); after the end of the runner too. What it queues is sent.
    ///
    /// # Errors
    /// [`HandleError::OnRunner`].
    pub fn with<V>(
        &self,
        f: impl FnOnce(&mut Client<R, T, C, I>) -> V,
    ) -> Result<V, HandleError<Infallible>> {
        let mut state = self.lock()?;
        let value = f(&mut state.driver.client);
        state.tell_given_up();
        self.0.has_moved(&state);
        drop(state);
        self.0.bell.ring();
        Ok(value)
    }

    /// Makes a request, again and again until there is room for it.
    fn when_there_is_room<V>(
        &self,
        until: Option<Clock>,
        mut request: impl FnMut(&mut State<R, T, C, I>) -> Result<V, RequestError>,
    ) -> Result<V, HandleError> {
        self.once(until, |state| match request(state) {
            Err(RequestError::Full(_)) if until.is_none_or(|until| Clock::now() < until) => None,
            result => Some(result),
        })
    }

    /// Calls this again and again, whenever there may be room, until it says something.
    fn once<V, E>(
        &self,
        until: Option<Clock>,
        mut f: impl FnMut(&mut State<R, T, C, I>) -> Option<Result<V, E>>,
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
