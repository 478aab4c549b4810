//! What ends without its answer: with the connection, with the session, or because it was given up.

use super::super::bytes::write;
use super::record::{
    AT_LEAST_ONCE, AT_MOST_ONCE, DEAD, EXACTLY_ONCE, End, PUBREL, QOS_BITS, Record, SHORT, STUB,
};
use super::{Outbox, Why, payload};

/// The connection is gone. SUBSCRIBE and UNSUBSCRIBE end, and what is sent at QoS 0. Of the messages that were given up, nobody
/// waits for PUBACK any more, and those of QoS 2 are released, so that the server forgets their identifiers.
pub(super) fn with_link(log: &mut [u8], at: usize, record: Record, tell: bool) -> Option<Record> {
    let request = record.request(log, at);
    if request & QOS_BITS == AT_MOST_ONCE {
        return None;
    }
    if record.first == STUB && request == EXACTLY_ONCE {
        write(log, record.body(at), &[PUBREL]);
        return Some(record);
    }
    if record.ends_with_link() || (record.first == STUB && request == AT_LEAST_ONCE) {
        return ends(log, at, record, End::Lost, tell);
    }
    Some(record)
}

/// The server has no session: what had PUBREC is uncertain, and so is what was given up; other messages end if they are `given_up`.
pub(super) fn with_session(
    log: &mut [u8],
    at: usize,
    record: Record,
    given_up: bool,
    tell: bool,
) -> Option<Record> {
    if record.has_ended() {
        return Some(record);
    }
    if record.request(log, at) >> 4 == PUBREL >> 4 {
        return ends(log, at, record, End::Uncertain, tell);
    }
    if given_up { ends(log, at, record, End::Lost, tell) } else { Some(record) }
}

fn ends(log: &mut [u8], at: usize, record: Record, end: End, tell: bool) -> Option<Record> {
    let first = record.ended(end);
    write(log, at, &[first]);
    tell.then_some(Record { first, ..record })
}

/// How far a message is that may be given up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// There is none.
    Unknown,
    /// It has left, or nothing of it has.
    Whole,
    /// It is leaving.
    Now,
    /// It had PUBREC.
    Released,
}

impl Outbox {
    /// How far the message of this identifier is, while so many bytes are offered.
    pub(crate) fn message(&self, log: &[u8], id: u16, offered: usize) -> Leaves {
        let seen = self.cur.wrapping_add(offered);
        for (at, record) in self.records(log) {
            if record.first == PUBREL && record.id(log, at) == id {
                return Leaves::Released;
            }
            if is_message(log, at, record, id) {
                return if at >= self.rec && at < seen { Leaves::Now } else { Leaves::Whole };
            }
        }
        Leaves::Unknown
    }

    /// Gives up the message of this identifier.
    pub(crate) fn give_up(&mut self, log: &mut [u8], id: u16) {
        if self.asked_id(log) == id {
            self.payload = payload::Payload::NEW;
        }
        self.sweep(log, Why::GivenUp(id));
        self.has_stubs = true;
    }
}

/// The application gives up the message of this identifier: what has not left goes; of what has left, a stub keeps its
/// identifier from being given out again.
pub(super) fn given_up(log: &mut [u8], at: usize, record: Record, has_left: bool, id: u16) -> Option<Record> {
    if !is_message(log, at, record, id) {
        return Some(record);
    }
    if !has_left {
        return None;
    }
    let [high, low] = id.to_be_bytes();
    let request = record.request(log, at) & QOS_BITS;
    write(log, at, &[STUB, SHORT as u8, request, 2, high, low]);
    Record::read(log, at)
}

/// Whether this is the message of that identifier, without PUBREC and not given up.
pub(super) fn is_message(log: &[u8], at: usize, record: Record, id: u16) -> bool {
    let request = record.request(log, at) & QOS_BITS;
    record.first != DEAD
        && record.first != STUB
        && (request == AT_LEAST_ONCE || request == EXACTLY_ONCE)
        && record.id(log, at) == id
}
