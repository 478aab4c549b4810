//! The client: two buffers that the caller lends, and what it keeps of a session. Still no I/O, and no clock.
//!
//! ```text
//! bytes out <- answers, outbox (tx)        flow: how they play together
//! bytes in  -> inbox (rx), inbound_ids     timers: countdowns
//! ```
//!
//! `outbox`, `answers`, `inbox`, `inbound_ids` and `timers` know nothing of each other; `flow` has a file for each story.

mod answers;
mod bytes;
mod config;
mod error;
mod event;
mod flow;
mod inbound_ids;
mod inbox;
mod outbound;
mod outbox;
mod parts;
mod receipt;
mod state_key;
mod timers;
mod under_way;
mod work;

pub use config::{Config, LargeMessages, SessionLoss, Standard};
pub use error::{
    AcknowledgeError, ConnectError, Error, Full, GiveUpError, RequestError, RestoreError, SaveError,
    StreamError, Timeout,
};
pub use event::{Event, LargeMessage, Message, Outcome, StreamedMessage};
pub use outbound::Outbound;
pub use receipt::Receipt;
pub use under_way::{Request, UnderWay};
pub use work::State;

use crate::{Connect, Instant, PacketId, QoS, Version};
use parts::Parts;
use work::All;

/// The two buffers of a client: arrays, mutable slices or vectors.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Buffers<R, T> {
    /// CONNECT until it has left, then packets that come in, one at a time or many. At least as large as CONNECT, and as
    /// SUBACK: 5 bytes and one for each filter of a SUBSCRIBE. A message that is larger is skipped and acknowledged, or comes in
    /// pieces ([`Config::large_messages`]).
    pub rx: R,
    /// Requests, from the call that makes them to the event that reports their end; and, in space of their own, the answers that the
    /// client owes: an eighth, at least 32 and at most 1,024 bytes. The rest holds PUBLISH (topic + payload + 4 to 9 bytes; see
    /// [`Message::encoded_len`]), SUBSCRIBE (4 to 7 bytes, and each filter + 3) and UNSUBSCRIBE (each filter + 2), the
    /// largest of them at least.
    pub tx: T,
}

/// Room for the identifiers of inbound messages of QoS 2 where the application does not choose: 170 bytes. Servers count
/// identifiers upwards, those of QoS 1 among them; so it takes thousands of messages in sequence, or 1,000 of which each may be of
/// QoS 1 or 2.
pub type InboundIds = [u8; inbound_ids::DEFAULT_LEN];

/// An MQTT 3.1 and 3.1.1 client without I/O and without a clock.
///
/// With a transport and a clock, one turn is this:
///
/// 1. Write [`pending`](Self::pending), and report with [`sent`](Self::sent) how many bytes the transport took, until nothing is
///    pending or it takes no more.
/// 2. Read into [`receive_buffer`](Self::receive_buffer), unless that is empty, and report with [`received`](Self::received) how
///    many bytes came; at the end of the stream, or when it fails, call [`link_lost`](Self::link_lost).
/// 3. Call [`advance`](Self::advance) until it returns `false`, and look at [`event`](Self::event) each time. This queues answers,
///    so go on with 1.
/// 4. Wait until the transport is ready or [`time_left`](Self::time_left) has passed.
///
/// Every call is legal at any time; a call that is refused changes nothing.
///
/// ```
/// use baremqtt::{Buffers, Client, Connect, Event, Instant, Message};
///
/// let mut client = Client::new(Buffers { rx: [0; 256], tx: [0; 512] });
/// client.connect(&Connect::new("sensor-17").keep_alive(30))?;
///
/// let connect = client.pending();
/// assert_eq!(connect[0], 0x10);
/// let len = connect.len();
/// client.sent(len);
///
/// client.receive_buffer()[..4].copy_from_slice(&[0x20, 2, 0, 0]); // CONNACK
/// client.received(4);
/// let now = Instant::from_millis(0);
/// assert!(client.advance(now)?);
/// assert_eq!(client.event(), Some(Event::Connected { session_present: Some(false) }));
/// assert!(!client.advance(now)?);
///
/// let id = client.publish(&Message::new("sensor/17", b"21.5").at_least_once())?;
/// assert_eq!(id.unwrap().get(), 1);
/// assert_eq!(client.pending(), b"\x32\x11\x00\x09sensor/17\x00\x0121.5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client<R, T, C = Standard, I = InboundIds> {
    all: All,
    config: C,
    buffers: Buffers<R, T>,
    ids: I,
}

