//! One request in the log: its packet, whose first byte says what it waits for.
//!
//! | first byte | request | waits for |
//! |---|---|---|
//! | `3x` | PUBLISH | to be sent at QoS 0; PUBACK, PUBREC |
//! | `6x` | PUBREL | PUBCOMP |
//! | `8x`, `Ax` | SUBSCRIBE, UNSUBSCRIBE | SUBACK, UNSUBACK |
//! | `F0` | the head of a PUBLISH whose payload is streamed, after an additional header | as PUBLISH |
//! | `12`, `14` | a stub of a QoS 1 or 2 message that was given up | PUBACK, PUBREC |
//! | `E0` to `E3` | a request that has ended, and how | its end to be reported |
//! | `10` | a dead record | removal, when room is needed |
//!
//! The identifier follows the topic of a PUBLISH, and the header of all others. A record without an identifier looks like
//! a QoS 0 message when masked with [`QOS_BITS`].

use core::num::NonZeroU32;

use crate::QoS;
use crate::client::bytes::{IS_LARGE, u16_at};
use crate::client::end::{ENDED, End};
use crate::codec::PacketType;

pub(in crate::client) const DEAD: u8 = AT_MOST_ONCE;
pub(in crate::client) const STREAMED: u8 = 0xF0;

pub(in crate::client) const PUBLISH: u8 = PacketType::Publish.first_byte();
pub(in crate::client) const PUBREL: u8 = PacketType::PubRel.first_byte();
pub(in crate::client) const DUP: u8 = 0x08;
/// The bits that identify a message or its stub, and its QoS.
pub(in crate::client) const QOS_BITS: u8 = 0xD6;
pub(in crate::client) const AT_MOST_ONCE: u8 = 0x10;
pub(in crate::client) const AT_LEAST_ONCE: u8 = 0x12;
pub(in crate::client) const EXACTLY_ONCE: u8 = 0x14;

/// Length of a packet that consists of an identifier only: PUBREL, and every answer.
pub(in crate::client) const SHORT: usize = 4;

/// The content of a record's headers, in two numbers that are passed in registers.
#[derive(Clone, Copy)]
pub(in crate::client) struct Record {
    end: usize,
    /// One byte each: the first byte of the packet; the offset of its body in the record (never 0); and the offset of the packet in the
    /// record (0 if it is not streamed).
    head: NonZeroU32,
}

impl Record {
    /// The record that begins at `at`; `None` past the end of the bytes. Without `streams`, no record is streamed.
    #[inline]
    pub(in crate::client) fn read(log: &[u8], at: usize, streams: bool) -> Option<Self> {
        let (end, first, body) = fixed_header(log, at)?;
        if streams && first == STREAMED {
            let (_, first, header) = fixed_header(log, at.wrapping_add(body.into()))?;
            return Self::new(end, first, body.wrapping_add(header), body);
        }
        Self::new(end, first, body, 0)
    }

    #[inline]
    fn new(end: usize, first: u8, body: u8, packet: u8) -> Option<Self> {
        let head = NonZeroU32::new(u32::from_le_bytes([first, body, packet, 0]))?;
        Some(Record { end, head })
    }

    /// Where the next record begins.
    #[inline]
    pub(in crate::client) const fn end(self) -> usize {
        self.end
    }

    /// The first byte of the packet.
    #[inline]
    pub(in crate::client) const fn first(self) -> u8 {
        self.head.get() as u8
    }

    /// Where the packet begins, which is the part that is sent.
    #[inline]
    pub(in crate::client) const fn packet(self, at: usize) -> usize {
        at.wrapping_add((self.head.get() >> 16) as usize)
    }

    /// Where the fixed header of the packet ends.
    #[inline]
    pub(in crate::client) const fn body(self, at: usize) -> usize {
        at.wrapping_add((self.head.get() >> 8) as u8 as usize)
    }

    /// Whether this is the head of a streamed PUBLISH, after an additional header.
    #[inline]
    pub(in crate::client) const fn is_streamed(self) -> bool {
        self.head.get() >> 16 != 0
    }

