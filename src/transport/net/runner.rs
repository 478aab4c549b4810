//! The runner, which maintains a connection and reports to a handler.

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant as Clock;
use std::vec::Vec;

use super::handle::Handle;
use super::shared::{Owned, Shared};
use super::{Error, Update};
use crate::transport::common::{Retry, retry_choices};
use crate::{Backoff, Client, Config, Connect, InboundIds, Outbound, Standard};

/// How long DISCONNECT and closing the stream may take once the runner has been stopped.
const STOP_TIMEOUT: Duration = Duration::from_millis(100);

/// The function of the application that receives all updates.
pub(super) type Handler<'a, C> = dyn FnMut(Update<'_>, &mut Outbound<'_, C>) -> Result<(), Error> + 'a;

/// Owns a client and its connection, and reopens the connection whenever it is lost. Any number of [`Handle`]s make requests from other
/// threads.
///
/// The delays between attempts grow. They start again from the shortest once a connection has lived for as long as the longest delay, or
/// for a minute. Therefore attempts also become rarer with a server that accepts and then closes, or if two clients use the same
/// identifier.
///
/// Over a stream with halves ([`Stream::reader`](super::Stream::reader)), such as TCP, nothing is polled: a second thread blocks on the
/// input, and the runner wakes up only for input, for requests of a handle, and for the keep alive. A stream without halves is read for 20
/// ms at a time. A request can wait that long before it is sent, and the thread wakes up 50 times a second.
#[derive(Debug)]
pub struct Runner<R = Vec<u8>, T = Vec<u8>, C = Standard, I = InboundIds> {
    pub(super) shared: Owned<R, T, C, I>,
    pub(super) retry: Retry,
    /// See [`coalesce`](Self::coalesce).
    pub(super) pause: Duration,
    /// When everything must have ended.
    deadline: Option<Clock>,
}

impl<R, T, C, I> Runner<R, T, C, I> {
    /// A runner that is offline. Nothing happens before [`run`](Self::run), but handles can already queue QoS 1 and 2 messages.
    #[must_use]
    pub fn new(client: Client<R, T, C, I>, backoff: Backoff) -> Self {
        Runner {
            shared: Owned(Arc::new(Shared::new(client))),
            retry: Retry::new(backoff),
            pause: Duration::ZERO,
            deadline: None,
        }
    }

    retry_choices!(retry);

    /// Sets a pause before each read, so that everything that arrives meanwhile is read at once. 50 µs are suitable for a steady stream of
    /// messages (see [`Connection::coalesce`](super::Connection::coalesce)). By default there is no pause.
    #[must_use]
    pub fn coalesce(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// A handle, which can be cloned as often as needed.
    #[must_use]
    pub fn handle(&self) -> Handle<R, T, C, I> {
        Handle(Arc::clone(&self.shared.0))
    }

    /// When everything must have ended, if the runner has been stopped.
    pub(super) fn deadline(&mut self) -> Option<Clock> {
        if self.deadline.is_none() && self.shared.0.is_stopped() {
            self.deadline = Clock::now().checked_add(STOP_TIMEOUT);
        }
        self.deadline
    }
}

impl<R, T, C, I> Runner<R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Whether the handler has failed, so that an error is the handler's.
    pub(super) fn has_failed(&self) -> bool {
        self.shared.0.lock().has_failed
    }

    /// Whether the runner has been stopped, or the application has disconnected.
    pub(super) fn is_over(&self) -> bool {
        self.shared.0.is_stopped() || self.shared.0.lock().is_over()
    }

    /// Queues CONNECT.
    pub(super) fn begin(&mut self, connect: &Connect<'_>) -> Result<(), Error> {
        let client = &mut self.shared.0.lock().driver.client;
        if client.wants_no_connection() {
            return Err(Error::Disconnected);
        }
        Ok(self.retry.connect(client, connect)?)
    }

    /// While offline: reports what needs no connection.
    pub(super) fn report_offline(&self, handler: &mut Handler<'_, C>) -> Result<(), Error> {
        let shared = &self.shared.0;
        let mut state = shared.lock();
        while state.driver.client.advance(shared.now()) == Ok(true) {
            state.report_event(handler)?;
        }
        if shared.take_wake() {
            state.report(Update::Woken, handler)?;
        }
        shared.has_moved(&state);
        Ok(())
    }

    /// While offline: reports what needs no connection, until `look` finds a value. If it finds none, it says how long to wait.
    pub(super) fn wait_offline<V>(
        &self,
        handler: &mut Handler<'_, C>,
        mut look: impl FnMut() -> Result<V, Option<Duration>>,
    ) -> Result<V, Error> {
        let shared = &self.shared.0;
        loop {
            self.report_offline(handler)?;
            if self.is_over() {
                return Err(Error::Disconnected);
            }
            match look() {
                Ok(found) => return Ok(found),
                Err(most) => shared.bell.wait(most),
            }
        }
    }
}
