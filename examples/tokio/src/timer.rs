//! tokio's clock for the adapter.

use std::time::Duration;

use baremqtt::Instant;
use baremqtt::transport::embedded_io_async::Timer;
use tokio::time;

#[derive(Clone, Copy)]
pub struct TokioTimer {
    start: time::Instant,
}

impl TokioTimer {
    pub fn start() -> Self {
        TokioTimer { start: time::Instant::now() }
    }
}

impl Timer for TokioTimer {
    fn now(&self) -> Instant {
        Instant::from_millis(self.start.elapsed().as_millis() as u64)
    }

    async fn sleep_until(&mut self, at: Instant) {
        time::sleep_until(self.start + Duration::from_millis(at.as_millis())).await;
    }
}
