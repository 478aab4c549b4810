//! The client: a [`Session`](crate::session::Session) and the two buffers that the caller lends. Still no I/O.

mod advance;
mod bytes;
mod compaction;
mod connection;
mod error;
mod event;
mod inbound;
mod inner;
mod large;
mod link;
mod options;
mod outbound;
mod output;
mod queue;
mod receipts;
mod record;
mod redelivery;
pub mod save;
mod stream;
#[cfg(feature = "large-messages")]
mod streamed;
mod timing;

pub use error::{AcknowledgeError, ConnectError, Error, Full, RequestError, StreamError, Timeout};
pub use event::{Event, LargeMessage, Message, StreamedMessage};
pub use link::State;
pub use options::{LargeMessages, Options, Retry, SessionLoss, Timeouts};
pub use outbound::Outbound;
pub use receipts::Receipt;
pub use save::{RestoreError, SaveError};

use crate::session::Slot;
use crate::{Connect, Instant, PacketId, QoS};
use advance::Machine;
use inner::Inner;

/// Whether messages may be larger than the buffers. Where not, none of the code for them is linked.
const LARGE_MESSAGES: bool = cfg!(feature = "large-messages");

/// The two buffers of a client: arrays, mutable slices or vectors.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Buffers<R, T> {
    /// Packets that come in, one at a time or many. A message that is larger is delivered in pieces or skipped (feature
    /// `large-messages`). At least 16 bytes.
    pub rx: R,
    /// Packets on their way out, in the order in which they leave, and messages until they are acknowledged. An eighth of it
    /// (32 to 1,024 bytes, or as much as CONNECT takes) is kept for the answers that the client owes.
    pub tx: T,
}

/// An MQTT 3.1 and 3.1.1 client without I/O and without a clock.
///
/// `N`, a power of two, is the number of requests (messages of QoS 1 and 2, SUBSCRIBE, UNSUBSCRIBE) that can be
/// under way at the same time.
///
/// Whoever has a transport and a clock runs it like this, at each turn:
///
/// 1. Write [`pending`](Self::pending) and say with [`sent`](Self::sent) how much the transport took, until nothing
///    is pending or it takes no more.
/// 2. Read into [`receive_buffer`](Self::receive_buffer) and say with [`received`](Self::received) how much came; at
///    the end of the stream, or when it fails, call [`link_lost`](Self::link_lost).
/// 3. Call [`advance`](Self::advance) until it says `false`, and look at [`event`](Self::event) each time. This
///    queues answers, so go on with 1.
/// 4. Wait until the transport is ready or [`deadline`](Self::deadline) has come.
///
/// Every call is legal at any time; a call that is refused changes nothing.
///
/// ```
/// use baremqtt::{Buffers, Client, Connect, Event, Instant, Message, QoS};
///
/// let mut client = Client::<_, _, 8>::new(Buffers { rx: [0; 256], tx: [0; 512] });
/// let now = Instant::from_millis(0);
/// client.connect(&Connect::new("sensor-17").keep_alive(30), now)?;
///
/// let connect = client.pending();
/// assert_eq!(connect[0], 0x10);
/// let len = connect.len();
/// client.sent(len, now);
///
/// client.receive_buffer()[..4].copy_from_slice(&[0x20, 2, 0, 0]); // CONNACK
/// client.received(4, now);
/// assert!(client.advance(now)?);
/// assert_eq!(client.event(), Some(Event::Connected { session_present: Some(false) }));
/// assert!(!client.advance(now)?);
///
/// let id = client.publish(&Message::new("sensor/17", b"21.5").qos(QoS::AtLeastOnce), now)?;
/// assert_eq!(id.unwrap().get(), 1);
/// assert_eq!(client.pending(), b"\x32\x11\x00\x09sensor/17\x00\x0121.5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client<R, T, const N: usize> {
    inner: Inner<[Slot; N]>,
    buffers: Buffers<R, T>,
}

/// How far it is; not what lies in the buffers.
#[cfg(feature = "defmt")]
impl<R, T, const N: usize> defmt::Format for Client<R, T, N> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Client {{ state: {}, in_flight: {}, .. }}", self.state(), self.in_flight());
    }
}

