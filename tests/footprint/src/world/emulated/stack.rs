//! The stack: painted, and inspected.
//!
//! The server behind the transport uses the same stack. So it is inspected before the server runs, and painted again after.

use core::sync::atomic::{AtomicUsize, Ordering};

use cortex_m::register::msp;

/// No program uses more.
const MOST: usize = 8 * 1024;
const PAINT: u32 = 0xA5A5_5A5A;

/// Its upper end: it grows downwards.
static TOP: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);

/// Counts from here on: what the caller calls, without the caller's own frame.
#[inline(always)]
pub fn begin() {
    TOP.store(msp::read() as usize, Ordering::Relaxed);
    paint();
}

/// Paints all free stack.
#[inline(never)]
pub fn paint() {
    let mut at = bottom();
    while at < msp::read() as usize {
        // SAFETY: nothing below the stack pointer is in use, and there are no interrupts.
        unsafe { (at as *mut u32).write_volatile(PAINT) };
        at += 4;
    }
}

/// Records how far down the paint was overwritten.
#[inline(never)]
pub fn measure() {
    let mut at = bottom();
    // SAFETY: it is memory, and aligned.
    while unsafe { (at as *const u32).read_volatile() } == PAINT {
        at += 4;
    }
    let used = TOP.load(Ordering::Relaxed) - at;
    assert!(used < MOST);
    USED.fetch_max(used, Ordering::Relaxed);
}

/// The maximum that was in use, in bytes.
pub fn used() -> usize {
    USED.load(Ordering::Relaxed)
}

fn bottom() -> usize {
    TOP.load(Ordering::Relaxed) - MOST
}
