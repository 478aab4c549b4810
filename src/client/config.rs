//! The configuration of a client.

/// The configuration of a client. Implement it on a type of your own, with a method for each choice that differs from the default.
///
/// If the type is an empty struct whose methods return constants, the compiler leaves out what is turned off. For choices that are known
/// only at run time, use a struct with fields.
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
/// A method must return the same value every time. Times are in milliseconds; 0 turns a timeout off.
pub trait Config {
    /// Whether connections can use MQTT 3.1. Default `true`; with `false`, [`connect`](crate::Client::connect) refuses that version. While
    /// it is possible, topics have at most the 32,767 characters that 3.1 allows.
    #[inline]
    fn mqtt31(&self) -> bool {
        true
    }

    /// How long CONNACK may take after [`connect`](crate::Client::connect). Default 10,000 ms.
    #[inline]
    fn connack_timeout_ms(&self) -> u32 {
        10_000
    }

    /// How long PINGRESP may take after PINGREQ. Received bytes restart the timeout, because they show that the link is alive. Default
    /// 10,000 ms.
    #[inline]
    fn pingresp_timeout_ms(&self) -> u32 {
        10_000
    }

    /// How long the answer to the oldest request may take once that has been sent. Bytes of a partly received packet restart the timeout.
    /// Default 30,000 ms.
    #[inline]
    fn ack_timeout_ms(&self) -> u32 {
        30_000
    }

    /// How long the transport may accept no bytes while some are pending. Default 30,000 ms.
    #[inline]
    fn stall_timeout_ms(&self) -> u32 {
        30_000
    }

    /// Whether PINGREQ is also sent when nothing has been *received* for as long as the keep alive, so that a dead link is noticed while the
    /// client is sending. Default `true`.
    #[inline]
    fn ping_on_silence(&self) -> bool {
        true
    }

    /// How long to wait for an answer before all requests are resent on the same connection; the time doubles with each
    /// attempt. Default 0: never. TCP makes resending unnecessary, but some servers for MQTT 3.1 expect it. Mosquitto 2.0.11 closes the
    /// connection when a QoS 2 message is resent on it for the second time.
    #[inline]
    fn retry_ms(&self) -> u32 {
        0
    }

    /// Whether [`Event::Ended`](crate::Event::Ended) reports requests that ended without an answer. Default `true`.
    #[inline]
    fn reports_loss(&self) -> bool {
        true
    }

    /// What happens to messages that the server may have received, when it has lost the session. Default [`SessionLoss::Resend`].
    #[inline]
    fn session_loss(&self) -> SessionLoss {
        SessionLoss::Resend
    }

    /// Whether the server is assumed to have kept the session. Used in MQTT 3.1 only, where the server does not say.
    ///
    /// `true`, the default: exchanges continue where they stopped. If the server has in fact lost the session, the client takes a new
    /// QoS 2 message for the repetition of an unfinished one with the same identifier, and drops it. `false`: the session is treated as
    /// lost. If the server has in fact kept it, a QoS 2 message may be delivered twice.
    #[inline]
    fn assume_session_kept(&self) -> bool {
        true
    }

    /// How many requests can be under way at the same time. Default 0: as many as the transmit buffer holds.
    #[inline]
    fn max_requests(&self) -> u16 {
        0
    }

    /// How many QoS 2 messages can be under way at the same time; 0 for no separate limit.
    ///
    /// Default 19: Mosquitto (seen with 2.0.11) acknowledges and then loses messages beyond its `max_inflight_messages`, which is 20 by
    /// default and also counts a QoS 1 message.
    #[inline]
    fn max_exactly_once(&self) -> u16 {
        19
    }

    /// Whether QoS 2 messages can be received. Default `true`; with `false`, subscribing with QoS 2 is refused, and receiving a QoS 2
    /// message ends the connection.
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

    /// Whether the application acknowledges QoS 1 and 2 messages itself ([`acknowledge`](crate::Client::acknowledge)), for instance after
    /// it has stored them. Default `false`: the client acknowledges them in the next [`advance`](crate::Client::advance).
    #[inline]
    fn manual_acknowledgement(&self) -> bool {
        false
    }

    /// Whether the session is kept exactly across a reboot. If so, packets that reveal a new state to the server (PUBLISH above QoS 0,
    /// PUBREC, PUBREL, PUBCOMP) are held back: [`Event::SaveDue`](crate::Event::SaveDue) asks for an image of that state, and
    /// [`saved`](crate::Client::saved) confirms that the image is durable and releases them. Default `false`.
    ///
    /// The number of images that one message requires, if nothing else changes in the meantime:
    ///
    /// | message | images | before |
    /// |---|---|---|
    /// | out, QoS 1 | 1 | PUBLISH |
    /// | out, QoS 2 | 2 | PUBLISH, PUBREL |
    /// | in, QoS 1 | 0 | |
    /// | in, QoS 2 | 2 | PUBREC, PUBCOMP |
    ///
    /// Changes that happen together share one image, and resending after a reconnect requires no further image.
    ///
    /// Packets that wait for an image are not timed: a timeout runs only for those that have been sent. DISCONNECT is sent after them,
    /// and has no timer of its own: an application that has called [`disconnect`](crate::Client::disconnect) still has to save when it is
    /// asked to. The adapters' own `disconnect` gives it no opportunity to do so, and returns [`Closed`](crate::transport::Error::Closed)
    /// instead.
    ///
    /// One case cannot be detected: the session is lost, a new one begins, and the device restarts from an image from before that. The
    /// server then reports its new session as present. Identifiers in such an image may never be released. An application that uses
    /// clean sessions in between saves after each [`Event::Connected`](crate::Event::Connected) that reports no session.
    #[inline]
    fn durable(&self) -> bool {
        false
    }
}

/// The default configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Standard;

impl Config for Standard {}

/// What happens to a message that is larger than the receive buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LargeMessages {
    /// It ends the connection ([`Error::ReceiveBufferTooSmall`](crate::Error::ReceiveBufferTooSmall)). Above QoS 0 the server
    /// will send it again on the next connection.
    Refuse,
    /// It is not delivered, but reported ([`Event::MessageSkipped`](crate::Event::MessageSkipped)) and acknowledged.
    #[default]
    Skip,
    /// It is delivered in pieces ([`Event::MessageStart`](crate::Event::MessageStart) and the events after it).
    Pieces,
}

/// What happens to QoS 1 and 2 messages that the server may have received but has not acknowledged, when CONNACK says that the
/// server has no session, or when the previous session was a clean one and ended with its connection.
///
/// Two cases do not depend on this choice. A message that the server has answered with PUBREC is never sent again, because the server has
/// received it; it is reported as [`Uncertain`](crate::Outcome::Uncertain). And a CONNECT that requests a clean session discards the
/// messages that the previous session had begun to send, as the standard requires (MQTT-3.1.2-6); they are reported as
/// [`Lost`](crate::Outcome::Lost).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SessionLoss {
    /// Send them again. If the server has already passed a message on, its receivers get a second copy, at QoS 2 too.
    #[default]
    Resend,
    /// Give them up, and report each as [`Lost`](crate::Outcome::Lost). None arrives twice.
    Drop,
}
