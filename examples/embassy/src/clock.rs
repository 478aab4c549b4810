//! embassy-time as the clock of the connection.

use baremqtt::Instant;
use baremqtt::transport::embedded_io_async;
use embassy_time::Timer;

pub struct Clock;

impl embedded_io_async::Timer for Clock {
    fn now(&self) -> Instant {
        Instant::from_millis(embassy_time::Instant::now().as_millis())
    }

    async fn sleep_until(&mut self, at: Instant) {
        Timer::at(embassy_time::Instant::from_millis(at.as_millis())).await;
    }
}
