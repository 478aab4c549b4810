//! The application gives up a message, which is then not sent or not resent.

use crate::PacketId;
use crate::client::config::Config;
use crate::client::error::GiveUpError;
use crate::client::outbox::Leaves;
use crate::client::parts::Parts;
use crate::client::timers::Note;

/// See [`Client::give_up`](crate::Client::give_up).
pub(in crate::client) fn give_up<C: Config>(
    parts: &mut Parts<'_, C>,
    id: PacketId,
) -> Result<(), GiveUpError> {
    let work = &mut *parts.work;
    let offered = work.offer.seen_of_requests();
    if parts.outbox.is_streaming() {
        // The payload is stored after the requests, which must not move.
        return Err(GiveUpError::BeingSent);
    }
    match parts.outbox.message(id.get(), offered, work.link.retries > 0) {
        Leaves::Unknown => return Err(GiveUpError::Unknown),
        Leaves::Released => return Err(GiveUpError::Released),
        Leaves::Now => return Err(GiveUpError::BeingSent),
        Leaves::Whole => {}
    }
    parts.outbox.give_up(id.get());
    work.notes.add(Note::CHANGED);
    work.session.changed();
    Ok(())
}
