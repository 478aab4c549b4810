//! The client that tasks share: they publish and subscribe here, and the runner keeps the link.

use core::fmt;

use super::cell::{OneThread, SharedCell, Sharing};
use super::signals::Signals;
use crate::transport::common::Driver;
use crate::{Client, Config, InboundIds, Standard};

/// A client that is shared by many tasks, as `&Handle`, or as `Arc<Handle>` if tasks cannot borrow. A [`Runner`](super::Runner)
/// keeps its link.
///
/// Its calls are those of the [`Client`], except that they wait if there is no room. All of them can be dropped at any time; a request
/// that has not been queued by then is not made. In a handler, use the outbound half that is passed to it instead.
///
/// `S` is [`OneThread`], or [`Threads`](super::Threads) if tasks can run on any thread ([`for_threads`](Self::for_threads)). `N` is the
/// number of tasks that can wait for room at the same time, and also the number that can wait for an acknowledgement; it need not be larger
/// than the number of tasks. If all places for acknowledgements are taken, a task waits for room instead. If those places are taken too,
/// its call is refused ([`TooManyWaiters`](crate::transport::HandleError::TooManyWaiters)). With [`Threads`](super::Threads) that never
/// happens, because more places are allocated.
///
/// ```
/// use baremqtt::transport::HandleError;
/// use baremqtt::transport::asynch::Handle;
/// use baremqtt::{Buffers, Client, Message};
///
/// type Mqtt = Handle<[u8; 256], [u8; 512]>;
///
/// async fn report(mqtt: &Mqtt, celsius: &str) -> Result<(), HandleError> {
///     mqtt.publish(&Message::new("sensor/17", celsius.as_bytes()).at_least_once()).await?;
///     Ok(())
/// }
///
/// let mqtt: Mqtt = Handle::new(Client::new(Buffers { rx: [0; 256], tx: [0; 512] }));
/// let reporting = report(&mqtt, "21.5");
/// ```
pub struct Handle<R, T, C = Standard, I = InboundIds, S: Sharing = OneThread, const N: usize = 8> {
    inner: S::Cell<Inner<R, T, C, I>>,
    pub(super) signals: S::Cell<Signals<N>>,
}

/// The client, and what belongs to it. A handler holds it while it runs.
pub(super) struct Inner<R, T, C, I> {
    pub(super) driver: Driver<(), R, T, C, I>,
    /// Something has been queued, read or written since the runner last looked.
    pub(super) has_moved: bool,
    /// A flush has completed since the runner last looked.
    pub(super) has_sent_all: bool,
    /// The handler has failed.
    pub(super) has_failed: bool,
}

impl<R, T, C, I> Handle<R, T, C, I> {
    /// For tasks that run on one thread. (`tokio::spawn` needs [`for_threads`](Self::for_threads): with this, the compiler reports that
    /// `RefCell` is not `Sync`.)
    #[must_use]
    pub const fn new(client: Client<R, T, C, I>) -> Self {
        Self::with_places(client)
    }
}

impl<R, T, C, I, const N: usize> Handle<R, T, C, I, OneThread, N> {
    /// For tasks that run on one thread, `N` of which can wait at the same time.
    ///
    /// ```
    /// # use baremqtt::transport::asynch::{Handle, OneThread};
    /// # use baremqtt::{Buffers, Client, InboundIds, Standard};
    /// type Mqtt = Handle<[u8; 256], [u8; 512], Standard, InboundIds, OneThread, 20>;
    /// let mqtt: Mqtt = Handle::with_places(Client::new(Buffers { rx: [0; 256], tx: [0; 512] }));
    /// ```
    #[must_use]
    pub const fn with_places(client: Client<R, T, C, I>) -> Self {
        use core::cell::RefCell;
        Handle { inner: RefCell::new(Inner::new(client)), signals: RefCell::new(Signals::NEW) }
    }
}

#[cfg(feature = "std")]
impl<R, T, C, I, const N: usize> Handle<R, T, C, I, super::Threads, N> {
    /// For tasks that run on any thread.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use baremqtt::transport::asynch::{Handle, Threads};
    /// # use baremqtt::{Buffers, Client, InboundIds, Standard};
    /// type Mqtt = Handle<Vec<u8>, Vec<u8>, Standard, InboundIds, Threads>;
    /// let buffers = Buffers { rx: vec![0; 4096], tx: vec![0; 4096] };
    /// let mqtt: Arc<Mqtt> = Arc::new(Handle::for_threads(Client::new(buffers)));
    /// ```
    #[must_use]
    pub fn for_threads(client: Client<R, T, C, I>) -> Self {
        let mut signals = Signals::NEW;
        signals.waiters.allocate();
        Handle { inner: SharedCell::new(Inner::new(client)), signals: SharedCell::new(signals) }
    }
}

impl<R, T, C, I> Inner<R, T, C, I> {
    const fn new(client: Client<R, T, C, I>) -> Self {
        Inner { driver: Driver::new(client), has_moved: false, has_sent_all: false, has_failed: false }
    }
}

impl<R, T, C, I, S: Sharing, const N: usize> Handle<R, T, C, I, S, N> {
    pub(super) fn inner<V>(&self, f: impl FnOnce(&mut Inner<R, T, C, I>) -> V) -> Option<V> {
        self.inner.with(f)
    }

    /// Ends the runner for good, whatever it is doing. If the link is alive, DISCONNECT is sent, which may take up to 200 ms. The function
    /// that has opened the stream has as long again to close it; then its future is dropped. Acknowledgements are not waited for: for that,
    /// call [`finish`](Client::finish) through [`with`](Self::with). This can be called from a handler too. To continue later, use
    /// [`into_client`](Self::into_client).
    pub fn stop(&self) {
        self.signals(|signals| signals.is_stopping = true);
        self.wake_runner();
    }

    /// Makes the runner call its handler soon with [`Update::Woken`](crate::transport::Update::Woken), because a task has something for it.
    /// If a stream is being opened, the call follows after that. Several calls of `wake` can result in a single update. This can be called
    /// from anywhere.
    pub fn wake(&self) {
        self.signals(|signals| signals.is_woken = true);
        self.wake_runner();
    }

    /// Returns the client, which is then offline.
    #[must_use]
    pub fn into_client(self) -> Client<R, T, C, I>
    where
        R: AsRef<[u8]> + AsMut<[u8]>,
        T: AsRef<[u8]> + AsMut<[u8]>,
        C: Config,
        I: AsRef<[u8]> + AsMut<[u8]>,
    {
        let mut driver = self.inner.into_inner().driver;
        driver.close();
        driver.client
    }
}

impl<R, T, C, I, S: Sharing, const N: usize> fmt::Debug for Handle<R, T, C, I, S, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.inner(|inner| inner.driver.client.state());
        f.debug_struct("Handle").field("state", &state).finish_non_exhaustive()
    }
}