/// How far it is; not what lies in the buffers, a password among it.
impl<R, T, C, I> core::fmt::Debug for Client<R, T, C, I> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state())
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<R, T, C, I> defmt::Format for Client<R, T, C, I> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Client {{ state: {}, in_flight: {}, .. }}", self.state(), self.in_flight());
    }
}

impl<R, T> Client<R, T> {
    /// A client that is offline, with the [`Standard`] configuration.
    #[must_use]
    pub const fn new(buffers: Buffers<R, T>) -> Self {
        Self::with_config(buffers, Standard)
    }
}

impl<R, T, C> Client<R, T, C> {
    /// A client that is offline, with this configuration.
    #[must_use]
    pub const fn with_config(buffers: Buffers<R, T>, config: C) -> Self {
        Self::with_inbound_ids(buffers, config, [0; inbound_ids::DEFAULT_LEN])
    }
}

impl<R, T, C, I> Client<R, T, C, I> {
    /// A client that is offline, with this configuration, and with as much room for the identifiers of inbound messages of QoS 2
    /// as is lent here. All its bytes must be 0 at first.
    ///
    /// Each 10 bytes take 64 identifiers that follow each other, or thousands of which none is missing. For a sensor that is
    /// sent a command now and then, 20 bytes are enough; one that never subscribes with QoS 2 needs none
    /// ([`Config::receives_exactly_once`]). Where there is no room, what came before is acknowledged, and
    /// [`Error::InboundFull`] ends the connection.
    #[must_use]
    pub const fn with_inbound_ids(buffers: Buffers<R, T>, config: C, ids: I) -> Self {
        Client { all: All::NEW, config, buffers, ids }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &C {
        &self.config
    }

    /// The state of the connection.
    #[must_use]
    pub const fn state(&self) -> State {
        self.all.work.link.state
    }

    /// Milliseconds until [`advance`](Self::advance) must be called, even if nothing comes; `None` if no timer runs.
    #[must_use]
    pub fn time_left(&self) -> Option<u32> {
        self.all.work.timers.left(self.all.work.notes)
    }

    /// How many requests are under way, those included whose end is still to be reported. The one that the event at hand ends is
    /// not.
    #[must_use]
    pub const fn in_flight(&self) -> usize {
        under_way::in_flight(&self.all.outbox, &self.all.work.inbox)
    }

    /// Changes whenever earlier images of the session ([`save`](Self::save)) are out of date.
    #[must_use]
    pub const fn revision(&self) -> u32 {
        self.all.work.session.revision
    }

    /// Whether a message has come that cannot be delivered before the application acknowledges others
    /// ([`Config::manual_acknowledgement`]).
    #[must_use]
    pub const fn waits_for_acknowledgement(&self) -> bool {
        self.all.work.inbox.waits_for_receipt
    }

    /// Whether nothing more can leave before the application hands over more of a payload ([`Event::StreamReady`],
    /// [`write_payload`](Self::write_payload)).
    #[must_use]
    pub fn waits_for_payload(&self) -> bool {
        self.all.outbox.waits_for_payload()
    }

    /// How many acknowledgements were ignored because no request was waiting for them: late ones, or mistakes of the server.
    #[must_use]
    pub const fn ignored_acknowledgements(&self) -> u32 {
        self.all.work.session.ignored
    }

    /// Sets the packet identifier of the next request.
    ///
    /// A new process on a session that the server has kept, without an image of it ([`restore`](Self::restore)), should start at an
    /// identifier that the process before is unlikely to have had under way, a random one for instance: the server takes a message
    /// of QoS 2 under an identifier that it still knows for a repetition, and drops it.
    pub fn set_next_packet_id(&mut self, id: PacketId) {
        self.all.outbox.set_first_id(id);
    }

    /// The receipt that acknowledges the message of this [`event`](Self::event). `None` where the client does that itself
    /// ([`Config::manual_acknowledgement`]), at QoS 0, and before the end of a message that comes in pieces.
    #[must_use]
    pub const fn receipt(&self) -> Option<Receipt> {
        flow::manual::receipt(&self.all.work)
    }
}

impl<R, T, C, I> Client<R, T, C, I>
where
    R: AsRef<[u8]> + AsMut<[u8]>,
    T: AsRef<[u8]> + AsMut<[u8]>,
    C: Config,
    I: AsRef<[u8]> + AsMut<[u8]>,
{
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn parts(&mut self) -> Parts<'_, C> {
        self.split_parts().1
    }

