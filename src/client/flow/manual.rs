//! Acknowledgement by the application ([`Config::manual_acknowledgement`]).

use crate::PacketId;
use crate::client::answers::PUBREC;
use crate::client::config::Config;
use crate::client::error::AcknowledgeError;
use crate::client::inbound_ids;
use crate::client::inbox::{EventKind, Inbox};
use crate::client::parts::Parts;
use crate::client::receipt::Receipt;
use crate::client::state::Control;
use crate::client::timers::Note;

/// See [`Client::receipt`](crate::Client::receipt).
pub(in crate::client) const fn receipt(control: &Control) -> Option<Receipt> {
    let Inbox { event, has_receipt, owed, id, .. } = control.inbox;
    match (event, PacketId::new(id)) {
        (EventKind::Message | EventKind::LargeEnd, Some(id)) if has_receipt => {
            Some(Receipt { id, connection: control.session.connection, answer: owed })
        }
        _ => None,
    }
}

/// See [`Client::acknowledge`](crate::Client::acknowledge).
pub(in crate::client) fn acknowledge<C: Config>(
    parts: &mut Parts<'_, C>,
    receipt: Receipt,
) -> Result<(), AcknowledgeError> {
    let control = &mut *parts.control;
    let id = receipt.id.get();
    let known = parts.outbox.config.manual_acknowledgement()
        && receipt.connection == control.session.connection
        && parts.answers.is_withheld(receipt.answer, id);
    if !known {
        return Err(AcknowledgeError::Stale);
    }
    match parts.answers.oldest_withheld() {
        Some((answer, oldest)) if (answer, oldest) != (receipt.answer, id) => {
            return match PacketId::new(oldest) {
                Some(oldest) => Err(AcknowledgeError::OutOfOrder { oldest }),
                None => Err(AcknowledgeError::Stale),
            };
        }
        _ => {}
    }
    if receipt.answer == PUBREC {
        // There is an entry, which has been reserved since the message was delivered.
        let _ = inbound_ids::insert(parts.ids, receipt.id);
        control.session.changed();
    }
    parts.answers.queue_oldest(control.session.is_durable());
    control.notes.add(Note::CHANGED);
    Ok(())
}
