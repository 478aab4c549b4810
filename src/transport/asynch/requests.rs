//! The requests that tasks make of a shared client. If it has no room, they wait.

use core::future::poll_fn;
use core::task::{Context, Poll};

use super::cell::Sharing;
use super::handle::{Handle, Inner};
use super::signals::{Phase, Signals};
use super::waiters::{Place, Waiters};
use crate::transport::{HandleError, WaitError};
use crate::{
    AcknowledgeError, Client, Config, GiveUpError, Message, PacketId, QoS, Receipt, RequestError,
    StreamError, StreamedMessage,
};

impl<R, T, C, I, S: Sharing, const N: usize> Handle<R, T, C, I, S, N>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Waits for room, and queues a message; returns its packet identifier, or `None` at QoS 0. See [`Client::publish`].
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`], but never [`Full`](RequestError::Full).
    pub async fn publish(&self, message: &Message<'_>) -> Result<Option<PacketId>, HandleError> {
        self.request(|client| client.publish(message)).await
    }

    /// Queues a message if there is room now.
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`]: [`Full`](RequestError::Full) if there is no room.
    pub fn try_publish(&self, message: &Message<'_>) -> Result<Option<PacketId>, HandleError> {
        let queue = |inner: &mut Inner<R, T, C, I>| {
            if self.is_in(Phase::Over) || inner.driver.client.wants_no_connection() {
                return Err(HandleError::Stopped);
            }
            inner.has_moved = true;
            inner.driver.client.publish(message).map_err(HandleError::Refused)
        };
        let result = self.inner(queue).unwrap_or(Err(HandleError::WouldDeadlock));
        self.wake_runner();
        result
    }

    /// Waits for room, queues a message, and waits until the server has acknowledged it, even across lost connections. At QoS 0 there is
    /// no acknowledgement, so it only waits for room.
    ///
    /// If this future is dropped after the message was queued, the message stays under way.
    ///
    /// # Errors
    /// See [`HandleError`] and [`WaitError`].
    pub async fn publish_and_wait(&self, message: &Message<'_>) -> Result<(), HandleError<WaitError>> {
        if message.qos == QoS::AtMostOnce {
            return self.publish(message).await.map(|_| ()).map_err(|error| error.map(WaitError::Request));
        }
        let place = self.once(|_, waiters| waiters.reserve().map(Ok)).await?;
        let place = Reserved { handle: self, place };
        let publish = |client: &mut Client<R, T, C, I>, waiters: &mut Waiters<N>| {
            let id = client.publish(message)?;
            id.into_iter().for_each(|id| waiters.watch(place.place, id));
            Ok(id)
        };
        let queued = self.request_inside(publish).await;
        if queued.map_err(|error| error.map(WaitError::Request))?.is_none() {
            return Ok(());
        }
        poll_fn(|cx| match self.signals(|signals| signals.waiters.end(place.place, cx.waker())) {
            Some(Ok(result)) => Poll::Ready(result),
            Some(Err(_replaced)) => Poll::Pending,
            None => later(cx),
        })
        .await
    }

    /// Waits for room, and queues a message whose payload is supplied in pieces; see [`Client::publish_streamed`]. The handler receives
    /// [`Event::StreamReady`](crate::Event::StreamReady) when it is time to [write](Self::write_payload) the payload.
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`].
    pub async fn publish_streamed(
        &self,
        message: &StreamedMessage<'_>,
    ) -> Result<Option<PacketId>, HandleError> {
        self.request(|client| client.publish_streamed(message)).await
    }

    /// Supplies the next piece of a payload. Waits until at least one byte has been accepted, and returns how many were; see
    /// [`Client::write_payload`].
    ///
    /// # Errors
    /// See [`HandleError`] and [`StreamError`]. If the link is lost meanwhile, the payload will be asked for again; at
    /// QoS 0 the message is dropped instead.
    pub async fn write_payload(&self, payload: &[u8]) -> Result<usize, HandleError<StreamError>> {
        self.once(|client, _| match client.write_payload(payload) {
            Ok(0) if !payload.is_empty() => None,
            result => Some(result),
        })
        .await
    }

    /// Waits for room, and queues a SUBSCRIBE; the handler receives the answer. See [`Client::subscribe`]. For subscriptions that are
    /// renewed automatically, use [`Routes`](crate::Routes).
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`].
    pub async fn subscribe(&self, filters: &[(&str, QoS)]) -> Result<PacketId, HandleError> {
        self.request(|client| client.subscribe(filters)).await
    }

    /// Waits for room, and queues an UNSUBSCRIBE; the handler receives the answer. See [`Client::unsubscribe`].
    ///
    /// # Errors
    /// See [`HandleError`] and [`RequestError`].
    pub async fn unsubscribe(&self, filters: &[&str]) -> Result<PacketId, HandleError> {
        self.request(|client| client.unsubscribe(filters)).await
    }

    /// Gives up a message; see [`Client::give_up`].
    ///
    /// # Errors
    /// See [`HandleError`] and [`GiveUpError`].
    pub async fn give_up(&self, id: PacketId) -> Result<(), HandleError<GiveUpError>> {
        let result = self.once(|client, _| Some(client.give_up(id))).await;
        self.inner(|inner| self.keep_waiters(&inner.driver.client));
        self.wake_room();
        result
    }

    /// Acknowledges a message; see [`Client::acknowledge`]. This way a handler can pass messages on to another task, and unacknowledged
    /// messages hold the server back. That task must not wait for room while it holds receipts, as [`publish`](Self::publish) does: what
    /// makes room may be behind a message that cannot be taken in before.
    ///
    /// # Errors
    /// See [`HandleError`] and [`AcknowledgeError`].
    pub async fn acknowledge(&self, receipt: Receipt) -> Result<(), HandleError<AcknowledgeError>> {
        self.once(|client, _| Some(client.acknowledge(receipt))).await
    }

    /// Calls a closure with the client, for everything else that needs no stream, such as [`save`](Client::save),
    /// [`state`](Client::state) or [`finish`](Client::finish). The runner sends the packets that the closure queues. This also works after
    /// the runner has ended.
    pub async fn with<V>(&self, f: impl FnOnce(&mut Client<R, T, C, I>) -> V) -> V {
        let mut f = Some(f);
        poll_fn(|cx| {
            let call = |inner: &mut Inner<R, T, C, I>| {
                let value = f.take().map(|f| f(&mut inner.driver.client));
                inner.has_moved = true;
                // The closure may have dropped the runner.
                if inner.driver.is_open() && !self.is_in(Phase::Linked) {
                    inner.driver.close();
                }
                self.keep_waiters(&inner.driver.client);
                value
            };
            let Some(value) = self.inner(call).flatten() else { return later(cx) };
            self.wake_room();
            self.wake_runner();
            Poll::Ready(value)
        })
        .await
    }

    async fn request<V>(
        &self,
        mut make: impl FnMut(&mut Client<R, T, C, I>) -> Result<V, RequestError>,
    ) -> Result<V, HandleError> {
        self.request_inside(|client, _| make(client)).await
    }

    /// Makes a request once there is room.
    async fn request_inside<V>(
        &self,
        mut make: impl FnMut(&mut Client<R, T, C, I>, &mut Waiters<N>) -> Result<V, RequestError>,
    ) -> Result<V, HandleError> {
        self.once(|client, waiters| match make(client, waiters) {
            Err(RequestError::Full(_)) => None,
            result => Some(result),
        })
        .await
    }

    /// Calls `f` whenever there may be room, until it returns a value.
    async fn once<V, E>(
        &self,
        mut f: impl FnMut(&mut Client<R, T, C, I>, &mut Waiters<N>) -> Option<Result<V, E>>,
    ) -> Result<V, HandleError<E>> {
        let mut waits = Waits { handle: self, place: None };
        poll_fn(|cx| {
            // Dropped once nothing is borrowed.
            let mut replaced = None;
            let mut call = |inner: &mut Inner<R, T, C, I>,
                            Signals { waiters, phase, .. }: &mut Signals<N>| {
                if *phase == Phase::Over || inner.driver.client.wants_no_connection() {
                    return Poll::Ready(Err(HandleError::Stopped));
                }
                if let Some(result) = f(&mut inner.driver.client, waiters) {
                    inner.has_moved = true;
                    return Poll::Ready(result.map_err(HandleError::Refused));
                }
                let Some(waker) = waiters.waits_for_room(&mut waits.place, cx.waker()) else {
                    return Poll::Ready(Err(HandleError::TooManyWaiters));
                };
                replaced = waker;
                Poll::Pending
            };
            let called = self.inner(|inner| self.signals(|signals| call(inner, signals))).flatten();
            let Some(called) = called else { return later(cx) };
            if called.is_ready() {
                self.wake_runner();
            }
            called
        })
        .await
    }
}

/// The client is in use by a handler further up on this call stack.
pub(super) fn later<V>(cx: &Context<'_>) -> Poll<V> {
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// A task that waits for room, until this is dropped.
struct Waits<'a, R, T, C, I, S: Sharing, const N: usize> {
    handle: &'a Handle<R, T, C, I, S, N>,
    place: Option<Place>,
}

impl<R, T, C, I, S: Sharing, const N: usize> Drop for Waits<'_, R, T, C, I, S, N> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let waker = self.handle.signals(|signals| signals.waiters.leaves_room(place));
            drop(waker);
        }
    }
}

/// A place among the tasks that wait for an acknowledgement, until this is dropped.
struct Reserved<'a, R, T, C, I, S: Sharing, const N: usize> {
    handle: &'a Handle<R, T, C, I, S, N>,
    place: Place,
}

impl<R, T, C, I, S: Sharing, const N: usize> Drop for Reserved<'_, R, T, C, I, S, N> {
    fn drop(&mut self) {
        let waker = self.handle.signals(|signals| signals.waiters.release(self.place));
        drop(waker);
        self.handle.wake_room();
    }
}
