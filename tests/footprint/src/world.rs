//! Shared by all programs: a transport, a clock, and arguments that are opaque to the optimiser.
//!
//! Otherwise it would check topics at compile time, and the figures would be too good.
//!
//! A program is linked in two ways. Without start-up code it is never run: that is for its size. With the feature
//! `emulated` it runs in QEMU, with a server behind `read` and `write`: that is for its stack.

#![allow(dead_code, unused_imports, reason = "each program uses a part of it")]

#[cfg(feature = "emulated")]
mod emulated;
#[cfg(not(feature = "emulated"))]
mod linked;

use core::hint::black_box;

#[cfg(feature = "emulated")]
pub(crate) use emulated::program;
#[cfg(feature = "emulated")]
pub use emulated::{more, now, qos, read, run, sometimes, write};
#[cfg(not(feature = "emulated"))]
pub(crate) use linked::program;
#[cfg(not(feature = "emulated"))]
pub use linked::{more, now, qos, read, sometimes, write};

/// A value that is opaque to the optimiser.
#[inline(always)]
pub fn any<T>(value: T) -> T {
    black_box(value)
}
