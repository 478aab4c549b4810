//! Encodes and decodes packets, for both roles (client and server) and both protocol versions.
//!
//! The codec has no state. Decoding borrows from the input, and encoding writes into a slice of the caller.
//! Packets that the standard forbids are rejected, and cannot be built.
//!
//! ```
//! use baremqtt::codec::{self, Decoded, Packet, PacketId, Version};
//!
//! let bytes = [0x40, 0x02, 0x00, 0x0A, 0xD0];
//! let Decoded::Complete { packet, len } = codec::decode(&bytes, Version::Mqtt311)? else {
//!     panic!("the first packet is complete");
//! };
//! assert_eq!(packet, Packet::PubAck(PacketId::new(10).unwrap()));
//! assert_eq!(codec::decode(&bytes[len..], Version::Mqtt311)?, Decoded::Incomplete { missing: 1 });
//! # Ok::<(), baremqtt::Violation>(())
//! ```

mod connack;
mod connect;
mod credentials;
mod cursor;
mod decode;
mod display;
mod encode;
mod header;
mod publish;
mod suback;
mod subscribe;
mod text;
mod types;
mod unsubscribe;
#[cfg(feature = "std")]
mod vec;
mod will;

pub use connack::{ConnAck, RefusalCode};
pub use connect::Connect;
pub use credentials::Credentials;
pub use decode::{Decoded, decode};
pub use encode::EncodeError;
pub use header::{FixedHeader, MAX_REMAINING_LENGTH, PacketType};
pub use publish::{Delivery, Publish};
pub use suback::{SubAck, SubAckCode, SubAckCodes, SubAckCodesIter};
pub use subscribe::{Subscribe, SubscribeFilters, SubscribeFiltersIter};
pub use text::Text;
pub use types::{PacketId, QoS, UnknownVersion, Version};
pub use unsubscribe::{Unsubscribe, UnsubscribeFilters, UnsubscribeFiltersIter};
pub use will::Will;
pub(crate) use will::qos_and_retain;

pub(crate) use cursor::Writer;
use encode::{Body, body_len};
pub(crate) use header::{check_publish_flags, decode_remaining_length, packet_len, write as write_header};
pub(crate) use publish::{check_topic_len, delivery, publish_first_byte};

/// Any of the fourteen control packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Packet<'a> {
    /// Client to server: the first packet.
    Connect(Connect<'a>),
    /// Server to client: the answer to CONNECT.
    ConnAck(ConnAck),
    /// A message.
    Publish(Publish<'a>),
    /// The answer to a QoS 1 PUBLISH.
    PubAck(PacketId),
    /// The first answer to a QoS 2 PUBLISH.
    PubRec(PacketId),
    /// The answer to PUBREC.
    PubRel {
        /// The packet identifier.
        id: PacketId,
        /// The packet may have been sent before (3.1 only).
        dup: bool,
    },
    /// The answer to PUBREL.
    PubComp(PacketId),
    /// Client to server: requests messages.
    Subscribe(Subscribe<'a>),
    /// Server to client: the answer to SUBSCRIBE.
    SubAck(SubAck<'a>),
    /// Client to server: ends subscriptions.
    Unsubscribe(Unsubscribe<'a>),
    /// Server to client: the answer to UNSUBSCRIBE.
    UnsubAck(PacketId),
    /// Client to server: asks whether the server is alive.
    PingReq,
    /// Server to client: the answer to PINGREQ.
    PingResp,
    /// Client to server: the last packet.
    Disconnect,
}

impl Packet<'_> {
    /// The type of the packet.
    #[must_use]
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Packet::Connect(_) => PacketType::Connect,
            Packet::ConnAck(_) => PacketType::ConnAck,
            Packet::Publish(_) => PacketType::Publish,
            Packet::PubAck(_) => PacketType::PubAck,
            Packet::PubRec(_) => PacketType::PubRec,
            Packet::PubRel { .. } => PacketType::PubRel,
            Packet::PubComp(_) => PacketType::PubComp,
            Packet::Subscribe(_) => PacketType::Subscribe,
            Packet::SubAck(_) => PacketType::SubAck,
            Packet::Unsubscribe(_) => PacketType::Unsubscribe,
            Packet::UnsubAck(_) => PacketType::UnsubAck,
            Packet::PingReq => PacketType::PingReq,
            Packet::PingResp => PacketType::PingResp,
            Packet::Disconnect => PacketType::Disconnect,
        }
    }

    /// Length of the encoded packet in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        match self {
            Packet::Connect(packet) => packet.encoded_len(),
            Packet::Publish(packet) => packet.encoded_len(),
            Packet::Subscribe(packet) => packet.encoded_len(),
            Packet::SubAck(packet) => packet.encoded_len(),
            Packet::Unsubscribe(packet) => packet.encoded_len(),
            Packet::PingReq | Packet::PingResp | Packet::Disconnect => 2,
            Packet::ConnAck(_)
            | Packet::PubAck(_)
            | Packet::PubRec(_)
            | Packet::PubRel { .. }
            | Packet::PubComp(_)
            | Packet::UnsubAck(_) => 4,
        }
    }
}

// A derive on a type with a lifetime compiles even if a field cannot be formatted. The type then simply lacks the
// trait, which this detects.
#[cfg(feature = "defmt")]
const _: fn() = || {
    fn formats<T: defmt::Format>() {}
    formats::<Decoded<'static>>();
};

/// Lists are equal if their items are equal, whether they come from a packet or from the application.
macro_rules! compare_by_items {
    ($name:ident) => {
        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.iter().eq(other.iter())
            }
        }

        impl Eq for $name<'_> {}

        impl core::hash::Hash for $name<'_> {
            fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
                self.iter().for_each(|item| item.hash(state));
            }
        }

        impl core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_list().entries(self.iter()).finish()
            }
        }

        #[cfg(feature = "defmt")]
        impl defmt::Format for $name<'_> {
            fn format(&self, f: defmt::Formatter<'_>) {
                let mut separator = "[";
                for item in self.iter() {
                    defmt::write!(f, "{=str}{}", separator, item);
                    separator = ", ";
                }
                defmt::write!(f, "]");
            }
        }
    };
}
use compare_by_items;
