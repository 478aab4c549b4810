//! What keeps a connection up, and is told what comes.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant as Clock;
use std::vec::Vec;

use super::handle::Handle;
use super::shared::Shared;
use super::{Error, Update};
use crate::transport::retry::Retry;
use crate::{Backoff, Client, Config, Connect, InboundIds, Outbound, Standard};

/// How long DISCONNECT may take, and the end of the stream after it, once the runner is stopped.
const STOP_PATIENCE: Duration = Duration::from_millis(100);

/// What the application does with all that it is told.
pub(super) type Handler<'a, C> = dyn FnMut(Update<'_>, &mut Outbound<'_, C>) -> Result<(), Error> + 'a;

/// Owns a client and its connection, which it opens again whenever it is lost; many [`Handle`]s make requests from other threads.
///
/// The delays between attempts grow, and begin anew once a connection has lived for as long as the greatest of them, or for a minute.
/// So two clients of one name, or a server that accepts and closes, are met less and less often.
///
/// Over a stream that has halves ([`Stream::reader`](super::Stream::reader)), TCP for instance, nothing is asked again and again: a second thread waits in
/// the input, and what wakes the runner is that something came, that a handle wants something, or the keep alive. A stream that is
/// one object is read for 20 ms at a time: that is how long a request can lie there before it leaves, and 50 times a second the
/// thread wakes up for it.
#[derive(Debug)]
pub struct Runner<R = Vec<u8>, T = Vec<u8>, C = Standard, I = InboundIds> {
    pub(super) shared: Owned<R, T, C, I>,
    pub(super) retry: Retry,
    /// See [`coalesce`](Self::coalesce).
    pub(super) pause: Duration,
    /// When all has to be over.
    deadline: Option<Clock>,
}

impl<R, T, C, I> Runner<R, T, C, I> {
    /// A runner that is offline. Nothing happens before [`run`](Self::run), but handles can queue messages of QoS 1 and 2.
    #[must_use]
    pub fn new(client: Client<R, T, C, I>, backoff: Backoff) -> Self {
        Runner {
            shared: Owned(Arc::new(Shared::new(client))),
            retry: Retry::new(backoff),
            pause: Duration::ZERO,
            deadline: None,
        }
    }

    /// With attempts in MQTT 3.1 too, where the server does not take 3.1.1: it says so by CONNACK, or closes the connection
    /// without one. Where 3.1 does not work either, 3.1.1 is next; once 3.1.1 has worked, it stays with that.
    #[must_use]
    pub fn fall_back_to_mqtt31(mut self) -> Self {
        self.retry.falls_back = true;
        self
    }

    /// With further attempts after refusals that do not mend themselves: a wrong password, a client identifier that is not allowed.
    /// Without this they are the end ([`GaveUp::Refused`](super::GaveUp::Refused)).
    #[must_use]
    pub fn retry_refusals(mut self) -> Self {
        self.retry.despite_refusals = true;
        self
    }

    /// With a pause before each read, so that what comes meanwhile is taken in one go: 50 µs suit a steady stream (see
    /// [`Connection::coalesce`](super::Connection::coalesce)). Without this call there is none.
    #[must_use]
    pub fn coalesce(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// A handle, to be cloned as often as it is needed.
    #[must_use]
    pub fn handle(&self) -> Handle<R, T, C, I> {
        Handle(Arc::clone(&self.shared.0))
    }

    /// When all has to be over, once the runner is stopped.
    pub(super) fn deadline(&mut self) -> Option<Clock> {
        if self.deadline.is_none() && self.shared.0.is_stopped() {
            self.deadline = Clock::now().checked_add(STOP_PATIENCE);
        }
        self.deadline
    }
}

/// Handles are told that nothing comes to its end any more.
impl<R, T, C, I> Drop for Owned<R, T, C, I> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// What handles share with the runner that is theirs.
pub(super) struct Owned<R, T, C, I>(pub(super) Arc<Shared<R, T, C, I>>);

impl<R, T, C, I> fmt::Debug for Owned<R, T, C, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("is_stopped", &self.0.is_stopped()).finish_non_exhaustive()
    }
}

impl<R, T, C, I> Runner<R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Whether the handler has failed: then an error is its own.
    pub(super) fn has_failed(&self) -> bool {
        self.shared.0.lock().has_failed
    }

    /// Queues CONNECT.
    pub(super) fn begin(&mut self, connect: &Connect<'_>) -> Result<(), Error> {
        Ok(self.retry.connect(&mut self.shared.0.lock().driver.client, connect)?)
    }

    /// Offline: tells what needs no connection, until what is looked for is there. Where it is not, `look` says how long it may wait.
    pub(super) fn wait_offline<V>(
        &self,
        handler: &mut Handler<'_, C>,
        mut look: impl FnMut() -> Result<V, Option<Duration>>,
    ) -> Result<V, Error> {
        let shared = &self.shared.0;
        loop {
            let mut state = shared.lock();
            while state.driver.client.advance(shared.now()) == Ok(true) {
                state.tell(handler)?;
            }
            if shared.take_wake() {
                state.call(Update::Woken, handler)?;
            }
            shared.has_moved(&state);
            drop(state);
            if shared.is_stopped() {
                return Err(Error::Disconnected);
            }
            match look() {
                Ok(found) => return Ok(found),
                Err(most) => shared.bell.wait(most),
            }
        }
    }
}
