//! Keep alive: when PINGREQ is due.

use crate::client::config::Config;
use crate::client::parts::Parts;
use crate::client::timers::Timer;

/// PINGREQ is sent at most this long before the keep alive expires, in ms.
const MOST_MARGIN: u32 = 5_000;

/// The silence in ms after which PINGREQ is due, so that it is sent before the keep alive (in seconds) expires
/// (MQTT-3.1.2-23).
pub(super) fn silence_ms(keep_alive: u16) -> u32 {
    let ms = u32::from(keep_alive).wrapping_mul(1_000);
    ms.wrapping_sub((ms >> 2).min(MOST_MARGIN))
}

impl<C: Config> Parts<'_, C> {
    /// Requests PINGREQ if one direction has been silent for too long.
    pub(super) fn ping_if_due(&mut self) {
        let control = &mut *self.control;
        let silent =
            control.timers.is_due(Timer::SendSilence) || control.timers.is_due(Timer::ReceiveSilence);
        if silent && !control.link.is_ping_due {
            debug!("MQTT: PINGREQ");
            control.link.is_ping_due = true;
            // Start the timeouts for sending it.
            self.update_timers();
        }
    }
}
