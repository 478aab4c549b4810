//! The inbound half: bytes come in, and the packet at the front is what an event is read from.
//!
//! ```text
//! | done | packet at hand | fill -> | free |       before CONNECT has left:  | sent | CONNECT |
//! 0    start             fill     rx.len()                                  0    start    fill
//! ```

use super::bytes::move_down;
use super::outbox::{ENDED, End};

/// What the event at hand is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// There is no event.
    None,
    /// CONNACK.
    Connected,
    /// PUBLISH.
    Message,
    /// SUBACK.
    Subscribed,
    /// UNSUBACK.
    Unsubscribed,
    /// A request in the log that has ended.
    Ended,
    /// A streamed message whose payload is asked for.
    StreamReady,
    /// A message larger than the buffer: its head, if that fits.
    LargeStart,
    /// Bytes of its payload.
    LargePiece,
    /// Its end.
    LargeEnd,
    /// The loss of its end.
    LargeAborted,
    /// Its head, where its payload is not delivered.
    LargeSkipped,
    /// State that no image holds.
    SaveDue,
}

/// How far a message is that is larger than the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// There is none.
    None,
    /// Its topic is skipped, because not even that fits.
    Topic,
    /// Its payload is on its way, or its end.
    Payload,
}

/// A message that is larger than the buffer.
#[derive(Clone, Copy, Debug, Hash)]
#[repr(C)]
pub(super) struct Large {
    pub(super) phase: Phase,
    /// The first byte of its fixed header.
    pub(super) first: u8,
    pub(super) has_topic: bool,
    /// Its payload is delivered.
    pub(super) is_delivered: bool,
    /// Its packet identifier; 0 if it has none.
    pub(super) id: u16,
    /// Bytes to come in this phase.
    pub(super) left: usize,
    pub(super) payload_len: usize,
}

#[derive(Clone, Debug, Hash)]
#[repr(C)]
pub(super) struct Inbox {
    pub(super) event: Kind,
    /// The answer that is owed for the event: its first byte, or 0. `ENDED` where the event tells of an end in the log.
    pub(super) owed: u8,
    /// Bytes of the fixed header of the packet at the front.
    pub(super) head: u8,
    /// CONNECT stands here, and has not left whole.
    pub(super) holds_connect: bool,
    /// The packet at the front waits for a place, so nothing behind it is read.
    pub(super) is_blocked: bool,
    /// A message of QoS 2 had no place among the identifiers: nothing more is taken in on this connection.
    pub(super) is_refusing: bool,
    /// The answer for the event is withheld for the application to give.
    pub(super) has_receipt: bool,
    /// It waits for the application to acknowledge another message.
    pub(super) waits_for_receipt: bool,
    /// A message that was delivered in pieces was cut off, which is to be told.
    pub(super) is_aborted: bool,
    /// How the request of the event has ended.
    pub(super) end: End,
    /// The identifier of the event.
    pub(super) id: u16,
    pub(super) start: usize,
    pub(super) fill: usize,
    /// Bytes at the front that go with the event.
    pub(super) len: usize,
    pub(super) large: Large,
}

impl Inbox {
    pub(super) const NEW: Self = Inbox {
        event: Kind::None,
        owed: 0,
        head: 0,
        holds_connect: false,
        is_blocked: false,
        is_refusing: false,
        has_receipt: false,
        waits_for_receipt: false,
        is_aborted: false,
        end: End::Lost,
        id: 0,
        start: 0,
        fill: 0,
        len: 0,
        large: Large {
            phase: Phase::None,
            first: 0,
            has_topic: false,
            is_delivered: false,
            id: 0,
            left: 0,
            payload_len: 0,
        },
    };

    /// Whether a message that is delivered in pieces was, or now is, cut off.
    pub(super) fn is_cut_off(&self) -> bool {
        self.is_aborted || self.large.is_delivered
    }

    /// The event is the end of this request.
    pub(super) fn tell_end(&mut self, event: Kind, id: u16, end: End) {
        (self.event, self.owed, self.id, self.end) = (event, ENDED, id, end);
    }

    /// Whether the event is the end of a request.
    pub(super) const fn tells_end(&self) -> bool {
        self.owed == ENDED
    }

    /// Where bytes from the transport go.
    pub(super) fn free<'a>(&self, rx: &'a mut [u8]) -> &'a mut [u8] {
        if self.holds_connect { &mut [] } else { rx.get_mut(self.fill..).unwrap_or_default() }
    }

    /// What has come and was not consumed; the rest of CONNECT before that has left.
    pub(super) fn bytes<'a>(&self, rx: &'a [u8]) -> &'a [u8] {
        rx.get(self.start..self.fill).unwrap_or_default()
    }

    /// Bytes have come, or CONNECT is put here.
    pub(super) fn filled(&mut self, len: usize, rx_len: usize) {
        self.fill = self.fill.wrapping_add(len.min(rx_len.wrapping_sub(self.fill)));
    }

    /// Gives up bytes at the front.
    pub(super) fn consume(&mut self, len: usize) {
        self.start = self.start.wrapping_add(len);
        if self.start >= self.fill {
            (self.start, self.fill) = (0, 0);
        }
    }

    /// So many bytes of CONNECT have left.
    pub(super) fn connect_sent(&mut self, len: usize) {
        self.consume(len);
        self.holds_connect = self.fill != 0;
    }

    /// Sees to it that a packet of this length fits behind its beginning.
    pub(super) fn make_room(&mut self, rx: &mut [u8], wanted: usize) {
        if self.start > 0 && self.start.wrapping_add(wanted) > rx.len() {
            let len = self.fill.wrapping_sub(self.start);
            move_down(rx, self.start, 0, len);
            (self.start, self.fill) = (0, len);
        }
    }

    /// Whether a packet is on its way in.
    pub(super) fn is_inside_packet(&self) -> bool {
        self.fill > self.start || self.large.phase != Phase::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_moves_to_the_front_when_its_packet_needs_room() {
        let mut rx = *b"abcdefgh";
        let mut inbox = Inbox::NEW;
        inbox.filled(8, 8);
        inbox.consume(5);
        inbox.make_room(&mut rx, 3);
        assert_eq!(inbox.bytes(&rx), b"fgh");
        assert!(inbox.free(&mut rx).is_empty());
        inbox.make_room(&mut rx, 4);
        assert_eq!(inbox.bytes(&rx), b"fgh");
        assert_eq!(inbox.free(&mut rx).len(), 5);
        inbox.consume(3);
        assert_eq!(inbox.free(&mut rx).len(), 8);
    }

    #[test]
    fn nothing_is_read_where_connect_stands() {
        let mut rx = [0; 8];
        let mut inbox = Inbox { holds_connect: true, ..Inbox::NEW };
        inbox.filled(6, 8);
        inbox.connect_sent(4);
        assert!(inbox.holds_connect && inbox.free(&mut rx).is_empty());
        inbox.connect_sent(2);
        assert!(!inbox.holds_connect);
        assert_eq!(inbox.free(&mut rx).len(), 8);
    }
}
