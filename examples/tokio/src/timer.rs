//! tokio's clock for the adapter.

use std::time::Duration;

use baremqtt::Instant;
use baremqtt::transport::asynch::Timer;
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
        Instant::from_millis(self.start.elapsed().as_millis() as u32)
    }

    async fn sleep(&self, ms: u32) {
        time::sleep(Duration::from_millis(ms.into())).await;
    }
}