    /// The receive buffer, and all else.
    #[inline]
    fn split_parts(&mut self) -> (&mut [u8], Parts<'_, C>) {
        let rx = self.buffers.rx.as_mut();
        let (tx, ids) = (self.buffers.tx.as_mut(), self.ids.as_mut());
        let parts = Parts::new(&mut self.all, &self.config, tx, ids);
        (rx, parts)
    }

    #[inline]
    fn version(&self) -> Version {
        let mqtt31 = self.config.mqtt31() && self.all.work.session.mqtt31;
        if mqtt31 { Version::Mqtt31 } else { Version::Mqtt311 }
    }

    /// The part of the transmit buffer that requests have.
    #[inline]
    fn log(&self) -> &[u8] {
        let tx = self.buffers.tx.as_ref();
        tx.get(..parts::log_len(tx.len())).unwrap_or_default()
    }

    /// The outbound half: for helpers that make requests, like [`Routes`](crate::Routes).
    #[must_use]
    pub fn outbound(&mut self) -> Outbound<'_, C> {
        let (rx, parts) = self.split_parts();
        Outbound { parts, rx_len: rx.len() }
    }

    /// Begins a connection on a transport that is open: queues CONNECT, in the receive buffer.
    ///
    /// Messages of QoS 1 and 2 that are kept follow after CONNACK. With [`clean_session`](Connect::clean_session), those that an
    /// earlier connection had begun to send are given up and reported as [`Event::Ended`] (MQTT-3.1.2-6).
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn connect(&mut self, connect: &Connect<'_>) -> Result<(), ConnectError> {
        let (rx, mut parts) = self.split_parts();
        flow::connection::connect(&mut parts, rx, connect)
    }

    /// Queues a message; returns its packet identifier, or `None` at QoS 0.
    ///
    /// At QoS 1 and 2 it is kept until [`Event::Published`] (or [`Event::Ended`]) reports its end, over lost connections too,
    /// and can be queued while offline.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn publish(&mut self, message: &Message<'_>) -> Result<Option<PacketId>, RequestError> {
        flow::requests::publish(&mut self.parts(), message)
    }

    /// Queues a message whose payload does not fit into the transmit buffer; returns its packet identifier, or `None` at QoS 0.
    ///
    /// It waits its turn behind what was queued before. Then [`Event::StreamReady`] asks for the payload, which
    /// [`write_payload`](Self::write_payload) takes in pieces; no request is taken in until its end.
    ///
    /// # Errors
    /// See [`RequestError`]: [`NotRepeatable`](RequestError::NotRepeatable) where the QoS is 1 or 2 and the payload could not be
    /// handed over again; [`TurnedOff`](RequestError::TurnedOff) without [`Config::streams`].
    pub fn publish_streamed(
        &mut self,
        message: &StreamedMessage<'_>,
    ) -> Result<Option<PacketId>, RequestError> {
        flow::streams::publish_streamed(&mut self.parts(), message)
    }

    /// Hands over the next piece of the payload that [`Event::StreamReady`] has asked for; returns how many bytes of it were
    /// taken: fewer, or none, where they have to be [`sent`](Self::sent) before there is room for more.
    ///
    /// After the first call the rest has to follow: no other packet can be sent in between, not even PINGREQ.
    /// Bytes beyond the announced length are not taken.
    ///
    /// # Errors
    /// [`StreamError::NotAsked`] where no payload was asked for, or the connection was lost since.
    pub fn write_payload(&mut self, payload: &[u8]) -> Result<usize, StreamError> {
        flow::streams::write_payload(&mut self.parts(), payload)
    }

    /// Gives up the message whose payload [`Event::StreamReady`] has asked for, instead of the first
    /// [`write_payload`](Self::write_payload). At QoS 1 and 2, [`Event::Ended`] follows. (A server that has had a QoS 2 message
    /// whole, on an earlier connection, keeps its identifier to the end of the session; [`give_up`](Self::give_up) does not
    /// leave that behind.)
    ///
    /// # Errors
    /// [`StreamError::NotAsked`] where no payload was asked for, or some was handed over.
    pub fn abandon_payload(&mut self) -> Result<(), StreamError> {
        flow::streams::abandon_payload(&mut self.parts())
    }

    /// Queues a SUBSCRIBE for these topic filters, each with the maximum QoS that is wanted; [`Event::Subscribed`] brings the
    /// answer.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn subscribe(&mut self, filters: &[(&str, QoS)]) -> Result<PacketId, RequestError> {
        let rx_len = self.buffers.rx.as_ref().len();
        flow::requests::subscribe(&mut self.parts(), rx_len, filters)
    }

    /// Queues an UNSUBSCRIBE for these topic filters; [`Event::Unsubscribed`] brings the answer.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn unsubscribe(&mut self, filters: &[&str]) -> Result<PacketId, RequestError> {
        flow::requests::unsubscribe(&mut self.parts(), filters)
    }

    /// The requests under way, in the order in which they leave: after [`restore`](Self::restore), and to find one that is to be
    /// [given up](Self::give_up).
    pub fn under_way(&self) -> impl Iterator<Item = UnderWay<'_>> {
        under_way::under_way(&self.all.outbox, self.log(), &self.all.work.inbox)
    }

    /// Gives up a message of QoS 1 or 2, because it is stale, or because the server will not accept it.
    ///
    /// If nothing of it has left on this connection, it is gone, and no event follows. Otherwise a few bytes keep its identifier from
    /// being used again, and its end is reported as that of any message: by [`Event::Published`] if the server acknowledges it
    /// after all, or by [`Event::Ended`] when the connection is lost. At QoS 2, where the server may hold the identifier from an
    /// earlier connection, PUBREL makes it forget that, and `Published` only says that it has.
    ///
    /// This deviates from MQTT-4.4.0-1, by which unacknowledged messages are sent again on each connection: a message that makes a
    /// server close the connection would be repeated for ever, and everything behind it held up.
    ///
    /// # Errors
    /// See [`GiveUpError`].
    pub fn give_up(&mut self, id: PacketId) -> Result<(), GiveUpError> {
        flow::give_up::give_up(&mut self.parts(), id)
    }

    /// Takes no more requests, and disconnects once everything under way has ended. If that takes too long,
    /// [`disconnect`](Self::disconnect) does it at once.
    ///
    /// Once [`state`](Self::state) is [`Offline`](State::Offline), the transport has to be closed.
    pub fn finish(&mut self) {
        flow::connection::finish(&mut self.parts());
    }

    /// Ends the connection gracefully: DISCONNECT follows what is queued. Requests that are not answered by then are kept or
    /// reported as after a lost connection. A message that is the current event is acknowledged before. A streamed message whose
    /// payload was not begun is not waited for, nor is what is queued behind it; within a payload nothing can be sent, so the client
    /// is offline at once.
    ///
    /// Once [`state`](Self::state) is [`Offline`](State::Offline), the transport has to be closed (MQTT-3.14.4-1).
    pub fn disconnect(&mut self) {
        flow::connection::disconnect(&mut self.parts());
    }

    /// The bytes to be sent next; empty if there are none.
    ///
    /// They do not change until [`sent`](Self::sent) is called, whatever else is called in between; then `pending` may offer
    /// others.
    #[must_use]
    pub fn pending(&mut self) -> &[u8] {
        if bytes::IS_LARGE && work::is_all_sent(&self.all.work, &self.all.outbox, &self.all.answers) {
            self.all.work.offer = work::Offer::NONE;
            return &[];
        }
        self.split_io().1
    }

    /// The transport has taken the first `len` of the bytes that [`pending`](Self::pending) has offered.
    ///
    /// What was offered counts as seen by the server until then.
    pub fn sent(&mut self, len: usize) {
        self.parts().sent(len);
    }

    /// Where bytes from the transport go.
    ///
    /// It is empty only while CONNECT has not left, or while received packets wait for [`advance`](Self::advance), for answers to
    /// be sent, or for the application: do not read then, a read of nothing looks like the end of the stream.
    #[must_use]
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        self.all.work.inbox.free(self.buffers.rx.as_mut())
    }

    /// [`receive_buffer`](Self::receive_buffer) and [`pending`](Self::pending) at the same time, for a transport that reads and
    /// writes at the same time.
    #[must_use]
    pub fn split_io(&mut self) -> (&mut [u8], &[u8]) {
        let (rx, parts) = self.split_parts();
        flow::output::pending(parts, rx)
    }

    /// The transport has put `len` bytes into [`receive_buffer`](Self::receive_buffer), 1 or more.
    pub fn received(&mut self, len: usize) {
        if len > 0 && self.all.work.link.state != State::Offline && !self.all.work.inbox.holds_connect {
            self.all.work.inbox.filled(len, self.buffers.rx.as_ref().len());
            self.all.work.notes.add(timers::Note::RECEIVED);
        }
    }

    /// The transport is gone: its stream has ended, or it has failed. What the session keeps is sent again after the next
    /// [`connect`](Self::connect); the rest is reported by [`advance`](Self::advance).
    pub fn link_lost(&mut self) {
        if self.all.work.link.state != State::Offline {
            flow::connection::link_lost(&mut self.parts());
        }
    }

    /// The transport takes nothing more, but may still have something to read: what has come is delivered, without answers. When
    /// all is read, call [`link_lost`](Self::link_lost).
    pub fn output_lost(&mut self) {
        flow::connection::output_lost(&mut self.parts());
    }

    /// Makes a step: releases the last event (a message is acknowledged by that), looks at the clock, and reads what has come.
    /// `true`: there is an [`event`](Self::event). `false`: call again after bytes have come or gone or a request was made, and when
    /// [`time_left`](Self::time_left) has passed.
    ///
    /// Of `now` only differences count, modulo 2^32 ms; a clock that steps back is taken for one that stood still.
    ///
    /// # Errors
    /// The [`Error`] that has ended the connection. It is returned once; the client is offline, and the transport has to be closed.
    #[must_use = "there may be an event"]
    pub fn advance(&mut self, now: Instant) -> Result<bool, Error> {
        if bytes::IS_LARGE && self.all.work.is_idle(now) {
            return Ok(false);
        }
        let (rx, mut parts) = self.split_parts();
        flow::advance::advance(&mut parts, rx, now)
    }

    /// The event that [`advance`](Self::advance) has found; `None` if it has found none.
    #[must_use]
    pub fn event(&self) -> Option<Event<'_>> {
        flow::events::event(&self.all.work.inbox, self.buffers.rx.as_ref(), self.version(), &self.config)
    }

    /// The event, and beside it the outbound half: for a handler that publishes while it still borrows a payload.
    ///
    /// ```
    /// # use baremqtt::{Buffers, Client, Event, Instant, Message};
    /// # let mut client = Client::new(Buffers { rx: [0; 256], tx: [0; 512] });
    /// # let now = Instant::from_millis(0);
    /// while client.advance(now)? {
    ///     if let (Some(Event::Message(message)), mut outbound) = client.split() {
    ///         outbound.publish(&Message::new("echo", message.payload))?;
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn split(&mut self) -> (Option<Event<'_>>, Outbound<'_, C>) {
        let version = self.version();
        let rx = self.buffers.rx.as_ref();
        let event = flow::events::event(&self.all.work.inbox, rx, version, &self.config);
        let tx = self.buffers.tx.as_mut();
        let parts = Parts::new(&mut self.all, &self.config, tx, self.ids.as_mut());
        (event, Outbound { parts, rx_len: rx.len() })
    }

    /// Acknowledges a message: now the server forgets it. Messages are acknowledged in the order in which they came.
    ///
    /// # Errors
    /// See [`AcknowledgeError`].
    pub fn acknowledge(&mut self, receipt: Receipt) -> Result<(), AcknowledgeError> {
        flow::manual::acknowledge(&mut self.parts(), receipt)
    }

    /// Writes an image of the session into `out`; returns how many bytes it took: at most the transmit buffer, the room for
    /// inbound identifiers and 13 more.
    ///
    /// For a session that is to live on after a reboot exactly, see [`Config::durable`]. Without that, save whenever
    /// [`revision`](Self::revision) has changed; what left since the last image may then arrive twice or be lost after a
    /// reboot.
    ///
    /// Not in the image: what is sent at QoS 0. SUBSCRIBE and UNSUBSCRIBE are in it as requests that have ended.
    ///
    /// # Errors
    /// [`SaveError::BufferTooSmall`], with the number of bytes that are needed.
    pub fn save(&mut self, out: &mut [u8]) -> Result<usize, SaveError> {
        flow::image::save(&mut self.parts(), out)
    }

    /// The last image, of this [`revision`](Self::revision), is durable: packets that reveal a state in it may leave
    /// ([`Config::durable`]). Any other revision is ignored.
    pub fn saved(&mut self, revision: u32) {
        flow::image::saved(&mut self.parts(), revision);
    }

    /// Restores a session that [`save`](Self::save) has written, by a client with the same or another configuration and buffers
    /// of the same or another size. Every kept message will be sent with DUP; ends that were not reported before the image was
    /// made are reported now.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn restore(&mut self, image: &[u8]) -> Result<(), RestoreError> {
        flow::image::restore(&mut self.parts(), image)
    }
}
