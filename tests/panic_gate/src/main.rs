//! The whole library, linked for bare metal with a panic handler that cannot be linked.
//!
//! The handler calls a function that is not defined anywhere. As long as the optimiser leaves any path to a panic in the program,
//! the handler is in it too, and the linker names the missing function. Every argument is opaque to the optimiser,
//! so that it cannot remove panics that a real application could reach. `tests/all.sh panics` builds this.
//!
//! `{:?}` is not here: derived Debug output goes through `core::fmt`'s builders, and is meant for tests.
#![no_std]
#![no_main]

mod adapters;
mod client;
mod codec;
mod topics;

use core::hint::black_box;
use core::panic::PanicInfo;

use baremqtt::Instant;

unsafe extern "C" {
    /// Not defined anywhere. See where the panic comes from with `-C link-arg=-Map=...`, or define it and disassemble.
    fn a_panic_path_is_left() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: it is never called, because a program with this call in it is never linked.
    unsafe { a_panic_path_is_left() }
}

// SAFETY: no other symbol of this name is in the program, which has no start-up code.
#[unsafe(no_mangle)]
extern "C" fn _start() {
    codec::run();
    topics::run();
    client::run();
    adapters::run();

    #[cfg(feature = "planted_panic")]
    assert!(black_box(true), "planted");
}

/// A value that is opaque to the optimiser.
fn any<T>(value: T) -> T {
    black_box(value)
}

/// Bytes whose number and values are opaque to the optimiser.
fn any_bytes() -> &'static [u8] {
    any(&[0; 64])
}

/// Text that is just as opaque.
fn any_text() -> &'static str {
    core::str::from_utf8(any_bytes()).unwrap_or_default()
}

/// Some time.
fn any_now() -> Instant {
    Instant::from_millis(any(1))
}

/// Uses a result, so that the code for it is not removed.
fn keep<T>(value: T) {
    black_box(value);
}
