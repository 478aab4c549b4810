//! One request in the log, as its bytes say: its packet, and in the first byte what it waits for.
//!
//! | first byte | is | waits for |
//! |---|---|---|
//! | `3x` | PUBLISH | to be sent at QoS 0; PUBACK, PUBREC |
//! | `6x` | PUBREL | PUBCOMP |
//! | `8x`, `Ax` | SUBSCRIBE, UNSUBSCRIBE | SUBACK, UNSUBACK |
//! | `F0` | the head of a PUBLISH whose payload is streamed, behind a header of its own | as PUBLISH |
//! | `12`, `14` | a stub of a message of QoS 1 or 2 that was given up | PUBACK, PUBREC |
//! | `E0` to `E3` | a request that has ended, and how | its end to be told |
//! | `10` | nothing any more | room to be made |
//!
//! The identifier stands behind the topic of a PUBLISH, and behind the header of all others. A record without one looks like
//! a message of QoS 0 under [`QOS_BITS`].

use core::num::NonZeroU32;

use super::super::bytes::{IS_LARGE, u16_at};
use crate::QoS;
use crate::codec::PacketType;

pub(crate) const DEAD: u8 = AT_MOST_ONCE;
pub(crate) const ENDED: u8 = 0xE0;
pub(crate) const STREAMED: u8 = 0xF0;

pub(crate) const PUBLISH: u8 = PacketType::Publish.first_byte();
pub(crate) const PUBREL: u8 = PacketType::PubRel.first_byte();
pub(crate) const DUP: u8 = 0x08;
/// The bits that tell the QoS of a message, or of its stub, from others.
pub(crate) const QOS_BITS: u8 = 0xD6;
pub(crate) const AT_MOST_ONCE: u8 = 0x10;
pub(crate) const AT_LEAST_ONCE: u8 = 0x12;
pub(crate) const EXACTLY_ONCE: u8 = 0x14;

/// Bytes of a packet that is only an identifier: PUBREL, and each answer.
pub(crate) const SHORT: usize = 4;

/// How a request has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum End {
    /// It was not answered, and is not sent again.
    Lost = 0,
    /// It had PUBREC, or may have had it, and is not sent again.
    Uncertain = 1,
    /// PUBACK.
    PublishedAtLeastOnce = 2,
    /// PUBCOMP.
    PublishedExactlyOnce = 3,
}

impl End {
    const fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => End::Lost,
            1 => End::Uncertain,
            2 => End::PublishedAtLeastOnce,
            _ => End::PublishedExactlyOnce,
        }
    }
}

/// What the headers of a record say, in two numbers that travel in registers.
#[derive(Clone, Copy)]
pub(crate) struct Record {
    end: usize,
    /// The first byte of the packet; how far its body begins behind the record's begin (never 0), and how far the packet (0 if it
    /// is not streamed): a byte each.
    head: NonZeroU32,
}

impl Record {
    /// The record that begins here; `None` past the end of the bytes. Where there are no `streams`, it is none.
    #[inline]
    pub(crate) fn read(log: &[u8], at: usize, streams: bool) -> Option<Self> {
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

    /// Where the next one begins.
    #[inline]
    pub(crate) const fn end(self) -> usize {
        self.end
    }

    /// The first byte of the packet.
    #[inline]
    pub(crate) const fn first(self) -> u8 {
        self.head.get() as u8
    }

    /// Where the packet begins: what leaves.
    #[inline]
    pub(crate) const fn packet(self, at: usize) -> usize {
        at.wrapping_add((self.head.get() >> 16) as usize)
    }

    /// Where the fixed header of the packet ends.
    #[inline]
    pub(crate) const fn body(self, at: usize) -> usize {
        at.wrapping_add((self.head.get() >> 8) as u8 as usize)
    }

    /// The head of a PUBLISH behind a header of the log.
    #[inline]
    pub(crate) const fn is_streamed(self) -> bool {
        self.head.get() >> 16 != 0
    }

    #[inline]
    pub(crate) const fn is_dead(self) -> bool {
        self.first() == DEAD
    }

    #[inline]
    pub(crate) const fn has_ended(self) -> bool {
        self.first() & 0xF0 == ENDED
    }

    /// What is left of a message that was given up.
    #[inline]
    pub(crate) const fn is_stub(self) -> bool {
        matches!(self.first(), AT_LEAST_ONCE | EXACTLY_ONCE)
    }

    /// SUBSCRIBE or UNSUBSCRIBE: it ends with its connection.
    #[inline]
    pub(crate) const fn ends_with_link(self) -> bool {
        self.first() & 0xD0 == 0x80
    }

    /// Whether it is a PUBLISH with DUP: the server may have seen it on an earlier connection.
    #[inline]
    pub(crate) const fn has_dup(self) -> bool {
        self.first() & (0xF0 | DUP) == PUBLISH | DUP
    }

    /// Whether it keeps an identifier from being given out again.
    #[inline]
    pub(crate) const fn keeps_id(self) -> bool {
        keeps_id(self.first())
    }

    /// Whether it waits for an answer with this first byte.
    #[inline]
    pub(crate) const fn waits_for(self, answer: u8) -> bool {
        let request = self.first();
        match answer >> 4 {
            // Also a message of QoS 2: a server that does not know it answers with PUBACK.
            0x4 => matches!(request & QOS_BITS, AT_LEAST_ONCE | EXACTLY_ONCE),
            0x5 => request & QOS_BITS == EXACTLY_ONCE,
            // PUBREL and PUBCOMP, SUBSCRIBE and SUBACK, UNSUBSCRIBE and UNSUBACK follow each other.
            kind => (request >> 4).wrapping_add(1) == kind,
        }
    }

    /// The QoS of a message or its stub.
    pub(crate) fn qos(self) -> QoS {
        QoS::from_bits((self.first() >> 1) & 3).unwrap_or_default()
    }

    /// How it has ended, if it has.
    pub(crate) const fn outcome(self) -> End {
        End::from_bits(self.first())
    }

    /// The packet identifier, 0 if it keeps none.
    #[inline]
    pub(crate) fn id(self, log: &[u8], at: usize) -> u16 {
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
pub(crate) const fn keeps_id(first: u8) -> bool {
    first & QOS_BITS != AT_MOST_ONCE
}

/// Whether what begins with this byte takes a place among the messages of QoS 2.
#[inline]
pub(crate) const fn is_exactly_once(first: u8) -> bool {
    first & QOS_BITS == EXACTLY_ONCE || first >> 4 == PUBREL >> 4
}

/// Where the packet ends that begins here, its first byte, and bytes of its fixed header.
#[inline]
fn fixed_header(log: &[u8], at: usize) -> Option<(usize, u8, u8)> {
    let (&first, rest) = log.get(at..)?.split_first()?;
    if IS_LARGE && let Some(&len) = rest.first().filter(|len| **len < 0x80) {
        // Nearly all are as short as that.
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