    #[inline]
    pub(in crate::client) const fn is_dead(self) -> bool {
        self.first() == DEAD
    }

    #[inline]
    pub(in crate::client) const fn has_ended(self) -> bool {
        self.first() & 0xF0 == ENDED
    }

    /// Whether this is a stub of a message that was given up.
    #[inline]
    pub(in crate::client) const fn is_stub(self) -> bool {
        matches!(self.first(), AT_LEAST_ONCE | EXACTLY_ONCE)
    }

    /// Whether this is SUBSCRIBE or UNSUBSCRIBE, which end with the connection.
    #[inline]
    pub(in crate::client) const fn ends_with_link(self) -> bool {
        self.first() & 0xD0 == 0x80
    }

    /// Whether this is a PUBLISH with DUP, which the server may have received on an earlier connection.
    #[inline]
    pub(in crate::client) const fn has_dup(self) -> bool {
        self.first() & (0xF0 | DUP) == PUBLISH | DUP
    }

    /// Whether it has an identifier, which must not be reused.
    #[inline]
    pub(in crate::client) const fn keeps_id(self) -> bool {
        keeps_id(self.first())
    }

    /// Whether it waits for an answer with this first byte.
    #[inline]
    pub(in crate::client) const fn waits_for(self, answer: u8) -> bool {
        let request = self.first();
        match answer >> 4 {
            // Also a QoS 2 message: a server that does not support QoS 2 answers with PUBACK.
            0x4 => matches!(request & QOS_BITS, AT_LEAST_ONCE | EXACTLY_ONCE),
            0x5 => request & QOS_BITS == EXACTLY_ONCE,
            // The types of PUBREL and PUBCOMP, SUBSCRIBE and SUBACK, UNSUBSCRIBE and UNSUBACK are consecutive numbers.
            kind => (request >> 4).wrapping_add(1) == kind,
        }
    }

    /// The QoS of a message or its stub.
    pub(in crate::client) fn qos(self) -> QoS {
        QoS::from_bits((self.first() >> 1) & 3).unwrap_or_default()
    }

    /// How the request has ended, if it has.
    pub(in crate::client) const fn outcome(self) -> End {
        End::from_bits(self.first())
    }

    /// The packet identifier, 0 if there is none.
    #[inline]
    pub(in crate::client) fn id(self, log: &[u8], at: usize) -> u16 {
        if !self.keeps_id() {
            return 0;
        }
        let mut place = self.body(at);
        if self.first() & 0xF0 == PUBLISH {
            place = place.wrapping_add(2).wrapping_add(u16_at(log, place).into());
        }
        u16_at(log, place)
    }
}

#[inline]
pub(in crate::client) const fn keeps_id(first: u8) -> bool {
    first & QOS_BITS != AT_MOST_ONCE
}

/// Whether a record that begins with this byte counts as a QoS 2 message.
#[inline]
pub(in crate::client) const fn is_exactly_once(first: u8) -> bool {
    first & QOS_BITS == EXACTLY_ONCE || first >> 4 == PUBREL >> 4
}

/// Where the packet at `at` ends, its first byte, and the length of its fixed header.
#[inline]
fn fixed_header(log: &[u8], at: usize) -> Option<(usize, u8, u8)> {
    let (&first, rest) = log.get(at..)?.split_first()?;
    if IS_LARGE && let Some(&len) = rest.first().filter(|len| **len < 0x80) {
        // Most packets are this short.
        return Some((at.wrapping_add(2).wrapping_add(len.into()), first, 2));
    }
    let (mut len, mut shift, mut header) = (0, 0_u32, 1_u8);
    for &byte in rest.iter().take(4) {
        header = header.wrapping_add(1);
        len |= usize::from(byte & 0x7F) << shift;
        shift = shift.wrapping_add(7);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some((at.wrapping_add(header.into()).wrapping_add(len), first, header))
}
