//! What a client does by choice.

/// The choices of a client: implement it on a type of your own, with a method for each choice that differs from the default.
///
/// On an empty struct, whose methods return constants, the compiler leaves out what is turned off. For choices that are known
/// only at run time, the struct has fields.
///
/// ```
/// use baremqtt::{Buffers, Client, Config};
///
/// struct Lamp;
///
/// impl Config for Lamp {
///     fn mqtt31(&self) -> bool {
///         false
///     }
/// }
///
/// let client = Client::with_config(Buffers { rx: [0; 256], tx: [0; 512] }, Lamp);
/// ```
///
/// A method must return the same value each time. Times are in milliseconds; 0 turns a timeout off.
pub trait Config {
    /// Whether connections can speak MQTT 3.1. Default `true`; with `false`,
    /// [`connect`](crate::Client::connect) refuses it.
    #[inline]
    fn mqtt31(&self) -> bool {
        true
    }

    /// How long CONNACK may take after [`connect`](crate::Client::connect). Default 10,000 ms.
    #[inline]
    fn connack_timeout_ms(&self) -> u32 {
        10_000
    }

    /// How long PINGRESP may take after PINGREQ; bytes of a packet on its way in restart it. Default 10,000 ms.
    #[inline]
    fn pingresp_timeout_ms(&self) -> u32 {
        10_000
    }

    /// How long the oldest request may take to be answered once it has left; bytes of a packet on its way in restart
    /// it. Default 30,000 ms.
    #[inline]
    fn ack_timeout_ms(&self) -> u32 {
        30_000
    }

    /// How long the transport may take no bytes while some are pending. Default 30,000 ms.
    #[inline]
    fn stall_timeout_ms(&self) -> u32 {
        30_000
    }

    /// Whether PINGREQ also leaves after nothing was *received* for the keep alive, so that a dead link is noticed while the
    /// client sends. Default `true`.
    #[inline]
    fn ping_on_silence(&self) -> bool {
        true
    }

    /// After how long without an answer all requests are sent again on a living connection; the time doubles with each
    /// attempt. Default 0: never. TCP makes it unnecessary, some servers for MQTT 3.1 expect it, and Mosquitto 2.0.11 closes the
    /// connection when a message of QoS 2 is repeated on it for the second time.
    #[inline]
    fn retry_ms(&self) -> u32 {
        0
    }

    /// Whether [`Event::Ended`](crate::Event::Ended) reports requests that ended without their answer. Default `true`.
    #[inline]
    fn reports_loss(&self) -> bool {
        true
    }

    /// What happens to messages that the server may have seen, when it has lost the session. Default [`SessionLoss::Resend`].
    #[inline]
    fn session_loss(&self) -> SessionLoss {
        SessionLoss::Resend
    }

    /// MQTT 3.1 only, which has no way to say whether the server has kept the session. `true` (the default): flows go on where
    /// they stopped; should the server have lost its session after all, a new message of QoS 2 under the identifier of an
    /// unfinished one is taken for its repetition and dropped. `false`: as if the session were lost; should the
    /// server have it, a message of QoS 2 may be delivered twice.
    #[inline]
    fn assume_session_kept(&self) -> bool {
        true
    }

    /// How many requests can be under way at the same time. Default 0: as many as the transmit buffer holds.
    #[inline]
    fn max_requests(&self) -> u16 {
        0
    }

    /// How many messages of QoS 2 can be under way at the same time; 0 for no separate limit.
    ///
    /// Default 19: Mosquitto (seen with 2.0.11) acknowledges and then loses what goes beyond its `max_inflight_messages`, 20 by
    /// default, and counts a message of QoS 1 beside those of QoS 2.
    #[inline]
    fn max_exactly_once(&self) -> u16 {
        19
    }

    /// Whether messages of QoS 2 can come in. Default `true`; with `false`, subscribing with QoS 2 is refused, and such a message
    /// ends the connection.
    #[inline]
    fn receives_exactly_once(&self) -> bool {
        true
    }

    /// What happens to a message that is larger than the receive buffer. Default [`LargeMessages::Skip`].
    #[inline]
    fn large_messages(&self) -> LargeMessages {
        LargeMessages::Skip
    }

    /// Whether payloads larger than the transmit buffer can be published piece by piece
    /// ([`publish_streamed`](crate::Client::publish_streamed)). Default `false`.
    #[inline]
    fn streams(&self) -> bool {
        false
    }

    /// Whether the application acknowledges messages of QoS 1 and 2 itself
    /// ([`acknowledge`](crate::Client::acknowledge)), once it has stored them for instance. Default `false`: the client does so
    /// at the next [`advance`](crate::Client::advance).
    #[inline]
    fn manual_acknowledgement(&self) -> bool {
        false
    }

    /// Whether the session is kept exactly over a reboot: bytes that tell the server of a new state (PUBLISH above QoS 0, PUBREC,
    /// PUBREL, PUBCOMP) wait until [`saved`](crate::Client::saved) confirms that an image with that state is durable, and
    /// [`Event::SaveDue`](crate::Event::SaveDue) asks for it. Default `false`.
    ///
    /// How many images a message costs, where nothing else changes meanwhile:
    ///
    /// | message | images | before |
    /// |---|---|---|
    /// | out, QoS 1 | 1 | PUBLISH |
    /// | out, QoS 2 | 2 | PUBLISH, PUBREL |
    /// | in, QoS 1 | 0 | |
    /// | in, QoS 2 | 2 | PUBREC, PUBCOMP |
    ///
    /// Changes that come together share one, and what is sent again after a reconnect needs no other.
    ///
    /// No timeout runs against the server for what waits for an image. DISCONNECT follows it, without a timer of its own: an
    /// application that has called [`disconnect`](crate::Client::disconnect) still has to save when it is asked to. The adapters'
    /// own `disconnect`, within which it cannot, returns [`Closed`](crate::transport::Error::Closed) instead.
    #[inline]
    fn durable(&self) -> bool {
        false
    }
}

/// The defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Standard;

impl Config for Standard {}

/// What happens to a message that is larger than the receive buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LargeMessages {
    /// It ends the connection ([`Error::ReceiveBufferTooSmall`](crate::Error::ReceiveBufferTooSmall)); above QoS 0 the server
    /// will send it again on the next one.
    Refuse,
    /// It is not delivered, but reported ([`Event::MessageSkipped`](crate::Event::MessageSkipped)) and acknowledged.
    #[default]
    Skip,
    /// It is delivered in pieces ([`Event::MessageStart`](crate::Event::MessageStart) and those after it).
    Pieces,
}

/// What happens to messages of QoS 1 and 2 that the server may have seen but has not acknowledged, when CONNACK says that the
/// server has no session, or the last session was a clean one and has ended with its connection.
///
/// A message to which the server had answered PUBREC is never sent again, whatever is chosen here: the server has had it. It is
/// reported as [`Uncertain`](crate::Outcome::Uncertain). A CONNECT that asks for a clean session discards, as
/// the standard says (MQTT-3.1.2-6), what the session before had begun to send: that is [`Lost`](crate::Outcome::Lost),
/// whatever is chosen here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SessionLoss {
    /// Send them again. Of those that the server had already passed on, a receiver gets a second copy, at QoS 2 too.
    #[default]
    Resend,
    /// Give them up, and report each as [`Lost`](crate::Outcome::Lost). None arrives twice.
    Drop,
}
