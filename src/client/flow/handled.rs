//! The end of an event: its answer is queued, and its bytes are freed.

use crate::client::config::Config;
use crate::client::end::ENDED;
use crate::client::inbox::EventKind;
use crate::client::parts::Parts;
use crate::client::timers::Note;

/// The application has handled the event, or the packet caused none. Queues its answer, removes the request whose end it reported, and
/// frees its bytes.
pub(super) fn event_handled<C: Config>(parts: &mut Parts<'_, C>) {
    let inbox = &mut parts.control.inbox;
    inbox.event = EventKind::None;
    let (owed, id) = (core::mem::take(&mut inbox.owed), inbox.id);
    let withheld = core::mem::take(&mut inbox.has_receipt);
    if owed == ENDED {
        parts.outbox.end_is_reported(id);
    } else if owed != 0 && !withheld {
        parts.answer(owed, id);
    }
    let control = &mut *parts.control;
    control.notes.add(Note::CHANGED);
    control.finish_if_connected();
    let len = core::mem::take(&mut control.inbox.len);
    control.inbox.consume(len);
}

impl<C: Config> Parts<'_, C> {
    /// Frees the room of the request whose end the current event reports: an application that makes a new request has seen the event.
    #[inline]
    pub(super) fn clear_reported(&mut self) {
        let inbox = &mut self.control.inbox;
        if inbox.reports_end() {
            inbox.owed = 0;
            self.outbox.end_is_reported(inbox.id);
        }
    }
}
