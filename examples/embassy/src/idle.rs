//! Sleep that QEMU knows of.
//!
//! Embassy's executor sleeps by WFE, which QEMU takes for nothing: the emulated processor would run at full speed, take a core
//! of the host, and lose ticks of its clock where the host has other work. So a task that is always ready sleeps by WFI. What
//! is woken just before that waits for the next tick.

#[embassy_executor::task]
pub async fn sleep() -> ! {
    loop {
        cortex_m::asm::wfi();
        embassy_futures::yield_now().await;
    }
}
