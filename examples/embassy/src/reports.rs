//! What the tasks tell the station, and what it tells them.

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;
use embassy_sync::signal::Signal;
use embassy_time::Duration;

/// Something to be published.
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

/// For the station. Whoever finds it full waits.
pub static REPORTS: Channel<CriticalSectionRawMutex, Report, 8> = Channel::new();

/// For the sensors: how often to read them.
pub static INTERVAL: Signal<CriticalSectionRawMutex, Duration> = Signal::new();

/// For the lamp: how long it is to be on, and then off; `None` is off for good.
pub static LAMP: Signal<CriticalSectionRawMutex, Option<Duration>> = Signal::new();
