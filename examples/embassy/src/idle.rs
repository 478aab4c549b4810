//! An idle loop that sleeps in QEMU too.
//!
//! Embassy's executor sleeps with WFE, which QEMU ignores: the emulated processor would run at full speed, take a core
//! of the host, and lose ticks of its clock when the host is busy. Therefore a task that is always ready sleeps with WFI. A task
//! that is woken just before that waits for the next tick.

#[embassy_executor::task]
pub async fn sleep() -> ! {
    loop {
        cortex_m::asm::wfi();
        embassy_futures::yield_now().await;
    }
}
