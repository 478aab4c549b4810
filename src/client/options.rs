//! What a client does by choice.

use crate::Version;

/// Choices that hold until they are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Options {
    /// How long the client waits before it gives a connection up.
    pub timeouts: Timeouts,
    /// What happens to a message that is larger than the receive buffer. Without the feature `large-messages` it ends the
    /// connection, whatever is chosen here.
    pub large_messages: LargeMessages,
    /// Whether the application acknowledges messages of QoS 1 and 2 itself, with
    /// [`Client::acknowledge`](crate::Client::acknowledge), once it has stored them for instance. A message that was
    /// not acknowledged comes again after a reconnect, at QoS 2 too. Default `false`: the client acknowledges when
    /// the application lets go of the event.
    pub manual_acknowledgement: bool,
    /// How many messages of QoS 2 can be under way at the same time, within the number of slots; 0 is no other limit.
    ///
    /// Default 20, because Mosquitto acknowledges and then loses what goes beyond its `max_inflight_messages` (seen with
    /// 2.0.11, where 20 is its default).
    pub max_exactly_once: u16,
    /// Whether requests are sent again on a living connection. Default: never.
    pub retry: Retry,
    /// What happens to unacknowledged messages when the server has lost the session.
    pub session_loss: SessionLoss,
    /// MQTT 3.1 only: whether a server that accepts a connection without clean session is taken to have kept the
    /// session, because 3.1 has no way to say so.
    ///
    /// `true` (the default): flows go on where they stopped. Should the server have lost its session after all, a
    /// new QoS 2 message that comes with an identifier of an unfinished one is taken for its repetition and
    /// swallowed. `false`: as if the server had said that there is no session. Should it have one, a QoS 2 message
    /// may be delivered twice.
    pub assume_session_kept: bool,
}

impl Options {
    /// The defaults, in a constant.
    pub const fn new() -> Self {
        Options {
            timeouts: Timeouts::new(),
            large_messages: LargeMessages::Skip,
            manual_acknowledgement: false,
            max_exactly_once: 20,
            retry: Retry::Never,
            session_loss: SessionLoss::Resend,
            assume_session_kept: true,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// How long the client waits before it gives a connection up, in ms; 0 waits for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Timeouts {
    /// From [`connect`](crate::Client::connect) to CONNACK. Default 10,000 ms.
    pub connack_ms: u32,
    /// From the last byte of PINGREQ to PINGRESP; bytes of a packet that is still on its way in begin it anew.
    /// Default 10,000 ms.
    pub pingresp_ms: u32,
    /// For the oldest request, from when it was sent and all before it answered. Default 30,000 ms.
    pub ack_ms: u32,
    /// Without a byte taken by the transport while there is something to send. Default 30,000 ms.
    pub stall_ms: u32,
}

impl Timeouts {
    /// The defaults, in a constant.
    pub const fn new() -> Self {
        Timeouts { connack_ms: 10_000, pingresp_ms: 10_000, ack_ms: 30_000, stall_ms: 30_000 }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::new()
    }
}

/// What happens to a message that is larger than the receive buffer. The link survives either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LargeMessages {
    /// It is not delivered, but reported ([`Event::MessageSkipped`](crate::Event::MessageSkipped)) and
    /// acknowledged.
    #[default]
    Skip,
    /// It is delivered in pieces ([`Event::MessageStart`](crate::Event::MessageStart) and those after it).
    Pieces,
}

/// What happens to messages of QoS 1 and 2 that the server may have seen but has not acknowledged, when it turns out
/// that the server has no session (session present 0, or a clean session).
///
/// A message to which the server had answered PUBREC is never sent again, whatever is chosen here: the server has had
/// it. It is reported as [`Uncertain`](crate::session::Outcome::Uncertain).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SessionLoss {
    /// Send them again. None is lost; of those that the server had already passed on, a receiver gets a second
    /// copy, at QoS 2 too.
    #[default]
    Resend,
    /// Give them up, and report each as [`Lost`](crate::session::Outcome::Lost). None arrives twice.
    Drop,
}

/// Whether requests that are not answered are sent again on a living connection, all of them in their order, with DUP
/// set. TCP makes that unnecessary; some servers for MQTT 3.1 expect it.
///
/// The interval should be well above the time that an answer takes: Mosquitto (seen with 2.0.11) closes the connection
/// when a QoS 2 message is repeated on it for the second time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Retry {
    /// Only after a reconnect.
    #[default]
    Never,
    /// In MQTT 3.1, once the oldest request was not answered for so long; the time doubles with each attempt.
    Mqtt31 {
        /// The first interval, in ms; 0 is never.
        after_ms: u32,
    },
    /// In 3.1.1 too, which does not ask for it.
    Always {
        /// The first interval, in ms; 0 is never.
        after_ms: u32,
    },
}

impl Retry {
    /// The first interval on a connection of this version, in ms; 0 is never.
    pub(crate) const fn after_ms(self, version: Version) -> u32 {
        match (self, version) {
            (Retry::Mqtt31 { after_ms }, Version::Mqtt31) | (Retry::Always { after_ms }, _) => after_ms,
            _ => 0,
        }
    }
}
