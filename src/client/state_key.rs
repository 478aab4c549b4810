//! The state of a client as a hash, for tests/explore, which sets `baremqtt_explore`: it is no part of the library otherwise.

use core::hash::{Hash, Hasher};

use super::Client;
use super::end::End;
use super::inbox::EventKind;
use super::outbox::OutboxState;
use super::parts::log_len;
use super::state::{ClientState, Control, Leaving, Source, State};

impl<R: AsRef<[u8]>, T: AsRef<[u8]>, C, I: AsRef<[u8]>> Client<R, T, C, I> {
    /// Hashes everything that determines the future behaviour of this client, and nothing else: two clients with the same key behave alike
    /// from now on.
    ///
    /// Positions are relative to the live data. Bytes that will never be read, and counters that only grow, are left out. This assumes that
    /// the application does not use receipts of earlier connections.
    pub fn state_key(&self, key: &mut impl Hasher) {
        let ClientState { mut control, mut outbox, mut answers } = self.state.clone();
        let tx = self.buffers.tx.as_ref();
        let (log, room) = tx.split_at_checked(log_len(tx.len())).unwrap_or_default();

        self.ids.as_ref().hash(key);
        control.inbox.bytes(self.buffers.rx.as_ref()).hash(key);
        forget(&mut control);
        control.hash(key);

        let whole = answers.cur & !3;
        room.get(whole.into()..answers.end.into()).hash(key);
        room.get(room.len().wrapping_sub(answers.withheld.into())..).hash(key);
        (answers.cur, answers.end) = (answers.cur & 3, 0);
        answers.safe = answers.safe.saturating_sub(whole);
        answers.saved = answers.saved.saturating_sub(whole);
        answers.hash(key);

        let payload = &mut outbox.payload;
        let place = |at: usize| outbox.tail.wrapping_add(at);
        log.get(place(payload.cur)..place(payload.fill)).hash(key);
        (payload.cur, payload.fill) = (0, 0);
        requests(&outbox, log, key);
    }
}

/// Removes what does not matter from the state outside the outbox and the answers.
fn forget(control: &mut Control) {
    let Control { session, inbox, offer, timers, link, leaving, .. } = control;
    let revision = session.revision;
    for other in [&mut session.reported_revision, &mut session.saved_revision, &mut session.durable_revision]
    {
        *other = u32::from(*other == revision);
    }
    (session.revision, session.connection, session.ignored) = (0, 0, 0);
    (inbox.start, inbox.fill, inbox.head) = (0, 0, 0);
    if inbox.event == EventKind::None {
        (inbox.id, inbox.end) = (0, End::Lost);
    }
    // After `sent`, the next offer is computed anew; but a partly sent packet continues.
    if offer.is_settled {
        offer.len = 0;
    }
    if offer.len == 0 && link.fixed_sent == 0 {
        offer.source = Source::None;
    }
    offer.is_settled = false;
    // Only those who reopen connections ask for it.
    if link.state == State::Offline {
        *leaving = Leaving::No;
    }
    timers.now = 0;
}

/// Hashes the live records, and the positions among them as the number of records before each.
fn requests(outbox: &OutboxState, log: &[u8], key: &mut impl Hasher) {
    let live = || outbox.records(log, true).filter(|(_, record)| !record.is_dead());
    live().for_each(|(at, record)| log.get(at..record.end()).hash(key));
    let before = |place| live().filter(|(at, _)| *at < place).count();
    let places = OutboxState {
        head: 0,
        rec: before(outbox.rec),
        cur: outbox.cur.wrapping_sub(outbox.rec),
        tail: before(outbox.tail),
        dead: 0,
        hint: before(outbox.hint),
        safe: before(outbox.safe),
        saved: before(outbox.saved),
        // Beyond the number of requests it makes no difference.
        free_ids: outbox.free_ids.min(16),
        ..outbox.clone()
    };
    places.hash(key);
}
