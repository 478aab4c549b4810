//! What all adapters share.

mod countdown;
#[cfg_attr(
    not(any(feature = "std", feature = "embedded-io-async-v0.7")),
    allow(dead_code, reason = "not every adapter uses all of it")
)]
mod driver;
mod retry;
mod updates;

pub(crate) use countdown::Countdown;
pub(crate) use driver::Driver;
pub(crate) use retry::Retry;
pub use updates::{GaveUp, Update};

/// A connection dereferences to the client that it holds.
macro_rules! is_a_client {
    ($connection:ident<$($parameter:ident $(: $bound:path)?),*>) => {
        impl<$($parameter $(: $bound)?,)* R, T, C, I> core::ops::Deref for $connection<$($parameter,)* R, T, C, I> {
            type Target = crate::Client<R, T, C, I>;

            fn deref(&self) -> &Self::Target {
                &self.driver.client
            }
        }

        impl<$($parameter $(: $bound)?,)* R, T, C, I> core::ops::DerefMut for $connection<$($parameter,)* R, T, C, I> {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.driver.client
            }
        }

        impl<$($parameter $(: $bound)?,)* R, T, C, I> core::fmt::Debug for $connection<$($parameter,)* R, T, C, I> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.driver.debug(f)
            }
        }
    };
}
pub(crate) use is_a_client;

/// The choices of an adapter that reconnects, which are in its field `retry`.
macro_rules! retry_choices {
    ($($retry:ident).+) => {
        /// Also tries MQTT 3.1 if the server does not accept 3.1.1, that is, if it refuses it in CONNACK or closes the connection
        /// without CONNACK. If 3.1 fails too, 3.1.1 is tried next. Once 3.1.1 has succeeded, only 3.1.1 is used.
        #[must_use]
        pub fn fall_back_to_mqtt31(mut self) -> Self {
            self.$($retry).+.falls_back = true;
            self
        }

        /// Keeps trying after refusals that are unlikely to go away by themselves, such as a wrong password or a client identifier
        /// that is not allowed. By default they end all attempts ([`GaveUp::Refused`](crate::transport::GaveUp::Refused)).
        #[must_use]
        pub fn retry_refusals(mut self) -> Self {
            self.$($retry).+.despite_refusals = true;
            self
        }
    };
}
pub(crate) use retry_choices;