impl<R, T, const N: usize> Client<R, T, N> {
    /// A client that is off line, with default [`Options`].
    pub const fn new(buffers: Buffers<R, T>) -> Self {
        Self::with_options(buffers, Options::new())
    }

    /// A client that is off line.
    pub const fn with_options(buffers: Buffers<R, T>, options: Options) -> Self {
        Client { inner: Inner::new(options), buffers }
    }

    /// The choices that hold.
    pub const fn options(&self) -> &Options {
        &self.inner.options
    }

    /// The choices, to be changed; time-outs that run already stay as they are.
    pub const fn options_mut(&mut self) -> &mut Options {
        &mut self.inner.options
    }

    /// How far the connection is.
    pub const fn state(&self) -> State {
        self.inner.link.state
    }

    /// When [`advance`](Self::advance) must be called next, whatever comes; `None` if nothing hangs on time.
    pub fn deadline(&self) -> Option<Instant> {
        self.inner.deadline()
    }

    /// Requests under way: their number is at most `N`.
    pub fn in_flight(&self) -> usize {
        self.inner.session.in_flight()
    }

    /// Changes whenever an image of the session ([`save`](Self::save)) that was made before must not be used any more.
    pub const fn revision(&self) -> u32 {
        self.inner.link.revision
    }

    /// Whether a message has come that cannot be delivered before the application acknowledges others
    /// ([`Options::manual_acknowledgement`]).
    pub const fn waits_for_acknowledgement(&self) -> bool {
        self.inner.inbound.waits_for_receipt
    }

    /// How many acknowledgements were ignored because nothing waited for them: late ones, or mistakes of the server.
    pub const fn ignored_acknowledgements(&self) -> u32 {
        self.inner.link.ignored
    }
}

