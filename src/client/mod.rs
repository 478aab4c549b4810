//! The client: two caller-supplied buffers, and the state of a session. No I/O, and no clock.
//!
//! ```text
//! bytes out <- answers, outbox (tx)        flow: how they work together
//! bytes in  -> inbox (rx), inbound_ids     timers: countdowns
//! ```
//!
//! `outbox`, `answers`, `inbox`, `inbound_ids` and `timers` do not use each other; `flow` has a file for each procedure that involves
//! several of them.

#[cfg(any(
    feature = "std",
    feature = "embedded-io-v0.7",
    feature = "embedded-io-async-v0.7",
    feature = "nb"
))]
mod adapters;
mod answers;
mod bytes;
mod config;
mod end;
mod error;
mod event;
mod flow;
mod inbound_ids;
mod inbox;
mod message;
mod outbound;
mod outbox;
mod parts;
mod receipt;
mod state;
#[cfg(baremqtt_explore)]
mod state_key;
mod timers;
mod under_way;

pub use config::{Config, LargeMessages, SessionLoss, Standard};
pub use error::{
    AcknowledgeError, ConnectError, Error, Full, GiveUpError, RequestError, RestoreError, SaveError,
    StreamError, Timeout,
};
pub use event::{Event, LargeMessage, Outcome};
pub use message::{Message, StreamedMessage};
pub use outbound::Outbound;
pub use receipt::Receipt;
pub use state::State;
pub use under_way::{Request, UnderWay};

use crate::{Connect, Instant, PacketId, QoS, Version};
use parts::Parts;
use state::ClientState;

/// The two buffers of a client: arrays, mutable slices or vectors.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Buffers<R, T> {
    /// The receive buffer. It holds CONNECT until that has been sent, then received packets, one or many at a time. It must be at least
    /// as large as CONNECT, and as SUBACK: 5 bytes, plus 1 for each filter of a SUBSCRIBE. A message that is larger than this buffer is
    /// skipped and acknowledged, or delivered in pieces ([`Config::large_messages`]).
    pub rx: R,
    /// The transmit buffer. It holds each request from the call that makes it to the event that reports its end. An eighth of the buffer,
    /// but at least 32 and at most 1,024 bytes, is reserved for answers to the server. The rest must be large enough for the largest
    /// request: PUBLISH (topic + payload + 4 to 9 bytes; see [`Message::encoded_len`]), SUBSCRIBE (4 to 7 bytes, plus each
    /// filter + 3) or UNSUBSCRIBE (4 to 7 bytes, plus each filter + 2).
    pub tx: T,
}

/// The default space for the identifiers of inbound QoS 2 messages: 170 bytes. Servers count identifiers upwards, for QoS 1 and
/// QoS 2 together, so this is enough for thousands of consecutive QoS 2 messages, or for 1,000 messages in any mixture of QoS 1 and 2.
pub type InboundIds = [u8; inbound_ids::DEFAULT_LEN];

/// An MQTT 3.1 and 3.1.1 client without I/O and without a clock.
///
/// To drive it with a transport and a clock, repeat these steps:
///
/// 1. Write [`pending`](Self::pending), and report with [`sent`](Self::sent) how many bytes the transport accepted, until nothing is
///    pending or the transport accepts no more.
/// 2. Unless [`receive_buffer`](Self::receive_buffer) is empty, read into it, and report with [`received`](Self::received) how
///    many bytes were read. At the end of the stream, or when it fails, call [`link_lost`](Self::link_lost).
/// 3. Call [`advance`](Self::advance) until it returns `false`, and handle the [`event`](Self::event) each time it returns `true`. This
///    queues answers, so go back to 1 if something is pending.
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
    state: ClientState,
    config: C,
    buffers: Buffers<R, T>,
    ids: I,
}

