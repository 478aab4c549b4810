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
