//! What keeps a connection up, and is told what comes.

use core::fmt;
use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::time::Instant as Clock;
use std::vec::Vec;

use super::Error;
use super::ending::{BoxError, Ending, GaveUp};
use super::handle::Handle;
use super::link::Link;
use super::opener::Opener;
use super::shared::Shared;
use super::stream::Stream;
use crate::transport::retry::Retry;
use crate::{Backoff, Client, Config, Connect, Event, InboundIds, Outbound, Standard};

/// How long DISCONNECT may take, and the end of the stream after it, once the runner is stopped.
const STOP_PATIENCE: Duration = Duration::from_millis(100);

/// Hands CONNECT over.
type Connecting<'a> = dyn FnMut(&mut dyn FnMut(&Connect<'_>) -> Result<(), Error>) -> Result<(), Error> + 'a;

/// What the application does with all that it is told.
pub(super) type Handler<'a, C> = dyn FnMut(Update<'_>, &mut Outbound<'_, C>) -> Result<(), BoxError> + 'a;

/// Owns a client and its connection, which it opens again whenever it is lost; many [`Handle`]s make requests from other threads.
///
/// The delays between attempts grow, and begin anew once a connection has lived for as long as the greatest of them, or for a minute.
/// So two clients of one name, or a server that accepts and closes, are met less and less often.
///
/// Over a stream that has halves ([`Stream::reader`]), TCP for instance, nothing is asked again and again: a second thread waits in
/// the input, and what wakes the runner is that something came, that a handle wants something, or the keep alive. A stream that is
/// one object is read for 20 ms at a time: that is how long a request can lie there before it leaves, and 50 times a second the
/// thread wakes up for it.
#[derive(Debug)]
pub struct Runner<C = Standard, R = Vec<u8>, T = Vec<u8>, I = InboundIds> {
    pub(super) shared: Owned<R, T, C, I>,
    pub(super) retry: Retry,
    /// See [`coalesce`](Self::coalesce).
    pause: Duration,
    /// When all has to be over.
    deadline: Option<Clock>,
}

/// What a [`Runner`] has to tell.
#[derive(Debug)]
#[non_exhaustive]
pub enum Update<'a> {
    /// An event of the client.
    Event(Event<'a>),
    /// All that was queued has left: there is room for what was refused as [`Full`](crate::RequestError::Full), and for more of a
    /// payload ([`Outbound::write_payload`]).
    AllSent,
    /// A handle has asked for this call ([`Handle::wake`]).
    Woken,
    /// The connection is lost, or an attempt to make one has failed. The next attempt follows.
    LinkLost {
        /// Why.
        error: Error,
        /// The delay before it.
        retry_in: Duration,
    },
}

impl<C, R, T, I> Runner<C, R, T, I> {
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
    /// Without this they are the end ([`GaveUp::Refused`]).
    #[must_use]
    pub fn retry_refusals(mut self) -> Self {
        self.retry.despite_refusals = true;
        self
    }

