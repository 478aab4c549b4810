//! The whole library, linked for bare metal with a panic handler that cannot be linked.
//!
//! The handler calls a function that nobody defines. While the optimiser leaves one way to a panic in the program,
//! the handler is in it too, and the linker names the missing function. Every argument is opaque to the optimiser,
//! so it cannot prove panics away that a real application would meet. `tests/all.sh panics` builds this.
//!
//! `{:?}` is not here: the Debug output that is derived goes through `core::fmt`'s builders, and is for tests.
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
    /// Nobody defines it. See where the panic comes from with `-C link-arg=-Map=...`, or define it and disassemble.
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

/// A value that the optimiser knows nothing of.
fn any<T>(value: T) -> T {
    black_box(value)
}

/// Bytes whose number and values the optimiser knows nothing of.
fn any_bytes() -> &'static [u8] {
    any(&[0; 64])
}

/// Text of which it knows no more.
fn any_text() -> &'static str {
    core::str::from_utf8(any_bytes()).unwrap_or_default()
}

/// Some time.
fn any_now() -> Instant {
    Instant::from_millis(any(1))
}

/// Uses a result, so that the work for it is not left out.
fn keep<T>(value: T) {
    black_box(value);
}
