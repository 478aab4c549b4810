//! What ends without its answer: with the connection, or with the session.

use super::super::bytes::set;
use super::record::{AT_LEAST_ONCE, AT_MOST_ONCE, End, PUBREL, QOS_BITS, Record};

/// The connection is gone. SUBSCRIBE and UNSUBSCRIBE end, and what is sent at QoS 0; nobody waits for the PUBACK of a message any
/// more that was given up.
pub(super) fn with_link(log: &mut [u8], at: usize, record: Record, tell: bool) -> bool {
    let request = record.request(log, at);
    if request & QOS_BITS == AT_MOST_ONCE {
        return false;
    }
    if record.ends_with_link() || (request & QOS_BITS == AT_LEAST_ONCE && record.is_stub(log, at)) {
        return ends(log, at, record, End::Lost, tell);
    }
    true
}

/// The server has no session: what had PUBREC is uncertain; other messages end if they are `given_up`.
pub(super) fn with_session(log: &mut [u8], at: usize, record: Record, given_up: bool, tell: bool) -> bool {
    if record.request(log, at) >> 4 == PUBREL >> 4 {
        return ends(log, at, record, End::Uncertain, tell);
    }
    let lost = given_up || record.is_stub(log, at);
    if lost && !record.has_ended() { ends(log, at, record, End::Lost, tell) } else { true }
}

fn ends(log: &mut [u8], at: usize, record: Record, end: End, tell: bool) -> bool {
    set(log, at, record.ended(end));
    tell
}