/// Shows the state, but not the contents of the buffers, which may include a password.
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
    /// A client that is offline, with this configuration, and with a buffer for the identifiers of inbound QoS 2 messages. All bytes of
    /// that buffer must be 0 initially.
    ///
    /// Every 10 bytes hold any of 64 consecutive identifiers, or thousands if none of them is missing. For a sensor that receives a
    /// command now and then, 20 bytes are enough; one that never subscribes with QoS 2 needs none
    /// ([`Config::receives_exactly_once`]). If the space runs out, earlier messages are acknowledged, and then
    /// [`Error::InboundFull`] ends the connection.
    #[must_use]
    pub const fn with_inbound_ids(buffers: Buffers<R, T>, config: C, ids: I) -> Self {
        Client { state: ClientState::NEW, config, buffers, ids }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &C {
        &self.config
    }

    /// The state of the connection.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state.control.link.state
    }

    /// Milliseconds until [`advance`](Self::advance) must be called, even if nothing is received; `None` if no timer is running.
    #[must_use]
    pub fn time_left(&self) -> Option<u32> {
        self.state.control.timers.left(self.state.control.notes)
    }

    /// The number of requests under way, including those whose end has not been reported yet. If the current event reports the end of a
    /// request, that request is not counted.
    #[must_use]
    pub const fn in_flight(&self) -> usize {
        under_way::in_flight(&self.state.outbox, &self.state.control.inbox)
    }

    /// A number that changes whenever an image that was written by [`save`](Self::save) becomes outdated, but not when a request ends:
    /// with the older image, a QoS 1 message is sent once more, as is allowed.
    #[must_use]
    pub const fn revision(&self) -> u32 {
        self.state.control.session.revision
    }

    /// Whether a packet has been received that cannot be processed until the application acknowledges earlier messages
    /// ([`Config::manual_acknowledgement`]).
    #[must_use]
    pub const fn waits_for_acknowledgement(&self) -> bool {
        self.state.control.inbox.waits_for_receipt
    }

    /// Whether no more requests are sent until the application supplies more of a payload ([`Event::StreamReady`],
    /// [`write_payload`](Self::write_payload)).
    #[must_use]
    pub fn waits_for_payload(&self) -> bool {
        !self.state.control.is_disconnecting() && self.state.outbox.waits_for_payload()
    }

    /// The number of acknowledgements that were ignored because no request was waiting for them: they were late, or an error of the
    /// server.
    #[must_use]
    pub const fn ignored_acknowledgements(&self) -> u32 {
        self.state.control.session.ignored
    }

    /// Sets the packet identifier of the next request.
    ///
    /// If the server has kept a session, but the client starts without an image of it ([`restore`](Self::restore)), use an identifier
    /// that was probably not under way before the restart, such as a random one. Otherwise the server may mistake a new QoS 2 message for
    /// a repetition of an earlier one with the same identifier, and drop it.
    pub fn set_next_packet_id(&mut self, id: PacketId) {
        self.state.outbox.set_first_id(id);
    }

    /// The receipt that acknowledges the message of the current [`event`](Self::event). `None` if the client acknowledges by itself
    /// ([`Config::manual_acknowledgement`]), at QoS 0, and before the end of a message that is delivered in pieces.
    #[must_use]
    pub const fn receipt(&self) -> Option<Receipt> {
        flow::manual::receipt(&self.state.control)
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

    /// The receive buffer, and everything else.
    #[inline]
    fn split_parts(&mut self) -> (&mut [u8], Parts<'_, C>) {
        let rx = self.buffers.rx.as_mut();
        let (tx, ids) = (self.buffers.tx.as_mut(), self.ids.as_mut());
        let parts = Parts::new(&mut self.state, &self.config, tx, ids);
        (rx, parts)
    }

    #[inline]
    fn version(&self) -> Version {
        let mqtt31 = self.config.mqtt31() && self.state.control.session.mqtt31;
        if mqtt31 { Version::Mqtt31 } else { Version::Mqtt311 }
    }

    /// The part of the transmit buffer that holds requests.
    #[inline]
    fn log(&self) -> &[u8] {
        let tx = self.buffers.tx.as_ref();
        tx.get(..parts::log_len(tx.len())).unwrap_or_default()
    }

    /// The outbound half, for helpers that make requests, such as [`Routes`](crate::Routes).
    #[must_use]
    pub fn outbound(&mut self) -> Outbound<'_, C> {
        let (rx, parts) = self.split_parts();
        Outbound { parts, rx_len: rx.len() }
    }

    /// Begins a connection on a transport that is already open, by queueing CONNECT in the receive buffer.
    ///
    /// QoS 1 and 2 messages that are still under way are sent after CONNACK. With [`clean_session`](Connect::clean_session), those that
    /// an earlier connection had begun to send are discarded and reported as [`Event::Ended`] (MQTT-3.1.2-6).
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn connect(&mut self, connect: &Connect<'_>) -> Result<(), ConnectError> {
        let (rx, mut parts) = self.split_parts();
        flow::connection::connect(&mut parts, rx, connect)
    }

    /// Queues a message; returns its packet identifier, or `None` at QoS 0.
    ///
    /// At QoS 1 and 2 the message is kept until [`Event::Published`] or [`Event::Ended`] reports its end, even if the connection is lost
    /// in between. It can also be queued while offline.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn publish(&mut self, message: &Message<'_>) -> Result<Option<PacketId>, RequestError> {
        flow::requests::publish(&mut self.parts(), message)
    }

    /// Queues a message whose payload does not fit into the transmit buffer; returns its packet identifier, or `None` at QoS 0.
    ///
    /// The message is sent after everything that was queued before it. Then [`Event::StreamReady`] asks for the payload, and
    /// [`write_payload`](Self::write_payload) accepts it in pieces. Until the payload ends, all other requests are refused.
    ///
    /// # Errors
    /// See [`RequestError`]: [`NotRepeatable`](RequestError::NotRepeatable) if the QoS is 1 or 2 and the payload cannot be supplied
    /// again; [`TurnedOff`](RequestError::TurnedOff) without [`Config::streams`].
    pub fn publish_streamed(
        &mut self,
        message: &StreamedMessage<'_>,
    ) -> Result<Option<PacketId>, RequestError> {
        flow::streams::publish_streamed(&mut self.parts(), message)
    }

    /// Supplies the next piece of the payload that [`Event::StreamReady`] has asked for; returns how many bytes were accepted. That is
    /// fewer than were given, or none, if earlier bytes have to be [`sent`](Self::sent) before there is room for more.
    ///
    /// After the first call, supply the rest without delay: no other packet can be sent in between, not even PINGREQ.
    /// Bytes beyond the announced length are not accepted.
    ///
    /// # Errors
    /// [`StreamError::NotAsked`] if no payload was asked for, or the connection has been lost since.
    pub fn write_payload(&mut self, payload: &[u8]) -> Result<usize, StreamError> {
        flow::streams::write_payload(&mut self.parts(), payload)
    }

    /// Abandons the message whose payload [`Event::StreamReady`] has asked for. Call this instead of the first
    /// [`write_payload`](Self::write_payload). At QoS 1 and 2, [`Event::Ended`] follows. (If the server received the whole of a QoS 2
    /// message on an earlier connection, it keeps the identifier until the session ends. [`give_up`](Self::give_up) avoids that.)
    ///
    /// # Errors
    /// [`StreamError::NotAsked`] if no payload was asked for, or part of it has already been supplied.
    pub fn abandon_payload(&mut self) -> Result<(), StreamError> {
        flow::streams::abandon_payload(&mut self.parts())
    }

    /// Queues a SUBSCRIBE for these topic filters, each with its maximum QoS. [`Event::Subscribed`] reports the answer.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn subscribe(&mut self, filters: &[(&str, QoS)]) -> Result<PacketId, RequestError> {
        let rx_len = self.buffers.rx.as_ref().len();
        flow::requests::subscribe(&mut self.parts(), rx_len, filters)
    }

    /// Queues an UNSUBSCRIBE for these topic filters. [`Event::Unsubscribed`] reports the answer.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn unsubscribe(&mut self, filters: &[&str]) -> Result<PacketId, RequestError> {
        flow::requests::unsubscribe(&mut self.parts(), filters)
    }

    /// The requests under way, in the order in which they are sent. Use this after [`restore`](Self::restore), or to find one to
    /// [give up](Self::give_up).
    pub fn under_way(&self) -> impl Iterator<Item = UnderWay<'_>> {
        under_way::under_way(&self.state.outbox, self.log(), &self.state.control.inbox)
    }

    /// Gives up a QoS 1 or 2 message, because it is out of date, or because the server will not accept it.
    ///
    /// If no byte of it has been sent on this connection, the message is removed, and no event follows. Otherwise a few bytes stay in the
    /// buffer so that its identifier is not reused, and its end is reported like that of any message: by [`Event::Published`] if the server
    /// acknowledges it after all, or by [`Event::Ended`] when the connection is lost. At QoS 2, the server may still hold the identifier
    /// from an earlier connection. Then PUBREL makes it release the identifier, and `Published` reports only that.
    ///
    /// This deviates from MQTT-4.4.0-1, which requires that unacknowledged messages are resent on each connection: a message that makes
    /// the server close the connection would be resent forever, and hold up everything behind it.
    ///
    /// # Errors
    /// See [`GiveUpError`].
    pub fn give_up(&mut self, id: PacketId) -> Result<(), GiveUpError> {
        flow::give_up::give_up(&mut self.parts(), id)
    }

    /// Accepts no more requests on this connection, and disconnects once everything under way has ended. (Requests are then refused as
    /// [`NotConnected`](RequestError::NotConnected); a handler of a runner that passes this on with `?` ends it.) If that takes too long, call
    /// [`disconnect`](Self::disconnect), which does not wait. Once [`state`](Self::state) is [`Offline`](State::Offline), close the
    /// transport.
    ///
    /// If the connection is lost before that, or there is none, an adapter that reconnects does so only if something is still under way,
    /// and finishes on that connection. (It forgets this once its loop has ended.) Requests are accepted again until then: offline, as
    /// always, and for the last time while [`Event::Connected`] is the current event. If you call [`connect`](Self::connect) yourself,
    /// call this again after it.
    pub fn finish(&mut self) {
        flow::connection::finish(&mut self.parts());
    }

    /// Ends the connection gracefully: DISCONNECT is sent after everything that is queued. Requests that are still unanswered are kept or
    /// reported as after a lost connection. If the current event is a message, it is acknowledged first. A streamed message whose
    /// payload has not been started is not waited for, nor is anything queued behind it. In the middle of a payload, DISCONNECT cannot be
    /// sent, so the client goes offline immediately, as after [`output_lost`](Self::output_lost). Before CONNACK, it follows CONNECT at once, and everything else is kept. Offline this
    /// has no effect, except that an adapter that reconnects does not do so.
    ///
    /// Once [`state`](Self::state) is [`Offline`](State::Offline), close the transport (MQTT-3.14.4-1).
    pub fn disconnect(&mut self) {
        flow::connection::disconnect(&mut self.parts());
    }

    /// The bytes to send next; empty if there are none.
    ///
    /// They do not change until [`sent`](Self::sent) or [`output_lost`](Self::output_lost) is called, or the connection has ended.
    #[must_use]
    pub fn pending(&mut self) -> &[u8] {
        if bytes::IS_LARGE
            && flow::output::has_nothing_to_send(&self.state.control, &self.state.outbox, &self.state.answers)
        {
            self.state.control.offer = state::Offer::NONE;
            return &[];
        }
        self.split_io().1
    }

    /// Reports that the transport has accepted the first `len` of the bytes that [`pending`](Self::pending) returned. Before the next
    /// `pending`, another call reports the bytes after those.
    ///
    /// Until the first call, all bytes that `pending` returned are treated as possibly received by the server.
    pub fn sent(&mut self, len: usize) {
        self.parts().sent(len);
    }

    /// The free part of the receive buffer, to read bytes from the transport into.
    ///
    /// It is empty while CONNECT has not been sent completely, and while it is full of packets that wait for [`advance`](Self::advance), for
    /// answers to be sent, or for the application. Do not read then: a read into an empty buffer returns 0, like the end of the stream.
    #[must_use]
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        self.state.control.inbox.free(self.buffers.rx.as_mut())
    }

    /// [`receive_buffer`](Self::receive_buffer) and [`pending`](Self::pending) together, for a transport that reads and writes at the
    /// same time.
    #[must_use]
    pub fn split_io(&mut self) -> (&mut [u8], &[u8]) {
        let (rx, parts) = self.split_parts();
        flow::output::pending(parts, rx)
    }

    /// Reports that `len` bytes have been read into [`receive_buffer`](Self::receive_buffer). (At the end of the stream, call
    /// [`link_lost`](Self::link_lost) instead.)
    pub fn received(&mut self, len: usize) {
        if len > 0
            && self.state.control.link.state != State::Offline
            && !self.state.control.inbox.holds_connect
        {
            self.state.control.inbox.filled(len, self.buffers.rx.as_ref().len());
            self.state.control.notes.add(timers::Note::RECEIVED);
        }
    }

    /// Reports that the transport is gone: its stream has ended or failed. Requests that belong to the session are resent after the next
    /// [`connect`](Self::connect); [`advance`](Self::advance) reports the end of the others. Received packets that `advance` has not
    /// processed are discarded, so call it first until it returns `false`.
    pub fn link_lost(&mut self) {
        if self.state.control.link.state != State::Offline {
            flow::connection::link_lost(&mut self.parts());
        }
    }

    /// Reports that the transport accepts no more bytes, but may still have some to read. Received packets are processed, CONNACK included,
    /// but not answered. When everything has been read, call [`link_lost`](Self::link_lost). If CONNECT has not been sent completely, this
    /// is the same as `link_lost`.
    pub fn output_lost(&mut self) {
        flow::connection::output_lost(&mut self.parts());
    }

    /// Takes a step: releases the previous event (which acknowledges a message), updates the timers, and processes received bytes.
    ///
    /// Returns `true` if there is an [`event`](Self::event). After `false`, call it again when bytes have been received or sent, when a
    /// request has been made, and when [`time_left`](Self::time_left) has passed.
    ///
    /// Only differences between values of `now` matter, modulo 2^32 ms. A clock that steps back is treated as one that stood still.
    ///
    /// # Errors
    /// The [`Error`] that has ended the connection. It is returned once. The client is then offline; close the transport.
    #[must_use = "there may be an event"]
    pub fn advance(&mut self, now: Instant) -> Result<bool, Error> {
        if bytes::IS_LARGE && self.state.control.is_idle(now) {
            return Ok(false);
        }
        let (rx, mut parts) = self.split_parts();
        flow::advance::advance(&mut parts, rx, now)
    }

    /// The current event; `None` if the last call of [`advance`](Self::advance) did not return `true`, or the connection has ended since.
    #[must_use]
    pub fn event(&self) -> Option<Event<'_>> {
        flow::events::event(&self.state.control.inbox, self.buffers.rx.as_ref(), self.version(), &self.config)
    }

    /// The current event together with the outbound half, for a handler that publishes while it still borrows a payload.
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
        let event = flow::events::event(&self.state.control.inbox, rx, version, &self.config);
        let tx = self.buffers.tx.as_mut();
        let parts = Parts::new(&mut self.state, &self.config, tx, self.ids.as_mut());
        (event, Outbound { parts, rx_len: rx.len() })
    }

    /// Acknowledges a message, so that the server can discard it. Messages must be acknowledged in the order in which they were received.
    ///
    /// # Errors
    /// See [`AcknowledgeError`].
    pub fn acknowledge(&mut self, receipt: Receipt) -> Result<(), AcknowledgeError> {
        flow::manual::acknowledge(&mut self.parts(), receipt)
    }

    /// Writes an image of the session into `out`; returns its length, which is at most the length of the transmit buffer plus that of the
    /// buffer for inbound identifiers plus 13 bytes.
    ///
    /// For a session that survives a reboot exactly, see [`Config::durable`]. Without it, save whenever
    /// [`revision`](Self::revision) has changed; messages that were sent after the last image may then be lost or arrive twice when the
    /// device reboots. Save once more when [`in_flight`](Self::in_flight) has become 0 and `advance` has returned `false`: otherwise a QoS 1 message that has been acknowledged
    /// since is sent again after a restart, however late that is.
    ///
    /// QoS 0 messages are not part of the image. A SUBSCRIBE or UNSUBSCRIBE is saved as a request that has ended.
    ///
    /// # Errors
    /// [`SaveError::BufferTooSmall`], with the number of bytes that are needed.
    pub fn save(&mut self, out: &mut [u8]) -> Result<usize, SaveError> {
        flow::session_image::save(&mut self.parts(), out)
    }

    /// Reports that the last image, of this [`revision`](Self::revision), has been stored durably. Packets that reveal its state to the
    /// server can now be sent ([`Config::durable`]). Any other revision is ignored.
    pub fn saved(&mut self, revision: u32) {
        flow::session_image::saved(&mut self.parts(), revision);
    }

    /// Restores a session from an image that [`save`](Self::save) has written, into a new client. Its configuration and the sizes of its
    /// buffers can differ from those of the client that wrote the image, within the limits of [`RestoreError`]. All restored messages are
    /// sent with DUP. Requests that had ended, but had not been reported when the image was written, are reported now.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn restore(&mut self, image: &[u8]) -> Result<(), RestoreError> {
        flow::session_image::restore(&mut self.parts(), image)
    }
}
