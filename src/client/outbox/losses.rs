//! Which requests end with the connection or with the server's session, and which stay.

use super::super::bytes::set;
use super::record::{AT_LEAST_ONCE, End, PUBREL, Record};
use super::{Config, Outbox, Why};

impl<C: Config> Outbox<'_, C> {
    /// Changes a record as necessary; returns whether it stays.
    pub(super) fn stays(&mut self, at: usize, record: Record, has_left: bool, why: Why) -> bool {
        if record.is_dead() {
            return false;
        }
        let end = match why {
            Why::Room => return true,
            Why::Again { mqtt31 } => {
                if has_left {
                    self.again(at, record, mqtt31);
                }
                return true;
            }
            // QoS 0 messages, SUBSCRIBE and UNSUBSCRIBE end. So does the stub of a QoS 1 message that was given up, because its PUBACK
            // can no longer arrive.
            Why::LinkLost if !record.keeps_id() => return false,
            Why::LinkLost if record.ends_with_link() || record.first() == AT_LEAST_ONCE => End::Lost,
            // The stub of a QoS 2 message becomes PUBREL.
            Why::LinkLost => {
                if record.is_stub() {
                    set(self.log, at, PUBREL);
                }
                return true;
            }
            // The outcome of a message that was answered with PUBREC is uncertain.
            Why::SessionLost { .. } if record.first() & 0xF0 == PUBREL & 0xF0 => End::Uncertain,
            Why::SessionLost { gives_up }
                if gives_up && !record.has_ended() && (has_left || record.has_dup()) =>
            {
                End::Lost
            }
            Why::SessionLost { .. } => return true,
        };
        if self.config.reports_loss() {
            let id = self.id(at, record);
            self.end(at, record, id, end);
        }
        self.config.reports_loss()
    }
}
