//! SysTick as the clock of embassy-time: counts milliseconds, and wakes tasks whose time has come.
//!
//! A HAL for a real chip provides a driver with a timer that sleeps while there is nothing to do. SysTick cannot do that: it
//! overflows after a second.

use core::cell::RefCell;
use core::task::Waker;

use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::exception;
use embassy_sync::blocking_mutex::CriticalSectionMutex;
use embassy_time::TICK_HZ;
use embassy_time_driver::{Driver, time_driver_impl};
use embassy_time_queue_utils::Queue;

time_driver_impl!(static DRIVER: SysTickDriver = SysTickDriver::new());

struct SysTickDriver(CriticalSectionMutex<RefCell<State>>);

struct State {
    now: u64,
    /// When the first task in the queue has to be woken.
    alarm: u64,
    queue: Queue,
}

impl SysTickDriver {
    const fn new() -> Self {
        let state = State { now: 0, alarm: u64::MAX, queue: Queue::new() };
        SysTickDriver(CriticalSectionMutex::new(RefCell::new(state)))
    }
}

impl Driver for SysTickDriver {
    fn now(&self) -> u64 {
        self.0.lock(|state| state.borrow().now)
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        self.0.lock(|state| {
            let state = &mut *state.borrow_mut();
            if state.queue.schedule_wake(at, waker) {
                state.alarm = state.queue.next_expiration(state.now);
            }
        });
    }
}

#[exception]
fn SysTick() {
    DRIVER.0.lock(|state| {
        let state = &mut *state.borrow_mut();
        state.now += 1;
        if state.alarm <= state.now {
            state.alarm = state.queue.next_expiration(state.now);
        }
    });
}

/// Starts the clock.
pub fn start(mut systick: SYST, core_hz: u32) {
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(core_hz / TICK_HZ as u32 - 1);
    systick.clear_current();
    systick.enable_interrupt();
    systick.enable_counter();
}
