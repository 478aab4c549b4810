//! SysTick as a millisecond clock.

use core::sync::atomic::{AtomicU32, Ordering};

use baremqtt::Instant;
use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::exception;

static MILLIS: AtomicU32 = AtomicU32::new(0);

defmt::timestamp!("{=u32:tms}", MILLIS.load(Ordering::Relaxed));

#[exception]
fn SysTick() {
    // Nothing else writes it, and a Cortex-M0 has only load and store.
    MILLIS.store(MILLIS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// Starts the clock. Its interrupt also wakes a sleeping processor every millisecond.
pub fn start(mut systick: SYST, core_hz: u32) {
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(core_hz / 1_000 - 1);
    systick.clear_current();
    systick.enable_interrupt();
    systick.enable_counter();
}

/// The current time. The counter wraps after 49 days, which is fine, because only differences matter.
pub fn now() -> Instant {
    Instant::from_millis(MILLIS.load(Ordering::Relaxed))
}
