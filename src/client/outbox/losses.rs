//! What ends without its answer: with the connection, or with the session.

use super::super::bytes::{set, write};
use super::record::{AT_LEAST_ONCE, AT_MOST_ONCE, End, PUBREL, QOS_BITS, Record};

/// The connection is gone. SUBSCRIBE and UNSUBSCRIBE end, and what is sent at QoS 0; nobody waits for the PUBACK of a message any
/// more that was given up, and that of QoS 2 is released.
pub(super) fn with_link(log: &mut [u8], at: usize, record: Record, tell: bool) -> bool {
    let request = record.request(log, at);
    if request & QOS_BITS == AT_MOST_ONCE {
        return false;
    }
    let is_stub = record.is_stub(log, at);
    if record.ends_with_link() || (is_stub && request & QOS_BITS == AT_LEAST_ONCE) {
        return ends(log, at, record, End::Lost, tell);
    }
    if is_stub {
        let [high, low] = record.id(log, at).to_be_bytes();
        write(log, at, &[PUBREL, 2, high, low]);
    }
    true
}

/// The server has no session: what had PUBREC is uncertain; other messages end if they are `given_up`.
pub(super) fn with_session(log: &mut [u8], at: usize, record: Record, given_up: bool, tell: bool) -> bool {
    if record.request(log, at) >> 4 == PUBREL >> 4 {
        return ends(log, at, record, End::Uncertain, tell);
    }
    if given_up && !record.has_ended() { ends(log, at, record, End::Lost, tell) } else { true }
}

fn ends(log: &mut [u8], at: usize, record: Record, end: End, tell: bool) -> bool {
    set(log, at, record.ended(end));
    tell
}