    /// With a pause before each read, so that what comes meanwhile is taken in one go; see
    /// [`Connection::coalesce`](super::Connection::coalesce).
    #[must_use]
    pub fn coalesce(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// A handle, to be cloned as often as it is needed.
    #[must_use]
    pub fn handle(&self) -> Handle<C, R, T, I> {
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

impl<C, R, T, I> Runner<C, R, T, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Maintains a connection on this thread, until [`Handle::stop`], or until the application has disconnected
    /// ([`Outbound::disconnect`], [`Outbound::finish`]).
    ///
    /// - `open` makes a stream, on a thread of its own: it may take its time. Where the runner is stopped meanwhile, it is left behind.
    /// - `connect` hands CONNECT to the function that it is given, anew for each attempt, since tokens expire. What takes time, to
    ///   fetch a token for instance, belongs to `open`. Where it hands over none, the attempt has failed.
    /// - `handler` is told everything, in its order. It must not take long, for nothing else happens meanwhile; it can make requests by
    ///   the outbound half, which never waits. A message that it returns from is acknowledged
    ///   (unless [`manual_acknowledgement`](Config::manual_acknowledgement) is chosen).
    ///
    /// # Errors
    /// See [`GaveUp`]. An error of the handler closes the connection without DISCONNECT, so that the server publishes the will and
    /// keeps the message that the handler has failed at.
    pub fn run<S, O, Q, H>(mut self, open: O, mut connect: Q, mut handler: H) -> Result<(), GaveUp>
    where
        S: Stream + Send + 'static,
        O: FnMut() -> io::Result<S> + Send + 'static,
        Q: FnMut(&mut dyn FnMut(&Connect<'_>) -> Result<(), Error>) -> Result<(), Error>,
        H: FnMut(Update<'_>, &mut Outbound<'_, C>) -> Result<(), BoxError>,
    {
        self.shared.0.begin();
        let mut opener = Opener::new(open, Arc::clone(&self.shared.0.bell));
        loop {
            let (error, delay) = match self.connection(&mut opener, &mut connect, &mut handler) {
                Ending::Done => return Ok(()),
                Ending::Failed(error) => return Err(GaveUp::Handler(error)),
                Ending::NotOpened(error) => (Error::Io(error), self.retry.not_opened()),
                Ending::Lost(Error::Connect(error)) => return Err(GaveUp::Connect(error)),
                Ending::Lost(error) => {
                    let is_reset =
                        matches!(&error, Error::Io(error) if error.kind() == io::ErrorKind::ConnectionReset);
                    let delay = self.retry.lost(&error, self.shared.0.now(), is_reset);
                    (error, delay)
                }
            };
            match (delay, error.refusal()) {
                (Some(delay), _) => match self.pause(error, delay, &mut handler) {
                    Ok(()) => {}
                    Err(Ending::Failed(error)) => return Err(GaveUp::Handler(error)),
                    Err(_) => return Ok(()),
                },
                (None, Some(code)) if self.retry.is_final(&error) => return Err(GaveUp::Refused(code)),
                (None, _) => return Err(GaveUp::Limit(error)),
            }
        }
    }

    /// One connection, from its beginning to its end.
    fn connection<S, O>(
        &mut self,
        opener: &mut Opener<O, S>,
        connect: &mut Connecting<'_>,
        handler: &mut Handler<'_, C>,
    ) -> Ending
    where
        S: Stream + Send + 'static,
        O: FnMut() -> io::Result<S> + Send + 'static,
    {
        let bell = Arc::clone(&self.shared.0.bell);
        let opened = self.wait_offline(handler, || opener.poll().ok_or(None));
        let stream = match opened {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Ending::NotOpened(error),
            Err(ending) => return ending,
        };
        let mut link = match Link::new(stream, bell, self.pause) {
            Ok(link) => link,
            Err(error) => return Ending::NotOpened(error),
        };
        let served = self.begin(connect).map_err(Ending::from).and_then(|()| self.serve(&mut link, handler));
        self.shared.0.lock().driver.close();
        let ending = served.err().unwrap_or(Ending::Done);
        self.hang_up(link, &ending);
        ending
    }

    /// Offline: tells what needs no connection, until what is looked for is there. Where it is not, `look` says how long it may wait.
    fn wait_offline<V>(
        &self,
        handler: &mut Handler<'_, C>,
        mut look: impl FnMut() -> Result<V, Option<Duration>>,
    ) -> Result<V, Ending> {
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
                return Err(Ending::Done);
            }
            match look() {
                Ok(found) => return Ok(found),
                Err(most) => shared.bell.wait(most),
            }
        }
    }

    /// Queues CONNECT.
    fn begin(&mut self, connect: &mut Connecting<'_>) -> Result<(), Error> {
        let (shared, retry) = (&self.shared.0, &mut self.retry);
        connect(&mut |connect| Ok(retry.connect(&mut shared.lock().driver.client, connect)?))
    }

    /// The connection is lost, or has not come to be: waits until it is time for the next attempt.
    fn pause(&self, error: Error, delay: u32, handler: &mut Handler<'_, C>) -> Result<(), Ending> {
        let retry_in = Duration::from_millis(delay.into());
        let started = Clock::now();
        self.shared.0.lock().call(Update::LinkLost { error, retry_in }, handler)?;
        self.wait_offline(handler, || match retry_in.saturating_sub(started.elapsed()) {
            Duration::ZERO => Ok(()),
            left => Err(Some(left)),
        })
    }
}
