//! The will in a CONNECT.

use super::{QoS, Text};

/// The QoS of what is published, and whether it is retained.
macro_rules! qos_and_retain {
    () => {
        /// With this QoS.
        #[must_use]
        #[cfg_attr(target_pointer_width = "64", inline)]
        pub const fn qos(self, qos: QoS) -> Self {
            Self { qos, ..self }
        }

        /// At QoS 1.
        #[must_use]
        #[cfg_attr(target_pointer_width = "64", inline)]
        pub const fn at_least_once(self) -> Self {
            self.qos(QoS::AtLeastOnce)
        }

        /// At QoS 2.
        #[must_use]
        #[cfg_attr(target_pointer_width = "64", inline)]
        pub const fn exactly_once(self) -> Self {
            self.qos(QoS::ExactlyOnce)
        }

        /// To be retained by the server.
        #[must_use]
        #[cfg_attr(target_pointer_width = "64", inline)]
        pub const fn retain(self) -> Self {
            Self { retain: true, ..self }
        }
    };
}
pub(crate) use qos_and_retain;

/// A will: what the server publishes when the connection ends without DISCONNECT (section 3.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Will<'a> {
    /// The topic name.
    pub topic: Text<'a>,
    /// The message; may be empty. Any bytes in 3.1.1, 7-bit ASCII in 3.1.
    pub message: &'a [u8],
    /// The QoS of the message.
    pub qos: QoS,
    /// Whether the server retains the message.
    pub retain: bool,
}

impl<'a> Will<'a> {
    /// A will of QoS 0 that is not retained.
    #[must_use]
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn new(topic: &'a str, message: &'a [u8]) -> Self {
        Will { topic: Text::new(topic), message, qos: QoS::AtMostOnce, retain: false }
    }

    qos_and_retain!();
}
