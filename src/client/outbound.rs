//! The outbound half of a client, which makes requests.

use super::config::Config;
use super::error::{AcknowledgeError, GiveUpError, RequestError, SaveError, StreamError};
use super::flow::{connection, give_up, manual, requests, session_image, streams};
use super::message::{Message, StreamedMessage};
use super::parts::Parts;
use super::receipt::Receipt;
use super::state::State;
use super::under_way::{UnderWay, in_flight, under_way};
use crate::{PacketId, QoS};

/// The outbound half of a [`Client`](crate::Client), for handlers and helpers that make requests while an event is borrowed.
///
/// [`split`](crate::Client::split) and [`outbound`](crate::Client::outbound) return it. All its methods are also methods of the client.
pub struct Outbound<'a, C> {
    pub(super) parts: Parts<'a, C>,
    /// Length of the receive buffer.
    pub(super) rx_len: usize,
}

/// Shows the state, but not the contents of the buffers.
impl<C> core::fmt::Debug for Outbound<'_, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Outbound")
            .field("state", &self.state())
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<C> defmt::Format for Outbound<'_, C> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Outbound {{ state: {}, in_flight: {}, .. }}", self.state(), self.in_flight());
    }
}

impl<C> Outbound<'_, C> {
    /// The state of the connection.
    #[must_use]
    pub const fn state(&self) -> State {
        self.parts.control.link.state
    }

    /// The number of requests under way; see [`Client::in_flight`](crate::Client::in_flight).
    #[must_use]
    pub const fn in_flight(&self) -> usize {
        in_flight(self.parts.outbox.state, &self.parts.control.inbox)
    }

    /// The requests under way; see [`Client::under_way`](crate::Client::under_way).
    pub fn under_way(&self) -> impl Iterator<Item = UnderWay<'_>> {
        under_way(self.parts.outbox.state, self.parts.outbox.log, &self.parts.control.inbox)
    }

    /// The receipt that acknowledges the message of the current event; see [`Client::receipt`](crate::Client::receipt).
    #[must_use]
    pub const fn receipt(&self) -> Option<Receipt> {
        manual::receipt(self.parts.control)
    }

    /// The revision of the session; see [`Client::revision`](crate::Client::revision).
    #[must_use]
    pub const fn revision(&self) -> u32 {
        self.parts.control.session.revision
    }
}

impl<C: Config> Outbound<'_, C> {
    /// Queues a message; see [`Client::publish`](crate::Client::publish).
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn publish(&mut self, message: &Message<'_>) -> Result<Option<PacketId>, RequestError> {
        requests::publish(&mut self.parts, message)
    }

    /// Queues a SUBSCRIBE; see [`Client::subscribe`](crate::Client::subscribe).
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn subscribe(&mut self, filters: &[(&str, QoS)]) -> Result<PacketId, RequestError> {
        requests::subscribe(&mut self.parts, self.rx_len, filters)
    }

    /// Queues an UNSUBSCRIBE; see [`Client::unsubscribe`](crate::Client::unsubscribe).
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn unsubscribe(&mut self, filters: &[&str]) -> Result<PacketId, RequestError> {
        requests::unsubscribe(&mut self.parts, filters)
    }

    /// Queues a message whose payload follows in pieces; see
    /// [`Client::publish_streamed`](crate::Client::publish_streamed).
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn publish_streamed(
        &mut self,
        message: &StreamedMessage<'_>,
    ) -> Result<Option<PacketId>, RequestError> {
        streams::publish_streamed(&mut self.parts, message)
    }

    /// Supplies the next piece of a payload; see [`Client::write_payload`](crate::Client::write_payload).
    ///
    /// # Errors
    /// See [`StreamError`].
    pub fn write_payload(&mut self, payload: &[u8]) -> Result<usize, StreamError> {
        streams::write_payload(&mut self.parts, payload)
    }

    /// Abandons the message whose payload has been asked for; see
    /// [`Client::abandon_payload`](crate::Client::abandon_payload).
    ///
    /// # Errors
    /// See [`StreamError`].
    pub fn abandon_payload(&mut self) -> Result<(), StreamError> {
        streams::abandon_payload(&mut self.parts)
    }

    /// Acknowledges a message; see [`Client::acknowledge`](crate::Client::acknowledge).
    ///
    /// # Errors
    /// See [`AcknowledgeError`].
    pub fn acknowledge(&mut self, receipt: Receipt) -> Result<(), AcknowledgeError> {
        manual::acknowledge(&mut self.parts, receipt)
    }

    /// Gives up a message; see [`Client::give_up`](crate::Client::give_up).
    ///
    /// # Errors
    /// See [`GiveUpError`].
    pub fn give_up(&mut self, id: PacketId) -> Result<(), GiveUpError> {
        give_up::give_up(&mut self.parts, id)
    }

    /// Writes an image of the session; see [`Client::save`](crate::Client::save).
    ///
    /// # Errors
    /// See [`SaveError`].
    pub fn save(&mut self, out: &mut [u8]) -> Result<usize, SaveError> {
        session_image::save(&mut self.parts, out)
    }

    /// Reports that the last image, of this revision, is durable; see [`Client::saved`](crate::Client::saved).
    pub fn saved(&mut self, revision: u32) {
        session_image::saved(&mut self.parts, revision);
    }

    /// Accepts no more requests, and disconnects once everything under way has ended; see
    /// [`Client::finish`](crate::Client::finish).
    pub fn finish(&mut self) {
        connection::finish(&mut self.parts);
    }

    /// Ends the connection gracefully; see [`Client::disconnect`](crate::Client::disconnect).
    pub fn disconnect(&mut self) {
        connection::disconnect(&mut self.parts);
    }
}
