//! Keep alive: when PINGREQ is due.

use crate::client::config::Config;
use crate::client::parts::Parts;
use crate::client::timers::Timer;

/// How long before the end of the keep alive PINGREQ leaves at the most, in ms.
const MOST_MARGIN: u32 = 5_000;

/// After how many ms of silence PINGREQ is due, so that it has left before the keep alive (in seconds) has passed
/// (MQTT-3.1.2-23).
pub(super) fn silence(keep_alive: u16) -> u32 {
    let ms = u32::from(keep_alive).wrapping_mul(1_000);
    ms.wrapping_sub((ms >> 2).min(MOST_MARGIN))
}

impl<C: Config> Parts<'_, C> {
    /// PINGREQ waits to be sent if one direction was silent for too long.
    pub(super) fn ping_if_due(&mut self) {
        let work = &mut *self.work;
        let silent = work.timers.is_due(Timer::SendSilence) || work.timers.is_due(Timer::ReceiveSilence);
        if silent && !work.link.is_ping_due {
            debug!("MQTT: PINGREQ");
            work.link.is_ping_due = true;
            // Its way out is watched from now on.
            self.watch();
        }
    }
}
