//! embassy-time as the clock of the connection.

use baremqtt::Instant;
use baremqtt::transport::asynch;
use embassy_time::Timer;

pub struct Clock;

impl asynch::Timer for Clock {
    fn now(&self) -> Instant {
        // The low 32 bits are enough.
        Instant::from_millis(embassy_time::Instant::now().as_millis() as u32)
    }

    async fn sleep(&self, ms: u32) {
        Timer::after_millis(ms.into()).await;
    }
}
