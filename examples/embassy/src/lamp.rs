//! A lamp that blinks on command.

use embassy_time::with_timeout;

use crate::board;
use crate::reports::{LAMP, REPORTS, Report};

#[embassy_executor::task]
pub async fn blink(mut lamp: board::Lamp) -> ! {
    loop {
        let mut wish = LAMP.wait().await;
        let mut on = false;
        while let Some(time) = wish {
            on = !on;
            lamp.set(on);
            REPORTS.send(Report::Lamp(on)).await;
            if let Ok(another) = with_timeout(time, LAMP.wait()).await {
                wish = another;
            }
        }
        lamp.set(false);
        REPORTS.send(Report::Lamp(false)).await;
    }
}
