//! The events that a client reports.

use core::fmt;

use crate::codec::{Delivery, Publish};
use crate::{PacketId, QoS, SubAckCodes, TopicName};

/// Something that has happened. An event borrows from the receive buffer, until the next
/// [`advance`](crate::Client::advance).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Event<'a> {
    /// The server has accepted the connection.
    Connected {
        /// Whether the server has kept the session, that is, the subscriptions and the messages under way. If it has not, subscribe again.
        /// `None` in MQTT 3.1, where the server does not say.
        session_present: Option<bool>,
    },
    /// A message has been received. The next [`advance`](crate::Client::advance) acknowledges it, unless the application does so
    /// ([`Client::receipt`](crate::Client::receipt)).
    Message(Publish<'a>),
    /// The start of a message that is larger than the receive buffer
    /// ([`LargeMessages::Pieces`](crate::LargeMessages::Pieces)).
    MessageStart(LargeMessage<'a>),
    /// The next piece of the large message's payload; never empty.
    MessagePiece(&'a [u8]),
    /// The large message is complete. The next [`advance`](crate::Client::advance) acknowledges it. (With
    /// [`manual_acknowledgement`](crate::Config::manual_acknowledgement), a skipped message of QoS 1 or 2 also ends with this event.)
    MessageEnd,
    /// The large message is incomplete, because the connection was lost in the middle of it; or it was not accepted at its end, for lack of
    /// room for its identifier or because the output was lost. At QoS 1 and 2 the server will send it again, from the start.
    MessageAborted,
    /// A message that is larger than the receive buffer was received. It is acknowledged, but not delivered
    /// ([`LargeMessages::Skip`](crate::LargeMessages::Skip)).
    MessageSkipped(LargeMessage<'a>),
    /// A QoS 1 or 2 message has been fully acknowledged.
    Published {
        /// The identifier that [`publish`](crate::Client::publish) returned.
        id: PacketId,
        /// The QoS at which the exchange was completed. This is 1 for a QoS 2 message that the server has answered with PUBACK.
        qos: QoS,
    },
    /// It is a streamed message's turn to be sent: supply its payload, from the first byte on, with
    /// [`write_payload`](crate::Client::write_payload). If the connection is lost, this event is reported again; at QoS 0
    /// the message is dropped instead.
    StreamReady {
        /// The identifier that [`publish_streamed`](crate::Client::publish_streamed) returned.
        id: Option<PacketId>,
    },
    /// The server has answered a SUBSCRIBE.
    Subscribed {
        /// The identifier that [`subscribe`](crate::Client::subscribe) returned.
        id: PacketId,
        /// The granted QoS or a failure, for each filter, in their order.
        codes: SubAckCodes<'a>,
    },
    /// The server has answered an UNSUBSCRIBE. Messages that it had already sent can still arrive.
    Unsubscribed {
        /// The identifier that [`unsubscribe`](crate::Client::unsubscribe) returned.
        id: PacketId,
    },
    /// A request has ended without an answer, and will not be resent: a SUBSCRIBE or UNSUBSCRIBE whose connection was lost, or a message
    /// whose session is gone or that was [given up](crate::Client::give_up).
    Ended {
        /// The identifier that the request returned.
        id: PacketId,
        /// What is known about it.
        outcome: Outcome,
    },
    /// The session has changed, and packets that would reveal this to the server are held back until an image is durable
    /// ([`Config::durable`](crate::Config::durable)). Call [`save`](crate::Client::save), store the image, and confirm it with
    /// [`saved`](crate::Client::saved). This is reported once for each change: if storing fails, try again without waiting for another event.
    SaveDue,
}

/// How a request ended that was not fully answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Outcome {
    /// It may or may not have reached the server, and will not be resent.
    Lost,
    /// The server received the message (it sent PUBREC), but has lost the session since; or the message was given up. It may or may not
    /// have been delivered.
    Uncertain,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Lost => "lost",
            Outcome::Uncertain => "uncertain",
        })
    }
}

/// A message that is larger than the receive buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct LargeMessage<'a> {
    /// The topic name; `None` if not even that fits into the receive buffer (such a message is skipped).
    pub topic: Option<TopicName<'a>>,
    /// QoS, packet identifier and DUP.
    pub delivery: Delivery,
    /// Whether it is a retained message.
    pub retain: bool,
    /// Length of the payload in bytes.
    pub payload_len: usize,
}
