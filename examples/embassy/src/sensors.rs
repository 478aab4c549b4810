//! Takes readings at a steady pace, whatever the state of the connection.

use embassy_futures::select::{Either, select};
use embassy_time::{Duration, Instant, Ticker};

use crate::reports::{INTERVAL, REPORTS, Report};

#[embassy_executor::task]
pub async fn read() -> ! {
    let mut ticker = Ticker::every(Duration::from_millis(500));
    let mut reported = 0;
    loop {
        if let Either::Second(interval) = select(ticker.next(), INTERVAL.wait()).await {
            ticker = Ticker::every(interval);
            continue;
        }
        let seconds = Instant::now().as_secs();
        REPORTS.send(Report::Uptime(seconds)).await;
        REPORTS.send(Report::Temperature(200 + seconds % 50)).await;
        let pulses = meter();
        REPORTS.send(Report::Pulses(pulses - reported)).await;
        reported = pulses;
        // Readings that were missed because there was no room are not made up for.
        ticker.reset();
    }
}

/// A meter that counts ten times a second.
fn meter() -> u64 {
    Instant::now().as_millis() / 100
}
