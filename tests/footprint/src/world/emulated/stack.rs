//! The stack: painted, and looked at.
//!
//! The server behind the transport has the same stack. So it is looked at before the server runs, and painted again after.

use core::sync::atomic::{AtomicUsize, Ordering};

use cortex_m::register::msp;

/// No program takes more.
const MOST: usize = 8 * 1024;
const PAINT: u32 = 0xA5A5_5A5A;

/// Where it begins, which is above it: it grows downwards.
static TOP: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);

/// Counts from here on: what the caller calls, and not its own frame.
#[inline(always)]
pub fn begin() {
    TOP.store(msp::read() as usize, Ordering::Relaxed);
    paint();
}

/// Paints all of it that is free.
#[inline(never)]
pub fn paint() {
    let mut at = bottom();
    while at < msp::read() as usize {
        // SAFETY: nothing below the stack pointer is in use, and there are no interrupts.
        unsafe { (at as *mut u32).write_volatile(PAINT) };
        at += 4;
    }
}

/// Takes note of how far down the paint is gone.
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

/// The most that was in use, in bytes.
pub fn used() -> usize {
    USED.load(Ordering::Relaxed)
}

fn bottom() -> usize {
    TOP.load(Ordering::Relaxed) - MOST
}
