//! The inbound half: received bytes. An event is read from the packet at their front.
//!
//! ```text
//! | done | received packets -> | free |       until CONNECT has been sent:  | sent | CONNECT |
//! 0    start                 fill  rx.len()                                 0    start    fill
//! ```

use super::bytes::move_down;
use super::end::{ENDED, End};

/// The kind of the current event, by what it is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum EventKind {
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
    /// A streamed message whose payload is needed.
    StreamReady,
    /// The head of a message that is larger than the buffer.
    LargeStart,
    /// A piece of its payload.
    LargePiece,
    /// Its end.
    LargeEnd,
    /// The connection was lost before its end.
    LargeAborted,
    /// The head of a large message whose payload is not delivered.
    LargeSkipped,
    /// Changes that are in no image yet.
    SaveDue,
}

/// How much has been received of a message that is larger than the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// There is no such message.
    None,
    /// Its topic is being skipped, because not even that fits.
    Topic,
    /// Its payload is being received, or its end is being processed.
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
    /// The number of bytes to be received in this phase.
    pub(super) left: usize,
    pub(super) payload_len: usize,
}

#[derive(Clone, Debug, Hash)]
#[repr(C)]
pub(super) struct Inbox {
    pub(super) event: EventKind,
    /// The first byte of the answer that the event requires, or 0. `ENDED` if the event reports the end of a request.
    pub(super) owed: u8,
    /// Length of the fixed header of the packet at the front.
    pub(super) head: u8,
    /// The buffer holds CONNECT, which has not been sent completely.
    pub(super) holds_connect: bool,
    /// The packet at the front is waiting for room for its answer, so nothing after it is read.
    pub(super) is_blocked: bool,
    /// There was no room for the identifier of a QoS 2 message: no more messages are accepted on this connection.
    pub(super) is_refusing: bool,
    /// The answer to the event is withheld until the application acknowledges.
    pub(super) has_receipt: bool,
    /// The packet at the front is waiting for the application to acknowledge an earlier message.
    pub(super) waits_for_receipt: bool,
    /// A message that was delivered in pieces was cut off, which has to be reported.
    pub(super) is_aborted: bool,
    /// How the request has ended that the event reports.
    pub(super) end: End,
    /// The identifier of the event.
    pub(super) id: u16,
    pub(super) start: usize,
    pub(super) fill: usize,
    /// The number of bytes at the front that are consumed with the event.
    pub(super) len: usize,
    pub(super) large: Large,
}

impl Inbox {
    pub(super) const NEW: Self = Inbox {
        event: EventKind::None,
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

    /// Whether a message that is delivered in pieces was cut off before, or would be now.
    pub(super) fn is_cut_off(&self) -> bool {
        self.is_aborted || self.large.is_delivered
    }

    /// Makes the end of this request the current event.
    pub(super) fn report_end(&mut self, event: EventKind, id: u16, end: End) {
        (self.event, self.owed, self.id, self.end) = (event, ENDED, id, end);
    }

    /// Whether the event reports the end of a request.
    pub(super) const fn reports_end(&self) -> bool {
        self.owed == ENDED
    }

    /// The free part of the buffer, for bytes from the transport.
    pub(super) fn free<'a>(&self, rx: &'a mut [u8]) -> &'a mut [u8] {
        if self.holds_connect { &mut [] } else { rx.get_mut(self.fill..).unwrap_or_default() }
    }

    /// Received bytes that have not been consumed; or the rest of CONNECT until that has been sent.
    pub(super) fn bytes<'a>(&self, rx: &'a [u8]) -> &'a [u8] {
        rx.get(self.start..self.fill).unwrap_or_default()
    }

    /// Notes that bytes have been received, or that CONNECT has been written here.
    pub(super) fn filled(&mut self, len: usize, rx_len: usize) {
        self.fill = self.fill.wrapping_add(len.min(rx_len.wrapping_sub(self.fill)));
    }

    /// Consumes bytes at the front.
    pub(super) fn consume(&mut self, len: usize) {
        self.start = self.start.wrapping_add(len);
        if self.start >= self.fill {
            (self.start, self.fill) = (0, 0);
        }
    }

    /// Notes that `len` bytes of CONNECT have been sent.
    pub(super) fn connect_sent(&mut self, len: usize) {
        self.consume(len);
        self.holds_connect = self.fill != 0;
    }

    /// Moves the packet at the front if it would not fit otherwise.
    pub(super) fn make_room(&mut self, rx: &mut [u8], wanted: usize) {
        if self.start > 0 && self.start.wrapping_add(wanted) > rx.len() {
            let len = self.fill.wrapping_sub(self.start);
            move_down(rx, self.start, 0, len);
            (self.start, self.fill) = (0, len);
        }
    }

    /// Whether a packet has been partly received.
    pub(super) fn is_inside_packet(&self) -> bool {
        self.fill > self.start || self.large.phase != Phase::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_packet_moves_to_the_front_when_it_needs_room() {
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
    fn nothing_is_read_while_the_buffer_holds_connect() {
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