impl<R: AsRef<[u8]> + AsMut<[u8]>, T: AsRef<[u8]> + AsMut<[u8]>, const N: usize> Client<R, T, N> {
    /// The outbound half: for helpers that make requests, like [`Routes`](crate::Routes).
    pub fn outbound(&mut self) -> Outbound<'_> {
        Outbound { inner: &mut self.inner, tx: self.buffers.tx.as_mut() }
    }

    /// The outbound half, at this point in time.
    fn at(&mut self, now: Instant) -> Outbound<'_> {
        self.inner.timers.set_now(now);
        self.outbound()
    }

    /// Begins a connection on a transport that is open: queues CONNECT, which copies what it needs.
    ///
    /// Messages of QoS 1 and 2 that are kept follow after CONNACK. With
    /// [`clean_session`](Connect::clean_session), those that an earlier connection had begun to send are given up
    /// and reported as [`Event::Ended`].
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn connect(&mut self, connect: &Connect<'_>, now: Instant) -> Result<(), ConnectError> {
        self.at(now).connect(connect)
    }

    /// Queues a message; returns the packet identifier, which at QoS 0 there is none of.
    ///
    /// At QoS 1 and 2 it is kept until [`Event::Published`] (or [`Event::Ended`]) tells how it ended, over lost
    /// connections too, and can be queued while there is none.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn publish(&mut self, message: &Message<'_>, now: Instant) -> Result<Option<PacketId>, RequestError> {
        self.outbound().publish(message, now)
    }

    /// Queues a message whose payload does not fit into the transmit buffer; returns the packet identifier, which at
    /// QoS 0 there is none of.
    ///
    /// It waits its turn behind what was queued before. Then [`Event::StreamReady`] asks for the payload, which
    /// [`write_payload`](Self::write_payload) takes in pieces; nothing else is sent or taken in until its end.
    ///
    /// # Errors
    /// See [`RequestError`]: [`NotRepeatable`](RequestError::NotRepeatable) where the QoS is 1 or 2 and the payload
    /// could not be handed over again.
    #[cfg(feature = "large-messages")]
    pub fn publish_streamed(
        &mut self,
        message: &StreamedMessage<'_>,
        now: Instant,
    ) -> Result<Option<PacketId>, RequestError> {
        self.outbound().publish_streamed(message, now)
    }

    /// Hands over the next piece of the payload that [`Event::StreamReady`] has asked for; says how many bytes of it
    /// were taken: fewer, or none, where they have to be [`sent`](Self::sent) before there is room for more.
    ///
    /// From the first call on the message has to be brought to its end: a source that stalls costs the link, by the
    /// stall time-out, because no other packet, not even PINGREQ, can pass. Bytes beyond the announced length are not
    /// taken.
    ///
    /// # Errors
    /// [`StreamError::NotAsked`] where no payload was asked for, or the link was lost since.
    #[cfg(feature = "large-messages")]
    pub fn write_payload(&mut self, payload: &[u8], now: Instant) -> Result<usize, StreamError> {
        self.outbound().write_payload(payload, now)
    }

    /// Gives up the message whose payload [`Event::StreamReady`] has asked for, instead of the first
    /// [`write_payload`](Self::write_payload). At QoS 1 and 2, [`Event::Ended`] follows. (A server that has had a QoS 2
    /// message whole, on an earlier connection, keeps its identifier to the end of the session.)
    ///
    /// # Errors
    /// [`StreamError::NotAsked`] where no payload was asked for, or some was handed over.
    #[cfg(feature = "large-messages")]
    pub fn abandon_payload(&mut self) -> Result<(), StreamError> {
        self.outbound().abandon_payload()
    }

    /// Queues a SUBSCRIBE for these topic filters, each with the greatest QoS that is wanted;
    /// [`Event::Subscribed`] brings the answer.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn subscribe(&mut self, filters: &[(&str, QoS)], now: Instant) -> Result<PacketId, RequestError> {
        self.outbound().subscribe(filters, now)
    }

    /// Queues an UNSUBSCRIBE for these topic filters; [`Event::Unsubscribed`] brings the answer.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn unsubscribe(&mut self, filters: &[&str], now: Instant) -> Result<PacketId, RequestError> {
        self.outbound().unsubscribe(filters, now)
    }

    /// Ends the connection in good order: DISCONNECT follows what is queued. Requests that are not answered by then
    /// are kept or reported as after a lost link. A message that is the current event is acknowledged before. A streamed
    /// message whose payload was not begun is not waited for, nor is what is queued behind it.
    ///
    /// Once [`state`](Self::state) is [`Offline`](State::Offline), the transport has to be closed (MQTT-3.14.4-1).
    pub fn disconnect(&mut self, now: Instant) {
        self.at(now).disconnect();
    }

    /// The bytes to be sent next; empty if there are none.
    ///
    /// They stay what they are until [`sent`](Self::sent) is called, whatever is asked of the client in between; the
    /// next call of `pending` may offer others.
    #[must_use]
    pub fn pending(&mut self) -> &[u8] {
        self.outbound().pending()
    }

    /// The transport has taken the first `len` of the bytes that [`pending`](Self::pending) has offered.
    ///
    /// An answer to a request that was offered, and comes before this is told, waits until then.
    pub fn sent(&mut self, len: usize, now: Instant) {
        self.at(now).sent(len);
    }

    /// Where bytes from the transport go.
    ///
    /// It is empty only while received packets wait for [`advance`](Self::advance), or for answers to be sent:
    /// do not read then, a read of nothing looks like the end of the stream.
    #[must_use]
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        self.buffers.rx.as_mut().get_mut(self.inner.inbound.fill..).unwrap_or_default()
    }

    /// [`receive_buffer`](Self::receive_buffer) and [`pending`](Self::pending) at the same time, for a transport that
    /// reads and writes at the same time.
    #[must_use]
    pub fn split_io(&mut self) -> (&mut [u8], &[u8]) {
        let free = self.buffers.rx.as_mut().get_mut(self.inner.inbound.fill..).unwrap_or_default();
        let outbound = Outbound { inner: &mut self.inner, tx: self.buffers.tx.as_mut() };
        (free, outbound.pending())
    }

    /// The transport has put `len` bytes into [`receive_buffer`](Self::receive_buffer), 1 or more.
    pub fn received(&mut self, len: usize, now: Instant) {
        let room = self.buffers.rx.as_ref().len();
        self.inner.received(len, room, now);
    }

    /// The transport is gone: its stream has ended, or it has failed. What the session keeps is sent again after the
    /// next [`connect`](Self::connect); the rest is reported by [`advance`](Self::advance).
    pub fn link_lost(&mut self) {
        self.outbound().link_lost();
    }

    /// Makes a step: lets go of the last event (a message is acknowledged by that), looks at the clock, and reads
    /// what has come. `true`: there is an [`event`](Self::event). `false`: call again after bytes have come or gone,
    /// and at the [`deadline`](Self::deadline).
    ///
    /// # Errors
    /// The [`Error`] that has ended the connection. It is said once; the client is off line, and the transport has to
    /// be closed.
    #[must_use = "there may be an event"]
    pub fn advance(&mut self, now: Instant) -> Result<bool, Error> {
        self.inner.timers.set_now(now);
        let out = Outbound { inner: &mut self.inner, tx: self.buffers.tx.as_mut() };
        Machine { rx: self.buffers.rx.as_mut(), out, len: 0 }.advance()
    }

    /// Writes the session into `out`, in the form that [`save`] describes; says how many bytes it took: at most 80 more
    /// than the transmit buffer has.
    ///
    /// For a session that is to live on after a reboot, the image has to be durable before the bytes leave that tell
    /// the server of a change: whenever [`revision`](Self::revision) differs from the one that was saved last, save
    /// before the next [`pending`](Self::pending) goes to the transport. Then messages of QoS 2 arrive exactly once.
    /// An image that is older only by acknowledgements (they leave the revision as it is) does no harm: what is
    /// finished already may be sent once more, and the server knows it.
    ///
    /// Not in the image: QoS 0, SUBSCRIBE, UNSUBSCRIBE, and [`Event::Ended`] that was not reported yet.
    ///
    /// # Errors
    /// [`SaveError::BufferTooSmall`], with the number of bytes that are needed.
    pub fn save(&self, out: &mut [u8]) -> Result<usize, SaveError> {
        save::save(&self.inner, self.buffers.tx.as_ref(), out)
    }

    /// Takes in a session that [`save`](Self::save) has written, by a client of the same or another size. Every kept
    /// message will be sent with DUP.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn restore(&mut self, image: &[u8]) -> Result<(), RestoreError> {
        self.outbound().restore(image)
    }

    /// The event that [`advance`](Self::advance) has found; `None` if it has found none.
    pub fn event(&self) -> Option<Event<'_>> {
        self.inner.inbound.event(self.buffers.rx.as_ref(), self.inner.link.version)
    }

    /// What the message of this [`event`](Self::event) is acknowledged by. `None` where the client does that itself
    /// ([`Options::manual_acknowledgement`]), at QoS 0, and before the end of a message that comes in pieces.
    pub const fn receipt(&self) -> Option<Receipt> {
        self.inner.inbound.receipt
    }

    /// Acknowledges a message: now the server forgets it. Messages are acknowledged in the order in which they came.
    ///
    /// # Errors
    /// See [`AcknowledgeError`].
    pub fn acknowledge(&mut self, receipt: Receipt, now: Instant) -> Result<(), AcknowledgeError> {
        self.outbound().acknowledge(receipt, now)
    }

    /// The event, and beside it the outbound half: for a handler that publishes while it still borrows a payload.
    ///
    /// ```
    /// # use baremqtt::{Buffers, Client, Event, Instant, Message};
    /// # let mut client = Client::<_, _, 8>::new(Buffers { rx: [0; 256], tx: [0; 512] });
    /// # let now = Instant::from_millis(0);
    /// while client.advance(now)? {
    ///     if let (Some(Event::Message(message)), mut outbound) = client.split() {
    ///         outbound.publish(&Message::new("echo", message.payload), now)?;
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn split(&mut self) -> (Option<Event<'_>>, Outbound<'_>) {
        let event = self.inner.inbound.event(self.buffers.rx.as_ref(), self.inner.link.version);
        (event, Outbound { inner: &mut self.inner, tx: self.buffers.tx.as_mut() })
    }
}
