//! How a packet changes when it is resent.

use super::record::{DUP, PUBLISH, Record};
use super::{Config, Outbox};
use crate::client::bytes::set;

impl<C: Config> Outbox<'_, C> {
    /// Sets DUP in a packet that is resent (MQTT-3.3.1-1). In 3.1.1 only PUBLISH has it; in 3.1 PUBREL, SUBSCRIBE and UNSUBSCRIBE
    /// have it too.
    pub(super) fn mark_resent(&mut self, at: usize, record: Record, mqtt31: bool) {
        let first = record.first();
        let has_dup = mqtt31 || first & 0xF0 == PUBLISH;
        set(self.log, record.packet(at), if has_dup { first | DUP } else { first & !DUP });
    }
}
