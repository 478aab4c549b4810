//! The right to acknowledge a message.

use crate::PacketId;

/// The right to acknowledge one message, on the connection on which it was received
/// ([`Config::manual_acknowledgement`](crate::Config::manual_acknowledgement)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "the message is not acknowledged before this is given back"]
pub struct Receipt {
    pub(super) id: PacketId,
    pub(super) connection: u16,
    /// The first byte of the answer.
    pub(super) answer: u8,
}

impl Receipt {
    /// The packet identifier of the message.
    #[must_use]
    pub const fn id(&self) -> PacketId {
        self.id
    }
}
