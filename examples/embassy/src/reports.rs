//! The channels between the station and the other tasks.

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;
use embassy_sync::signal::Signal;
use embassy_time::Duration;

/// Something to publish.
#[derive(Clone, Copy, defmt::Format)]
pub enum Report {
    /// Seconds since the start.
    Uptime(u64),
    /// Tenths of a degree.
    Temperature(u64),
    /// Pulses of a meter since the last report.
    Pulses(u64),
    /// The lamp was switched on or off.
    Lamp(bool),
}

/// To the station. A task that finds it full waits.
pub static REPORTS: Channel<CriticalSectionRawMutex, Report, 8> = Channel::new();

/// To the sensors: how often to take readings.
pub static INTERVAL: Signal<CriticalSectionRawMutex, Duration> = Signal::new();

/// To the lamp: how long to be on, and then off; `None` turns it off for good.
pub static LAMP: Signal<CriticalSectionRawMutex, Option<Duration>> = Signal::new();
