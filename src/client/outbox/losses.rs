//! Which requests end with the connection or with the server's session, and which stay.

use super::record::{AT_LEAST_ONCE, PUBREL, Record};
use super::{Config, Outbox, Purpose};
use crate::client::bytes::set;
use crate::client::end::End;

impl<C: Config> Outbox<'_, C> {
    /// Changes a record as this sweep requires; returns whether it is kept.
    pub(super) fn update_or_drop(
        &mut self,
        at: usize,
        record: Record,
        was_sent: bool,
        purpose: Purpose,
    ) -> bool {
        if record.is_dead() {
            return false;
        }
        let end = match purpose {
            Purpose::Room => return true,
            Purpose::Resend { mqtt31 } => {
                if was_sent {
                    self.mark_resent(at, record, mqtt31);
                }
                return true;
            }
            // QoS 0 messages, SUBSCRIBE and UNSUBSCRIBE end. So does the stub of a QoS 1 message that was given up, because its PUBACK
            // can no longer arrive.
            Purpose::LinkLost if !record.keeps_id() => return false,
            Purpose::LinkLost if record.ends_with_link() || record.first() == AT_LEAST_ONCE => End::Lost,
            // The stub of a QoS 2 message becomes PUBREL.
            Purpose::LinkLost => {
                if record.is_stub() {
                    set(self.log, at, PUBREL);
                }
                return true;
            }
            // The outcome of a message that was answered with PUBREC is uncertain.
            Purpose::SessionLost { .. } if record.first() & 0xF0 == PUBREL & 0xF0 => End::Uncertain,
            Purpose::SessionLost { gives_up }
                if gives_up && !record.has_ended() && (was_sent || record.has_dup()) =>
            {
                End::Lost
            }
            Purpose::SessionLost { .. } => return true,
        };
        if self.config.reports_loss() {
            let id = self.id(at, record);
            self.end(at, record, id, end);
        }
        self.config.reports_loss()
    }
}
