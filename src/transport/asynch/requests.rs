//! What tasks ask of a client that they share. Where it has no room, they wait.

use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use super::cell::Sharing;
use super::handle::{Handle, Inner};
use super::waiters::Place;
use crate::{
    AcknowledgeError, Client, Config, Full, GiveUpError, Message, Outcome, PacketId, QoS, Receipt,
    RequestError, StreamError, StreamedMessage,
};

/// Why a message that was waited for was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WaitError {
    /// It was not queued.
    Request(RequestError),
    /// It has ended without its acknowledgement.
    Ended(Outcome),
    /// The runner has stopped. The message stays in the session.
    Stopped,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitError::Request(error) => error.fmt(f),
            WaitError::Ended(outcome) => write!(f, "the message is {outcome}"),
            WaitError::Stopped => f.write_str("the runner has stopped; the message stays in the session"),
        }
    }
}

impl core::error::Error for WaitError {}

impl From<RequestError> for WaitError {
    fn from(error: RequestError) -> Self {
        WaitError::Request(error)
    }
}

impl<R, T, C, I, S: Sharing, const N: usize> Handle<R, T, C, I, S, N>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Queues a message, and waits until there is room for it; see [`Client::publish`].
    ///
    /// # Errors
    /// See [`RequestError`]; never [`Full`]. [`NotConnected`](RequestError::NotConnected) also after the runner has ended.
    pub async fn publish(&self, message: &Message<'_>) -> Result<Option<PacketId>, RequestError> {
        self.request(|client| client.publish(message)).await
    }

    /// Queues a message, if there is room now; see [`Client::publish`].
    ///
    /// # Errors
    /// See [`RequestError`]. Within an event handler it is always [`Full::Busy`].
    pub fn try_publish(&self, message: &Message<'_>) -> Result<Option<PacketId>, RequestError> {
        let queue = |inner: &mut Inner<R, T, C, I, N>| {
            let result = inner.driver.client.publish(message);
            inner.moved();
            result
        };
        self.inner(queue).unwrap_or(Err(RequestError::Full(Full::Busy)))
    }

    /// Queues a message, and waits until it is acknowledged to the end, over lost connections too. At QoS 0 that is as soon as it is
    /// queued.
    ///
    /// A message that was queued stays under way when this is dropped.
    ///
    /// # Errors
    /// See [`WaitError`].
    pub async fn publish_and_wait(&self, message: &Message<'_>) -> Result<(), WaitError> {
        let place = poll_fn(|cx| self.poll_reserve(cx)).await?;
        let place = Reserved { handle: self, place };
        let publish = |inner: &mut Inner<R, T, C, I, N>| {
            let id = inner.driver.client.publish(message)?;
            id.into_iter().for_each(|id| inner.waiters.watch(place.place, id));
            Ok(id)
        };
        if self.request_inside(publish).await?.is_none() {
            return Ok(());
        }
        poll_fn(|cx| {
            let look = |inner: &mut Inner<R, T, C, I, N>| match inner.waiters.end(place.place, cx.waker()) {
                Some(result) => Poll::Ready(result.map_err(WaitError::Ended)),
                None if inner.is_over => Poll::Ready(Err(WaitError::Stopped)),
                None => Poll::Pending,
            };
            self.inner(look).unwrap_or_else(|| later(cx))
        })
        .await
    }

    /// Queues a message whose payload is handed over in pieces, and waits until there is room for it; see
    /// [`Client::publish_streamed`]. [`Event::StreamReady`](crate::Event::StreamReady) tells when to
    /// [write](Self::write_payload).
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub async fn publish_streamed(
        &self,
        message: &StreamedMessage<'_>,
    ) -> Result<Option<PacketId>, RequestError> {
        self.request(|client| client.publish_streamed(message)).await
    }

    /// Hands over the next piece of a payload; waits until at least one byte of it is taken, and returns how many were; see
    /// [`Client::write_payload`].
    ///
    /// # Errors
    /// See [`StreamError`]. The link can be lost meanwhile: then the payload is asked for once more.
    pub async fn write_payload(&self, payload: &[u8]) -> Result<usize, StreamError> {
        poll_fn(|cx| {
            let write = |inner: &mut Inner<R, T, C, I, N>| match inner.driver.client.write_payload(payload) {
                Ok(0) if !payload.is_empty() => {
                    inner.waiters.waits_for_room(cx.waker());
                    Poll::Pending
                }
                result => {
                    inner.moved();
                    Poll::Ready(result)
                }
            };
            self.inner(write).unwrap_or_else(|| later(cx))
        })
        .await
    }

    /// Queues a SUBSCRIBE, and waits until there is room for it; see [`Client::subscribe`]. The answer comes as an event.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub async fn subscribe(&self, filters: &[(&str, QoS)]) -> Result<PacketId, RequestError> {
        self.request(|client| client.subscribe(filters)).await
    }

    /// Queues an UNSUBSCRIBE, and waits until there is room for it; see [`Client::unsubscribe`]. The answer comes as an event.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub async fn unsubscribe(&self, filters: &[&str]) -> Result<PacketId, RequestError> {
        self.request(|client| client.unsubscribe(filters)).await
    }

    /// Gives up a message; see [`Client::give_up`].
    ///
    /// # Errors
    /// See [`GiveUpError`].
    pub async fn give_up(&self, id: PacketId) -> Result<(), GiveUpError> {
        self.with(|client| client.give_up(id)).await
    }

    /// Acknowledges a message; see [`Client::acknowledge`].
    ///
    /// # Errors
    /// See [`AcknowledgeError`].
    pub async fn acknowledge(&self, receipt: Receipt) -> Result<(), AcknowledgeError> {
        self.with(|client| client.acknowledge(receipt)).await
    }

    /// Calls the client: for all else that needs no stream, like [`save`](Client::save) or [`finish`](Client::finish). What is
    /// queued is sent.
    pub async fn with<V>(&self, f: impl FnOnce(&mut Client<R, T, C, I>) -> V) -> V {
        let mut f = Some(f);
        poll_fn(|cx| {
            let called = self.inner(|inner| {
                let value = f.take().map(|f| f(&mut inner.driver.client));
                inner.keep_waiters();
                inner.moved();
                value
            });
            called.flatten().map_or_else(|| later(cx), Poll::Ready)
        })
        .await
    }

    async fn request<V>(
        &self,
        mut make: impl FnMut(&mut Client<R, T, C, I>) -> Result<V, RequestError>,
    ) -> Result<V, RequestError> {
        self.request_inside(|inner| make(&mut inner.driver.client)).await
    }

    /// Makes a request once there is room.
    async fn request_inside<V>(
        &self,
        mut make: impl FnMut(&mut Inner<R, T, C, I, N>) -> Result<V, RequestError>,
    ) -> Result<V, RequestError> {
        poll_fn(|cx| {
            let queue = |inner: &mut Inner<R, T, C, I, N>| {
                if inner.is_over {
                    return Poll::Ready(Err(RequestError::NotConnected));
                }
                match make(inner) {
                    Err(RequestError::Full(_)) => {
                        inner.waiters.waits_for_room(cx.waker());
                        Poll::Pending
                    }
                    result => {
                        inner.moved();
                        Poll::Ready(result)
                    }
                }
            };
            self.inner(queue).unwrap_or_else(|| later(cx))
        })
        .await
    }

    fn poll_reserve(&self, cx: &mut Context<'_>) -> Poll<Result<Place, WaitError>> {
        let reserve = |inner: &mut Inner<R, T, C, I, N>| {
            if inner.is_over {
                return Poll::Ready(Err(WaitError::Stopped));
            }
            inner.waiters.reserve().map_or_else(
                || {
                    inner.waiters.waits_for_room(cx.waker());
                    Poll::Pending
                },
                |place| Poll::Ready(Ok(place)),
            )
        };
        self.inner(reserve).unwrap_or_else(|| later(cx))
    }
}

/// The client is in use: by a handler, further up on this very stack.
fn later<V>(cx: &Context<'_>) -> Poll<V> {
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// A place among those who wait for an end, until this is dropped.
struct Reserved<'a, R, T, C, I, S: Sharing, const N: usize> {
    handle: &'a Handle<R, T, C, I, S, N>,
    place: Place,
}

impl<R, T, C, I, S: Sharing, const N: usize> Drop for Reserved<'_, R, T, C, I, S, N> {
    fn drop(&mut self) {
        self.handle.inner(|inner| {
            inner.waiters.release(self.place);
            inner.waiters.wake_room();
        });
    }
}
