//! The application gives up a message, which is then not sent or not resent.

use crate::PacketId;
use crate::client::config::Config;
use crate::client::error::GiveUpError;
use crate::client::outbox::SendProgress;
use crate::client::parts::Parts;
use crate::client::timers::Note;

/// See [`Client::give_up`](crate::Client::give_up).
pub(in crate::client) fn give_up<C: Config>(
    parts: &mut Parts<'_, C>,
    id: PacketId,
) -> Result<(), GiveUpError> {
    let control = &mut *parts.control;
    // All bytes that `pending` has returned, until it is called again: `sent` may still report those that are left.
    let offered = control.offer.unreported_requests();
    if parts.outbox.is_streaming() {
        // The payload is stored after the requests, which must not move.
        return Err(GiveUpError::BeingSent);
    }
    match parts.outbox.send_progress(id.get(), offered, control.link.retries > 0) {
        SendProgress::Unknown => return Err(GiveUpError::Unknown),
        SendProgress::Released => return Err(GiveUpError::Released),
        SendProgress::BeingSent => return Err(GiveUpError::BeingSent),
        SendProgress::NoneOrAll => {}
    }
    parts.outbox.give_up(id.get());
    control.notes.add(Note::CHANGED);
    control.session.changed();
    Ok(())
}
