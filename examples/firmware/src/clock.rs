//! SysTick as a clock of milliseconds.

use core::sync::atomic::{AtomicU32, Ordering};

use baremqtt::Instant;
use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::exception;

static MILLIS: AtomicU32 = AtomicU32::new(0);

defmt::timestamp!("{=u32:tms}", MILLIS.load(Ordering::Relaxed));

#[exception]
fn SysTick() {
    // Nobody else writes it, and a Cortex-M0 has no more than load and store.
    MILLIS.store(MILLIS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// The time since the start. Its interrupt also wakes a processor that waits, every millisecond.
pub struct Clock {
    now: u64,
}

impl Clock {
    pub fn start(mut systick: SYST, core_hz: u32) -> Self {
        systick.set_clock_source(SystClkSource::Core);
        systick.set_reload(core_hz / 1_000 - 1);
        systick.clear_current();
        systick.enable_interrupt();
        systick.enable_counter();
        Clock { now: 0 }
    }

    /// Now. The interrupt's counter runs over after 49 days; this does not, if it is called more often.
    pub fn now(&mut self) -> Instant {
        let passed = MILLIS.load(Ordering::Relaxed).wrapping_sub(self.now as u32);
        self.now += u64::from(passed);
        Instant::from_millis(self.now)
    }
}
