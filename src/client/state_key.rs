//! The state of a client as bytes, for programs that walk through all states that it can be in.

use super::Client;
use super::outbox::State;
use super::parts::log_len;
use super::timers::{Notes, Timers};
use super::work::Source;

impl<R: AsRef<[u8]>, T: AsRef<[u8]>, C, I: AsRef<[u8]>> Client<R, T, C, I> {
    /// All that decides how this client goes on, and nothing else: two clients with the same key do the same from here on.
    ///
    /// Places are counted from the front of what is live, bytes that nobody will read are left out, and so are counters that
    /// only grow; the application may not give back a receipt of an earlier connection.
    #[doc(hidden)]
    pub fn state_key(&self, key: &mut impl FnMut(&[u8])) {
        let (work, tx) = (&self.all.work, self.buffers.tx.as_ref());
        let (log, room) = tx.split_at_checked(log_len(tx.len())).unwrap_or_default();
        let (link, inbox, answers) = (&work.link, &work.inbox, &self.all.answers);
        key(&[
            link.state as u8,
            u8::from(work.session.mqtt31),
            u8::from(work.session.clean_session),
            u8::from(link.is_accepted),
            u8::from(link.is_finishing),
            u8::from(link.is_output_lost),
            u8::from(link.is_ping_due),
            u8::from(link.is_ping_awaited),
            link.fixed_sent,
            u8::from(work.session.told_revision == work.session.revision),
            link.retries,
            u8::from(work.session.revision == work.session.saved_revision),
            u8::from(work.session.is_durable()),
            inbox.event as u8,
            inbox.owed,
            u8::from(inbox.has_receipt),
            u8::from(inbox.is_blocked),
            u8::from(inbox.waits_for_receipt),
            u8::from(inbox.is_refusing),
            u8::from(inbox.is_aborted),
            u8::from(inbox.holds_connect),
            inbox.large.phase as u8,
            inbox.large.first,
            u8::from(inbox.large.has_topic),
            u8::from(inbox.large.is_delivered),
        ]);
        // These outlive their event.
        let has_event = inbox.event as u8 != 0;
        let id = if has_event { inbox.id } else { 0 };
        key(&[if has_event { inbox.end as u8 } else { 0 }]);
        numbers(
            key,
            &[id.into(), inbox.len, inbox.large.id.into(), inbox.large.left, inbox.large.payload_len],
        );
        text(key, inbox.bytes(self.buffers.rx.as_ref()));
        // What was told is asked anew; but what has left in part goes on.
        let offer = &work.offer;
        let stands = !offer.is_told && offer.len != 0;
        let goes_on = stands || link.fixed_sent != 0;
        key(&[if goes_on { offer.source as u8 } else { Source::None as u8 }]);
        numbers(key, &[if stands { offer.len } else { 0 }]);
        let whole = answers.cur & !3;
        numbers(
            key,
            &[
                usize::from(answers.cur & 3),
                answers.safe.saturating_sub(whole).into(),
                answers.saved.saturating_sub(whole).into(),
            ],
        );
        text(key, room.get(whole.into()..answers.end.into()).unwrap_or_default());
        let withheld = room.len().wrapping_sub(answers.withheld.into());
        text(key, room.get(withheld..).unwrap_or_default());
        requests(&self.all.outbox, log, key);
        text(key, self.ids.as_ref());
        countdowns(&work.timers, work.notes, key);
    }
}

fn numbers<const N: usize>(key: &mut impl FnMut(&[u8]), numbers: &[usize; N]) {
    for number in numbers {
        key(&(*number as u32).to_be_bytes());
    }
}

fn text(key: &mut impl FnMut(&[u8]), bytes: &[u8]) {
    numbers(key, &[bytes.len()]);
    key(bytes);
}

/// The records that are not dead, and the places among them, as how many stand before.
fn requests(outbox: &State, log: &[u8], key: &mut impl FnMut(&[u8])) {
    let before =
        |place| outbox.records(log, true).filter(|(at, record)| !record.is_dead() && *at < place).count();
    for (at, record) in outbox.records(log, true).filter(|(_, record)| !record.is_dead()) {
        key(log.get(at..record.end()).unwrap_or_default());
    }
    numbers(
        key,
        &[
            before(outbox.tail),
            before(outbox.rec),
            outbox.cur.wrapping_sub(outbox.rec),
            before(outbox.hint),
            before(outbox.safe),
            before(outbox.saved),
            outbox.last_id.into(),
            // More of them than there will be requests make no difference.
            outbox.free_ids.min(16).into(),
            outbox.kept.into(),
            outbox.exactly_once.into(),
            outbox.streams as usize,
        ],
    );
    let payload = &outbox.payload;
    key(&[
        u8::from(outbox.has_ended()),
        u8::from(outbox.is_open),
        u8::from(outbox.has_new_oldest),
        u8::from(payload.is_asked),
        u8::from(payload.is_begun),
    ]);
    numbers(key, &[payload.left]);
    let (from, to) = (outbox.tail.wrapping_add(payload.cur), outbox.tail.wrapping_add(payload.fill));
    text(key, log.get(from..to).unwrap_or_default());
}

fn countdowns(timers: &Timers, notes: Notes, key: &mut impl FnMut(&[u8])) {
    for left in timers.left {
        key(&left.to_be_bytes());
    }
    key(&[notes.0]);
}
