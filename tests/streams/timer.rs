//! tokio's clock.

use std::time::Duration;

use baremqtt::Instant;
use baremqtt::transport::asynch::Timer;
use tokio::time;

pub struct Tokio(time::Instant);

impl Tokio {
    pub fn new() -> Self {
        Tokio(time::Instant::now())
    }
}

impl Timer for Tokio {
    fn now(&self) -> Instant {
        Instant::from_millis(self.0.elapsed().as_millis() as u32)
    }

    async fn sleep(&self, ms: u32) {
        time::sleep(Duration::from_millis(ms.into())).await;
    }
}
